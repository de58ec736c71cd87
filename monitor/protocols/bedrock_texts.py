"""Call → Inference for the bodies of older families at Bedrock: a prompt in, texts out.

Llama, Titan, Mistral, Cohere, AI21, DeepSeek and Claude's text completions each have their own
names: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.carriers import vectors
from monitor.chat import content_text, is_error, media, question
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings import sse
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_TEXTS = ("generation", "outputText", "completion", "text")
_LISTS = ("outputs", "results", "generations", "completions", "choices")
_REASONS = ("stop_reason", "completionReason", "finish_reason")
_READ = ("prompt_token_count", "inputTextTokenCount", "inputTokenCount")
_WRITTEN = ("generation_token_count", "totalOutputTextTokenCount", "outputTokenCount", "tokenCount")
_METRICS = "amazon-bedrock-invocationMetrics"


class _Request(msgspec.Struct):
    prompt: Any = None
    inputText: Any = None  # noqa: N815
    message: Any = None
    chat_history: Any = None
    preamble: Any = None
    texts: Any = None


_request_decoder = msgspec.json.Decoder(_Request)


def claims(call: Call) -> bool:
    """What was invoked, its stream without frames."""
    return call.path.endswith("/invoke")


def read(call: Call) -> Inference:
    """A prompt, and each text of the answer, is one text part."""
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    operation = "chat" if request.message else "text_completion"
    is_ours = len(call.response_body) <= 2
    for event in _documents(call):
        try:
            document = bodies.beginning(event.data)
        except ParseError:
            answer.unreadable(event.data)
            is_ours = True
            continue
        document = document if isinstance(document, dict) else {}
        if is_error(document):
            answer.error(event.data)
            is_ours = True
        if rows := _vectors(document):
            answer.outputs += vectors.tensor(rows)
            operation = "embeddings"
        elif images := document.get("images"):
            answer.outputs += _images(images)
            operation = "image"
        is_ours = _add(answer, document, event) or bool(answer.outputs) or is_ours
    if not is_ours:
        answer.is_foreign(columns.spoken(call))
    if operation == "embeddings" and answer.counted("read") is not None:
        answer.count("written", 0)
    answer.is_complete = answer.is_complete or answer.has_finished
    return answer.inference(
        "bedrock",
        operation,
        model="",
        inputs=inputs,
        tokens=answer.tokens(answer.counted("read"), answer.counted("written")),
    )


PROTOCOL = Protocol("bedrock", claims, read)


def _inputs(request: _Request) -> list[Part]:
    past = request.chat_history if isinstance(request.chat_history, list) else []
    parts = [
        Part(role=str(one.get("role") or "user").lower(), text=content_text(one.get("message")))
        for one in past
        if isinstance(one, dict)
    ]
    if request.preamble:
        parts.insert(0, Part(role="system", text=content_text(request.preamble)))
    texts = request.texts if isinstance(request.texts, list) else [request.texts]
    given = (request.prompt, request.inputText, request.message, *texts)
    return parts + [Part(role="user", text=content_text(one)) for one in given if one is not None]


def _documents(call: Call) -> Iterator[sse.Event]:
    if sse.is_stream(call.response_headers):
        yield from sse.events(call.response_body)
    elif call.response_body:
        yield sse.Event("", call.response_body, len(call.response_body))


def _vectors(document: dict[str, Any]) -> list[Any]:
    """Titan's one vector; Cohere's, a row each, by type or not."""
    found = document.get("embeddings", document.get("embedding"))
    if isinstance(found, dict):
        found = next(iter(found.values()), None)
    if not isinstance(found, list) or not found:
        return []
    return found if isinstance(found[0], list) else [found]


def _images(images: Any) -> list[Part]:
    given = [one for one in images if isinstance(one, str)] if isinstance(images, list) else []
    return [Part(role="assistant", text=media("image", "", one)) for one in given]


def _add(answer: Transcript, document: dict[str, Any], event: sse.Event) -> bool:
    """Put texts, reasons and counts where they belong; whether there were any."""
    inner = next((document[name] for name in _LISTS if isinstance(document.get(name), list)), None)
    choices = [document] if inner is None else [one for one in inner if isinstance(one, dict)]
    found = False
    for place, choice in enumerate(choices):
        texts = [choice.get(name) for name in _TEXTS]
        data = choice.get("data")
        texts += [data.get("text")] if isinstance(data, dict) else []
        text = next((one for one in texts if isinstance(one, str)), None)
        found = found or text is not None
        if text:
            answer.add(place, "assistant", text)
            if answer.streamed:
                answer.heard(event.end)
        reasons = (choice.get(name) for name in _REASONS)
        answer.finish(place, next((one for one in reasons if isinstance(one, str)), None))
    return _count(answer, document, choices) or found


def _count(answer: Transcript, document: dict[str, Any], choices: list[dict[str, Any]]) -> bool:
    metrics = document.get(_METRICS)
    found = False
    for said in (document, *choices, metrics):
        for name, names in (("read", _READ), ("written", _WRITTEN)):
            numbers = [count(said.get(one)) for one in names] if isinstance(said, dict) else []
            number = next((one for one in numbers if one is not None), None)
            answer.count(name, number)
            found = found or number is not None
    return found
