"""Call → Inference for OpenAI's chat completions, completions and embeddings, and the many servers
that speak them (Azure, Mistral, vLLM, TGI, llama.cpp, Ollama, SGLang, LiteLLM).

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.carriers import vectors
from monitor.chat import (
    content_text,
    deployment,
    lines,
    media,
    offered,
    question,
    says_error,
    tool_call,
    tool_calls,
    wanted,
)
from monitor.counts import count
from monitor.framings import sse
from monitor.interfaces import Protocol
from monitor.partial_json import UNKNOWN
from monitor.transcript import Documents, Transcript
from monitor.types import Call, Inference, Part

_OPERATIONS = {
    "/chat/completions": "chat",
    "/completions": "text_completion",
    "/embeddings": "embeddings",
}
_ENDS = tuple(_OPERATIONS)


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
    prediction: Any = None
    echo: Any = None
    n: Any = None
    audio: Any = None
    output_dtype: Any = None
    """How Voyage and Mistral are asked for another type of embeddings, and then Jina."""
    embedding_type: Any = None
    guided_json: Any = None
    """vLLM's old way to ask for JSON of a schema, and then its new one and llama.cpp's."""
    structured_outputs: Any = None
    json_schema: Any = None


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
    return call.method == "POST" and call.path.rstrip("/").endswith(_ENDS)


def _operation(path: str) -> str:
    path = path.rstrip("/")
    for ending, operation in _OPERATIONS.items():
        if path.endswith(ending):
            return operation
    return ""


def read(call: Call) -> Inference:
    """One input message is one text part; a request or an answer of another shape is one text."""
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    operation = _operation(call.path)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    if answer.streamed:
        _read_stream(answer, call.response_body, request)
    elif call.response_body:
        _read_whole(answer, call.response_body, request)
    if operation == "embeddings" and answer.counted("prompt_tokens") is not None:
        answer.count("completion_tokens", 0)
    return answer.inference(
        "openai_chat",
        operation,
        model=request.model or deployment(call.path),
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted("prompt_tokens"),
            answer.counted("completion_tokens"),
            cached="cached_tokens",
            cache_write="cache_write_tokens",
            reasoning="reasoning_tokens",
            audio_input="audio_input",
            audio_output="audio_output",
        ),
        tools=offered(request.tools, request.functions),
        **_wanted(request),
    )


PROTOCOL = Protocol("openai_chat", claims, read)


def _inputs(request: _Request) -> list[Part]:
    parts = [Part(role=one.role or "user", text=_text(one)) for one in request.messages]
    for given in (request.prompt, request.input):
        if given is not None:
            parts += _prompt(given)
    if isinstance(request.prediction, dict):
        guess = content_text(request.prediction.get("content"))
        parts.append(Part(role="prediction", text=guess))
    return parts


_forms = attrgetter("response_format", "guided_json", "structured_outputs", "json_schema")


def _wanted(request: _Request) -> dict[str, Any]:
    """Whether JSON was asked for, in OpenAI's way or in one of the servers' own."""
    if not any(_forms(request)):
        return {}
    found = wanted(request.response_format) if request.response_format else {}
    schema = request.guided_json or request.json_schema
    if isinstance(request.structured_outputs, dict):
        schema = schema or request.structured_outputs.get("json")
    if isinstance(schema, str):
        schema = bodies.parsed(schema)
    return found or (wanted({"type": "json", "value": schema}) if schema else {})


def _prompt(given: Any) -> list[Part]:
    """`prompt` and `input`: a text, texts, token ids, or lists of token ids."""
    if isinstance(given, str):
        return [Part(role="user", text=given)]
    if isinstance(given, list) and given:
        if all(isinstance(one, int) for one in given):
            return [Part(name="prompt", datatype="INT64", shape=[len(given)], data=given)]
        return [part for one in given for part in _prompt(one)]
    return [Part(role="user", text=content_text(given))]


def _text(message: _Message) -> str:
    """Everything a message says, as one text."""
    if _is_bare(message):
        return message.content  # type: ignore[no-any-return]
    pieces = [content_text(message.content), content_text(message.refusal)]
    pieces += [tool_call(name, arguments) for name, arguments in _tool_calls(message)]
    return lines(pieces)


_beside = attrgetter(
    "tool_calls", "refusal", "reasoning_content", "reasoning", "audio", "function_call"
)


def _is_bare(message: _Message) -> bool:
    """Whether a message is a text alone, as nearly all are."""
    return isinstance(message.content, str) and not any(_beside(message))


def _tool_calls(message: _Message) -> list[tuple[Any, Any]]:
    return tool_calls(message.tool_calls, message.function_call)


def _read_whole(answer: Transcript, body: bytes, request: _Request) -> None:
    response = answer.decoded(body, _response_decoder)
    if response is None:
        return
    is_ours = response.choices is not None or response.data is not None
    is_error = bool(response.error) or (not is_ours and says_error(body))
    is_ours = is_ours or is_error
    if not is_ours and not _tells(response.usage) and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    _note(answer, response)
    for place, choice in enumerate(response.choices or ()):
        message = choice.message
        if message is not None:
            answer.outputs += _parts(message, request.audio)
        elif choice.text is not None:
            answer.outputs.append(Part(role="assistant", text=choice.text))
        if choice.finish_reason:
            _end(answer, place, choice)
        if choice.logprobs:
            _weigh(answer, place, choice.logprobs, request)
        is_error = is_error or bool(choice.error)
    if response.data:
        kind = request.output_dtype or request.embedding_type
        is_cut = answer.call.response_truncated and _is_missing(response.data[-1])
        answer.outputs += _embeddings(response.data[:-1] if is_cut else response.data, kind)
    if is_error:
        answer.error(body)


def _read_stream(answer: Transcript, body: bytes, request: _Request) -> None:
    first = last = 0
    documents = Documents(answer, sse.events(body), _response_decoder)
    for event, chunk in documents:
        if chunk.choices is None or chunk.error:
            is_error = event.type == "error" or bool(chunk.error) or says_error(event.data)
            is_said = is_error or _tells(chunk.usage)
            documents.is_ours = documents.is_ours or is_said
            if is_error:
                answer.error(event.data)
        elif not documents.is_ours:
            documents.is_ours = True
        _note(answer, chunk)
        if chunk.choices and _add_choices(answer, chunk.choices, event.data, request):
            first, last = first or event.end, event.end
    answer.heard(first, last)
    answer.is_complete = documents.is_done or answer.has_finished
    if documents.are_foreign and not (documents.is_done or answer.failed):
        answer.is_foreign(columns.spoken(answer.call))


def _add_choices(
    answer: Transcript, choices: list[_Choice], data: bytes, request: _Request
) -> bool:
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
            _weigh(answer, index, choice.logprobs, request)
        if choice.usage:
            _count(answer, choice.usage)
        if choice.error:
            answer.error(data)
    return found


def _note(answer: Transcript, response: _Response) -> None:
    answer.note(model=response.model, id_=response.id, tier=response.service_tier)
    if response.usage is not None:
        _count(answer, response.usage)


def _tells(usage: _Usage | None) -> bool:
    """Whether tokens are told in OpenAI's words; other dialects have a `usage`, too."""
    if usage is None:
        return False
    return usage.prompt_tokens is not None or usage.completion_tokens is not None


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


def _weigh(answer: Transcript, index: int, logprobs: Any, request: _Request) -> None:
    """The log-probabilities of a choice: of a chat by token, of a completion as lists."""
    if not isinstance(logprobs, dict):
        return
    for name in ("content", "refusal"):
        tokens = logprobs.get(name)
        for token in tokens if isinstance(tokens, list) else ():
            answer.likely(token.get("logprob") if isinstance(token, dict) else None)
    said = logprobs.get("token_logprobs")
    for logprob in _answered(said, logprobs, index, request) if isinstance(said, list) else ():
        answer.likely(logprob)


def _answered(
    said: list[Any], logprobs: dict[str, Any], index: int, request: _Request
) -> list[Any]:
    """Those of the answer: with `echo` those of the prompt stand before them, as its text does. Of
    a prompt of token ids nobody can say where it ends."""
    if not request.echo:
        return said
    prompt, each = request.prompt, count(request.n) or 1
    if isinstance(prompt, list):
        prompt = prompt[index // each] if index // each < len(prompt) else None
    places = logprobs.get("text_offset")
    if not isinstance(prompt, str) or not isinstance(places, list):
        return []
    begins = len(prompt)
    return [one for one, at in zip(said, places, strict=False) if type(at) is int and at >= begins]


def _end(answer: Transcript, index: int, choice: _Choice) -> None:
    answer.finish(index, choice.finish_reason)
    answer.failed = answer.failed or choice.finish_reason == "error"


def _embeddings(items: list[_Embedding], kind: Any) -> list[Part]:
    """Vectors in order of their index; a server answers in the order it finishes them."""
    places = [count(item.index) for item in items]
    order = sorted(range(len(items)), key=lambda n: n if (at := places[n]) is None else at)
    return vectors.tensor([items[n].embedding for n in order], kind)


def _is_missing(item: _Embedding) -> bool:
    return item.embedding in (None, UNKNOWN)


def _parts(message: _Message, audio: Any) -> list[Part]:
    """The outputs in a whole message; `audio` is what was asked for of a sound."""
    if _is_bare(message) and message.content:
        return [Part(role=message.role or "assistant", text=message.content)]
    reasoning = message.reasoning_content or message.reasoning
    parts = [
        Part(role="reasoning", text=content_text(reasoning)),
        *(Part(role=role, text=text) for role, text in _spoken(message)),
        Part(role="refusal", text=content_text(message.refusal)),
        *(Part(role="assistant", text=text) for text in _audio(message.audio, audio)),
        *(Part(role="tool_call", text=tool_call(*one)) for one in _tool_calls(message)),
    ]
    return [part for part in parts if part.text]


def _spoken(message: _Message) -> list[tuple[str, str]]:
    """(channel, text) of a message's content; Mistral's may be a list in which thoughts stand
    beside texts, and references to sources, which are no text."""
    role, content = message.role or "assistant", message.content
    if not isinstance(content, list):
        return [(role, content_text(content))]
    kinds = [one.get("type") if isinstance(one, dict) else None for one in content]
    thoughts = [one for one, kind in zip(content, kinds, strict=True) if kind == "thinking"]
    said = [
        one
        for one, kind in zip(content, kinds, strict=True)
        if kind not in ("thinking", "reference")
    ]
    return [("reasoning", content_text(thoughts)), (role, content_text(said))]


def _audio(audio: Any, asked: Any) -> list[str]:
    """What is said in a sound, and its size."""
    if not isinstance(audio, dict):
        return []
    said, data = audio.get("transcript"), audio.get("data")
    form = asked.get("format") if isinstance(asked, dict) else None
    texts = [said] if isinstance(said, str) else []
    return [*texts, media("audio", form, data)] if isinstance(data, str) else texts


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
    delta.role = "assistant"
    for channel, fragment in (
        ("reasoning", content_text(delta.reasoning_content or delta.reasoning)),
        *_spoken(delta), ("refusal", content_text(delta.refusal)),
    ):  # fmt: skip
        if fragment:
            answer.add(index, channel, fragment)
            found = True
    if isinstance(delta.audio, dict):
        said = delta.audio.get("transcript")
        if isinstance(said, str) and said:
            answer.add(index, "assistant", said)
            found = True
        found |= answer.add_sound(index, delta.audio.get("data"))
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
