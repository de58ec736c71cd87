"""Call → Inference for OpenAI's Responses, plain and streamed, made or fetched later.

https://platform.openai.com/docs/api-reference/responses, …/responses-streaming
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from monitor import columns
from monitor.chat import (
    content_text,
    is_error,
    lines,
    media,
    offered,
    question,
    tool_call,
    wanted,
)
from monitor.counts import count
from monitor.framings import sse
from monitor.interfaces import Protocol
from monitor.transcript import Documents, Transcript
from monitor.types import Call, Inference, Part

_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_OURS = ("response.", "error")
_STORED = re.compile(r"/responses/resp_[^/]+/?$")
_ARGUMENTS = ("arguments", "input", "action", "queries", "code", "operation")
"""Where the different kinds of calls keep what they call with."""


class _Request(msgspec.Struct):
    model: str | None = None
    instructions: Any = None
    input: Any = None
    prompt: Any = None
    text: Any = None
    tools: Any = None


class _Usage(msgspec.Struct):
    input_tokens: Any = None
    output_tokens: Any = None
    input_tokens_details: Any = None
    output_tokens_details: Any = None


class _Response(msgspec.Struct):
    """A whole answer, or the `response` of an event."""

    model: str | None = None
    id: Any = None
    status: str | None = None
    service_tier: Any = None
    background: Any = None
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
    delta: Any = None
    logprobs: Any = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)
_event_decoder = msgspec.json.Decoder(_Event)


def claims(call: Call) -> bool:
    """POSTs to a path that ends in `/responses` with what such a request has, as others end so too;
    to `/responses/input_tokens`; and GETs of a response by its id."""
    return bool(_operation(call))


def _operation(call: Call) -> str:
    path = call.path.rstrip("/")
    if call.method == "GET":
        return "retrieve" if _STORED.search(path) else ""
    if call.method != "POST":
        return ""
    if path.endswith("/responses/input_tokens"):
        return "count_tokens"
    if not path.endswith("/responses"):
        return ""
    words = (b'"model"', b'"input"', b'"prompt"')
    return "chat" if any(word in call.request_body for word in words) else ""


def read(call: Call) -> Inference:
    """Instructions and each item of the input are one text part; so is each item of the output.

    A response may be fetched many times. Its tokens were counted when it was made, except those of
    one that was made in the background, which is answered before it has any.
    """
    operation = _operation(call)
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    return answer.inference(
        "openai_responses",
        operation,
        model=request.model or "",
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted("input_tokens"),
            answer.counted("output_tokens"),
            cached="cached_tokens",
            cache_write="cache_write_tokens",
            reasoning="reasoning_tokens",
        ),
        prompt=_prompt(request.prompt),
        tools=offered(request.tools),
        **(wanted(request.text.get("format")) if isinstance(request.text, dict) else {}),
    )


PROTOCOL = Protocol("openai_responses", claims, read)


def _prompt(given: Any) -> str:
    """A stored prompt as `ID@VERSION`; its version where the request names one."""
    if not isinstance(given, dict) or not isinstance(given.get("id"), str):
        return ""
    version = given.get("version")
    return f"{given['id']}@{version}" if isinstance(version, str) else given["id"]


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
    variables = request.prompt.get("variables") if isinstance(request.prompt, dict) else None
    for value in variables.values() if isinstance(variables, dict) else ():
        parts.append(Part(role="user", text=content_text([value])))
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
        form, data = item.get("output_format"), item.get("result")
        found = [("assistant", media("image", form, data) if isinstance(data, str) else "")]
    elif kind.endswith("_call"):
        arguments = next((item[one] for one in _ARGUMENTS if item.get(one) is not None), None)
        found = [("tool_call", tool_call(item.get("name") or kind[:-5], arguments))]
    else:
        found = [("assistant", content_text([item]))]
    return [(role, text) for role, text in found if text]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_whole(answer: Transcript, body: bytes) -> None:
    response = answer.decoded(body, _response_decoder)
    if response is None:
        return
    is_other = response.output is None and not (response.status or response.error)
    if is_other and len(body) > 2:  # a count of tokens, too
        answer.is_foreign(columns.spoken(answer.call))
    _note(answer, response)
    items = [one for one in response.output or [] if isinstance(one, dict)]
    for item in items:
        _add_item(answer, item)
    _account(answer, items)
    says = {"error": response.error, "type": response.type, "object": response.object}
    if response.status == "failed" or is_error(says):
        answer.error(body)


def _read_stream(answer: Transcript, body: bytes) -> None:
    """The last event has the whole response; without it, what came of each item holds."""
    items: dict[int, dict[str, Any]] = {}
    places: dict[str, int] = {}
    weights: dict[int, list[Any]] = {}
    pieces = Transcript(answer.call)
    documents = Documents(answer, sse.events(body), _event_decoder, _OURS)
    for event, item in documents:
        kind = item.type or event.type
        if not documents.is_ours:
            is_typed = kind.startswith(_OURS) or event.type.startswith(_OURS)
            documents.is_ours = is_typed or bool(item.error)
        index = _place(item, places)
        whole = _hear(answer, kind, item, event.data)
        if whole:
            items = dict(enumerate(one for one in whole if isinstance(one, dict)))
            pieces = Transcript(answer.call)
        elif kind == "response.output_item.done" and item.item is not None:
            items[index] = item.item
        elif _add(pieces, kind, index, item):
            answer.heard(event.end)
            if item.logprobs:
                weights.setdefault(index, []).extend(_list(item.logprobs))
    if documents.are_foreign:
        answer.is_foreign(columns.spoken(answer.call))
        return
    parts = pieces.by_choice()
    for index in sorted(items.keys() | parts.keys()):
        if index in items:
            _add_item(answer, items[index])
        else:
            answer.outputs += parts[index]
            _weigh(answer, weights.get(index))
    _account(answer, list(items.values()))


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
    answer.note(model=response.model, id_=response.id, tier=response.service_tier)
    usage = response.usage
    if usage is not None and _is_counted(answer, response):
        answer.count("input_tokens", usage.input_tokens)
        answer.count("output_tokens", usage.output_tokens)
        if isinstance(details := usage.input_tokens_details, dict):
            answer.count("cached_tokens", details.get("cached_tokens"))
            answer.count("cache_write_tokens", details.get("cache_write_tokens"))
        if isinstance(details := usage.output_tokens_details, dict):
            answer.count("reasoning_tokens", details.get("reasoning_tokens"))
    details = response.incomplete_details
    reason = details.get("reason") if isinstance(details, dict) else None
    if response.status not in ("in_progress", "queued"):
        answer.finish(0, reason or response.status)


def _is_counted(answer: Transcript, response: _Response) -> bool:
    """Whether the usage is said here first (see `read`)."""
    return answer.call.method == "POST" or response.background is True


def _add_item(answer: Transcript, item: dict[str, Any]) -> None:
    answer.outputs += [Part(role=role, text=text) for role, text in _texts(item)]
    for piece in _list(item.get("content")):
        if isinstance(piece, dict):
            _weigh(answer, piece.get("logprobs"))


def _weigh(answer: Transcript, logprobs: Any) -> None:
    for token in _list(logprobs):
        answer.likely(token.get("logprob") if isinstance(token, dict) else None)


def _account(answer: Transcript, items: list[dict[str, Any]]) -> None:
    """What of a response is sold by the piece: searches of the web, and images."""
    if answer.call.method == "POST":
        answer.use("searches", sum(map(_is_search, items)))
        answer.use("images", sum(item.get("type") == "image_generation_call" for item in items))


def _is_search(item: dict[str, Any]) -> bool:
    """Whether an item is a search of the web; opening a page that it found is none."""
    action = item.get("action")
    kind = action.get("type", "search") if isinstance(action, dict) else "search"
    return item.get("type") == "web_search_call" and kind == "search"


def _add(pieces: Transcript, kind: str, index: int, event: _Event) -> bool:
    """Put a fragment where it belongs; whether it bears content."""
    if kind == "response.output_item.added" and event.item is not None:
        item = event.item
        if not str(item.get("type")).endswith("_call"):
            return False
        name = item.get("name") or str(item["type"])[:-5]
        pieces.add_tool(index, name, None, index=0, is_new=True)
        return bool(item.get("name"))
    if not kind.endswith(".delta"):
        return kind.endswith(".partial_image")
    delta = event.delta
    if isinstance(delta, dict):  # of a shell: what it wrote to its two streams
        pieces.add(index, "tool", lines(str(one) for one in delta.values() if one))
        return True
    return isinstance(delta, str) and delta != "" and _add_text(pieces, kind, index, delta)


def _add_text(pieces: Transcript, kind: str, index: int, delta: str) -> bool:
    what = kind.split(".")[1]
    if "audio" in what and "transcript" not in kind:
        return pieces.add_sound(index, delta)
    if what.endswith(("_arguments", "_input", "_code", "_command", "_diff")):
        pieces.add_tool(index, "", delta, index=0)
    elif what.startswith("reasoning"):
        pieces.add(index, "reasoning", delta)
    else:
        pieces.add(index, "refusal" if what == "refusal" else "assistant", delta)
    return True
