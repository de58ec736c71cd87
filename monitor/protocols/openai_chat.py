"""Call → Inference for OpenAI's chat completions, completions and embeddings, and the many servers
that speak them (vLLM, TGI, llama.cpp, Ollama, SGLang, LiteLLM, Azure).

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import base64
import struct
from typing import Any

import msgspec

from monitor import bodies, sse
from monitor.chat import Choices, arrival, content_text, error_part, lines, tool_call
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part, Tokens

_OPERATIONS = {
    "/chat/completions": "chat",
    "/completions": "text_completion",
    "/embeddings": "embeddings",
}


class _Message(msgspec.Struct):
    role: str | None = None
    content: Any = None
    tool_calls: Any = None
    function_call: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None


class _Request(msgspec.Struct):
    model: str | None = None
    messages: list[_Message] = []
    prompt: Any = None
    input: Any = None


class _Choice(msgspec.Struct):
    index: int = 0
    message: _Message | None = None
    delta: _Message | None = None
    text: str | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Embedding(msgspec.Struct):
    embedding: Any = None


class _Response(msgspec.Struct):
    model: str | None = None
    choices: list[_Choice] | None = None
    data: list[_Embedding] = []
    usage: _Usage | None = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)


def claims(call: Call) -> bool:
    """POSTs to a path that ends as OpenAI's do, under whatever prefix."""
    return call.method == "POST" and _operation(call.path) != ""


def _operation(path: str) -> str:
    path = path.rstrip("/")
    for ending, operation in _OPERATIONS.items():
        if path.endswith(ending):
            return operation
    return ""


def read(call: Call) -> Inference:
    """One input message is one text part; a request or an answer of another shape is one text."""
    try:
        request = bodies.decode(call.request_body, _request_decoder)
        inputs = _inputs(request)
        model = request.model or ""
    except ParseError:
        found = bodies.text(call.request_body)
        inputs, model = [Part(role="user", text=found)] if found else [], ""
    answer = _Answer()
    if sse.is_stream(call.response_headers):
        answer.read_stream(call)
    elif call.response_body:
        answer.read_whole(call)
    return Inference(
        protocol="openai_chat",
        operation=_operation(call.path),
        model=answer.model or model,
        inputs=inputs,
        outputs=answer.outputs,
        tokens=answer.tokens,
        finish_reasons=answer.finish_reasons,
        streamed=answer.streamed,
        first_token=answer.first_token,
        last_token=answer.last_token,
        failed=answer.failed,
    )


PROTOCOL = Protocol("openai_chat", claims, read)


def _inputs(request: _Request) -> list[Part]:
    parts = [Part(role=one.role or "user", text=_text(one)) for one in request.messages]
    for given in (request.prompt, request.input):
        parts += _prompt(given)
    return parts


def _prompt(given: Any) -> list[Part]:
    """`prompt` and `input`: a text, texts, token ids, or lists of token ids."""
    if given is None:
        return []
    if isinstance(given, str):
        return [Part(role="user", text=given)]
    if isinstance(given, list) and given:
        if all(isinstance(one, int) for one in given):
            return [Part(name="prompt", datatype="INT64", shape=[len(given)], data=given)]
        return [part for one in given for part in _prompt(one)]
    return [Part(role="user", text=content_text(given))]


def _text(message: _Message) -> str:
    """Everything a message says, as one text."""
    pieces = [content_text(message.content), content_text(message.refusal)]
    pieces += [tool_call(name, arguments) for name, arguments in _tool_calls(message)]
    return lines(pieces)


def _tool_calls(message: _Message) -> list[tuple[Any, Any]]:
    calls = message.tool_calls if isinstance(message.tool_calls, list) else []
    functions = [one.get("function") or one.get("custom") for one in calls if isinstance(one, dict)]
    functions.append(message.function_call)
    return [
        (one.get("name"), one.get("arguments", one.get("input")))
        for one in functions
        if isinstance(one, dict)
    ]


class _Answer:
    """What the response says, plain or streamed."""

    def __init__(self) -> None:
        self.model = ""
        self.outputs: list[Part] = []
        self.tokens: Tokens | None = None
        self.finish_reasons: list[str] = []
        self.streamed = False
        self.first_token: float | None = None
        self.last_token: float | None = None
        self.failed = False

    def read_whole(self, call: Call) -> None:
        try:
            response = bodies.decode(call.response_body, _response_decoder)
        except ParseError:
            self.outputs = error_part(call.response_body)
            return
        if response.choices is None and response.error is not None:
            self.outputs = error_part(call.response_body)
            self.failed = True
            return
        self._note(response)
        for choice in response.choices or []:
            message = choice.message
            if message is not None:
                self.outputs += _output_parts(message)
            elif choice.text is not None:
                self.outputs.append(Part(role="assistant", text=choice.text))
            self.finish_reasons.append(choice.finish_reason or "")
        self.finish_reasons = [reason for reason in self.finish_reasons if reason]
        self.outputs += _embeddings([item.embedding for item in response.data])

    def read_stream(self, call: Call) -> None:
        self.streamed = True
        choices = Choices()
        reasons: dict[int, str] = {}
        errors: list[Part] = []
        first = last = 0
        for event in sse.events(call.response_body):
            if event.data == b"[DONE]":
                continue
            try:
                chunk = bodies.decode(event.data, _response_decoder)
            except ParseError:
                errors += error_part(event.data)
                continue
            if chunk.error is not None or event.type == "error":
                errors += error_part(event.data)
                self.failed = True
                continue
            self._note(chunk)
            has_content = False
            for choice in chunk.choices or ():
                has_content |= _add(choices, choice)
                if choice.finish_reason:
                    reasons[choice.index] = choice.finish_reason
            if has_content:
                first, last = first or event.end, event.end
        self.outputs = choices.parts() + errors
        self.finish_reasons = [reasons[index] for index in sorted(reasons)]
        if first:
            self.first_token, self.last_token = arrival(call, first), arrival(call, last)

    def _note(self, response: _Response) -> None:
        self.model = response.model or self.model
        usage = response.usage
        if usage is not None and usage.prompt_tokens is not None:
            self.tokens = Tokens(usage.prompt_tokens, usage.completion_tokens or 0)


def _embeddings(items: list[Any]) -> list[Part]:
    """Vectors of one width as one tensor; as lists, or base64 of little-endian float32, which is
    what OpenAI's own clients ask for."""
    rows = [_vector(item) for item in items]
    width = len(rows[0]) if rows else 0
    if not width or any(len(row) != width for row in rows):
        return []
    flat = [value for row in rows for value in row]
    return [Part(name="embedding", datatype="FP32", shape=[len(rows), width], data=flat)]


def _vector(item: Any) -> list[float]:
    if isinstance(item, list):
        return item if all(isinstance(value, int | float) for value in item) else []
    try:
        raw = base64.b64decode(item or "", validate=True)
        return [value for (value,) in struct.iter_unpack("<f", raw)]
    except (TypeError, ValueError, struct.error):
        return []


def _output_parts(message: _Message) -> list[Part]:
    role = message.role or "assistant"
    parts = [
        Part(role="reasoning", text=content_text(message.reasoning_content or message.reasoning)),
        Part(role=role, text=content_text(message.content)),
        Part(role="refusal", text=content_text(message.refusal)),
        *(Part(role="tool_call", text=tool_call(*one)) for one in _tool_calls(message)),
    ]
    return [part for part in parts if part.text]


def _add(choices: Choices, choice: _Choice) -> bool:
    """Put a chunk's fragments where they belong; whether there were any."""
    if choice.text:
        choices.add(choice.index, "assistant", choice.text)
        return True
    delta = choice.delta or choice.message
    if delta is None:
        return False
    if isinstance(delta.content, str) and delta.content and not delta.tool_calls:
        choices.add(choice.index, "assistant", delta.content)  # nearly every chunk
        return True
    found = False
    reasoning = delta.reasoning_content or delta.reasoning
    for channel, fragment in (
        ("reasoning", reasoning), ("assistant", delta.content), ("refusal", delta.refusal),
    ):  # fmt: skip
        if fragment:
            choices.add(choice.index, channel, content_text(fragment))
            found = True
    for position, one in enumerate(delta.tool_calls if isinstance(delta.tool_calls, list) else ()):
        if isinstance(one, dict):
            function = one.get("function") or one.get("custom")
            index = one.get("index", position)
            found |= _add_tool(choices, choice.index, index, function)
    return _add_tool(choices, choice.index, 0, delta.function_call) or found


def _add_tool(choices: Choices, choice: int, index: Any, function: Any) -> bool:
    if not isinstance(function, dict):
        return False
    name, arguments = function.get("name"), function.get("arguments", function.get("input"))
    choices.add_tool(
        choice,
        index if isinstance(index, int) else 0,
        name if isinstance(name, str) else "",
        arguments if isinstance(arguments, str) else "",
    )
    return True
