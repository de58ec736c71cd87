"""Bedrock: Converse and its events, and the bodies of models' families."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from monitor.finish_reasons import normal
from monitor.protocols import PROTOCOLS
from monitor.types import Call, Outcome, Part, Tokens
from tests.protocols.dialects import DIALECTS, framed

Make = Callable[..., Call]
PROTOCOL = next(one for one in PROTOCOLS if one.name == "bedrock")
STREAM = "application/vnd.amazon.eventstream"
ASKED = json.dumps(DIALECTS["bedrock"].request).encode()


def answered(*blocks: Any, **more: Any) -> bytes:
    message = {"role": "assistant", "content": list(blocks)}
    return json.dumps({"output": {"message": message}, "stopReason": "end_turn", **more}).encode()


def chunk(document: Any) -> bytes:
    data = base64.b64encode(json.dumps(document).encode()).decode()
    return framed("chunk", {"bytes": data, "p": "abcd"})


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/model/eu.amazon.nova-pro-v1%3A0/converse", "eu.amazon.nova-pro-v1:0"),
        ("/gateway/model/arn%3Aaws%3Abedrock%3Aeu%3A1%3Aapplication-inference-profile%2Fa1/invoke/",
         "arn:aws:bedrock:eu:1:application-inference-profile/a1"),
        ("/model/arn:aws:bedrock:eu::foundation-model/m/converse-stream", "arn:aws:bedrock:eu::foundation-model/m"),
    ],
)  # fmt: skip
def test_the_model_is_the_paths(call: Make, path: str, model: str) -> None:
    """An id, a profile or an ARN, encoded or not."""
    made = call(path, ASKED, answered({"text": "Ulm."}))
    assert PROTOCOL.claims(made)
    assert PROTOCOL.read(made).model == model


@pytest.mark.parametrize("path", ["/model/converse", "/models/m/converse", "/model/m/converses"])
def test_other_paths_are_not_claimed(call: Make, path: str) -> None:
    """Nor is what was not posted."""
    assert not PROTOCOL.claims(call(path))
    assert not PROTOCOL.claims(call("/model/m/converse", method="GET"))


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"inputTokens": 10, "outputTokens": 5, "totalTokens": 115, "cacheReadInputTokens": 100}, 110),
        ({"inputTokens": 10, "outputTokens": 5, "cacheReadInputTokens": 100}, 110),
        ({"inputTokens": 110, "outputTokens": 5, "totalTokens": 115, "cacheReadInputTokens": 100}, 110),
        ({"inputTokens": 10, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 100}, 110),
        ({"inputTokens": 10, "outputTokens": 5, "cacheReadInputTokenCount": 100}, 110),
    ],
    ids=["beside", "without a total", "a part", "more than a part can be", "misspelt"],
)  # fmt: skip
def test_cached_tokens_are_part_of_the_input(call: Make, usage: dict[str, int], read: int) -> None:
    """Most models count them beside the input, some within it; the total tells."""
    found = PROTOCOL.read(call("/model/m/converse", ASKED, answered({"text": "a"}, usage=usage)))
    assert found.tokens == Tokens(read, 5, cached=100)


def test_usage_comes_behind_the_end_of_the_message(call: Make) -> None:
    """And what follows it is no content."""
    body = DIALECTS["bedrock"].stream
    start = len(DIALECTS["bedrock"].cut)
    made = call(
        "/model/m/converse-stream", ASKED, body, answer_type=STREAM,
        chunks=[(0.5, start), (2.0, len(body))],
    )  # fmt: skip
    found = PROTOCOL.read(made)
    assert (found.first_token, found.last_token, found.tokens) == (0.5, 0.5, Tokens(9, 4))


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("throttlingException", Outcome.RATE_LIMITED), ("modelStreamErrorException", Outcome.SERVER_ERROR),
        ("modelTimeoutException", Outcome.SERVER_ERROR), ("serviceUnavailableException", Outcome.SERVER_ERROR),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["converse-stream", "invoke-with-response-stream"])
def test_exceptions_inside_a_200(call: Make, verb: str, name: str, outcome: Outcome) -> None:
    """What was said before them stays."""
    begin = chunk({"generation": "Ulm."}) if "invoke" in verb else DIALECTS["bedrock"].cut
    asked = b'{"prompt": "Where?"}' if "invoke" in verb else ASKED
    body = begin + framed(name, {"message": "later"}, kind="exception")
    found = PROTOCOL.read(call(f"/model/m/{verb}", asked, body, answer_type=STREAM))
    assert [part.role for part in found.outputs] == ["assistant", "error"]
    assert (found.ended(Outcome.OK), found.finish_reasons) == (outcome, [])


def test_an_error_message_without_payload(call: Make) -> None:
    """The framing has errors of its own beside exceptions."""
    from tests.framings.test_aws_eventstream import encoded

    headers: Any = {":message-type": "error", ":error-code": "500", ":error-message": "broken"}
    body = DIALECTS["bedrock"].cut + encoded(headers, b"")
    found = PROTOCOL.read(call("/model/m/converse-stream", ASKED, body, answer_type=STREAM))
    assert found.outputs[-1] == Part(
        role="error", text='{"error":{"type":"500","message":"broken"}}'
    )


def test_a_damaged_frame_costs_itself(call: Make) -> None:
    """Behind a damaged length nothing is read, and the stream has no end."""
    whole = DIALECTS["bedrock"].stream
    place = whole.index(b"Ulm.")
    bent = whole[:place] + b"u" + whole[place + 1 :]
    found = PROTOCOL.read(call("/model/m/converse-stream", ASKED, bent, answer_type=STREAM))
    assert (found.outputs, found.finish_reasons, found.tokens) == ([], ["end_turn"], Tokens(9, 4))
    start = len(DIALECTS["bedrock"].cut)
    bent = whole[:start] + b"\xff" + whole[start + 1 :]
    found = PROTOCOL.read(call("/model/m/converse-stream", ASKED, bent, answer_type=STREAM))
    assert ([part.text for part in found.outputs], found.incomplete) == (["Ulm."], True)


def test_blocks_of_a_request(call: Make) -> None:
    """Each by what it is; marks of a cache are nothing."""
    blocks = [
        {"document": {"name": "d", "format": "txt", "source": {"text": "Ulm is a city."}}},
        {"document": {"name": "e", "format": "pdf", "source": {"s3Location": {"uri": "s3://b/e.pdf"}}}},
        {"video": {"format": "mp4", "source": {"bytes": "AAAA"}}}, {"cachePoint": {"type": "default"}},
        {"guardContent": {"text": {"text": "Only this."}}}, {"new": {"kind": 1}},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"toolResult": {"toolUseId": "t", "content": [{"text": "a"}, {"json": {"b": 1}}]}},
    ]  # fmt: skip
    body = json.dumps({"messages": [{"role": "user", "content": blocks}]}).encode()
    (part,) = PROTOCOL.read(call("/model/m/converse", body)).inputs
    assert (part.text or "").splitlines() == [
        "Ulm is a city.", "[document s3://b/e.pdf]", "[video mp4 3 bytes]", "Only this.", '{"new":{"kind":1}}',
        "[redacted_thinking 3 bytes]", "a", '{"b":1}',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "answer", "operation", "tokens", "reason"),
    [
        ({"prompt": "Where?"}, {"generation": "Ulm.", "prompt_token_count": 9, "generation_token_count": 4,
                                "stop_reason": "stop"}, "text_completion", Tokens(9, 4), "stop"),
        ({"inputText": "Where?"}, {"inputTextTokenCount": 9, "results": [{"tokenCount": 4, "outputText": "Ulm.",
                                   "completionReason": "LENGTH"}]}, "text_completion", Tokens(9, 4), "LENGTH"),
        ({"prompt": "Where?"}, {"completion": "Ulm.", "stop_reason": "stop_sequence"}, "text_completion", None, "stop_sequence"),
        ({"prompt": "Where?"}, {"outputs": [{"text": "Ulm.", "stop_reason": "length"}]}, "text_completion", None, "length"),
        ({"prompt": "Where?"}, {"generations": [{"text": "Ulm.", "finish_reason": "COMPLETE"}]}, "text_completion", None, "COMPLETE"),
        ({"prompt": "Where?"}, {"choices": [{"text": "Ulm.", "stop_reason": "stop"}]}, "text_completion", None, "stop"),
        ({"message": "Where?"}, {"text": "Ulm.", "finish_reason": "COMPLETE"}, "chat", None, "COMPLETE"),
        ({"messages": [{"role": "user", "content": [{"text": "Where?"}]}], "inferenceConfig": {}},
         {"output": {"message": {"content": [{"text": "Ulm."}]}}, "stopReason": "end_turn", "usage": {"inputTokens": 9, "outputTokens": 4}},
         "chat", Tokens(9, 4), "end_turn"),
        ({"messages": [{"role": "user", "content": "Where?"}]},
         {"choices": [{"message": {"content": "Ulm."}, "finish_reason": "stop"}]}, "chat", None, "stop"),
        ({"messages": [{"role": "user", "content": "Where?"}], "anthropic_version": "bedrock-2023-05-31"},
         {"type": "message", "content": [{"type": "text", "text": "Ulm."}], "stop_reason": "refusal"}, "chat", None, "refusal"),
    ],
    ids=["llama", "titan", "claude 2", "mistral", "cohere", "deepseek", "command r", "nova", "openai", "claude"],
)  # fmt: skip
def test_a_body_is_read_as_its_familys(  # noqa: PLR0917
    call: Make, request_: Any, answer: Any, operation: str, tokens: Tokens | None, reason: str
) -> None:
    """Under the path's model; the reason in the family's word."""
    made = call("/model/m/invoke", json.dumps(request_).encode(), json.dumps(answer).encode())
    found = PROTOCOL.read(made)
    assert [part.text for part in found.inputs] == ["Where?"]
    assert [(part.role, part.text) for part in found.outputs] == [("assistant", "Ulm.")]
    assert (found.protocol, found.model, found.operation) == ("bedrock", "m", operation)
    assert (found.tokens, found.finish_reasons) == (tokens, [reason])
    assert normal(reason) != "other"


def test_what_bedrock_itself_counted_stands_in_where_the_family_says_nothing(call: Make) -> None:
    """In the headers, or in the last chunk of a stream."""
    counted = {"inputTokenCount": 9, "outputTokenCount": 4, "cacheReadInputTokenCount": 100}
    asked = b'{"messages": [{"role": "user", "content": "Where?"}]}'
    said = {"choices": [{"index": 0, "delta": {"content": "Ulm."}, "finish_reason": "stop"}]}
    body = chunk(said) + chunk({"choices": [], "amazon-bedrock-invocationMetrics": counted})
    path = "/model/m/invoke-with-response-stream"
    found = PROTOCOL.read(call(path, asked, body, answer_type=STREAM))
    assert found.tokens == Tokens(109, 4, cached=100)
    headers = "X-Amzn-Bedrock-Input-Token-Count: 9\r\nX-Amzn-Bedrock-Output-Token-Count: 4\r\n"
    answer = b'{"choices": [{"message": {"content": "Ulm."}}]}'
    found = PROTOCOL.read(call("/model/m/invoke", asked, answer, answer_headers=headers))
    assert found.tokens == Tokens(9, 4)


def test_vectors_images_and_other_bodies(call: Make) -> None:
    """What has nothing of any family is read as any JSON."""
    for answer in (
        {"embedding": [1, 2]},
        {"embeddings": [[1, 2]]},
        {"embeddings": {"float": [[1, 2]]}},
    ):
        found = PROTOCOL.read(
            call("/model/m/invoke", b'{"texts": ["a"]}', json.dumps(answer).encode())
        )
        assert (found.operation, found.outputs[0].shape) == ("embeddings", [1, 2])
    found = PROTOCOL.read(call("/model/m/invoke", b"{}", b'{"images": ["AAAA"]}'))
    assert (found.operation, found.outputs[0].text) == ("image", "[image 3 bytes]")
    found = PROTOCOL.read(call("/model/m/invoke", b"{}", b'{"score": 0.5}'))
    assert [(part.name, part.data) for part in found.outputs] == [("score", [0.5])]
