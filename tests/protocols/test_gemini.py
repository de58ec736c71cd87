"""Google's Gemini: field names in two spellings, streams as events and as an array."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from monitor.protocols.gemini import PROTOCOL
from monitor.types import Call, Tokens
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
        ("system", "Be brief."), ("user", "Where?\n[image image/png 3 bytes]"),
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


def test_counting_is_another_operation(call: Make) -> None:
    """It uses no tokens; other methods of the same path are not claimed."""
    made = call(PATH + "countTokens", b'{"contents": []}', b'{"totalTokens": 11}')
    found = PROTOCOL.read(made)
    assert (found.operation, found.tokens) == ("count_tokens", None)
    assert [(part.name, part.data) for part in found.outputs] == [("totalTokens", [11])]
    assert not PROTOCOL.claims(call(PATH + "generateContent", method="GET"))
    assert not PROTOCOL.claims(call(PATH + "predict"))


@pytest.mark.parametrize(
    ("verb", "asked", "answer"),
    [("embedContent", {"content": {"parts": [{"text": "Ulm"}]}}, {"embedding": {"values": [0.5, 1.5]}}),
     ("batchEmbedContents", {"requests": [{"content": {"parts": [{"text": "Ulm"}]}}]},
      {"embeddings": [{"values": [0.5, 1.5]}], "usageMetadata": {"promptTokenCount": 1}})],
)  # fmt: skip
def test_embeddings_are_one_tensor(
    call: Make, verb: str, asked: dict[str, Any], answer: dict[str, Any]
) -> None:
    """Of one content, or of many."""
    found = PROTOCOL.read(
        call(PATH + verb, json.dumps(asked).encode(), json.dumps(answer).encode())
    )
    assert (found.operation, [part.text for part in found.inputs]) == ("embeddings", ["Ulm"])
    (part,) = found.outputs
    assert (part.name, part.shape, part.data) == ("embedding", [1, 2], [0.5, 1.5])
    assert found.tokens == (Tokens(1, 0) if "usageMetadata" in answer else None)


@pytest.mark.parametrize("is_snake", [False, True])
def test_requests_are_read_in_either_spelling(call: Make, is_snake: bool) -> None:
    """Google's own clients write camel case, people write what its documents of Python show."""

    def named(name: str) -> str:
        return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name) if is_snake else name

    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING", "nullable": True}}}
    right = {"type": "object", "properties": {"city": {"type": ["string", "null"]}}}
    asked = {
        named("systemInstruction"): {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{named("fileData"): {named("mimeType"): "video/mp4", named("fileUri"): "gs://b/a.mp4?x=1"}}]}],
        "tools": [{named("functionDeclarations"): [{"name": "find", "parameters": schema}]}],
        named("generationConfig"): {named("responseMimeType"): "application/json", named("responseSchema"): schema},
    }  # fmt: skip
    found = PROTOCOL.read(call(PATH + "generateContent", json.dumps(asked).encode()))
    assert [part.text for part in found.inputs] == ["Be brief.", "[video gs://b/a.mp4]"]
    assert (found.wants_json, found.schema, found.tools) == (True, right, {"find": right})


def test_what_is_said_beside_the_texts(call: Make) -> None:
    """Parts of the tokens that are sound, the id, the traffic that was paid for otherwise."""
    usage = {
        "promptTokenCount": 20, "candidatesTokenCount": 10, "totalTokenCount": 30, "trafficType": "PROVISIONED_THROUGHPUT",
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "AUDIO", "tokenCount": 15}],
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 8}],
    }  # fmt: skip
    answer = {"candidates": [], "usageMetadata": usage, "responseId": "r1"}
    found = PROTOCOL.read(call(PATH + "generateContent", b"{}", json.dumps(answer).encode()))
    assert found.tokens == Tokens(20, 10, audio_input=15, audio_output=8)
    assert (found.response_id, found.service_tier) == ("r1", "PROVISIONED_THROUGHPUT")


@pytest.mark.parametrize(
    ("said", "right", "least"),
    [({"avgLogprobs": -0.5}, -0.5, None),
     ({"avgLogprobs": -9, "logprobsResult": {"chosenCandidates": [{"logProbability": -1}, {"logProbability": -3}]}}, -2, -3),
     ({"avgLogprobs": "NaN"}, None, None), ({"logprobsResult": [1]}, None, None)],
    ids=["on average", "each", "odd", "odd result"],
)  # fmt: skip
def test_weights_are_those_of_the_tokens_or_their_mean(
    call: Make, said: dict[str, Any], right: float | None, least: float | None
) -> None:
    """The mean alone says nothing of the least likely one."""
    candidate = {"content": {"parts": [{"text": "Ulm"}]}, "finishReason": "STOP", **said}
    answer = json.dumps({"candidates": [candidate]}).encode()
    found = PROTOCOL.read(call(PATH + "generateContent", b"{}", answer))
    assert found.confidence == (None if right is None else pytest.approx(math.exp(right)))
    assert found.confidence_min == (None if least is None else pytest.approx(math.exp(least)))
    assert [part.text for part in found.outputs] == ["Ulm"]
