"""Call → Inference for Anthropic's Messages, at Anthropic and at Vertex, plain and streamed.

https://docs.anthropic.com/en/api/messages, …/build-with-claude/streaming
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

from monitor import columns
from monitor.chat import content_text, is_error, lines, media, offered, question, tool_call, wanted
from monitor.counts import count
from monitor.framings import sse
from monitor.interfaces import Protocol
from monitor.transcript import Documents, Transcript
from monitor.types import Call, Inference, Part

_VERTEX = re.compile(r"/publishers/anthropic/models/(?P<model>[^/:]+):(?:rawP|streamRawP)redict/?$")
_CHANNELS = {"thinking": "reasoning", "redacted_thinking": "reasoning"}
_OURS = ("message_", "content_block_", "ping", "error")
_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class _Message(msgspec.Struct):
    role: str | None = None
    content: Any = None


class _Request(msgspec.Struct):
    model: str | None = None
    system: Any = None
    messages: list[_Message] = []
    tools: Any = None
    output_format: Any = None
    output_config: Any = None


class _Usage(msgspec.Struct):
    input_tokens: Any = None
    output_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation: Any = None
    output_tokens_details: Any = None
    server_tool_use: Any = None
    service_tier: Any = None
    speed: Any = None


_INPUT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""Each counts other tokens: together they are everything read."""


class _Response(msgspec.Struct):
    """A whole answer, or the `message` of `message_start`."""

    type: str | None = None
    model: str | None = None
    id: Any = None
    content: list[Any] | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None
    error: Any = None


class _Event(msgspec.Struct):
    type: str | None = None
    message: _Response | None = None
    index: Any = None
    content_block: dict[str, Any] | None = None
    delta: dict[str, Any] | None = None
    usage: _Usage | None = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)
_event_decoder = msgspec.json.Decoder(_Event)


def claims(call: Call) -> bool:
    """POSTs to `…/v1/messages`, to its `/count_tokens`, and to Anthropic's models at Vertex."""
    return call.method == "POST" and _asked(call.path) is not None


def _asked(path: str) -> tuple[str, str] | None:
    """The (operation, model) of a path, the model where it says one; None for others' paths."""
    path = path.rstrip("/")
    if path.endswith("/v1/messages"):
        return "chat", ""
    if path.endswith("/v1/messages/count_tokens"):
        return "count_tokens", ""
    match = _VERTEX.search(path)
    if match is None:
        return None
    model = unquote(match["model"])
    return ("count_tokens", "") if model == "count-tokens" else ("chat", model)


def read(call: Call) -> Inference:
    """The system prompt and each message is one text part."""
    operation, model = _asked(call.path) or ("chat", "")
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    form = request.output_format
    if isinstance(request.output_config, dict):
        form = request.output_config.get("format", form)
    return answer.inference(
        "anthropic_messages",
        operation,
        model=request.model or model,
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted(*_INPUT_COUNTS),
            answer.counted("output_tokens"),
            cached="cache_read_input_tokens",
            cache_write="cache_creation_input_tokens",
            cache_write_1h="ephemeral_1h_input_tokens",
            reasoning="thinking_tokens",
        ),
        tools=offered(request.tools) if request.tools else {},
        **(wanted(form) if form else {}),
    )


PROTOCOL = Protocol("anthropic_messages", claims, read)


def _inputs(request: _Request) -> list[Part]:
    parts = [Part(role=one.role or "user", text=_text(one)) for one in request.messages]
    if request.system:
        parts.insert(0, Part(role="system", text=content_text(request.system)))
    return parts


def _text(message: _Message) -> str:
    content = message.content
    if not isinstance(content, list):
        return content_text(content)
    return lines(map(_block_text, content))


def _block_text(block: Any) -> str:
    if not isinstance(block, dict):
        return content_text([block])
    kind, text = block.get("type"), block.get("text")
    if kind == "text" and isinstance(text, str):
        return text  # nearly every block
    if kind == "redacted_thinking":
        return media("redacted_thinking", "", str(block.get("data") or ""))
    if _role(block) == "tool_call":
        return tool_call(block.get("name"), block.get("input"))
    return content_text([block])


def _role(block: dict[str, Any]) -> str:
    """What a block of an answer is: a call of a tool (of the client's, the server's, an MCP
    server's), what a server's tool found, reasoning, or text."""
    kind = str(block.get("type"))
    if kind.endswith("tool_use"):
        return "tool_call"
    return "tool" if kind.endswith("tool_result") else _CHANNELS.get(kind, "assistant")


def _read_whole(answer: Transcript, body: bytes) -> None:
    response = answer.decoded(body, _response_decoder)
    if response is None:
        return
    if is_error({"type": response.type, "error": response.error}):
        answer.error(body)
    elif response.content is None and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    _note(answer, response)
    for place, block in enumerate(response.content or ()):
        if not isinstance(block, dict):
            continue
        role = _role(block)
        if role == "tool_call":
            answer.add_tool(place, block.get("name"), block.get("input"), is_new=True)
        else:
            answer.add(place, role, _block_text(block))


def _read_stream(answer: Transcript, body: bytes) -> None:
    documents = Documents(answer, sse.events(body), _event_decoder, _OURS)
    for event, item in documents:
        if not documents.is_ours:
            kind = item.type or event.type
            documents.is_ours = kind.startswith(_OURS) or bool(item.error)
        if item.type == "content_block_delta":  # nearly every event
            if _add_delta(answer, item):
                answer.heard(event.end)
        elif event.type == "error" or item.type == "error" or item.error:
            answer.error(event.data)
        elif item.type == "content_block_start":
            if _add_block(answer, item):
                answer.heard(event.end)
        else:
            _hear(answer, item)
    if documents.are_foreign:
        answer.is_foreign(columns.spoken(answer.call))


def _hear(answer: Transcript, item: _Event) -> None:
    """Note what an event says of the whole message."""
    if item.type == "message_start" and item.message is not None:
        _note(answer, item.message)
    elif item.type == "message_delta":
        if item.usage is not None:
            _count(answer, item.usage)
        reason = (item.delta or {}).get("stop_reason")
        answer.finish(0, reason)
        answer.is_complete = answer.is_complete or bool(reason)
    elif item.type == "message_stop":
        answer.is_complete = True


def _note(answer: Transcript, response: _Response) -> None:
    usage = response.usage
    tier = None
    if usage is not None:
        _count(answer, usage)
        tier = "fast" if usage.speed == "fast" else usage.service_tier
    answer.note(model=response.model, id_=response.id, tier=tier)
    answer.finish(0, response.stop_reason)


def _count(answer: Transcript, usage: _Usage) -> None:
    """Counts are cumulative, each for itself. A gateway that knows no better says 0 at the end."""
    for name in _INPUT_COUNTS:
        value = getattr(usage, name)
        if value is not None and (count(value) or not answer.counted(name)):
            answer.count(name, value)
    answer.count("output_tokens", usage.output_tokens)
    if isinstance(details := usage.cache_creation, dict):
        answer.count("ephemeral_1h_input_tokens", details.get("ephemeral_1h_input_tokens"))
    if isinstance(details := usage.output_tokens_details, dict):
        answer.count("thinking_tokens", details.get("thinking_tokens"))
    if isinstance(details := usage.server_tool_use, dict):
        answer.use("searches", count(details.get("web_search_requests")))


def _place(item: _Event) -> int:
    return item.index if type(item.index) is int else count(item.index) or 0


def _add_block(answer: Transcript, item: _Event) -> bool:
    """Begin a block; whether it bears content already."""
    block = item.content_block or {}
    role = _role(block)
    if role == "tool_call":
        given = block.get("input") or None  # an empty one is filled by what follows
        answer.add_tool(_place(item), block.get("name"), given, index=0, id_=block.get("id"))
        return True
    text = block.get("text") if role == "assistant" else block.get("thinking")
    if role == "tool" or block.get("type") == "redacted_thinking":
        text = _block_text(block)
    if isinstance(text, str) and text:
        answer.add(_place(item), role, text)
        return role != "tool"
    return False


def _add_delta(answer: Transcript, item: _Event) -> bool:
    """Put a block's fragment where it belongs; whether there was one."""
    delta = item.delta or {}
    key = _DELTAS.get(str(delta.get("type")))
    fragment = delta.get(key) if key else None
    if not isinstance(fragment, str) or not fragment:
        return False
    if key == "partial_json":
        answer.add_tool(_place(item), "", fragment, index=0)
    else:
        answer.add(_place(item), "reasoning" if key == "thinking" else "assistant", fragment)
    return True
