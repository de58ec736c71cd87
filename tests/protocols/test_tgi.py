"""Text Generation Inference: what the goldens of its client do not have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.protocols import PROTOCOLS
from monitor.protocols.tgi import PROTOCOL
from monitor.types import Call, Outcome, Tokens
from tests.protocols.dialects import events

Make = Callable[..., Call]
ASKED = b'{"inputs": "Where?", "parameters": {"grammar": {"type": "json", "value": {"type": "object"}}}}'
EVENTS = "text/event-stream"


def token(text: str, *, special: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "token": {"id": 1, "text": text, "logprob": -0.5, "special": special},
        "generated_text": None,
        **more,
    }


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/generate", b'{"inputs":"a"}', "tgi"), ("/tgi/generate_stream/", b'{"inputs" : "a"}', "tgi"),
        ("/generate", b'{"inputs": [1]}', "generic_json"), ("/generate", b'{"prompt": "a"}', "generic_json"),
        ("/v2/models/m/generate", b'{"inputs": "a"}', "triton_generate"), ("/api/generate", b'{"model": "m", "prompt": "a"}', "ollama"),
    ],
)  # fmt: skip
def test_whose_a_request_is(call: Make, path: str, body: bytes, name: str) -> None:
    """Many have such paths."""
    made = call(path, body, b"{}")
    assert next(one for one in PROTOCOLS if one.claims(made)).name == name


def test_special_tokens_are_no_content_and_the_last_event_repeats(call: Make) -> None:
    """Nor does the end of the text say how sure the model was."""
    last = token("</s>", special=True) | {
        "generated_text": "Ulm.", "details": {"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 9},
    }  # fmt: skip
    last["token"]["logprob"] = -9.0
    body = events(token("Ul"), token("m."), last)
    end = len(events(token("Ul"), token("m.")))
    chunks = [(0.5, end), (1.5, len(body))]
    found = PROTOCOL.read(call("/generate_stream", ASKED, body, answer_type=EVENTS, chunks=chunks))
    assert [part.text for part in found.outputs] == ["Ulm."]
    assert (found.tokens, found.finish_reasons, found.last_token) == (
        Tokens(9, 3),
        ["eos_token"],
        0.5,
    )
    assert found.confidence == found.confidence_min == pytest.approx(0.60653066)
    assert (found.wants_json, found.schema, found.model) == (True, {"type": "object"}, "")
    cut = PROTOCOL.read(call("/generate_stream", ASKED, body[:end], answer_type=EVENTS))
    assert (cut.incomplete, cut.outputs[0].text) == (True, "Ulm.")


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("overloaded", Outcome.RATE_LIMITED), ("generation", Outcome.SERVER_ERROR)],
)
def test_errors_inside_a_200(call: Make, kind: str, outcome: Outcome) -> None:
    """As an event, or whole."""
    error = {"error": "Model is overloaded", "error_type": kind}
    body = events(token("Ulm."), error)
    found = PROTOCOL.read(call("/generate_stream", ASKED, body, answer_type=EVENTS))
    assert (found.ended(Outcome.OK), found.outputs[0].text) == (outcome, "Ulm.")
    found = PROTOCOL.read(call("/generate", ASKED, json.dumps(error).encode()))
    assert (found.ended(Outcome.OK), found.outputs[-1].role) == (outcome, "error")


def test_whole_answers(call: Make) -> None:
    """With the best of several, in a list, counted in the headers, or of another dialect."""
    best = {"generated_text": "Bonn.", "finish_reason": "length"}
    told = {"generated_text": "Ulm.", "details": {"finish_reason": "stop_sequence", "prefill": [{}] * 9,
            "generated_tokens": 3, "best_of_sequences": [best]}}  # fmt: skip
    found = PROTOCOL.read(call("/generate", ASKED, json.dumps(told).encode()))
    assert [part.text for part in found.outputs] == ["Ulm.", "Bonn."]
    assert (found.tokens, found.finish_reasons) == (Tokens(9, 3), ["stop_sequence", "length"])
    heads = "x-prompt-tokens: 9\r\nx-generated-tokens: 3\r\n"
    found = PROTOCOL.read(
        call("/generate", ASKED, b'[{"generated_text": "Ulm."}]', answer_headers=heads)
    )
    assert ([part.text for part in found.outputs], found.tokens) == (["Ulm."], Tokens(9, 3))
    found = PROTOCOL.read(call("/generate", ASKED, b'{"score": 0.5}'))
    assert [(part.name, part.data) for part in found.outputs] == [("score", [0.5])]
    assert PROTOCOL.read(call("/generate", ASKED, b'{"generated_text": "Ul')).incomplete


@given(st.binary(max_size=120), st.sampled_from([EVENTS, "application/json"]))
def test_any_bytes_are_read(call: Make, answer: bytes, kind: str) -> None:
    """No exception."""
    for data in (answer, b"data: " + answer):
        PROTOCOL.read(call("/generate", ASKED, data, answer_type=kind))
