"""Call → Inference for Ollama's own API: one JSON object, or one a line as the answer is made.

https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.chat import content_text, lines, question, tool_call, tool_calls
from monitor.errors import ParseError
from monitor.framings import ndjson
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_OPERATIONS = {"/api/chat": "chat", "/api/generate": "text_completion"}


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


class _Line(msgspec.Struct):
    """A whole answer, or a line of one."""

    model: str | None = None
    message: _Message | None = None
    response: Any = None
    thinking: Any = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_line_decoder = msgspec.json.Decoder(_Line)


def claims(call: Call) -> bool:
    """POSTs to `…/api/chat` and `…/api/generate` that name a model and are answered in JSON: many
    applications have such paths."""
    if call.method != "POST" or not _operation(call.path) or b'"model"' not in call.request_body:
        return False
    return "json" in call.response_headers.get("content-type", "json").lower()


def _operation(path: str) -> str:
    path = path.rstrip("/")
    return next((name for end, name in _OPERATIONS.items() if path.endswith(end)), "")


def read(call: Call) -> Inference:
    """Each message is one text part. A cached prompt is not counted by the server."""
    request, inputs = question(call.request_body, _request_decoder, _inputs)
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
        says = item.message or item.response is not None or item.done or item.error
        is_ours = is_ours or bool(says)
        if _add(answer, item, line.data) and streamed:
            answer.heard(line.end)
    if not is_ours:
        answer.is_foreign(columns.spoken(call))
    return answer.inference(
        "ollama",
        _operation(call.path),
        model=request.model or "",
        inputs=inputs,
        tokens=answer.tokens(answer.counted("prompt_eval_count"), answer.counted("eval_count")),
    )


PROTOCOL = Protocol("ollama", claims, read)


def _inputs(request: _Request) -> list[Part]:
    parts = [Part(role=one.role or "user", text=_text(one)) for one in request.messages]
    if request.system:
        parts.insert(0, Part(role="system", text=content_text(request.system)))
    prompt = [content_text(request.prompt), content_text(request.suffix), *_images(request.images)]
    if any(prompt):
        parts.append(Part(role="user", text=lines(prompt)))
    return parts


def _text(message: _Message) -> str:
    """Everything a message says, as one text."""
    calls = [tool_call(name, given) for name, given in tool_calls(message.tool_calls)]
    said = [content_text(message.content), *_images(message.images), *calls]
    return lines(said)


def _images(given: Any) -> list[str]:
    images = given if isinstance(given, list) else []
    return [f"[image {len(one)} characters]" for one in images if isinstance(one, str)]


def _add(answer: Transcript, line: _Line, data: bytes) -> bool:
    """Put a line where it belongs; whether it bears content."""
    if line.error:
        answer.error(data)
    answer.model = line.model or answer.model
    answer.count("prompt_eval_count", line.prompt_eval_count)
    answer.count("eval_count", line.eval_count)
    answer.is_complete = answer.is_complete or line.done
    answer.finish(0, line.done_reason)
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
