"""Call → Inference for Google's Gemini, at Google AI and at Vertex, plain and streamed.

https://ai.google.dev/api/generate-content; a stream is events, or one array sent piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from monitor import bodies
from monitor.chat import content_text, is_error, is_success, lines, question, tool_call
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings import ndjson, sse
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part, Tokens

_PATH = re.compile(
    r"/(?:models|tunedModels|endpoints)/(?P<model>[^/:]+):(?P<verb>generateContent|streamGenerateContent)/?$"
)
_COUNTS = (
    "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount",
    "totalTokenCount", "cachedContentTokenCount",
)  # fmt: skip

_RESULTS = (
    ("functionResponse", "function_response"), ("codeExecutionResult", "code_execution_result"),
)  # fmt: skip


class _Content(msgspec.Struct):
    role: str | None = None
    parts: list[Any] | None = None


class _Request(msgspec.Struct):
    contents: list[_Content] = []
    systemInstruction: Any = None  # noqa: N815  the field names are Google's
    system_instruction: Any = None


class _Candidate(msgspec.Struct):
    index: Any = None
    content: _Content | None = None
    finishReason: str | None = None  # noqa: N815


class _Response(msgspec.Struct):
    """A whole answer, or a chunk of a streamed one."""

    candidates: list[_Candidate] | None = None
    promptFeedback: dict[str, Any] | None = None  # noqa: N815
    usageMetadata: dict[str, Any] | None = None  # noqa: N815
    modelVersion: str | None = None  # noqa: N815
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)


def claims(call: Call) -> bool:
    """POSTs to `…/models/NAME:generateContent` and `:streamGenerateContent`."""
    return call.method == "POST" and _PATH.search(call.path) is not None


def read(call: Call) -> Inference:
    """Each content is one text part; the model is the answer's, else the path's."""
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of Gemini's")
    _, inputs = question(call.request_body, _request_decoder, _inputs)
    streamed = match["verb"] == "streamGenerateContent" and is_success(call)
    answer = Transcript(call, streamed=streamed)
    for data, end in _documents(call):
        try:
            response = bodies.decode(data, _response_decoder)
        except ParseError:
            answer.unreadable(data)
            continue
        if _add(answer, response, data) and answer.streamed:
            answer.heard(end)
    return answer.inference(
        "gemini",
        "generate_content",
        model=match["model"],
        inputs=inputs,
        tokens=_tokens(answer),
    )


PROTOCOL = Protocol("gemini", claims, read)


def _documents(call: Call) -> Iterable[tuple[bytes, int]]:
    body = call.response_body
    if sse.is_stream(call.response_headers):
        return ((event.data, event.end) for event in sse.events(body) if event.data != b"[DONE]")
    if body.lstrip()[:1] == b"[":
        return ndjson.elements(body)
    return [(body, len(body))] if body else []


def _inputs(request: _Request) -> list[Part]:
    parts = []
    system = request.systemInstruction or request.system_instruction
    if isinstance(system, dict):
        system = lines(text for _, text in _texts(system.get("parts")))
    if system:
        parts.append(Part(role="system", text=content_text(system)))
    for one in request.contents:
        text = lines(text for _, text in _texts(one.parts))
        parts.append(Part(role=one.role or "user", text=text))
    return parts


def _texts(parts: Any) -> list[tuple[str, str]]:
    """(channel, text) of a content's parts."""
    found = []
    for one in _list(parts):
        call = _call(one)
        found.append(("tool_call", tool_call(*call)) if call else _text(one))
    return [(channel, text) for channel, text in found if text]


def _list(parts: Any) -> list[Any]:
    return parts if isinstance(parts, list) else [] if parts is None else [parts]


def _either(part: dict[str, Any], camel: str, snake: str) -> Any:
    """A member under one of its two spellings: requests may have either."""
    return part.get(camel, part.get(snake))


def _call(part: Any) -> tuple[Any, Any] | None:
    """The (name, arguments) of a call of a tool; None where a part is none."""
    if not isinstance(part, dict):
        return None
    function = _either(part, "functionCall", "function_call")
    if isinstance(function, dict):
        return function.get("name"), function.get("args")
    code = _either(part, "executableCode", "executable_code")
    return None if code is None else ("code_execution", code)


def _text(part: Any) -> tuple[str, str]:
    if not isinstance(part, dict):
        return "assistant", content_text([part])
    if isinstance(part.get("text"), str):
        return "reasoning" if part.get("thought") is True else "assistant", part["text"]
    media = _either(part, "inlineData", "inline_data")
    if isinstance(media, dict):
        kind, size = _either(media, "mimeType", "mime_type"), len(str(media.get("data") or ""))
        return "assistant", f"[{kind} {size} characters]"
    for names in _RESULTS:
        found = _either(part, *names)
        if found is not None:
            return "tool", content_text(found)
    left = {name: value for name, value in part.items() if name != "thoughtSignature"}
    return "assistant", content_text(left or None)


def _add(answer: Transcript, response: _Response, data: bytes) -> bool:
    """Put a chunk where it belongs; whether it bears content."""
    if is_error({"error": response.error}):
        answer.error(data)
    answer.model = response.modelVersion or answer.model
    for name in _COUNTS:
        answer.count(name, (response.usageMetadata or {}).get(name))
    blocked = (response.promptFeedback or {}).get("blockReason")
    if blocked:
        answer.finish(0, blocked)
        answer.is_complete = True
    found = False
    for place, candidate in enumerate(response.candidates or ()):
        index = count(candidate.index)
        index = place if index is None else index
        for part in _list(candidate.content.parts if candidate.content else None):
            call = _call(part)
            channel, text = ("", "") if call else _text(part)
            if call:
                answer.add_tool(index, *call, is_new=True)
            elif text:
                answer.add(index, channel, text)
            found = found or bool(call or text)
        if candidate.finishReason:
            answer.finish(index, candidate.finishReason)
            answer.is_complete = True
    return found


def _tokens(answer: Transcript) -> Tokens | None:
    """Everything read and everything generated. Thoughts are among the candidates' tokens in some
    versions and beside them in others: the total tells."""
    read_ = answer.counted("promptTokenCount", "toolUsePromptTokenCount")
    written = answer.counted("candidatesTokenCount", "thoughtsTokenCount")
    total = answer.counted("totalTokenCount")
    if read_ is not None and total is not None and total >= read_:
        written = max(total - read_, answer.counted("candidatesTokenCount") or 0)
    return answer.tokens(
        read_,
        written,
        cached=answer.counted("cachedContentTokenCount"),
        reasoning=answer.counted("thoughtsTokenCount"),
    )
