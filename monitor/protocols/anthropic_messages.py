"""Call → Inference for Anthropic's Messages, plain and streamed.

https://docs.anthropic.com/en/api/messages, …/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import bodies, sse
from monitor.chat import Choices, arrival, content_text, error_part, lines, tool_call
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part, Tokens

_CHANNELS = {"thinking": "reasoning", "redacted_thinking": "reasoning"}
_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class _Message(msgspec.Struct):
    role: str | None = None
    content: Any = None


class _Request(msgspec.Struct):
    model: str | None = None
    system: Any = None
    messages: list[_Message] = []


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Response(msgspec.Struct):
    """A whole answer, or the `message` of `message_start`."""

    type: str | None = None
    model: str | None = None
    content: list[dict[str, Any]] | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Event(msgspec.Struct):
    type: str | None = None
    message: _Response | None = None
    index: int = 0
    content_block: dict[str, Any] | None = None
    delta: dict[str, Any] | None = None
    usage: _Usage | None = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)
_event_decoder = msgspec.json.Decoder(_Event)


def claims(call: Call) -> bool:
    """POSTs to `…/v1/messages`."""
    return call.method == "POST" and call.path.rstrip("/").endswith("/v1/messages")


def read(call: Call) -> Inference:
    """The system prompt and each message is one text part."""
    try:
        request = bodies.decode(call.request_body, _request_decoder)
        inputs = [Part(role=one.role or "user", text=_text(one)) for one in request.messages]
        if request.system:
            inputs.insert(0, Part(role="system", text=content_text(request.system)))
        model = request.model or ""
    except ParseError:
        found = bodies.text(call.request_body)
        inputs, model = [Part(role="user", text=found)] if found else [], ""
    answer = _Answer()
    if sse.is_stream(call.response_headers):
        answer.read_stream(call)
    elif call.response_body:
        answer.read_whole(call.response_body)
    return Inference(
        protocol="anthropic_messages",
        operation="chat",
        model=answer.model or model,
        inputs=inputs,
        outputs=answer.outputs,
        tokens=answer.tokens,
        finish_reasons=[answer.stop_reason] if answer.stop_reason else [],
        streamed=answer.streamed,
        first_token=answer.first_token,
        last_token=answer.last_token,
        failed=answer.failed,
    )


PROTOCOL = Protocol("anthropic_messages", claims, read)


def _text(message: _Message) -> str:
    content = message.content
    if not isinstance(content, list):
        return content_text(content)
    return lines(map(_block_text, content))


def _block_text(block: Any) -> str:
    if isinstance(block, dict) and block.get("type") == "tool_use":
        return tool_call(block.get("name"), block.get("input"))
    return content_text([block])


class _Answer:
    """What the response says, plain or streamed."""

    def __init__(self) -> None:
        self.model = ""
        self.outputs: list[Part] = []
        self.tokens: Tokens | None = None
        self.stop_reason = ""
        self.streamed = False
        self.first_token: float | None = None
        self.last_token: float | None = None
        self.failed = False

    def read_whole(self, body: bytes) -> None:
        try:
            response = bodies.decode(body, _response_decoder)
        except ParseError:
            self.outputs = error_part(body)
            return
        if response.content is None:
            self.outputs = error_part(body)
            self.failed = response.type == "error"
            return
        self._note(response)
        for block in response.content:
            kind = block.get("type")
            role = "tool_call" if kind == "tool_use" else _CHANNELS.get(str(kind), "assistant")
            self.outputs.append(Part(role=role, text=_block_text(block)))

    def read_stream(self, call: Call) -> None:
        self.streamed = True
        choices = Choices()
        errors: list[Part] = []
        first = last = 0
        for event in sse.events(call.response_body):
            try:
                item = bodies.decode(event.data, _event_decoder)
            except ParseError:
                errors += error_part(event.data)
                continue
            if item.type == "error" or event.type == "error":
                errors += error_part(event.data)
                self.failed = True
            elif item.type == "message_start" and item.message is not None:
                self._note(item.message)
            elif item.type == "message_delta":
                self._count(item.usage)
                reason = (item.delta or {}).get("stop_reason")
                self.stop_reason = reason if isinstance(reason, str) else self.stop_reason
            elif _add(choices, item):
                first, last = first or event.end, event.end
        self.outputs = choices.parts() + errors
        if first:
            self.first_token, self.last_token = arrival(call, first), arrival(call, last)

    def _note(self, response: _Response) -> None:
        self.model = response.model or self.model
        self.stop_reason = response.stop_reason or self.stop_reason
        self._count(response.usage)

    def _count(self, usage: _Usage | None) -> None:
        """Counts are cumulative; input is everything read, from the cache or not."""
        if usage is None:
            return
        known = self.tokens or Tokens(0, 0)
        given = (
            usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens,
        )  # fmt: skip
        read_tokens = sum(count or 0 for count in given) if usage.input_tokens is not None else None
        self.tokens = Tokens(
            known.input if read_tokens is None else read_tokens,
            known.output if usage.output_tokens is None else usage.output_tokens,
        )


def _add(choices: Choices, item: _Event) -> bool:
    """Put a block's fragment where it belongs; whether it bears content."""
    if item.type == "content_block_start" and item.content_block is not None:
        block = item.content_block
        if block.get("type") == "tool_use":
            choices.add_tool(item.index, 0, str(block.get("name") or ""), "")
        elif isinstance(block.get("text"), str) and block["text"]:
            choices.add(item.index, "assistant", block["text"])
        return False
    if item.type != "content_block_delta" or item.delta is None:
        return False
    key = _DELTAS.get(str(item.delta.get("type")))
    fragment = item.delta.get(key) if key else None
    if not isinstance(fragment, str) or not fragment:
        return False
    if key == "partial_json":
        choices.add_tool(item.index, 0, "", fragment)
    else:
        choices.add(item.index, "reasoning" if key == "thinking" else "assistant", fragment)
    return True
