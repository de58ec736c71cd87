"""Call → Inference for OpenAI's transcriptions, translations and speech, plain and streamed.

https://platform.openai.com/docs/api-reference/audio
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.carriers import forms
from monitor.chat import content_text, deployment, is_error, is_success, question, sized
from monitor.framings import multipart, sse
from monitor.interfaces import Protocol
from monitor.transcript import Documents, Transcript
from monitor.types import Call, Inference, Part

_OPERATIONS = {
    "/audio/transcriptions": "transcription",
    "/audio/translations": "transcription",
    "/audio/speech": "speech",
}
_ENDS = ("transcript.text.done", "speech.audio.done")
_OURS = ("transcript.", "speech.", "transcription.")


class _Request(msgspec.Struct):
    """A request for speech, or a form's texts."""

    model: str | None = None
    input: Any = None
    instructions: Any = None
    prompt: Any = None


class _Usage(msgspec.Struct):
    """Of tokens, or of seconds."""

    input_tokens: Any = None
    output_tokens: Any = None
    input_token_details: Any = None
    seconds: Any = None


class _Answer(msgspec.Struct):
    """A whole answer, or an event of one. `choices` are those of vLLM's events."""

    type: str | None = None
    object: Any = None
    text: Any = None
    duration: Any = None
    segments: Any = None
    logprobs: Any = None
    usage: _Usage | None = None
    delta: Any = None
    audio: Any = None
    choices: Any = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_answer_decoder = msgspec.json.Decoder(_Answer)


def claims(call: Call) -> bool:
    """POSTs to `…/audio/transcriptions`, `…/audio/translations` and `…/audio/speech`, of a form or
    with a model or an input: others end so too."""
    if call.method != "POST" or not _operation(call.path):
        return False
    asked = call.request_body
    is_form = multipart.is_form(call.request_headers)
    return is_form or b'"input"' in asked or b'"model"' in asked


def _operation(path: str) -> str:
    path = path.rstrip("/")
    return next((name for end, name in _OPERATIONS.items() if path.endswith(end)), "")


def read(call: Call) -> Inference:
    """A sound stands by its type and size; what was said, and what was to be said, are texts.

    What is paid for are tokens; where the server says none, seconds of what was heard, or
    characters of what was said. The first token of a sound that is sent as it is made is its first
    byte.
    """
    operation = _operation(call.path)
    form = forms.read(call)
    if form is None:
        request, inputs = question(call.request_body, _request_decoder, _inputs)
    else:
        request = _Request(model=form.texts.get("model"), prompt=form.texts.get("prompt"))
        sounds = [sized("audio", one.type, one.size, *one.held) for one in form.files]
        inputs = _inputs(request) + [Part(role="user", text=one) for one in sounds]
    answer = Transcript(call, streamed=sse.is_stream(call.response_headers))
    if isinstance(request.input, str):
        answer.use("characters", len(request.input))
    if answer.streamed:
        _read_stream(answer, call.response_body)
    elif call.response_body and operation == "speech" and _is_sound(call):
        _read_sound(answer)
    elif call.response_body:
        _read_whole(answer, call.response_body)
    if answer.counted("output_tokens") is not None:
        answer.units.clear()  # then those are paid for
    return answer.inference(
        "openai_audio",
        operation,
        model=request.model or deployment(call.path),
        inputs=inputs,
        tokens=answer.tokens(
            answer.counted("input_tokens"),
            answer.counted("output_tokens"),
            audio_input="audio_tokens",
        ),
    )


PROTOCOL = Protocol("openai_audio", claims, read)


def _inputs(request: _Request) -> list[Part]:
    given = (("system", request.instructions), ("system", request.prompt), ("user", request.input))
    return [Part(role=role, text=content_text(one)) for role, one in given if one]


def _is_sound(call: Call) -> bool:
    """Whether a response is a sound rather than a text or an error."""
    kind = call.response_headers.get("content-type", "").lstrip().lower()
    return is_success(call) and not kind.startswith(("application/json", "text/"))


def _read_sound(answer: Transcript) -> None:
    call = answer.call
    response, headers = call.exchange.response, call.response_headers
    size = len(call.response_body)
    if response is not None and "content-encoding" not in headers:
        size = response.size  # the copy may have been cut
    kind = headers.get("content-type", "").partition(";")[0].strip()
    held = () if call.response_truncated else (bytes(call.response_body),)
    answer.outputs.append(Part(role="assistant", text=sized("audio", kind, size, *held)))
    if "content-length" not in headers:
        answer.streamed = True
        answer.heard(1, len(call.response_body))


def _read_whole(answer: Transcript, body: bytes) -> None:
    """JSON, or a text as it is: plain, or with times as subtitles have them."""
    kind = answer.call.response_headers.get("content-type", "").lstrip().lower()
    if kind.startswith("text/") and is_success(answer.call):
        found = bodies.text(body)
        answer.outputs += [Part(role="assistant", text=found)] if found else []
        return
    said = answer.decoded(body, _answer_decoder)
    if said is None:
        return
    if is_error({"error": said.error, "type": said.type, "object": said.object}):
        answer.error(body)
    elif not isinstance(said.text, str) and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    if isinstance(said.text, str) and said.text:
        answer.outputs.append(Part(role="assistant", text=said.text))
    _note(answer, said)
    if not _list(said.logprobs):
        _weigh_segments(answer, said.segments)


def _read_stream(answer: Transcript, body: bytes) -> None:
    """The last event has the whole text again; without it, what came holds."""
    whole = None
    documents = Documents(answer, sse.events(body), _answer_decoder)
    for event, said in documents:
        kind = said.type or event.type or str(said.object)
        is_wrong = is_error({"error": said.error, "type": kind})
        documents.is_ours = documents.is_ours or is_wrong or kind.startswith(_OURS)
        if is_wrong:
            answer.error(event.data)
        elif _add(answer, kind, said):
            answer.heard(event.end)
        if kind in _ENDS:
            answer.is_complete = True
            whole = said.text if isinstance(said.text, str) else whole
        _note(answer, said, weighs=kind not in _ENDS)
    answer.is_complete = answer.is_complete or documents.is_done
    if documents.are_foreign:
        answer.is_foreign(columns.spoken(answer.call))
    elif whole and not answer.by_choice():
        answer.add(0, "assistant", whole)


def _add(answer: Transcript, kind: str, said: _Answer) -> bool:
    """Put a fragment where it belongs; whether it bears content."""
    fragment = said.delta
    if kind == "transcription.chunk":
        choice = (_list(said.choices) or [None])[0]
        delta = choice.get("delta") if isinstance(choice, dict) else None
        fragment = delta.get("content") if isinstance(delta, dict) else None
    if isinstance(fragment, str) and fragment:
        answer.add(0, "assistant", fragment)
        return True
    return kind == "speech.audio.delta" and answer.add_sound(0, said.audio)


def _note(answer: Transcript, said: _Answer, *, weighs: bool = True) -> None:
    """Note what was used, and how likely the tokens were: the last event says that again."""
    answer.use("seconds", _number(said.duration))
    if said.usage is not None:
        answer.use("seconds", _number(said.usage.seconds))
        answer.count("input_tokens", said.usage.input_tokens)
        answer.count("output_tokens", said.usage.output_tokens)
        if isinstance(details := said.usage.input_token_details, dict):
            answer.count("audio_tokens", details.get("audio_tokens"))
    for token in _list(said.logprobs) if weighs else ():
        answer.likely(token.get("logprob") if isinstance(token, dict) else None)


def _weigh_segments(answer: Transcript, segments: Any) -> None:
    """Whisper says how likely the tokens of each segment were in the mean; a longer one counts
    for more."""
    for one in _list(segments):
        if isinstance(one, dict):
            start, end = _number(one.get("start")), _number(one.get("end"))
            long = end - start if start is not None and end is not None else 1.0
            answer.likely_on_average(one.get("avg_logprob"), long)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    """Seconds, which older servers write as a string."""
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        return None
