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
