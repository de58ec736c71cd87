"""Triton's generate extension: texts and columns, deltas and whole texts."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.protocols.triton_generate import PROTOCOL
from monitor.types import Call
from tests.protocols.dialects import events

Make = Callable[..., Call]
PATH, STREAM = "/v2/models/llm/generate", "/v2/models/llm/versions/1/generate_stream"
EVENTS = "text/event-stream"


@pytest.mark.parametrize(
    ("texts", "right"),
    [(["In ", "Bavaria."], "In Bavaria."), (["In ", "In Bavaria."], "In Bavaria."), (["ha", "ha"], "haha"), (["", "a"], "a")],
    ids=["deltas", "all so far", "the same twice", "nothing first"],
)  # fmt: skip
def test_events_say_what_is_new_or_all_that_was_said(
    call: Make, texts: list[str], right: str
) -> None:
    """As the model's backend is set up."""
    body = events(*({"model_name": "llm", "text_output": text} for text in texts))
    found = PROTOCOL.read(call(STREAM, b'{"text_input": "Where?"}', body, answer_type=EVENTS))
    assert [part.text for part in found.outputs] == [right]
    assert (found.model, found.operation, found.streamed) == ("llm", "text_completion", True)


def test_errors_and_ends(call: Make) -> None:
    """The stream has no end of its own."""
    for event, failed in ((b'data: {"error": "full"}', True), (b"data: [DONE]", False)):
        body = b'data: {"text_output": "Ulm."}\n\n' + event + b"\n\n"
        found = PROTOCOL.read(call(STREAM, b"{}", body, answer_type=EVENTS))
        assert (found.failed, found.incomplete, found.outputs[0].text) == (failed, False, "Ulm.")
    assert PROTOCOL.read(call(PATH, b"{}", b'{"error": "no model"}')).failed
    assert PROTOCOL.read(call(PATH, b"{}", b'{"text_output": "Ul')).incomplete


def test_other_members_are_columns(call: Make) -> None:
    """Of any model: those of the protocol are none."""
    asked = {
        "text_input": "Where?",
        "max_tokens": 9,
        "parameters": {"temperature": 0.5},
        "stream": False,
    }
    told = {
        "text_output": "Ulm.",
        "model_name": "llm",
        "model_version": "1",
        "sequence_id": 0,
        "score": 0.5,
    }
    found = PROTOCOL.read(call(PATH, json.dumps(asked).encode(), json.dumps(told).encode()))
    assert [(part.text, part.name, part.data) for part in found.inputs] == [
        ("Where?", None, None), (None, "max_tokens", [9]),
    ]  # fmt: skip
    assert [(part.text, part.name, part.data) for part in found.outputs] == [
        ("Ulm.", None, None), (None, "score", [0.5]),
    ]  # fmt: skip
    found = PROTOCOL.read(call(PATH, b'{"text_input": ["a", "b"]}', b'{"text_output": [1, 2]}'))
    assert [part.data for part in (*found.inputs, *found.outputs)] == [["a", "b"], [1, 2]]


@pytest.mark.parametrize(
    ("weights", "right"), [([-0.5, -1.5], math.exp(-1)), ([0.0, 0.0], None), (0.0, None), (-0.5, math.exp(-0.5))]
)  # fmt: skip
def test_weights_of_nothing_but_zero_were_not_asked_for(
    call: Make, weights: Any, right: float | None
) -> None:
    """They are no certainty."""
    told = json.dumps({"text_output": "Ulm.", "output_log_probs": weights}).encode()
    assert PROTOCOL.read(call(PATH, b"{}", told)).confidence == right


@given(
    st.binary(max_size=120), st.binary(max_size=120), st.sampled_from([EVENTS, "application/json"])
)
def test_any_bytes_are_read(call: Make, body: bytes, answer: bytes, kind: str) -> None:
    """ParseError and nothing else."""
    for data in (answer, b"data: " + answer):
        with contextlib.suppress(ParseError):
            PROTOCOL.read(call(STREAM, body, data, answer_type=kind))
