"""Reviews in, answers out: the words of Kubernetes' API."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from monitor.errors import ParseError
from monitor.inject import admission
from monitor.inject.decision import Defaults
from monitor.inject.json_patch import applied
from tests.inject import golden


def review(document: Any, **request: Any) -> bytes:
    """What an API server sends when a Pod is created."""
    return json.dumps({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": "CREATE", "namespace": "models", "object": document,
            "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller"},
            **request,
        },
    }).encode()  # fmt: skip


def answered(body: bytes) -> dict[str, Any]:
    asked = admission.read(body)
    return json.loads(admission.answer(asked, admission.decided(asked, Defaults())))


def test_the_answer_has_the_patch_and_the_uid() -> None:
    """Base64 of a JSON patch, in the version that was asked in."""
    given = golden.pod("named-port")
    found = answered(review(given))
    assert (found["apiVersion"], found["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response = found["response"]
    assert response["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert (response["allowed"], response["patchType"]) == (True, "JSONPatch")
    patch = json.loads(base64.b64decode(response["patch"]))
    assert applied(given, patch)["spec"]["initContainers"][0]["name"] == "monitor"


def test_a_pod_that_cannot_be_injected_is_admitted_with_a_warning() -> None:
    """Nothing of it changes but an annotation."""
    response = answered(review(golden.pod("host-network")))["response"]
    assert response["allowed"] is True
    assert response["warnings"] == [
        "monitor: not injected: the Pod uses the node's network, whose ports all Pods share"
    ]
    patch = json.loads(base64.b64decode(response["patch"]))
    assert [one["path"] for one in patch] == ["/metadata/annotations/monitor.dev~1status"]


@pytest.mark.parametrize(
    "request_",
    [{"operation": "UPDATE"}, {"kind": {"kind": "Node"}}, {"subResource": "ephemeralcontainers"}],
)
def test_what_is_no_new_pod_stays_as_it_is(request_: dict[str, Any]) -> None:
    """A selector that is too wide changes nothing."""
    response = answered(review(golden.pod("named-port"), **request_))["response"]
    assert response == {"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": True}


def test_the_namespace_is_the_request_s() -> None:
    """A Pod of a Deployment has none of its own yet."""
    given = golden.pod("named-port")
    del given["metadata"]["namespace"]
    asked = admission.read(review(given, namespace="kube-system"))
    assert admission.decided(asked, Defaults()).reason == "system_namespace"
    without = admission.read(review(golden.pod("kube-system"), namespace=None))
    assert without.namespace == "kube-system"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"request": []}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"kind": "AdmissionReview"}',
    ],
)
def test_a_body_that_is_no_review_is_told_apart(body: bytes) -> None:
    """As one kind of error."""
    with pytest.raises(ParseError):
        admission.read(body)


@pytest.mark.parametrize("cut", [
    lambda body: body.replace(b"system:service", b"\\ud800"),
    lambda body: body.replace(b"system:service", b"\xff"),
    lambda body: body[:-1],
    lambda body: body.replace(b'"userInfo": {', b'"userInfo": {"x": ' + b"[" * 100_000),
])  # fmt: skip
def test_the_uid_of_a_review_that_cannot_be_read_is_found(cut: Any) -> None:
    """Or the API server would take the answer for another one's: halves of characters, bytes that
    are no text, a body that was cut off or is nested too deep."""
    body = cut(review({}))
    with pytest.raises(ParseError):
        admission.read(body)
    assert admission.unread(body).uid == "705ab4f5-6393-11e8-b7cc-42010a800002"


def test_a_uid_wherever_it_stands_is_found_and_none_is_cut() -> None:
    """A longer one than any UUID comes back whole, within a bound; what is no uid is none."""
    assert admission.unread(b'{"request": {"object": "\\ud800", "uid": "u"}}').uid == "u"
    for uid, found in (
        ("x" * 3000, "x" * 3000), ("x" * 5000, ""), ("\ud800", ""), ("a\n", ""), (5, ""), (None, ""),
    ):  # fmt: skip
        body = review({}, uid=uid)
        assert admission.unread(body).uid == found
        if uid != "\ud800":
            assert admission.read(body).uid == found
