"""Call → Inference for OpenAI's Realtime, as events over a WebSocket: one connection, many turns.

https://platform.openai.com/docs/api-reference/realtime; read are the names of the beta, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import msgspec

from monitor import bodies
from monitor.chat import base64_size, content_text, lines, media, offered, sized, tool_call
from monitor.counts import count
from monitor.errors import ParseError
from monitor.framings.messages import messages
from monitor.interfaces import Protocol
from monitor.transcript import INCOMPLETE, Transcript
from monitor.types import Call, Inference, Part

_NAMES = ("text", "transcript")
_OURS = ("response.", "session.", "conversation.", "input_audio_buffer.")
_TOTALS = ("input_tokens", "output_tokens")


class _Event(msgspec.Struct):
    type: str = ""
    session: dict[str, Any] | None = None
    item: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    response_id: str | None = None
    output_index: Any = None
    delta: Any = None
    audio: Any = None
    transcript: Any = None


_decoder = msgspec.json.Decoder(_Event)


class _Turn:
    """A response, as far as it has come; times are seconds since the connection began."""

    __slots__ = ("begun", "first", "is_spoken", "last", "output", "pieces", "reason", "usage")

    def __init__(self, begun: float) -> None:
        self.begun = self.first = self.last = begun
        self.is_spoken = False
        self.pieces: Transcript | None = None
        self.output: list[Any] = []
        self.usage: dict[str, Any] = {}
        self.reason = INCOMPLETE


def claims(call: Call) -> bool:
    """Connections to `…/realtime` that were upgraded, unless what the server says, or the client
    where it says nothing, is none of its events: that is read as any WebSocket is. So no client
    alone has its messages read as items, or passed over.
    """
    if call.exchange.upgraded == "" or not call.path.rstrip("/").endswith("/realtime"):
        return False
    others: set[str] = set()
    for body in (call.response_body, call.request_body):
        for kind in _kinds(body):
            if kind.startswith(_OURS):
                return True
            others.add(kind)
        if others:
            break
    return others <= {"error"}


def read(call: Call) -> Inference:
    """What the client and its user said are inputs, each item of a response is an output.

    Tokens are summed over the responses, since each is charged for all that was said before. The
    first token is that of the first response, in seconds since the response began; the last comes
    after it by the time that all responses took from their first to their last.
    """
    answer = Transcript(call)
    asked = _Asked()
    turns: dict[str, _Turn] = {}
    for event, at, data in _events(call):
        if event.type.startswith("response.") and event.type != "response.create":
            _add(call, turns, event, at)
        elif event.type == "error":
            answer.error(data, failed=False)
        else:
            asked.add(answer, event)
    asked.end(is_cut=call.request_truncated)
    return _inference(answer, call, asked, list(turns.values()))


PROTOCOL = Protocol("openai_realtime", claims, read)


def _events(call: Call) -> Iterator[tuple[_Event, float, bytes]]:
    """The events of both sides in order of time, with what they were made of."""
    found = [*_side(call.request_body), *_side(call.response_body)]
    found.sort(key=lambda one: one[1])
    return iter(found)


def _side(body: bytes) -> Iterator[tuple[_Event, float, bytes]]:
    for message in messages(body):
        data = message.data.encode("utf-8", "replace")
        if event := _event(data):
            yield event, message.at or 0.0, data


def _event(data: bytes) -> _Event | None:
    try:
        return bodies.decode(data, _decoder)
    except ParseError:
        return None


def _kinds(body: bytes) -> Iterator[str]:
    """What each message is by its own words, "" where that is nothing that an event may be."""
    for message in messages(body):
        if message.type != "close":
            event = _event(message.data.encode("utf-8", "replace"))
            yield event.type if event else ""


class _Asked:
    """What was said to the model; sounds are one part for each stretch between other inputs."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.tools: dict[str, Any] = {}
        self._sound: list[str] = []

    def add(self, answer: Transcript, event: _Event) -> None:
        """Note an event that is none of a response's."""
        if event.type == "input_audio_buffer.append" and isinstance(event.audio, str):
            if event.audio:
                self._sound.append(event.audio)
            return
        if event.type.startswith("session."):
            session = event.session or {}
            answer.note(model=session.get("model"), id_=session.get("id"))
            if event.type == "session.update":
                self._say("system", content_text(session.get("instructions")))
                self.tools |= offered(session.get("tools"))
        elif event.type == "response.create":
            response = event.response or {}
            self._say("system", content_text(response.get("instructions")))
            for item in _list(response.get("input")):
                self._item(item)
        elif event.type == "conversation.item.create":
            self._item(event.item)
        elif event.type == "conversation.item.input_audio_transcription.completed":
            self._say("user", event.transcript if isinstance(event.transcript, str) else "")

    def end(self, *, is_cut: bool = False) -> None:
        """Note what sound came since the last other input; more of one that is cut was sent."""
        if self._sound:
            size = sum(map(base64_size, self._sound))
            text = sized("audio", "", size, *(() if is_cut else self._sound))
            self.parts.append(Part(role="user", text=text))
            self._sound = []

    def _item(self, item: Any) -> None:
        for role, text in _texts(item, "user"):
            self._say(role, text)

    def _say(self, role: str, text: str) -> None:
        if text:
            self.end()
            self.parts.append(Part(role=role, text=text))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(item: Any, role: str) -> list[tuple[str, str]]:
    """(role, text) of an item: a message's, a call's of a tool, or what a tool gave back."""
    if not isinstance(item, dict):
        return []
    kind = str(item.get("type") or "message")
    if kind == "message":
        said = item.get("role") if isinstance(item.get("role"), str) else role
        return [(str(said), lines(map(_piece, _list(item.get("content")))))]
    if kind.endswith("_output"):
        return [("tool", content_text(item.get("output")))]
    if kind.endswith("_call"):
        return [("tool_call", tool_call(item.get("name"), item.get("arguments")))]
    return [(role, content_text([item]))] if kind != "item_reference" else []


def _piece(piece: Any) -> str:
    """What a piece of a message says; a sound by its size where nobody wrote down what it says."""
    if not isinstance(piece, dict):
        return ""
    said = next((piece[name] for name in _NAMES if isinstance(piece.get(name), str)), None)
    if said is None and isinstance(piece.get("audio"), str):
        return media("audio", "", piece["audio"])
    return content_text([piece]) if said is None else said


def _add(call: Call, turns: dict[str, _Turn], event: _Event, at: float) -> None:
    """Put an event of a response where it belongs; one without an id is of the last response."""
    response = event.response or {}
    name = event.response_id or response.get("id") or next(reversed(turns), "")
    turn = turns.get(str(name))
    if turn is None:
        turn = turns[str(name)] = _Turn(at)
    if event.type == "response.done":
        details = response.get("status_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        status = response.get("status")
        turn.reason = str((reason if status == "incomplete" else None) or status or "")
        turn.output = _list(response.get("output"))
        turn.usage = found if isinstance(found := response.get("usage"), dict) else {}
    elif event.type == "response.output_item.added" and event.item is not None:
        if str(event.item.get("type")).endswith("_call"):
            turn.pieces = turn.pieces or Transcript(call)
            place = count(event.output_index) or 0
            turn.pieces.add_tool(place, event.item.get("name"), None, index=0, is_new=True)
    elif event.type.endswith(".delta") and isinstance(event.delta, str) and event.delta:
        turn.pieces = turn.pieces or Transcript(call)
        _add_delta(turn.pieces, event, event.delta)
        if not turn.is_spoken:
            turn.first, turn.is_spoken = at, True
        turn.last = at


def _add_delta(pieces: Transcript, event: _Event, delta: str) -> None:
    place = count(event.output_index) or 0
    if event.type.endswith("_arguments.delta"):
        pieces.add_tool(place, "", delta, index=0)
    elif event.type.endswith("audio.delta"):
        pieces.add_sound(place, delta)
    else:
        pieces.add(place, "assistant", delta)


def _parts(turn: _Turn) -> list[Part]:
    """The outputs of a response: what its end says; before it, what came. Its sound comes in
    pieces alone."""
    pieces = turn.pieces.by_choice() if turn.pieces is not None else {}
    came = [part for place in sorted(pieces) for part in pieces[place]]
    said = [pair for item in turn.output for pair in _texts(item, "assistant")]
    if not any(text for _, text in said):
        return came
    sounds = [part for part in came if (part.text or "").startswith("[audio ")]
    return [Part(role=role, text=text) for role, text in said if text] + sounds


def _inference(answer: Transcript, call: Call, asked: _Asked, turns: list[_Turn]) -> Inference:
    totals: dict[str, int] = {}
    for number, turn in enumerate(turns):
        answer.outputs += _parts(turn)
        answer.finish(number, turn.reason)
        answer.failed = answer.failed or turn.reason == "failed"
        for name, tokens in _usage(turn.usage):
            totals[name] = totals.get(name, 0) + tokens
    for name, total in totals.items():
        answer.count(name, total)
    query = parse_qs(call.query)
    named = query.get("model") or query.get("deployment") or [""]
    found = answer.inference(
        "openai_realtime",
        "realtime",
        model=named[0],
        inputs=asked.parts,
        tokens=answer.tokens(
            totals.get("input_tokens"),
            totals.get("output_tokens"),
            cached="cached_tokens",
            audio_input="audio_input",
            audio_output="audio_output",
        ),
        tools=asked.tools,
    )
    spoken = [turn for turn in turns if turn.is_spoken]
    if not spoken:
        return msgspec.structs.replace(found, streamed=True)
    waited = spoken[0].first - spoken[0].begun
    took = sum(turn.last - turn.first for turn in spoken)
    return msgspec.structs.replace(
        found, streamed=True, first_token=waited, last_token=waited + took
    )


def _usage(usage: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The counts of one response, by our names."""
    read_, written = usage.get("input_token_details"), usage.get("output_token_details")
    read_ = read_ if isinstance(read_, dict) else {}
    written = written if isinstance(written, dict) else {}
    for name, said in (
        *((name, usage.get(name)) for name in _TOTALS),
        ("cached_tokens", read_.get("cached_tokens")),
        ("audio_input", read_.get("audio_tokens")),
        ("audio_output", written.get("audio_tokens")),
    ):
        tokens = count(said)
        if tokens is not None:
            yield name, tokens
