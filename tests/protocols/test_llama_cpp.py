"""llama.cpp's own completions: what all dialects' tests do not ask."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from monitor.finish_reasons import normal
from monitor.protocols.llama_cpp import PROTOCOL
from monitor.types import Call, Tokens

Make = Callable[..., Call]


@pytest.mark.parametrize(
    ("said", "reason", "meaning"),
    [
        ({"stop_type": "eos"}, ["eos"], "stop"), ({"stop_type": "word"}, ["word"], "stop"),
        ({"stop_type": "limit"}, ["limit"], "length"), ({"stop_type": "none", "stopped_limit": True}, ["stopped_limit"], "length"),
        ({"stopped_eos": False, "stopped_word": True}, ["stopped_word"], "stop"), ({"stop_type": "none"}, [], ""),
    ],
)  # fmt: skip
def test_reasons_old_and_new(call: Make, said: Any, reason: list[str], meaning: str) -> None:
    """In the server's words."""
    answer = json.dumps({"content": "Ulm.", "stop": True, **said}).encode()
    found = PROTOCOL.read(call("/completion", b'{"prompt": "Where?"}', answer))
    assert found.finish_reasons == reason
    assert [normal(one) for one in reason] == [meaning] * len(reason)


def test_what_is_claimed(call: Make) -> None:
    """OpenAI's path has an s; other applications have other members."""
    assert PROTOCOL.claims(call("/llm/completion/", b'{"prompt": "a"}'))
    assert PROTOCOL.claims(call("/infill", b'{"input_prefix": "a", "input_suffix": "b"}'))
    assert not PROTOCOL.claims(call("/v1/completions", b'{"prompt": "a"}'))
    assert not PROTOCOL.claims(call("/completion", b'{"text": "a"}'))


def test_prompts_gaps_and_weights(call: Make) -> None:
    """A cached part of the prompt is part of what was read."""
    told = {
        "content": "Ulm.", "tokens_evaluated": 9, "tokens_predicted": 4, "timings": {"cache_n": 5},
        "completion_probabilities": [{"token": "U", "logprob": -0.5}, {"token": "lm.", "logprob": -1.5}],
    }  # fmt: skip
    asked = {"input_prefix": "def f(", "input_suffix": "): pass", "json_schema": {"type": "object"}}
    found = PROTOCOL.read(call("/infill", json.dumps(asked).encode(), json.dumps(told).encode()))
    assert (found.tokens, found.confidence) == (Tokens(9, 4, cached=5), math.exp(-1))
    assert [part.text for part in found.inputs] == ["def f(\n): pass"]
    assert (found.wants_json, found.schema) == (True, {"type": "object"})
    many = b'[{"content": "a", "index": 0}, {"content": "b", "index": 1}]'
    found = PROTOCOL.read(call("/completion", b'{"prompt": [1, 2]}', many))
    assert [part.text for part in found.outputs] == ["a", "b"]
    assert found.inputs[0].data == [1, 2]


def test_another_answer_is_read_as_any_json(call: Make) -> None:
    """It loses nothing."""
    found = PROTOCOL.read(call("/completion", b'{"prompt": "a"}', b'{"score": 0.5}'))
    assert [(part.name, part.data) for part in found.outputs] == [("score", [0.5])]
