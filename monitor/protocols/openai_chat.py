"""Call → Inference for OpenAI's chat completions, completions and embeddings, and the many servers
that speak them (vLLM, TGI, llama.cpp, Ollama, SGLang, LiteLLM, Azure).

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import base64
import re
import struct
from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.chat import (
    content_text,
    lines,
    offered,
    question,
    says_error,
    tool_call,
    tool_calls,
    wanted,
)
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings import ndjson, sse
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_OPERATIONS = {
    "/chat/completions": "chat",
    "/completions": "text_completion",
    "/embeddings": "embeddings",
}
_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")
"""Where Azure has the model."""


class _Message(msgspec.Struct):
    role: str | None = None
    content: Any = None
    tool_calls: Any = None
    function_call: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    audio: Any = None


class _Request(msgspec.Struct):
    model: str | None = None
    messages: list[_Message] = []
    prompt: Any = None
    input: Any = None
    tools: Any = None
    functions: Any = None
    response_format: Any = None


class _Usage(msgspec.Struct):
    """Everything read and everything generated; what was cached or reasoned is part of them."""

    prompt_tokens: Any = None
    completion_tokens: Any = None
    prompt_tokens_details: Any = None
    completion_tokens_details: Any = None
    prompt_cache_hit_tokens: Any = None
    """DeepSeek's word for what came from a cache."""


class _Choice(msgspec.Struct):
    index: Any = None
    message: _Message | None = None
    delta: _Message | None = None
    text: str | None = None
    finish_reason: str | None = None
    usage: _Usage | None = None
    logprobs: Any = None
    error: Any = None


class _Embedding(msgspec.Struct):
    index: Any = None
    embedding: Any = None


class _Response(msgspec.Struct):
    """A whole answer, or a chunk of a streamed one."""

    model: str | None = None
    id: Any = None
    service_tier: Any = None
    choices: list[_Choice] | None = None
    data: list[_Embedding] | None = None
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
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    model = request.model or ""
    if not model and (match := _DEPLOYMENT.search(call.path)):
        model = match[1]
    operation = _operation(call.path)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    if operation == "embeddings" and answer.counted("prompt_tokens") is not None:
        answer.count("completion_tokens", 0)
    return answer.inference(
        "openai_chat",
        operation,
        model=model,
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted("prompt_tokens"),
            answer.counted("completion_tokens"),
            cached=answer.counted("cached_tokens"),
            cache_write=answer.counted("cache_write_tokens"),
            reasoning=answer.counted("reasoning_tokens"),
            audio_input=answer.counted("audio_input"),
            audio_output=answer.counted("audio_output"),
        ),
        tools=offered(request.tools, request.functions),
        **wanted(request.response_format),
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
    return tool_calls(message.tool_calls, message.function_call)


def _read_whole(answer: Transcript, body: bytes) -> None:
    try:
        response = bodies.decode(body, _response_decoder)
    except ParseError:
        answer.unreadable(body)
        return
    is_ours = response.choices is not None or response.data is not None
    is_error = bool(response.error) or (not is_ours and says_error(body))
    is_ours = is_ours or is_error
    if not is_ours and response.usage is None and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    _note(answer, response)
    for place, choice in enumerate(response.choices or ()):
        message = choice.message
        if message is not None:
            answer.outputs += _parts(message)
        elif choice.text is not None:
            answer.outputs.append(Part(role="assistant", text=choice.text))
        if choice.finish_reason:
            _end(answer, place, choice)
        if choice.logprobs:
            _weigh(answer, choice.logprobs)
        is_error = is_error or bool(choice.error)
    if response.data:
        answer.outputs += _embeddings(response.data)
    if is_error:
        answer.error(body)


def _read_stream(answer: Transcript, body: bytes) -> None:
    has_ended = has_any = is_ours = False
    first = last = 0
    for event in sse.events(body):
        has_any = True
        if event.data == b"[DONE]":
            has_ended = True
            continue
        try:
            chunk = bodies.decode(event.data, _response_decoder)
        except ParseError:
            answer.error(event.data, failed=event.type == "error")
            is_ours = is_ours or ndjson.is_cut(event.data)
            continue
        if chunk.choices is None or chunk.error:
            is_error = event.type == "error" or bool(chunk.error) or says_error(event.data)
            is_ours = is_ours or is_error or chunk.usage is not None
            if is_error:
                answer.error(event.data)
        else:
            is_ours = True
        _note(answer, chunk)
        if chunk.choices and _add_choices(answer, chunk.choices, event.data):
            first, last = first or event.end, event.end
    answer.heard(first, last)
    answer.is_complete = has_ended or answer.has_finished
    if has_any and not (is_ours or has_ended or answer.failed):
        answer.is_foreign(columns.spoken(answer.call))


def _add_choices(answer: Transcript, choices: list[_Choice], data: bytes) -> bool:
    """Put the fragments of a chunk where they belong; whether there were any."""
    found = False
    for place, choice in enumerate(choices):
        index = choice.index
        if type(index) is not int:
            index = count(index)
            index = place if index is None else index
        found = _add(answer, index, choice) or found
        if choice.finish_reason:
            _end(answer, index, choice)
        if choice.logprobs:
            _weigh(answer, choice.logprobs)
        if choice.usage:
            _count(answer, choice.usage)
        if choice.error:
            answer.error(data)
    return found


def _note(answer: Transcript, response: _Response) -> None:
    answer.note(model=response.model, id_=response.id, tier=response.service_tier)
    if response.usage is not None:
        _count(answer, response.usage)


def _count(answer: Transcript, usage: _Usage) -> None:
    answer.count("prompt_tokens", usage.prompt_tokens)
    answer.count("completion_tokens", usage.completion_tokens)
    answer.count("cached_tokens", usage.prompt_cache_hit_tokens)
    if isinstance(details := usage.prompt_tokens_details, dict):
        for name in ("cached_tokens", "cache_write_tokens"):
            answer.count(name, details.get(name))
        answer.count("audio_input", details.get("audio_tokens"))
    if isinstance(details := usage.completion_tokens_details, dict):
        answer.count("reasoning_tokens", details.get("reasoning_tokens"))
        answer.count("audio_output", details.get("audio_tokens"))


def _weigh(answer: Transcript, logprobs: Any) -> None:
    """The log-probabilities of a choice: of a chat by token, of a completion as two lists, where
    those of an echoed prompt stand before its answer and the first token has none."""
    if not isinstance(logprobs, dict):
        return
    for name in ("content", "refusal"):
        tokens = logprobs.get(name)
        for token in tokens if isinstance(tokens, list) else ():
            answer.likely(token.get("logprob") if isinstance(token, dict) else None)
    said = logprobs.get("token_logprobs")
    for logprob in said if isinstance(said, list) else ():
        answer.likely(logprob)


def _end(answer: Transcript, index: int, choice: _Choice) -> None:
    answer.finish(index, choice.finish_reason)
    answer.failed = answer.failed or choice.finish_reason == "error"


def _embeddings(items: list[_Embedding]) -> list[Part]:
    """Vectors of one width as one tensor, in order of their index; as lists, or base64 of
    little-endian float32, which is what OpenAI's own clients ask for."""
    places = [count(item.index) for item in items]
    order = sorted(range(len(items)), key=lambda n: n if (at := places[n]) is None else at)
    rows = [_vector(items[n].embedding) for n in order]
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


def _parts(message: _Message) -> list[Part]:
    """The outputs in a whole message."""
    parts = [
        Part(role="reasoning", text=content_text(message.reasoning_content or message.reasoning)),
        Part(role=message.role or "assistant", text=content_text(message.content)),
        Part(role="refusal", text=content_text(message.refusal)),
        *(Part(role="assistant", text=text) for text in _audio(message.audio)),
        *(Part(role="tool_call", text=tool_call(*one)) for one in _tool_calls(message)),
    ]
    return [part for part in parts if part.text]


def _audio(audio: Any) -> list[str]:
    """What is said in a sound, and its size."""
    if not isinstance(audio, dict):
        return []
    said, data = audio.get("transcript"), audio.get("data")
    texts = [said] if isinstance(said, str) else []
    return [*texts, f"[audio {len(data)} characters]"] if isinstance(data, str) else texts


def _add(answer: Transcript, index: int, choice: _Choice) -> bool:
    """Put a chunk's fragments where they belong; whether there were any."""
    if choice.text:
        answer.add(index, "assistant", choice.text)
        return True
    delta = choice.delta or choice.message
    if delta is None:
        return False
    if isinstance(delta.content, str) and delta.content and not delta.tool_calls:
        answer.add(index, "assistant", delta.content)  # nearly every chunk
        return True
    found = False
    reasoning = delta.reasoning_content or delta.reasoning
    for channel, fragment in (
        ("reasoning", reasoning), ("assistant", delta.content), ("refusal", delta.refusal),
    ):  # fmt: skip
        if fragment:
            answer.add(index, channel, content_text(fragment))
            found = True
    if isinstance(delta.audio, dict):
        said = delta.audio.get("transcript")
        if isinstance(said, str) and said:
            answer.add(index, "assistant", said)
        found |= bool(said or delta.audio.get("data"))
    for place, one in enumerate(delta.tool_calls if isinstance(delta.tool_calls, list) else ()):
        if isinstance(one, dict):
            found |= _add_tool(answer, index, one, place)
    return _add_tool(answer, index, {"function": delta.function_call}, 0) or found


def _add_tool(answer: Transcript, choice: int, call: dict[str, Any], place: int) -> bool:
    """A fragment of a call; several without index in one chunk are told apart by their place."""
    function = call.get("function") or call.get("custom")
    if not isinstance(function, dict):
        return False
    index, id_, name = count(call.get("index")), call.get("id"), function.get("name")
    arguments = function.get("arguments", function.get("input"))
    is_new = place > 0 and index is None and not id_ and bool(name)
    answer.add_tool(choice, name, arguments, index=index, id_=id_, is_new=is_new)
    return bool(name or arguments)
