"""An AdmissionReview's bytes → what becomes of its Pod → the answer, which always allows it.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/. The API
server sends one review for a Pod, and takes an answer with the same `uid` only.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.errors import ParseError
from monitor.inject.decision import Decision, Defaults, decide

VERSIONS = ("admission.k8s.io/v1", "admission.k8s.io/v1beta1")
LONGEST_UID = 4096
"""Characters of a uid. It is a UUID of 36; a longer one is none, and a cut one would be wrong."""

_UID = re.compile(rb'"request"\s*:\s*\{\s*"uid"\s*:\s*"([!#-\[\]-~]{1,200})"')
"""Where API servers write the uid: at the beginning of the request."""


@dataclass(frozen=True)
class Review:
    """What an API server asks: about which object, in which namespace."""

    uid: str
    version: str
    namespace: str
    document: Any
    is_pod: bool


def read(body: bytes) -> Review:
    """Return what a body asks. Raises ParseError where it is no AdmissionReview."""
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise ParseError("the body is no JSON") from None
    if not isinstance(tree, dict) or not isinstance(tree.get("request"), dict):
        raise ParseError("the body is no AdmissionReview: it has no request")
    request = tree["request"]
    version, uid, document = tree.get("apiVersion"), request.get("uid"), request.get("object")
    kind = request.get("kind")
    named = kind.get("kind", "Pod") if isinstance(kind, dict) else "Pod"
    return Review(
        uid=_uid(uid),
        version=version if version in VERSIONS else VERSIONS[0],
        namespace=_text(request.get("namespace")) or _namespace(document),
        document=document,
        is_pod=named == "Pod"
        and request.get("operation", "CREATE") == "CREATE"
        and not request.get("subResource"),
    )


def unread(body: bytes) -> Review:
    """Return what is known of a review that cannot be read: its uid, if that is anywhere, since the
    API server takes an answer without it for a failure."""
    try:  # Python's reader takes halves of characters and bytes that are none
        request = json.loads(body.decode("utf-8", "replace"))["request"]
        uid = _uid(request["uid"])
    except (ValueError, LookupError, TypeError, RecursionError):
        found = _UID.search(body)
        uid = found[1].decode() if found else ""
    return Review(uid, VERSIONS[0], "", None, is_pod=False)


def decided(review: Review, defaults: Defaults) -> Decision:
    """Return what becomes of the Pod of a review."""
    if not review.is_pod:
        return Decision("skipped", "other_object", "it is no Pod that is being created")
    return decide(review.document, review.namespace, defaults)


def answer(review: Review | None, decision: Decision) -> bytes:
    """Return the AdmissionReview that answers one: allowed, with the patch and the warnings."""
    response: dict[str, Any] = {"uid": review.uid if review else "", "allowed": True}
    if decision.patch:
        patch = msgspec.json.encode(decision.patch)
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
    if decision.warnings:
        response["warnings"] = list(decision.warnings)
    return msgspec.json.encode(
        {
            "apiVersion": review.version if review else VERSIONS[0],
            "kind": "AdmissionReview",
            "response": response,
        }
    )


def _uid(value: Any) -> str:
    """A uid that can be answered with; empty where it is none."""
    is_one = isinstance(value, str) and value.isprintable() and len(value) <= LONGEST_UID
    return value if is_one else ""


def _namespace(document: Any) -> str:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    return _text(metadata.get("namespace")) if isinstance(metadata, dict) else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
