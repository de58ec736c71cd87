"""One plain and one streamed answer of each dialect, to be bent by the tests of what all share."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.framings.test_aws_eventstream import encoded


def events(*documents: Any, end: str = "") -> bytes:
    """An event stream of JSON documents."""
    return "".join(f"data: {json.dumps(one)}\n\n" for one in documents).encode() + end.encode()


def named(*documents: Any) -> bytes:
    """An event stream whose events have their document's type as name."""
    return "".join(
        f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in documents
    ).encode()


def lines(*documents: Any) -> bytes:
    """A JSON document a line."""
    return "".join(f"{json.dumps(one)}\n" for one in documents).encode()


def framed(name: str, document: Any, *, kind: str = "event") -> bytes:
    """A message of an AWS event stream."""
    headers = {":message-type": kind, f":{kind}-type": name}
    return encoded(headers, json.dumps(document).encode())


def below(document: Any, path: str) -> Any:
    """What stands at a path of members, with dots between them."""
    for name in filter(None, path.split(".")):
        document = document[name]
    return document


class Dialect(NamedTuple):
    """`answer` says `Ulm.` and counts 9 and 4 tokens; `stream` says it in events of `kind`, the last
    `ends` of which are its end; `counts` are the paths of what is counted."""

    path: str
    request: dict[str, Any]
    answer: dict[str, Any]
    counts: tuple[tuple[str, str], ...]
    stream: bytes
    cut: bytes
    kind: str = "text/event-stream"


_ASKED = [{"role": "user", "content": "Where?"}]


def _openai(delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        **more,
    }


_OPENAI = [_openai({"role": "assistant"}), _openai({"content": "Ulm."})]
_ANTHROPIC = [
    {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 9}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Ulm."}},
]
_SAID = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Ulm."}],
}
_USED = {"input_tokens": 9, "output_tokens": 4}
_RESPONSE = {
    "object": "response",
    "model": "m",
    "status": "completed",
    "output": [_SAID],
    "usage": _USED,
}
_RESPONSES = [
    {"type": "response.created", "response": {"model": "m", "status": "in_progress", "output": []}},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "Ulm."},
]
_GEMINI_USED = {"promptTokenCount": 9, "candidatesTokenCount": 4}


def _gemini(text: str, **more: Any) -> dict[str, Any]:
    candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, **more}
    return {"candidates": [candidate], "usageMetadata": _GEMINI_USED, "modelVersion": "m"}


def _ollama(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": text}, "done": False, **more}


def _llama(text: str, **more: Any) -> dict[str, Any]:
    return {"content": text, "model": "m", "stop": False, **more}


_OLLAMA_END = {"done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 4}
_GEMINI = {"contents": [{"parts": [{"text": "Where?"}]}]}
_USAGE = {"prompt_tokens": 9, "completion_tokens": 4}
_MESSAGE = {"role": "assistant", "content": "Ulm."}
_COHERE = [
    {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}},
    {
        "type": "content-start",
        "index": 0,
        "delta": {"message": {"content": {"type": "text", "text": ""}}},
    },
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Ulm."}}}},
]
_COHERE_TEXT = [{"event_type": "text-generation", "is_finished": False, "text": "Ulm."}]
_COHERE_V1 = {"text": "Ulm.", "finish_reason": "COMPLETE", "meta": {"tokens": _USED}}
_LLAMA_END = {"stop": True, "stop_type": "eos", "tokens_evaluated": 9, "tokens_predicted": 4}
_BEDROCK_USED = {"inputTokens": 9, "outputTokens": 4}
_BEDROCK = framed("messageStart", {"role": "assistant"}) + framed(
    "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Ulm."}}
)

DIALECTS = {
    "openai_chat": Dialect(
        "/v1/chat/completions",
        {"model": "m", "messages": _ASKED},
        {"model": "m", "choices": [{"message": _MESSAGE, "finish_reason": "stop"}], "usage": _USAGE},
        (("usage", "prompt_tokens"), ("usage", "completion_tokens")),
        events(*_OPENAI, _openai({}, "stop", usage=_USAGE), end="data: [DONE]\n\n"),
        events(*_OPENAI),
    ),
    "anthropic_messages": Dialect(
        "/v1/messages",
        {"model": "m", "messages": _ASKED},
        {
            "type": "message", "model": "m", "content": [{"type": "text", "text": "Ulm."}],
            "stop_reason": "end_turn", "usage": _USED,
        },
        (("usage", "input_tokens"), ("usage", "output_tokens")),
        named(
            *_ANTHROPIC,
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
            {"type": "message_stop"},
        ),
        named(*_ANTHROPIC),
    ),
    "openai_responses": Dialect(
        "/v1/responses",
        {"model": "m", "input": "Where?"},
        _RESPONSE,
        (("usage", "input_tokens"), ("usage", "output_tokens")),
        named(*_RESPONSES, {"type": "response.completed", "response": _RESPONSE}),
        named(*_RESPONSES),
    ),
    "gemini": Dialect(
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        _GEMINI,
        _gemini("Ulm.", finishReason="STOP"),
        (("usageMetadata", "promptTokenCount"), ("usageMetadata", "candidatesTokenCount")),
        events(_gemini("Ul"), _gemini("m.", finishReason="STOP")),
        events(_gemini("Ulm.")),
    ),
    "gemini as an array": Dialect(
        "/v1beta/models/m:streamGenerateContent",
        _GEMINI,
        _gemini("Ulm.", finishReason="STOP"),
        (("usageMetadata", "promptTokenCount"), ("usageMetadata", "candidatesTokenCount")),
        json.dumps([_gemini("Ul"), _gemini("m.", finishReason="STOP")]).encode(),
        json.dumps([_gemini("Ulm.")]).encode()[:-1],
        "application/json",
    ),
    "ollama": Dialect(
        "/api/chat",
        {"model": "m", "messages": _ASKED},
        _ollama("Ulm.", **_OLLAMA_END),
        (("", "prompt_eval_count"), ("", "eval_count")),
        lines(_ollama("Ul"), _ollama("m."), _ollama("", **_OLLAMA_END)),
        lines(_ollama("Ulm.")),
        "application/x-ndjson",
    ),
    "llama_cpp": Dialect(
        "/completion",
        {"model": "m", "prompt": "Where?"},
        _llama("Ulm.", **_LLAMA_END),
        (("", "tokens_evaluated"), ("", "tokens_predicted")),
        events(_llama("Ul"), _llama("m."), _llama("", **_LLAMA_END)),
        events(_llama("Ulm.")),
    ),
    "cohere": Dialect(
        "/v2/chat",
        {"model": "m", "messages": _ASKED},
        {"message": {"content": [{"type": "text", "text": "Ulm."}]}, "finish_reason": "COMPLETE", "usage": {"tokens": _USED}},
        (("usage.tokens", "input_tokens"), ("usage.tokens", "output_tokens")),
        named(*_COHERE, {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": _USED}}}),
        named(*_COHERE),
    ),
    "cohere v1": Dialect(
        "/v1/chat",
        {"model": "m", "message": "Where?"},
        _COHERE_V1,
        (("meta.tokens", "input_tokens"), ("meta.tokens", "output_tokens")),
        lines(*_COHERE_TEXT, {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", "response": _COHERE_V1}),
        lines(*_COHERE_TEXT),
        "application/stream+json",
    ),
    "bedrock": Dialect(
        "/model/m/converse-stream",
        {"messages": [{"role": "user", "content": [{"text": "Where?"}]}]},
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Ulm."}]}},
            "stopReason": "end_turn", "usage": _BEDROCK_USED,
        },
        (("usage", "inputTokens"), ("usage", "outputTokens")),
        _BEDROCK + framed("messageStop", {"stopReason": "end_turn"}) + framed("metadata", {"usage": _BEDROCK_USED}),
        _BEDROCK,
        "application/vnd.amazon.eventstream",
    ),
}  # fmt: skip
