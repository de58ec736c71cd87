"""Call → Inference for llama.cpp's own completions, plain and streamed.

https://github.com/ggml-org/llama.cpp/tree/master/tools/server; it speaks OpenAI's dialect, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.chat import content_text, is_error, lines, question, wanted
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings import json_array, sse
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_ASKS = {"/completion": b'"prompt"', "/infill": b'"input_prefix"'}
_ENDS = tuple(_ASKS)
_OLD_REASONS = ("stopped_eos", "stopped_word", "stopped_limit")


class _Request(msgspec.Struct):
    model: str | None = None
    prompt: Any = None
    input_prefix: Any = None
    input_suffix: Any = None
    json_schema: Any = None


class _Answer(msgspec.Struct):
    """A whole answer, or one event of a stream."""

    content: Any = None
    stop: Any = None
    stop_type: str | None = None
    stopped_eos: Any = None
    stopped_word: Any = None
    stopped_limit: Any = None
    model: str | None = None
    index: Any = None
    tokens_evaluated: Any = None
    tokens_predicted: Any = None
    timings: Any = None
    completion_probabilities: Any = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_answer_decoder = msgspec.json.Decoder(_Answer)


def claims(call: Call) -> bool:
    """POSTs to `…/completion` with a prompt, and to `…/infill` with what stands before."""
    path = call.path.rstrip("/")
    if call.method != "POST" or not path.endswith(_ENDS):
        return False
    return any(path.endswith(end) and word in call.request_body for end, word in _ASKS.items())


def read(call: Call) -> Inference:
    """A prompt, or what stands before and behind a gap, is one text part."""
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    has_any = False
    is_ours = not answer.streamed and len(call.response_body) <= 2  # nothing is lost of `{}`
    for event in _events(call, streamed=answer.streamed):
        has_any = True
        if event.data == b"[DONE]":
            continue
        try:
            item = bodies.decode(event.data, _answer_decoder)
        except ParseError:
            answer.unreadable(event.data)
            is_ours = True
            continue
        if event.type == "error" or is_error({"error": item.error}):
            answer.error(event.data)
            is_ours = True
        if isinstance(item.content, str):
            is_ours = True
            _add(answer, item, event.end)
    if has_any and not is_ours:
        answer.is_foreign(columns.spoken(call))
    schema = request.json_schema
    return answer.inference(
        "llama_cpp",
        "text_completion",
        model=request.model or "",
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted("tokens_evaluated"), answer.counted("tokens_predicted"), cached="cache_n"
        ),
        **(wanted({"type": "json", "value": schema}) if schema else {}),
    )


PROTOCOL = Protocol("llama_cpp", claims, read)


def _inputs(request: _Request) -> list[Part]:
    prompt = request.prompt
    if isinstance(prompt, list) and prompt and all(type(one) is int for one in prompt):
        return [Part(name="prompt", datatype="INT64", shape=[len(prompt)], data=prompt)]
    given = (request.input_prefix, prompt, request.input_suffix)
    text = lines(content_text(one) for one in given)
    return [Part(role="user", text=text)] if text else []


def _events(call: Call, *, streamed: bool) -> Iterator[sse.Event]:
    """Of several prompts the answers are a list."""
    body = call.response_body
    if streamed:
        yield from sse.events(body)
    elif body.lstrip()[:1] == b"[":
        yield from (sse.Event("", one.data, one.end) for one in json_array.elements(body))
    elif body:
        yield sse.Event("", body, len(body))


def _add(answer: Transcript, item: _Answer, end: int) -> None:
    choice = count(item.index) or 0
    if item.content:
        answer.add(choice, "assistant", item.content)
        if answer.streamed:
            answer.heard(end)
    answer.note(model=item.model)
    for name in ("tokens_evaluated", "tokens_predicted"):
        answer.count(name, getattr(item, name))
    if isinstance(item.timings, dict):
        answer.count("cache_n", item.timings.get("cache_n"))
    answer.is_complete = answer.is_complete or item.stop is True
    old = next((name for name in _OLD_REASONS if getattr(item, name) is True), None)
    answer.finish(choice, item.stop_type if item.stop_type not in (None, "none") else old)
    tokens = item.completion_probabilities
    for token in tokens if isinstance(tokens, list) else ():
        answer.likely(token.get("logprob") if isinstance(token, dict) else None)
