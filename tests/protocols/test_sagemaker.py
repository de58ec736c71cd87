"""SageMaker's invocations: rows as JSON, CSV and lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.errors import ParseError
from monitor.protocols.sagemaker import PROTOCOL
from monitor.types import Call

Make = Callable[..., Call]


@pytest.mark.parametrize(
    ("kind", "answer", "right"),
    [
        ("application/json", b'{"predictions": [{"score": 0.1}, {"score": 0.9}]}', [("score", [0.1, 0.9])]),
        ("application/jsonlines", b'{"score": 0.1}\n{"score": 0.9}\n', [("score", [0.1, 0.9])]),
        ("text/csv", b"0.1\n0.9\n", [("0", [0.1, 0.9])]),
    ],
)  # fmt: skip
def test_answers_are_columns_whatever_their_form(
    call: Make, kind: str, answer: bytes, right: list[Any]
) -> None:
    """Those of the built-in algorithms."""
    made = call(
        "/invocations", b"1,2\n", answer, answer_type=kind, headers="content-type: text/csv\r\n"
    )
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert [(part.name, part.data) for part in found.outputs] == right
    assert [(part.name, part.data) for part in found.inputs] == [("0", [1]), ("1", [2])]


def test_the_model_is_what_is_named_or_the_endpoint(call: Make) -> None:
    """A container alone has none."""
    path = "/endpoints/churn%2Da/invocations"
    assert PROTOCOL.read(call(path)).model == "churn-a"
    named = "content-type: text/csv\r\nX-Amzn-SageMaker-Target-Model: b.tar.gz\r\n"
    assert PROTOCOL.read(call(path, b"1", headers=named)).model == "b.tar.gz"
    assert PROTOCOL.read(call("/invocations")).model == ""


def test_errors_and_streams_and_others(call: Make) -> None:
    """An error inside a 200 is one; an event stream and MLflow's tables are read as any JSON."""
    failed = PROTOCOL.read(call("/invocations", b"{}", b'{"error": "out of memory"}'))
    assert (failed.failed, failed.outputs[0].role) == (True, "error")
    with pytest.raises(ParseError):
        PROTOCOL.read(call("/invocations", b"{}", b"data: 1\n\n", answer_type="text/event-stream"))
    assert not PROTOCOL.claims(call("/invocations", b'{"dataframe_split": {"columns": []}}'))
    assert not PROTOCOL.claims(call("/invocations", b'{"messages": []}'))
