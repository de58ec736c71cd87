"""Call → Inference for Hugging Face's Text Generation Inference: a text, plain and streamed.

https://huggingface.github.io/text-generation-inference; it speaks OpenAI's dialect, too.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.chat import content_text, is_error, question, wanted
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings import json_array, sse
from monitor.interfaces import Protocol
from monitor.transcript import Documents, Transcript
from monitor.types import Call, Inference, Part

_PATHS = ("/generate", "/generate_stream")
_TEXT = re.compile(rb'"inputs"\s{0,64}:\s{0,64}"')


class _Request(msgspec.Struct):
    inputs: Any = None
    parameters: Any = None


class _Answer(msgspec.Struct):
    """A whole answer, or one event of a stream."""

    generated_text: Any = None
    details: dict[str, Any] | None = None
    token: dict[str, Any] | None = None
    error: Any = None
    error_type: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_answer_decoder = msgspec.json.Decoder(_Answer)


def claims(call: Call) -> bool:
    """POSTs to `…/generate` and `…/generate_stream` whose `inputs` are a text, or have `parameters`
    beside them."""
    path = call.path.rstrip("/")
    if call.method != "POST" or not path.endswith(_PATHS) or "/v2/models/" in path:
        return False
    body = call.request_body
    return _TEXT.search(body) is not None or (b'"inputs"' in body and b'"parameters"' in body)


def read(call: Call) -> Inference:
    """The text, and what was generated; the server does not say which model it has.

    With details of the tokens there is a confidence. Tokens are counted in the details, else in
    the headers.
    """
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    for name in ("x-prompt-tokens", "x-generated-tokens"):
        answer.count(name, call.response_headers.get(name))
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    form = request.parameters.get("grammar") if isinstance(request.parameters, dict) else None
    return answer.inference(
        "tgi",
        "text_completion",
        model="",
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted("x-prompt-tokens"), answer.counted("x-generated-tokens")
        ),
        **wanted(form),
    )


PROTOCOL = Protocol("tgi", claims, read)


def _inputs(request: _Request) -> list[Part]:
    return [] if request.inputs is None else [Part(role="user", text=content_text(request.inputs))]


def _read_whole(answer: Transcript, body: bytes) -> None:
    """One object; a list of them from a server that says all texts alike."""
    found = [body]
    if body.lstrip()[:1] == b"[":
        found = [one.data for one in json_array.elements(body)]
    is_ours = len(body) <= 2  # of an empty object nothing is lost
    for choice, data in enumerate(found):
        try:
            item = bodies.decode(data, _answer_decoder)
        except ParseError:
            answer.unreadable(body)
            return
        if is_error({"error": item.error}):
            _fail(answer, item, data)
            is_ours = True
        if isinstance(item.generated_text, str):
            answer.add(choice, "assistant", item.generated_text)
            is_ours = True
        details = item.details or {}
        _end(answer, choice, details)
        for token in _tokens(details):
            _weigh(answer, token)
        others = details.get("best_of_sequences")
        for place, one in enumerate(others if isinstance(others, list) else ()):
            if isinstance(one, dict) and isinstance(one.get("generated_text"), str):
                answer.add(choice + place + 1, "assistant", one["generated_text"])
                answer.finish(choice + place + 1, one.get("finish_reason"))
    if not is_ours:
        answer.is_foreign(columns.spoken(answer.call))


def _read_stream(answer: Transcript, body: bytes) -> None:
    """The last event says the whole text once more."""
    has_text = False
    documents = Documents(answer, sse.events(body), _answer_decoder)
    for event, item in documents:
        if event.type == "error" or is_error({"error": item.error}):
            _fail(answer, item, event.data)
            documents.is_ours = True
        token = item.token
        if token is not None:
            documents.is_ours = True
            _weigh(answer, token)
            text = token.get("text")
            if isinstance(text, str) and text and not token.get("special"):
                answer.add(0, "assistant", text)
                answer.heard(event.end)
                has_text = True
        if isinstance(item.generated_text, str):
            documents.is_ours = answer.is_complete = True
            if item.generated_text and not has_text:
                answer.add(0, "assistant", item.generated_text)
                answer.heard(event.end)
        _end(answer, 0, item.details or {})
    if documents.are_foreign:
        answer.is_foreign(columns.spoken(answer.call))


def _fail(answer: Transcript, item: _Answer, data: bytes) -> None:
    answer.error(data)
    answer.throttled = answer.throttled or item.error_type == "overloaded"


def _end(answer: Transcript, choice: int, details: dict[str, Any]) -> None:
    answer.finish(choice, details.get("finish_reason"))
    prefill = details.get("prefill")
    read = count(details.get("input_length"))
    if read is None and isinstance(prefill, list) and prefill:
        read = len(prefill)
    answer.count("x-prompt-tokens", read)
    answer.count("x-generated-tokens", details.get("generated_tokens"))


def _tokens(details: dict[str, Any]) -> list[dict[str, Any]]:
    tokens = details.get("tokens")
    return [one for one in tokens if isinstance(one, dict)] if isinstance(tokens, list) else []


def _weigh(answer: Transcript, token: dict[str, Any]) -> None:
    if not token.get("special"):
        answer.likely(token.get("logprob"))
