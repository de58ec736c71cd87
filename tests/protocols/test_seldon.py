"""Seldon's V1 protocol: names beside rows, in any of its payloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.protocols.seldon import PROTOCOL
from monitor.types import Call

Make = Callable[..., Call]
PATH = "/seldon/default/churn/api/v1.0/predictions"


@pytest.mark.parametrize(
    ("body", "right"),
    [
        (b'{"data": {"names": ["a", "b"], "ndarray": [[1, "x"], [2, "y"]]}}', [("a", [1, 2]), ("b", ["x", "y"])]),
        (b'{"data": {"names": ["a", "b"], "tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}}}',
         [("a", [1, 3]), ("b", [2, 4])]),
        (b'{"data": {"names": ["a"], "ndarray": [[1, 2], [3, 4]]}}', [("data", [1, 2, 3, 4])]),
        (b'{"data": {"names": [], "ndarray": [[1, 2]]}}', [("data", [1, 2])]),
        (b'{"data": {"tensor": {"shape": [1, 2], "values": [1, 2]}}}', [("data", [1, 2])]),
        (b'{"jsonData": {"a": 1}, "meta": {"puid": "x"}}', [("a", [1])]),
        (b'{"strData": "hello"}', [("user", "hello")]),
        (b'{"other": 1}', [("other", [1])]),
        (b'{"data": {"tensor": {"shape": 3}}}', [("user", '{"data": {"tensor": {"shape": 3}}}')]),
    ],
    ids=["ndarray", "tensor", "names that do not fit", "no names", "tensor without names", "json", "text",
         "another document", "no tensor"],
)  # fmt: skip
def test_payloads(call: Make, body: bytes, right: list[tuple[Any, Any]]) -> None:
    """Columns where names fit the rows."""
    made = call(PATH, body)
    assert PROTOCOL.claims(made)
    found = [
        (p.name, p.data) if p.text is None else (p.role, p.text) for p in PROTOCOL.read(made).inputs
    ]
    assert found == right


@pytest.mark.parametrize(
    ("path", "answer", "model"),
    [
        (PATH, b'{"data": {}}', "churn"), ("/api/v1.0/predictions", b'{"data": {}}', ""),
        ("/seldon/churn/api/v1.0/explain", b'{"data": {}}', "churn"),
        (PATH, b'{"data": {}, "meta": {"requestPath": {"clf": "img:1"}}}', "clf"),
        (PATH, b'{"data": {}, "meta": {"requestPath": {"a": "x", "b": "y"}}}', "churn"),
    ],
    ids=["deployment", "none", "no namespace", "node", "several nodes"],
)  # fmt: skip
def test_the_model_is_the_only_node_or_the_deployment(
    call: Make, path: str, answer: bytes, model: str
) -> None:
    """What the answer says comes first."""
    assert PROTOCOL.read(call(path, b"{}", answer)).model == model


def test_a_failure_inside_a_200_is_a_failure(call: Make) -> None:
    """As its status says."""
    for flag in (b'"FAILURE"', b"1"):
        answer = b'{"status": {"status": %b, "code": 500, "info": "no model"}}' % flag
        found = PROTOCOL.read(call(PATH, b"{}", answer))
        assert (found.failed, found.outputs[0].role) == (True, "error")
    assert not PROTOCOL.read(call(PATH, b"{}", b'{"status": {"status": "SUCCESS"}}')).failed
