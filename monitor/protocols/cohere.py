"""Call → Inference for Cohere's own API, v2 and v1: chats, texts, embeddings, plain and streamed.

https://docs.cohere.com/reference/chat, …/reference/chat-v1, …/v2/docs/streaming; its reranker is
another protocol here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from monitor import columns
from monitor.carriers import vectors
from monitor.chat import (
    content_text,
    is_error,
    lines,
    offered,
    question,
    tool_call,
    tool_calls,
    wanted,
)
from monitor.framings import ndjson, sse
from monitor.interfaces import Protocol
from monitor.transcript import Documents, Transcript
from monitor.types import Call, Inference, Part

_ASKS: dict[str, tuple[tuple[bytes, ...], str]] = {
    "/v2/chat": ((b'"messages"',), "chat"),
    "/v1/chat": ((b'"message"',), "chat"),
    "/v1/generate": ((b'"prompt"',), "text_completion"),
    "/v2/embed": ((b'"texts"', b'"images"', b'"inputs"'), "embeddings"),
    "/v1/embed": ((b'"texts"', b'"images"'), "embeddings"),
}
"""What a request has: one of these members."""
_ENDS = tuple(_ASKS)
_MORE = (b'"model"', b'"chat_history"', b'"preamble"', b'"connectors"')
"""One of these, too: others have such paths."""
_FAILURES = ("ERROR", "TIMEOUT")
_SPEAKERS = {"chatbot": "assistant"}

_OURS = ("message-", "content-", "tool-", "citation-", "debug", "error")
"""How the types of the second version's events begin."""


class _Message(msgspec.Struct):
    role: str | None = None
    content: Any = None
    message: Any = None
    tool_plan: Any = None
    tool_calls: Any = None


class _Request(msgspec.Struct):
    model: str | None = None
    messages: list[_Message] = []
    message: Any = None
    chat_history: list[_Message] = []
    preamble: Any = None
    prompt: Any = None
    texts: Any = None
    inputs: Any = None
    images: Any = None
    documents: Any = None
    tools: Any = None
    response_format: Any = None


class _Answer(msgspec.Struct):
    """A whole answer, or an event of one: `type` is v2's, `event_type` v1's."""

    type: str | None = None
    event_type: str | None = None
    id: Any = None
    response_id: Any = None
    index: Any = None
    message: Any = None
    text: Any = None
    generations: Any = None
    embeddings: Any = None
    tool_calls: Any = None
    finish_reason: str | None = None
    is_finished: Any = None
    delta: Any = None
    response: Any = None
    usage: Any = None
    meta: Any = None
    logprobs: Any = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_answer_decoder = msgspec.json.Decoder(_Answer)


def claims(call: Call) -> bool:
    """POSTs to `…/v2/chat`, `/v1/chat`, `/v1/generate`, `/v2/embed` and `/v1/embed` with what such
    a request has, as others have such paths."""
    if call.method != "POST" or not call.path.rstrip("/").endswith(_ENDS):
        return False
    words, body = _asked(call.path)[0], call.request_body
    return any(word in body for word in words) and any(word in body for word in _MORE)


def _asked(path: str) -> tuple[tuple[bytes, ...], str]:
    path = path.rstrip("/")
    return next((one for end, one in _ASKS.items() if path.endswith(end)), ((), "chat"))


def read(call: Call) -> Inference:
    """Each message and each document is one text part; so is the plan before calls of tools.

    Tokens are those that were read and generated; those that are charged are fewer, and stand in
    where the others are not said. Searches are units.
    """
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    operation = _asked(call.path)[1]
    streamed = sse.is_stream(call.response_headers) or ndjson.is_stream(call.response_headers)
    answer = Transcript(call, streamed=streamed)
    if streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    if operation == "embeddings" and answer.counted("input_tokens") is not None:
        answer.count("output_tokens", 0)
    form = request.response_format if isinstance(request.response_format, dict) else {}
    schema = form.get("json_schema", form.get("schema"))
    return answer.inference(
        "cohere",
        operation,
        model=request.model or "",
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted("input_tokens"), answer.counted("output_tokens"), cached="cached_tokens"
        ),
        tools=offered(request.tools),
        **wanted({"type": form.get("type"), "schema": schema}),
    )


PROTOCOL = Protocol("cohere", claims, read)


def _inputs(request: _Request) -> list[Part]:
    parts = []
    if request.preamble:
        parts.append(Part(role="system", text=content_text(request.preamble)))
    for one in (*request.chat_history, *request.messages):
        role = (one.role or "user").lower()
        parts.append(Part(role=_SPEAKERS.get(role, role), text=_text(one)))
    documents = request.documents if isinstance(request.documents, list) else []
    parts += [Part(role="document", text=_document(one)) for one in documents]
    given = [request.message, request.prompt]
    for several in (request.texts, request.inputs, request.images):
        given += several if isinstance(several, list) else []
    return parts + [Part(role="user", text=_given(one)) for one in given if one is not None]


def _document(one: Any) -> str:
    """The text of a document, whose members are texts."""
    data = one.get("data", one) if isinstance(one, dict) else one
    return content_text([data])


def _given(one: Any) -> str:
    """A text, an image, or the content of both that is to be embedded."""
    if isinstance(one, dict):
        return content_text(one.get("content", one))
    if isinstance(one, str) and one.startswith("data:"):
        return content_text([{"type": "image_url", "image_url": one}])
    return content_text(one)


def _text(message: _Message) -> str:
    """Everything a message says, as one text."""
    calls = [tool_call(name, given) for name, given in tool_calls(message.tool_calls)]
    content = message.content if message.content is not None else message.message
    return lines([content_text(message.tool_plan), content_text(content), *calls])


def _read_whole(answer: Transcript, body: bytes) -> None:
    item = answer.decoded(body, _answer_decoder)
    if item is None:
        return
    says = item.generations or item.embeddings or isinstance(item.message, dict)
    is_ours = bool(says) or item.text is not None
    if is_error({"type": item.type, "error": item.error}):
        answer.error(body)
    elif not is_ours and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    _add_whole(answer, item)
    _end(answer, msgspec.structs.asdict(item))


def _add_whole(answer: Transcript, item: _Answer) -> None:
    """The texts, calls and vectors of a whole answer."""
    message = item.message if isinstance(item.message, dict) else {}
    if plan := content_text(message.get("tool_plan")):
        answer.add(0, "assistant", plan)
    content = message.get("content")
    for block in content if isinstance(content, list) else [content]:
        _add_block(answer, block)
    if isinstance(item.text, str) and item.text:
        answer.add(0, "assistant", item.text)
    for name, arguments in tool_calls(message.get("tool_calls"), *_functions(item.tool_calls)):
        answer.add_tool(0, name, arguments, is_new=True)
    for place, one in enumerate(item.generations if isinstance(item.generations, list) else ()):
        if isinstance(one, dict) and isinstance(one.get("text"), str):
            answer.add(place, "assistant", one["text"])
            answer.finish(place, one.get("finish_reason"))
    _weigh(answer, item.logprobs)
    found = item.embeddings
    kind: Any = "float"
    if isinstance(found, dict):  # by type
        kind = "float" if "float" in found else next(iter(found), "float")
        found = found.get(kind)
    if isinstance(found, list):
        answer.outputs += vectors.tensor(found, kind)


def _functions(given: Any) -> list[dict[str, Any]]:
    """v1's calls of tools, as v2 and OpenAI have them."""
    calls = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return [{"name": one.get("name"), "arguments": one.get("parameters")} for one in calls]


def _add_block(answer: Transcript, block: Any) -> bool:
    """A block of content, or a fragment of one; whether it bears any."""
    if isinstance(block, str):
        block = {"text": block}
    if not isinstance(block, dict):
        return False
    for channel, text in (("assistant", block.get("text")), ("reasoning", block.get("thinking"))):
        if isinstance(text, str) and text:
            answer.add(0, channel, text)
            return True
    return False


def _events(call: Call) -> Iterable[sse.Event]:
    if sse.is_stream(call.response_headers):
        return sse.events(call.response_body)
    return (sse.Event("", one.data, one.end) for one in ndjson.lines(call.response_body))


def _read_stream(answer: Transcript, body: bytes) -> None:
    documents = Documents(answer, _events(answer.call), _answer_decoder)
    for event, item in documents:
        kind = item.type if isinstance(item.type, str) else ""
        is_said = kind.startswith(_OURS) or bool(item.event_type or item.error)
        documents.is_ours = documents.is_ours or is_said
        if event.type == "error" or is_error({"type": item.type, "error": item.error}):
            answer.error(event.data)
        elif item.event_type:
            if _add_v1(answer, item):
                answer.heard(event.end)
        elif _add_v2(answer, item, event.data):
            answer.heard(event.end)
    if documents.are_foreign:
        answer.is_foreign(columns.spoken(answer.call))


def _add_v1(answer: Transcript, item: _Answer) -> bool:
    """The last event says the whole answer once more."""
    if item.event_type == "stream-end" or item.is_finished is True:
        answer.is_complete = True
        whole = item.response if isinstance(item.response, dict) else {}
        _end(answer, {**whole, "finish_reason": item.finish_reason or whole.get("finish_reason")})
        return False
    found = item.event_type == "text-generation" and _add_block(answer, item.text)
    if item.event_type == "tool-calls-generation":
        for one in _functions(item.tool_calls):
            answer.add_tool(0, one["name"], one["arguments"], is_new=True)
            found = True
    return found


def _add_v2(answer: Transcript, item: _Answer, data: bytes) -> bool:
    delta = item.delta if isinstance(item.delta, dict) else {}
    if item.type == "message-end":
        answer.is_complete = True
        if delta.get("error"):
            answer.error(data)
        _end(answer, delta | {"id": item.id})
        return False
    if item.type == "message-start":
        answer.note(id_=item.id)
    message = delta.get("message")
    message = message if isinstance(message, dict) else {}
    _weigh(answer, item.logprobs)
    found = _add_block(answer, message.get("tool_plan"))
    found = _add_block(answer, message.get("content")) or found
    call = message.get("tool_calls")
    call = call if isinstance(call, dict) else {}
    if isinstance(function := call.get("function"), dict):
        name, arguments = function.get("name"), function.get("arguments")
        index = item.index if type(item.index) is int else None
        answer.add_tool(0, name, arguments, index=index, id_=call.get("id"))
        found = found or bool(name or arguments)
    return found


def _end(answer: Transcript, said: dict[str, Any]) -> None:
    """What an answer says of itself as a whole."""
    reason = said.get("finish_reason")
    answer.finish(0, reason)
    answer.failed = answer.failed or reason in _FAILURES
    answer.note(id_=said.get("id") or said.get("response_id"))
    usage = said.get("usage") or said.get("meta")
    if not isinstance(usage, dict):
        return
    for counts in (usage.get("billed_units"), usage.get("tokens")):
        for name in ("input_tokens", "output_tokens"):
            answer.count(name, counts.get(name) if isinstance(counts, dict) else None)
    answer.count("cached_tokens", usage.get("cached_tokens"))
    units = usage.get("billed_units")
    answer.use("searches", units.get("search_units") if isinstance(units, dict) else None)


def _weigh(answer: Transcript, logprobs: Any) -> None:
    """Of each stretch of the text the log-probabilities of its tokens."""
    for one in logprobs if isinstance(logprobs, list) else [logprobs]:
        found = one.get("logprobs") if isinstance(one, dict) else None
        for logprob in found if isinstance(found, list) else ():
            answer.likely(logprob)
