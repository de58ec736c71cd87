"""Call → Inference for Ollama's own API: one JSON object, or one a line as the answer is made.

https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.carriers import vectors
from monitor.chat import content_text, lines, media, offered, question, tool_call, tool_calls
from monitor.errors import ParseError
from monitor.framings import ndjson
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_OPERATIONS = {
    "/api/chat": "chat",
    "/api/generate": "text_completion",
    "/api/embed": "embeddings",
    "/api/embeddings": "embeddings",
}
_ENDS = tuple(_OPERATIONS)
_KEEPING = ("load", "unload")
"""Reasons of answers to requests that ask for nothing but to hold the model in memory, or not."""


class _Message(msgspec.Struct):
    role: str | None = None
    content: Any = None
    thinking: Any = None
    images: Any = None
    tool_calls: Any = None


class _Request(msgspec.Struct):
    model: str | None = None
    messages: list[_Message] = []
    system: Any = None
    prompt: Any = None
    suffix: Any = None
    images: Any = None
    input: Any = None
    tools: Any = None
    format: Any = None


class _Line(msgspec.Struct):
    """A whole answer, or a line of one."""

    model: str | None = None
    message: _Message | None = None
    response: Any = None
    thinking: Any = None
    done: Any = None
    done_reason: str | None = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    logprobs: Any = None
    embeddings: list[Any] | None = None
    embedding: list[Any] | None = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_line_decoder = msgspec.json.Decoder(_Line)


def claims(call: Call) -> bool:
    """POSTs to `…/api/chat`, `/generate` and `/embed` that name a model and are answered in JSON:
    many applications have such paths."""
    if call.method != "POST" or not call.path.rstrip("/").endswith(_ENDS):
        return False
    if b'"model"' not in call.request_body:
        return False
    return "json" in call.response_headers.get("content-type", "json").lower()


def _operation(path: str) -> str:
    path = path.rstrip("/")
    return next((name for end, name in _OPERATIONS.items() if path.endswith(end)), "")


def read(call: Call) -> Inference:
    """Each message is one text part. A cached prompt is not counted by the server."""
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    operation = _operation(call.path)
    body = call.response_body
    streamed = ndjson.is_stream(call.response_headers) or b"}\n{" in body
    answer = Transcript(call, streamed=streamed)
    is_ours = len(body) <= 2  # of an empty object nothing is lost
    for line in ndjson.lines(body) if streamed else [ndjson.Item(body, len(body))] if body else ():
        try:
            item = bodies.decode(line.data, _line_decoder)
        except ParseError:
            answer.unreadable(line.data)
            is_ours = True
            continue
        is_ours = is_ours or _is_ours(item)
        if _add(answer, item, line.data) and streamed:
            answer.heard(line.end)
        if item.done_reason in _KEEPING:
            operation = item.done_reason
    if not is_ours:
        answer.is_foreign(columns.spoken(call))
    if operation == "embeddings" and answer.counted("prompt_eval_count") is not None:
        answer.count("eval_count", 0)
    return answer.inference(
        "ollama",
        operation,
        model=request.model or "",
        inputs=inputs,
        tokens=answer.tokens(answer.counted("prompt_eval_count"), answer.counted("eval_count")),
        tools=offered(request.tools),
        **_wanted(request.format),
    )


PROTOCOL = Protocol("ollama", claims, read)


def _wanted(form: Any) -> dict[str, Any]:
    """`wants_json` and `schema` of an Inference: a form is `json`, or a schema itself."""
    if isinstance(form, dict) and form:
        return {"wants_json": True, "schema": form}
    return {"wants_json": True} if form == "json" else {}


def _is_ours(line: _Line) -> bool:
    says = line.message or line.done or line.error or line.embeddings or line.embedding
    return bool(says) or isinstance(line.response, str)


def _inputs(request: _Request) -> list[Part]:
    parts = [Part(role=one.role or "user", text=_text(one)) for one in request.messages]
    if request.system:
        parts.insert(0, Part(role="system", text=content_text(request.system)))
    prompt = [content_text(request.prompt), content_text(request.suffix), *_images(request.images)]
    if any(prompt):
        parts.append(Part(role="user", text=lines(prompt)))
    given = request.input if isinstance(request.input, list) else [request.input]
    return parts + [Part(role="user", text=content_text(one)) for one in given if one is not None]


def _text(message: _Message) -> str:
    """Everything a message says, as one text."""
    calls = [tool_call(name, given) for name, given in tool_calls(message.tool_calls)]
    said = [content_text(message.content), *_images(message.images), *calls]
    return lines(said)


def _images(given: Any) -> list[str]:
    images = given if isinstance(given, list) else []
    return [media("image", "", one) for one in images if isinstance(one, str)]


def _add(answer: Transcript, line: _Line, data: bytes) -> bool:
    """Put a line where it belongs; whether it bears content."""
    if line.error:
        answer.error(data)
    answer.note(model=line.model)
    answer.count("prompt_eval_count", line.prompt_eval_count)
    answer.count("eval_count", line.eval_count)
    answer.is_complete = answer.is_complete or bool(line.done)
    answer.finish(0, line.done_reason)
    for token in line.logprobs if isinstance(line.logprobs, list) else ():
        answer.likely(token.get("logprob") if isinstance(token, dict) else None)
    rows = line.embeddings or ([line.embedding] if line.embedding else [])
    answer.outputs += vectors.tensor(rows)
    message = line.message or _Message()
    found = False
    for channel, content in (
        ("reasoning", message.thinking or line.thinking),
        ("assistant", message.content or line.response),
    ):
        text = content_text(content)
        if text:
            answer.add(0, channel, text)
            found = True
    for name, arguments in tool_calls(message.tool_calls):
        answer.add_tool(0, name, arguments, is_new=True)
        found = True
    return found
