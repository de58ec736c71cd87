"""Call → Inference for OpenAI's Responses, plain and streamed.

https://platform.openai.com/docs/api-reference/responses, …/responses-streaming
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.chat import content_text, is_error, question, tool_call
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings import ndjson, sse
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_OURS = ("response.", "error")
_ARGUMENTS = ("arguments", "input", "action", "queries", "code", "operation")
"""Where the different kinds of calls keep what they call with."""


class _Request(msgspec.Struct):
    model: str | None = None
    instructions: Any = None
    input: Any = None


class _Usage(msgspec.Struct):
    input_tokens: Any = None
    output_tokens: Any = None


class _Response(msgspec.Struct):
    """A whole answer, or the `response` of an event."""

    model: str | None = None
    status: str | None = None
    output: list[Any] | None = None
    usage: _Usage | None = None
    incomplete_details: Any = None
    error: Any = None
    type: Any = None
    object: Any = None


class _Event(msgspec.Struct):
    type: str = ""
    response: _Response | None = None
    output_index: Any = None
    item_id: str | None = None
    item: dict[str, Any] | None = None
    delta: str | None = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)
_event_decoder = msgspec.json.Decoder(_Event)


def claims(call: Call) -> bool:
    """POSTs to a path that ends in `/responses` with what such a request has: others end so too."""
    if call.method != "POST" or not call.path.rstrip("/").endswith("/responses"):
        return False
    return any(word in call.request_body for word in (b'"model"', b'"input"', b'"prompt"'))


def read(call: Call) -> Inference:
    """Instructions and each item of the input are one text part; so is each item of the output."""
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    return answer.inference(
        "openai_responses",
        "chat",
        model=request.model or "",
        inputs=inputs,
        tokens=answer.tokens(answer.counted("input_tokens"), answer.counted("output_tokens")),
    )


PROTOCOL = Protocol("openai_responses", claims, read)


def _inputs(request: _Request) -> list[Part]:
    parts = []
    if request.instructions:
        parts.append(Part(role="system", text=content_text(request.instructions)))
    if isinstance(request.input, str):
        parts.append(Part(role="user", text=request.input))
    for item in _list(request.input):
        if not isinstance(item, dict):
            parts.append(Part(role="user", text=content_text([item])))
        elif "role" in item:
            role = item["role"] if isinstance(item["role"], str) else "user"
            parts.append(Part(role=role, text=content_text(item.get("content"))))
        else:
            parts += [Part(role=role, text=text) for role, text in _texts(item)]
    return parts


def _texts(item: dict[str, Any]) -> list[tuple[str, str]]:
    """(role, text) of one item: a message's, a call's of whatever tool, a tool's own, reasoning."""
    kind = str(item.get("type"))
    if kind == "message" or "role" in item:
        content = item.get("content")
        pieces = content if isinstance(content, list) else [content]
        refusals = [one for one in pieces if isinstance(one, dict) and one.get("type") == "refusal"]
        said = [one for one in pieces if one is not None and one not in refusals]
        found = [("assistant", content_text(said)), ("refusal", content_text(refusals))]
    elif kind == "reasoning":
        said = [*_list(item.get("summary")), *_list(item.get("content"))]
        found = [("reasoning", content_text(said))]
    elif kind.endswith("_output"):
        found = [("tool", content_text(item.get("output")))]
    elif kind == "image_generation_call":
        found = [("assistant", f"[image {len(str(item.get('result') or ''))} characters]")]
    elif kind.endswith("_call"):
        arguments = next((item[one] for one in _ARGUMENTS if item.get(one) is not None), None)
        found = [("tool_call", tool_call(item.get("name") or kind[:-5], arguments))]
    else:
        found = [("assistant", content_text([item]))]
    return [(role, text) for role, text in found if text]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_whole(answer: Transcript, body: bytes) -> None:
    try:
        response = bodies.decode(body, _response_decoder)
    except ParseError:
        answer.unreadable(body)
        return
    if response.output is None and not (response.status or response.error) and len(body) > 2:
        answer.is_foreign(columns.spoken(answer.call))
    _note(answer, response)
    _add_items(answer, response.output or [])
    says = {"error": response.error, "type": response.type, "object": response.object}
    if response.status == "failed" or is_error(says):
        answer.error(body)


def _read_stream(answer: Transcript, body: bytes) -> None:
    """The last event has the whole response; without it, what came of each item holds."""
    items: dict[int, dict[str, Any]] = {}
    places: dict[str, int] = {}
    pieces = Transcript(answer.call)
    is_ours = has_any = False
    for event in sse.events(body):
        has_any, is_ours = True, is_ours or event.type.startswith(_OURS)
        if event.data == b"[DONE]":
            continue
        try:
            item = bodies.decode(event.data, _event_decoder)
        except ParseError:
            answer.error(event.data, failed=event.type == "error")
            is_ours = is_ours or ndjson.is_cut(event.data)
            continue
        kind = item.type or event.type
        is_ours = is_ours or kind.startswith(_OURS) or bool(item.error)
        index = _place(item, places)
        whole = _hear(answer, kind, item, event.data)
        if whole:
            items = dict(enumerate(one for one in whole if isinstance(one, dict)))
            pieces = Transcript(answer.call)
        elif kind == "response.output_item.done" and item.item is not None:
            items[index] = item.item
        elif _add(pieces, kind, index, item):
            answer.heard(event.end)
    if has_any and not is_ours:
        answer.is_foreign(columns.spoken(answer.call))
        return
    parts = pieces.by_choice()
    for index in sorted(items.keys() | parts.keys()):
        if index in items:
            _add_items(answer, [items[index]])
        else:
            answer.outputs += parts[index]


def _hear(answer: Transcript, kind: str, event: _Event, data: bytes) -> list[Any]:
    """Note what an event says of the whole response; the outputs of one that ends it."""
    response = event.response
    if response is not None:
        _note(answer, response)
    if kind in ("error", "response.failed") or event.error:
        answer.error(data)
    if kind not in _ENDS:
        return []
    answer.is_complete = True
    return response.output or [] if response is not None else []


def _place(event: _Event, places: dict[str, int]) -> int:
    """Which item an event is of, from 0; some servers give the item's id alone."""
    index = count(event.output_index)
    if index is None:
        name = event.item_id or str((event.item or {}).get("id") or "")
        index = places.setdefault(name, len(places))
    return index


def _note(answer: Transcript, response: _Response) -> None:
    answer.model = response.model or answer.model
    if response.usage is not None:
        answer.count("input_tokens", response.usage.input_tokens)
        answer.count("output_tokens", response.usage.output_tokens)
    details = response.incomplete_details
    reason = details.get("reason") if isinstance(details, dict) else None
    if response.status not in ("in_progress", "queued"):
        answer.finish(0, reason or response.status)


def _add_items(answer: Transcript, items: list[Any]) -> None:
    for item in items:
        if isinstance(item, dict):
            answer.outputs += [Part(role=role, text=text) for role, text in _texts(item)]


def _add(pieces: Transcript, kind: str, index: int, event: _Event) -> bool:
    """Put a fragment where it belongs; whether it bears content."""
    if kind == "response.output_item.added" and event.item is not None:
        item = event.item
        if not str(item.get("type")).endswith("_call"):
            return False
        name = item.get("name") or str(item["type"])[:-5]
        pieces.add_tool(index, name, None, index=0, is_new=True)
        return bool(item.get("name"))
    if kind.endswith(".partial_image"):
        return True
    if not kind.endswith(".delta") or not event.delta:
        return False
    what = kind.split(".")[1]
    if "audio" in what and "transcript" not in kind:
        return True  # its sound; what it says comes as a transcript
    if what.endswith(("_arguments", "_input", "_code", "_command")):
        pieces.add_tool(index, "", event.delta, index=0)
    elif what.startswith("reasoning"):
        pieces.add(index, "reasoning", event.delta)
    else:
        pieces.add(index, "refusal" if what == "refusal" else "assistant", event.delta)
    return True
