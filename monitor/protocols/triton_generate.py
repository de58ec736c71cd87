"""Call → Inference for Triton's generate extension: a model's inputs and outputs as JSON members.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_generate.md; the
members of texts are those of its backends of vLLM and TensorRT-LLM.
"""

from __future__ import annotations

import re
from typing import Any

from monitor import bodies, columns
from monitor.chat import is_error
from monitor.errors import ParseError
from monitor.framings import json_array, sse
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_PATH = re.compile(r"/v2/models/(?P<model>[^/]+)(?:/versions/[^/]+)?/generate(?:_stream)?/?$")
_ASKED = frozenset(("text_input", "parameters", "stream", "id"))
_SAID = frozenset((
    "text_output", "model_name", "model_version", "output_log_probs", "sequence_end", "sequence_id",
    "sequence_index", "sequence_start", "batch_index", "cum_log_probs", "id",
    "triton_final_response",
))  # fmt: skip
"""What is no output of the model, or read as what it is."""


def claims(call: Call) -> bool:
    """POSTs to `…/v2/models/NAME[/versions/V]/generate` and `…/generate_stream`."""
    return call.method == "POST" and _PATH.search(call.path) is not None


def read(call: Call) -> Inference:
    """The text is a text part, other members are columns. The stream has no end of its own.

    Whether its events say what is new, or all that was said, depends on the model: one that begins
    with all that came before takes its place. Log-probabilities of nothing but 0 were not asked
    for.
    """
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of Triton's generate extension")
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    answer.is_complete = True
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    return answer.inference(
        "triton_generate",
        "text_completion",
        model=match["model"],
        inputs=_inputs(call),
    )


PROTOCOL = Protocol("triton_generate", claims, read)


def _object(body: bytes) -> dict[str, Any]:
    """Raises ParseError for what is no JSON object."""
    document = bodies.beginning(body)
    if not isinstance(document, dict):
        raise ParseError("the body is no object")
    return document


def _inputs(call: Call) -> list[Part]:
    try:
        request = _object(call.request_body)
    except ParseError:
        found = bodies.text(call.request_body)
        return [Part(role="user", text=found)] if found else []
    text = request.get("text_input")
    asked = [Part(role="user", text=text)] if isinstance(text, str) else []
    others = _others(request, _ASKED - ({"text_input"} if not asked else set()))
    return asked + columns.parts(bodies.Document.of(others), {}, "user") if others else asked


def _others(document: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in known}


def _read_whole(answer: Transcript, body: bytes) -> None:
    try:
        document = _object(body)
    except ParseError:
        answer.unreadable(body)
        return
    if is_error(document):
        answer.error(body)
        return
    _note(answer, document)
    text = document.get("text_output")
    if isinstance(text, str):
        answer.add(0, "assistant", text)
    known = _SAID if isinstance(text, str) else _SAID - {"text_output"}
    if others := _others(document, known):
        answer.outputs += columns.parts(bodies.Document.of(others), {}, "assistant")


def _read_stream(answer: Transcript, body: bytes) -> None:
    said = ""
    has_any = is_ours = False
    for event in sse.events(body):
        has_any = True
        if event.data == b"[DONE]":
            is_ours = True
            continue
        try:
            document = _object(event.data)
        except ParseError:
            answer.unreadable(event.data, failed=event.type == "error")
            is_ours = is_ours or json_array.is_cut(event.data)
            continue
        if is_error(document) or event.type == "error":
            answer.error(event.data)
            is_ours = True
            continue
        _note(answer, document)
        text = document.get("text_output")
        is_ours = is_ours or isinstance(text, str)
        if not isinstance(text, str) or not text:
            continue
        new = text[len(said) :] if len(text) > len(said) and text.startswith(said) else text
        said += new
        answer.add(0, "assistant", new)
        answer.heard(event.end)
    if has_any and not is_ours:
        answer.is_foreign(columns.spoken(answer.call))


def _note(answer: Transcript, document: dict[str, Any]) -> None:
    answer.note(id_=document.get("id"))
    given = document.get("output_log_probs")
    weights = given if isinstance(given, list) else [given]
    if any(weights):
        for one in weights:
            answer.likely(one)
