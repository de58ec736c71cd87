"""Call → Inference for Bedrock's Converse, which Nova's own bodies are, too.

Its streams come without their frames, each event under its name: `{"messageStop": {…}}`.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.chat import is_error, lines, media, offered, question, tool_call, wanted
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings import sse
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_ENDS = ("/converse", "/converse-stream", "/count-tokens")
_INPUT = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
_MAX_DEPTH = 8


class _Message(msgspec.Struct):
    role: str | None = None
    content: Any = None


class _Request(msgspec.Struct, rename="camel"):
    messages: list[_Message] = []
    system: Any = None
    tool_config: Any = None
    output_config: Any = None
    prompt_variables: Any = None
    input: Any = None
    """What tokens are counted of: a request of Converse, or a body in base64."""


class _Response(msgspec.Struct, rename="camel"):
    """A whole answer, or one event of a stream."""

    output: Any = None
    stop_reason: str | None = None
    usage: Any = None
    trace: Any = None
    service_tier: Any = None
    error: Any = None
    input_tokens: Any = None
    message_start: Any = None
    content_block_start: Any = None
    content_block_delta: Any = None
    content_block_stop: Any = None
    message_stop: Any = None
    metadata: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)


def claims(call: Call) -> bool:
    """Converse, its stream without frames, and counting of tokens."""
    return call.path.endswith(_ENDS)


def read(call: Call) -> Inference:
    """The system prompt and each message is one text part; each block of the answer is one."""
    body, counts_only = call.request_body, call.path.endswith("/count-tokens")
    if counts_only:
        body = _counted_request(body)
    request, inputs = question(body, _request_decoder, _inputs)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    return answer.inference(
        "bedrock",
        "count_tokens" if counts_only else "chat",
        model="",
        inputs=inputs,
        tokens=answer.tokens(
            _read_tokens(answer),
            answer.counted("outputTokens"),
            cached="cacheReadInputTokens",
            cache_write="cacheWriteInputTokens",
            cache_write_1h="1h",
        ),
        tools=_tools(request.tool_config),
        **_wanted(request.output_config),
    )


PROTOCOL = Protocol("bedrock", claims, read)


def _counted_request(body: bytes) -> bytes:
    """The request whose tokens are to be counted."""
    try:
        given = bodies.decode(body, _request_decoder).input
    except ParseError:
        return body
    inner = given.get("converse") if isinstance(given, dict) else None
    return bodies.Document.of(inner) if isinstance(inner, dict) else body


def _inputs(request: _Request) -> list[Part]:
    variables = request.prompt_variables
    values = list(variables.values()) if isinstance(variables, dict) else []
    parts = [Part(role="user", text=_block_text(one)) for one in values]
    parts += [Part(role=one.role or "user", text=_text(one.content)) for one in request.messages]
    if request.system:
        parts.insert(0, Part(role="system", text=_text(request.system)))
    return parts


def _text(content: Any, depth: int = 0) -> str:
    blocks = content if isinstance(content, list) else [content]
    return lines([_block_text(block, depth) for block in blocks])


def _block_text(block: Any, depth: int = 0) -> str:
    """What a block says; a block has one member, which tells its kind."""
    if not isinstance(block, dict):
        return block if isinstance(block, str) else "" if block is None else bodies.dump(block)
    text = block.get("text")
    if isinstance(text, str):
        return text  # nearly every block
    kept = {kind: given for kind, given in block.items() if kind != "cachePoint"}
    for kind, given in kept.items():
        told = _KINDS.get(kind)
        if told is not None and isinstance(given, dict) and depth < _MAX_DEPTH:
            return told(given, depth + 1)
    return bodies.dump(kept.get("json", kept)) if kept else ""


def _media(kind: str) -> Callable[[dict[str, Any], int], str]:
    """What stands for media; the text of a document that is one."""

    def told(given: dict[str, Any], depth: int) -> str:
        source = given.get("source")
        source = source if isinstance(source, dict) else {}
        if said := source.get("text") or source.get("content"):
            return _text(said, depth)
        found = source.get("bytes") or _below(source, "s3Location", "uri")
        return media(kind, given.get("format"), found if isinstance(found, str) else "")

    return told


def _reasoning(given: dict[str, Any], _: int = 0) -> str:
    hidden = given.get("redactedContent")
    if isinstance(hidden, str):
        return media("redacted_thinking", "", hidden)
    text = _below(given, "reasoningText", "text")
    return text if isinstance(text, str) else ""


_KINDS: dict[str, Callable[[dict[str, Any], int], str]] = {
    **{kind: _media(kind) for kind in ("image", "document", "video", "audio")},
    "toolUse": lambda given, _: tool_call(given.get("name"), given.get("input")),
    "reasoningContent": _reasoning,
    "toolResult": lambda given, depth: _text(given.get("content"), depth),
    "citationsContent": lambda given, depth: _text(given.get("content"), depth),
    "guardContent": lambda given, depth: _text(given.get("text"), depth),
}


def _tools(config: Any) -> dict[str, Any]:
    """The tools that are offered, as their schemas by name."""
    tools = config.get("tools") if isinstance(config, dict) else None
    specs = (
        [one.get("toolSpec") for one in tools or () if isinstance(one, dict)]
        if isinstance(tools, list)
        else []
    )
    return offered(
        [
            {"name": one.get("name"), "parameters": _below(one, "inputSchema", "json")}
            for one in specs
            if isinstance(one, dict)
        ]
    )


def _wanted(config: Any) -> dict[str, Any]:
    schema = _below(config, "textFormat", "structure", "jsonSchema", "schema")
    if isinstance(schema, str):
        schema = bodies.parsed(schema)
    return wanted({"type": _below(config, "textFormat", "type"), "schema": schema})


def _below(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _read_whole(answer: Transcript, body: bytes) -> None:
    response = answer.decoded(body, _response_decoder)
    if response is None:
        return
    content = _below(response.output, "message", "content")
    is_ours = content is not None or response.input_tokens is not None
    if is_error({"error": response.error}):
        answer.error(body)
    elif not is_ours and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    for place, block in enumerate(content if isinstance(content, list) else ()):
        _add_block(answer, place, block)
    answer.count("inputTokens", response.input_tokens)
    answer.finish(0, response.stop_reason)
    _note(answer, response.usage, response.trace, response.service_tier)


def _read_stream(answer: Transcript, body: bytes) -> None:
    has_any = is_ours = False
    for event in sse.events(body):
        has_any = True
        item = answer.decoded(event.data, _response_decoder, failed=event.type == "error")
        if item is None:
            continue
        if item.error:
            answer.error(event.data)
        is_ours = is_ours or bool(item.error) or item.message_start is not None
        if item.content_block_delta is not None:  # nearly every event
            is_ours = True
            if _add_delta(answer, item.content_block_delta):
                answer.heard(event.end)
        elif item.content_block_start is not None:
            is_ours = True
            if _add_start(answer, item.content_block_start):
                answer.heard(event.end)
        elif isinstance(item.message_stop, dict):
            is_ours = answer.is_complete = True
            answer.finish(0, item.message_stop.get("stopReason"))
        elif isinstance(said := item.metadata, dict):
            is_ours = True
            _note(answer, said.get("usage"), said.get("trace"), said.get("serviceTier"))
    if has_any and not is_ours:
        answer.is_foreign(columns.spoken(answer.call))


def _add_block(answer: Transcript, place: int, block: Any) -> None:
    if not isinstance(block, dict):
        return
    tool = block.get("toolUse")
    if isinstance(tool, dict):
        answer.add_tool(place, tool.get("name"), tool.get("input"), is_new=True)
        return
    role = next((role for name, role in _ROLES.items() if name in block), "assistant")
    text = _block_text(block)
    if text:
        answer.add(place, role, text)


_ROLES = {"reasoningContent": "reasoning", "toolResult": "tool"}


def _place(item: dict[str, Any]) -> int:
    return count(item.get("contentBlockIndex")) or 0


def _add_start(answer: Transcript, item: Any) -> bool:
    """Begin a block; whether it bears content already."""
    tool = _below(item, "start", "toolUse")
    if not isinstance(tool, dict):
        return False
    answer.add_tool(_place(item), tool.get("name"), None, index=0, id_=tool.get("toolUseId"))
    return True


def _add_delta(answer: Transcript, item: Any) -> bool:
    """Put a block's fragment where it belongs; whether there was one."""
    delta = item.get("delta") if isinstance(item, dict) else None
    if not isinstance(delta, dict):
        return False
    place = _place(item)
    for channel, fragment in (
        ("assistant", delta.get("text")),
        ("reasoning", _below(delta, "reasoningContent", "text")),
    ):
        if isinstance(fragment, str) and fragment:
            answer.add(place, channel, fragment)
            return True
    fragment = _below(delta, "toolUse", "input")
    if isinstance(fragment, str) and fragment:
        answer.add_tool(place, "", fragment, index=0)
        return True
    found = delta.get("toolResult") or delta.get("image")
    hidden = _below(delta, "reasoningContent", "redactedContent")
    if found:
        answer.add(place, "tool" if "toolResult" in delta else "assistant", _result(delta))
    elif isinstance(hidden, str) and hidden:
        answer.add(place, "reasoning", media("redacted_thinking", "", hidden))
    return bool(found) and "image" in delta


def _result(delta: dict[str, Any]) -> str:
    if isinstance(given := delta.get("toolResult"), list):
        return _text(given)
    return _block_text({"image": delta.get("image")})


def _note(answer: Transcript, usage: Any, trace: Any, tier: Any) -> None:
    answer.note(model=_below(trace, "promptRouter", "invokedModelId"), tier=_below(tier, "type"))
    if not isinstance(usage, dict):
        return
    for name in (*_INPUT, "outputTokens", "totalTokens"):
        answer.count(name, usage.get(name, usage.get(f"{name.removesuffix('s')}Count")))
    details = usage.get("cacheDetails")
    for one in details if isinstance(details, list) else ():
        if isinstance(one, dict) and one.get("ttl") == "1h":
            answer.count("1h", one.get("inputTokens"))


def _read_tokens(answer: Transcript) -> int | None:
    """Everything read. Counts of a cache are beside the others, unless the total says that these
    hold them: OpenAI's models count so."""
    alone, written = answer.counted("inputTokens"), answer.counted("outputTokens")
    whole = answer.counted(*_INPUT)
    if alone is None or whole is None or written is None:
        return whole
    is_part = answer.counted("totalTokens") == alone + written and whole - alone <= alone
    return alone if is_part else whole
