"""Google's Gemini: field names in two spellings, streams as events and as an array."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from monitor.protocols.gemini import PROTOCOL
from monitor.types import Call
from tests.protocols.dialects import events

Make = Callable[..., Call]
PATH = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.0-flash:"


def test_parts_of_every_kind(call: Make) -> None:
    """Thoughts, calls, code, media, what functions gave back."""
    asked = {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Where?"}, {"inline_data": {"mime_type": "image/png", "data": "abcd"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "find", "args": {"at": "Ulm"}}}]},
            {"role": "function", "parts": [{"functionResponse": {"name": "find", "response": {"at": 48.4}}}]},
        ],
    }  # fmt: skip
    answer_parts = [
        {"text": "Hm.", "thought": True}, {"functionCall": {"name": "today"}},
        {"executableCode": {"language": "PYTHON", "code": "1"}}, {"text": "On the Danube."},
    ]  # fmt: skip
    answer = {
        "candidates": [{"content": {"parts": answer_parts}, "finishReason": "STOP"}],
        "modelVersion": "gemini-2.0-flash-001",
    }
    made = call(PATH + "generateContent", json.dumps(asked).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert [(part.role, part.text) for part in found.inputs] == [
        ("system", "Be brief."), ("user", "Where?\n[image/png 4 characters]"),
        ("model", '{"name":"find","arguments":{"at":"Ulm"}}'),
        ("function", '{"name":"find","response":{"at":48.4}}'),
    ]  # fmt: skip
    assert [(part.role, part.text) for part in found.outputs] == [
        ("reasoning", "Hm."), ("tool_call", '{"name":"today","arguments":{}}'),
        ("tool_call", '{"name":"code_execution","arguments":{"language":"PYTHON","code":"1"}}'),
        ("assistant", "On the Danube."),
    ]  # fmt: skip
    assert (found.model, found.operation) == ("gemini-2.0-flash-001", "generate_content")
    assert not found.streamed


def test_candidates_stay_apart(call: Make) -> None:
    """Two answers interleaved are two texts, with a reason each."""

    def chunk(index: int, text: str, **more: Any) -> dict[str, Any]:
        return {"candidates": [{"index": index, "content": {"parts": [{"text": text}]}, **more}]}

    body = events(
        chunk(0, "a"),
        chunk(1, "x"),
        chunk(0, "b", finishReason="STOP"),
        chunk(1, "y", finishReason="SAFETY"),
    )
    found = PROTOCOL.read(
        call(PATH + "streamGenerateContent", b"{}", body, answer_type="text/event-stream")
    )
    assert [part.text for part in found.outputs] == ["ab", "xy"]
    assert found.finish_reasons == ["STOP", "SAFETY"]
    assert found.model == "gemini-2.0-flash"


def test_the_elements_of_an_array_are_timed(call: Make) -> None:
    """Each when its brace had come, though the array was not closed yet."""
    one = json.dumps({"candidates": [{"content": {"parts": [{"text": "U"}]}}]})
    two = json.dumps(
        {"candidates": [{"content": {"parts": [{"text": "lm"}]}, "finishReason": "STOP"}]}
    )
    pieces = [f"[{one}", f"\r\n,\r\n{two}", "]"]
    chunks, size = [], 0
    for number, piece in enumerate(pieces):
        size += len(piece)
        chunks.append((float(number + 1), size))
    body = "".join(pieces).encode()
    found = PROTOCOL.read(call(PATH + "streamGenerateContent", b"{}", body, chunks=chunks))
    assert (found.streamed, found.first_token, found.last_token) == (True, 1.0, 2.0)
    assert [part.text for part in found.outputs] == ["Ulm"]


def test_a_blocked_prompt_is_no_failure(call: Make) -> None:
    """It has a reason and no answer; an empty reason blocks nothing."""
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 3},
    }
    found = PROTOCOL.read(
        call(PATH + "streamGenerateContent", b"{}", json.dumps([blocked]).encode())
    )
    assert (found.failed, found.incomplete, found.finish_reasons) == (False, False, ["SAFETY"])
    open_ = [{"promptFeedback": {"blockReason": ""}}]
    assert PROTOCOL.read(
        call(PATH + "streamGenerateContent", b"{}", json.dumps(open_).encode())
    ).incomplete


@pytest.mark.parametrize(
    ("used", "right"),
    [
        ({"promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 5, "totalTokenCount": 18}, (9, 9)),
        ({"promptTokenCount": 9, "candidatesTokenCount": 9, "thoughtsTokenCount": 5, "totalTokenCount": 18}, (9, 9)),
        ({"promptTokenCount": 9, "toolUsePromptTokenCount": 6, "candidatesTokenCount": 3, "totalTokenCount": 18}, (15, 3)),
        ({"promptTokenCount": 9, "cachedContentTokenCount": 8, "candidatesTokenCount": 3}, (9, 3)),
        ({"promptTokenCount": 9, "totalTokenCount": 9}, (9, 0)),
        ({"candidatesTokenCount": 3}, (None, 3)),
    ],
    ids=["thoughts beside", "thoughts within", "tools", "cached", "nothing written", "one alone"],
)  # fmt: skip
def test_the_total_tells_what_was_written(
    call: Make, used: dict[str, int], right: tuple[int | None, int | None]
) -> None:
    """Thoughts count once, cached tokens are part of the prompt."""
    found = PROTOCOL.read(
        call(PATH + "generateContent", b"{}", json.dumps({"usageMetadata": used}).encode())
    )
    assert found.tokens is not None
    assert (found.tokens.input, found.tokens.output) == right
    assert found.tokens.reasoning == used.get("thoughtsTokenCount")
    assert found.tokens.cached == used.get("cachedContentTokenCount")


def test_counting_and_embedding_are_others_matters(call: Make) -> None:
    """As are other methods of the same path."""
    assert not PROTOCOL.claims(call(PATH + "countTokens"))
    assert not PROTOCOL.claims(call(PATH + "generateContent", method="GET"))
