"""SageMaker's invocations: rows as JSON, CSV and lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from monitor.protocols import PROTOCOLS
from monitor.types import Call
from tests.framings.test_aws_eventstream import encoded

Make = Callable[..., Call]
PROTOCOL = next(one for one in PROTOCOLS if one.name == "sagemaker")


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
    """An error inside a 200 is one; an event stream is read, MLflow's tables are others'."""
    failed = PROTOCOL.read(call("/invocations", b"{}", b'{"error": "out of memory"}'))
    assert (failed.failed, failed.outputs[0].role) == (True, "error")
    events = PROTOCOL.read(
        call("/invocations", b"{}", b"data: 1\n\n", answer_type="text/event-stream")
    )
    assert (events.protocol, events.streamed, events.outputs[0].text) == ("sagemaker", True, "1")
    assert not PROTOCOL.claims(call("/invocations", b'{"dataframe_split": {"columns": []}}'))
    assert not PROTOCOL.claims(call("/invocations", b'{"messages": []}'))


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ({"predictions": [{"score": 0.9, "predicted_label": 1}, {"score": 0.25, "predicted_label": 0}]}, (0.825, 0.75)),
        ({"predictions": [{"score": 0.9}, {"score": 0.25}]}, (None, None)),
        ({"predictions": [{"score": 7.5, "predicted_label": 1}]}, (None, None)),
        ({"predictions": [{"score": 0.5, "predicted_label": "cat"}]}, (None, None)),
    ],
    ids=["two classes", "a regression", "no probability", "another label"],
)  # fmt: skip
def test_a_score_beside_its_label_is_a_probability(call: Make, answer: Any, right: Any) -> None:
    """Of the class 1, in the built-in classifiers of two classes."""
    found = PROTOCOL.read(call("/endpoints/m/invocations", b"{}", json.dumps(answer).encode()))
    assert (found.confidence, found.confidence_min) == tuple(
        one if one is None else pytest.approx(one) for one in right
    )


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        (b'{"messages": [{"role": "user", "content": "Where?"}]}', "chat"),
        (b'{"prompt": "Where?", "model": "m"}', "text_completion"),
        (b'{"inputs": "Where?", "parameters": {"max_new_tokens": 9}}', "text_completion"),
        (b'{"inputs": [[1, 2]]}', "infer"),
        (b'{"instances": [{"messages": 3, "prompt": 4}]}', "infer"),
        (b'{"messages": 3}', "infer"),
        (b'{"messages": [{"role": "user", "content": "Whe', "chat"),
    ],
)
def test_a_body_is_read_as_what_it_is(call: Make, body: bytes, operation: str) -> None:
    """Columns may have any name."""
    found = PROTOCOL.read(call("/endpoints/m/invocations", body, b"{}"))
    assert (found.operation, found.model, found.protocol) == (operation, "m", "sagemaker")
    assert found.inputs != []


def test_lines_that_are_streamed(call: Make) -> None:
    """In parts that are cut anywhere; no dialect's, so they are columns."""
    body = encoded({":event-type": "PayloadPart"}, b'{"a": 1}\n{"a"')
    end = len(body)
    body += encoded({":event-type": "PayloadPart"}, b": 2}\n")
    made = call(
        "/endpoints/m/invocations-response-stream", b"1", body,
        answer_type="application/vnd.amazon.eventstream", chunks=[(0.5, end), (1.5, len(body))],
    )  # fmt: skip
    found = PROTOCOL.read(made)
    assert [(part.name, part.data) for part in found.outputs] == [("a", [1, 2])]
    assert (found.streamed, found.first_token, found.last_token) == (True, 0.5, 1.5)
