"""Call → Inference for Google's Gemini, at Google AI and at Vertex, plain and streamed.

https://ai.google.dev/api/generate-content; a stream is events, or one array sent piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from monitor import columns
from monitor.carriers import vectors
from monitor.chat import (
    content_text,
    is_error,
    is_success,
    lines,
    media,
    offered,
    question,
    readable,
    tool_call,
)
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings import json_array, sse
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part, Tokens

_OPERATIONS = {
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
    "countTokens": "count_tokens",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
}
_PATH = re.compile(
    rf"/(?:models|tunedModels|endpoints)/(?P<model>[^/:]+):(?P<verb>{'|'.join(_OPERATIONS)})/?$"
)
_COUNTS = (
    "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount",
    "totalTokenCount", "cachedContentTokenCount",
)  # fmt: skip

_ORDINARY = ("ON_DEMAND", "TRAFFIC_TYPE_UNSPECIFIED")
_MAX_DEPTH = 32

_MEDIA = (
    (("inlineData", "inline_data"), ("data", "data")),
    (("fileData", "file_data"), ("fileUri", "file_uri")),
)
_RESULTS = (
    ("functionResponse", "function_response"), ("codeExecutionResult", "code_execution_result"),
)  # fmt: skip


class _Content(msgspec.Struct):
    role: str | None = None
    parts: list[Any] | None = None


class _Embedded(msgspec.Struct):
    """One of the requests of `batchEmbedContents`."""

    content: _Content | None = None


class _Request(msgspec.Struct):
    """Names are Google's in camel case or in snake case: servers take both."""

    contents: list[_Content] = []
    content: _Content | None = None
    requests: list[_Embedded] = []
    systemInstruction: Any = None  # noqa: N815
    system_instruction: Any = None
    generationConfig: Any = None  # noqa: N815
    generation_config: Any = None
    tools: Any = None


class _Candidate(msgspec.Struct):
    index: Any = None
    content: _Content | None = None
    finishReason: str | None = None  # noqa: N815
    tokenCount: Any = None  # noqa: N815
    avgLogprobs: Any = None  # noqa: N815
    logprobsResult: Any = None  # noqa: N815


class _Response(msgspec.Struct):
    """A whole answer, or a chunk of a streamed one."""

    candidates: list[_Candidate] | None = None
    promptFeedback: dict[str, Any] | None = None  # noqa: N815
    usageMetadata: dict[str, Any] | None = None  # noqa: N815
    modelVersion: str | None = None  # noqa: N815
    responseId: Any = None  # noqa: N815
    embedding: Any = None
    embeddings: Any = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)


def claims(call: Call) -> bool:
    """POSTs to `…/models/NAME:generateContent`, and to other verbs that ask a model something."""
    return call.method == "POST" and _PATH.search(call.path) is not None


def read(call: Call) -> Inference:
    """Each content is one text part; the model is the answer's, else the path's."""
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of Gemini's")
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    operation = _OPERATIONS[match["verb"]]
    streamed = match["verb"] == "streamGenerateContent" and is_success(call)
    answer = Transcript(call, streamed=streamed)
    averages: dict[int, _Candidate] = {}
    is_ours = is_foreign = is_text = False
    for data, end in _documents(call):
        response = answer.decoded(data, _response_decoder)
        if response is None:
            is_text = not json_array.is_cut(data)
            is_ours = is_ours or not is_text
            continue
        is_ours = is_ours or _is_ours(response)
        is_foreign = is_foreign or len(data) > 2  # of an empty object nothing is lost
        if _add(answer, response, data, averages) and answer.streamed:
            answer.heard(end)
    for one in averages.values():
        answer.likely_on_average(one.avgLogprobs, count(one.tokenCount) or 1)
    is_count = operation == "count_tokens" and is_success(call) and not answer.failed
    if is_count or (is_foreign and not is_ours):
        answer.is_foreign(columns.spoken(call))
    elif is_text and not is_ours:
        answer.is_complete = True  # what is no JSON at all is a matter of the server's
    if operation == "embeddings" and answer.counted("promptTokenCount") is not None:
        answer.count("candidatesTokenCount", 0)
    return answer.inference(
        "gemini",
        operation,
        model=match["model"],
        inputs=inputs,
        tokens=_tokens(answer),
        tools=_tools(request.tools),
        **_wanted(request.generationConfig or request.generation_config),
    )


PROTOCOL = Protocol("gemini", claims, read)


def _tools(given: Any) -> dict[str, Any]:
    found: list[Any] = []
    for one in _list(given):
        for function in _list(_either(one, "functionDeclarations", "function_declarations")):
            if isinstance(function, dict):
                schema = _either(function, "parametersJsonSchema", "parameters_json_schema")
                if schema is None:
                    schema = _json_schema(function.get("parameters"))
                found.append({"name": function.get("name"), "parameters": schema})
    return offered(found)


def _wanted(config: Any) -> dict[str, Any]:
    """`wants_json` and `schema` of an Inference."""
    schema = _either(config, "responseJsonSchema", "response_json_schema")
    if schema is None:
        schema = _json_schema(_either(config, "responseSchema", "response_schema"))
    kind = _either(config, "responseMimeType", "response_mime_type")
    if isinstance(schema, dict):
        return {"wants_json": True, "schema": schema}
    return {"wants_json": True} if kind == "application/json" else {}


def _json_schema(value: Any, depth: int = 0) -> Any:
    """A schema in Google's form of OpenAPI's, whose types are in capitals, as JSON Schema.

    >>> _json_schema({"type": "STRING", "nullable": True})
    {'type': ['string', 'null']}
    """
    if depth > _MAX_DEPTH or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [_json_schema(one, depth + 1) for one in value]
    found = {name: _json_schema(one, depth + 1) for name, one in value.items()}
    if isinstance(kind := value.get("type"), str):
        found["type"] = [kind.lower(), "null"] if found.pop("nullable", False) else kind.lower()
    return found


def _documents(call: Call) -> Iterable[tuple[bytes, int]]:
    body = call.response_body
    if sse.is_stream(call.response_headers):
        return ((event.data, event.end) for event in sse.events(body) if event.data != b"[DONE]")
    if body.lstrip()[:1] == b"[":
        return json_array.elements(body)
    return [(body, len(body))] if body else []


def _inputs(request: _Request) -> list[Part]:
    parts = []
    system = request.systemInstruction or request.system_instruction
    if isinstance(system, dict):
        system = lines(text for _, text in _texts(system.get("parts")))
    if system:
        parts.append(Part(role="system", text=content_text(system)))
    single = [request.content] if request.content else []
    single += [one.content for one in request.requests if one.content]
    for one in (*request.contents, *single):
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


def _either(part: Any, camel: str, snake: str) -> Any:
    """A member under one of its two spellings: requests may have either."""
    return part.get(camel, part.get(snake)) if isinstance(part, dict) else None


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
    for names, content in _MEDIA:
        held = _either(part, *names)
        if isinstance(held, dict):
            form, found = _either(held, "mimeType", "mime_type"), _either(held, *content)
            kind = form.partition("/")[0] if isinstance(form, str) else "media"
            return "assistant", media(kind, form, found if isinstance(found, str) else "")
    for names in _RESULTS:
        found = _either(part, *names)
        if found is not None:
            return "tool", content_text(found)
    return "assistant", content_text(readable(part) or None)


def _is_ours(response: _Response) -> bool:
    """Whether an answer, or a chunk of one, is Gemini's; an error's shape is that of many."""
    said = (
        response.candidates, response.promptFeedback, response.usageMetadata, response.embedding,
        response.embeddings, response.error,
    )  # fmt: skip
    return any(one is not None for one in said)


def _add(
    answer: Transcript, response: _Response, data: bytes, averages: dict[int, _Candidate]
) -> bool:
    """Put a chunk where it belongs; whether it bears content. `averages` are the last that was said
    of each candidate's tokens on average."""
    if is_error({"error": response.error}):
        answer.error(data)
    answer.note(model=response.modelVersion, id_=response.responseId)
    if response.usageMetadata:
        _count(answer, response.usageMetadata)
    if response.embedding or response.embeddings:
        given = [response.embedding] if response.embedding else _list(response.embeddings)
        rows = [one.get("values") if isinstance(one, dict) else None for one in given]
        answer.outputs += vectors.tensor(rows)
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
        if candidate.logprobsResult:
            _weigh(answer, candidate.logprobsResult)
        elif candidate.avgLogprobs is not None:
            averages[index] = candidate
    return found


def _weigh(answer: Transcript, result: Any) -> None:
    for one in _list(result.get("chosenCandidates") if isinstance(result, dict) else None):
        answer.likely(one.get("logProbability") if isinstance(one, dict) else None)


def _count(answer: Transcript, usage: dict[str, Any]) -> None:
    """Counts are cumulative, each for itself: the last holds."""
    for name in _COUNTS:
        answer.count(name, usage.get(name))
    for name in ("promptTokensDetails", "candidatesTokensDetails"):
        for one in _list(usage.get(name)):
            if isinstance(one, dict) and one.get("modality") == "AUDIO":
                answer.count(name, one.get("tokenCount"))
    traffic = usage.get("trafficType")
    answer.note(tier=None if traffic in _ORDINARY else traffic)


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
        cached="cachedContentTokenCount",
        reasoning="thoughtsTokenCount",
        audio_input="promptTokensDetails",
        audio_output="candidatesTokensDetails",
    )
