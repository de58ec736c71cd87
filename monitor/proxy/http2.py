"""Bytes of an HTTP/2 connection with prior knowledge, and so of gRPC → Exchanges (RFC 9113).

The observer follows frames and not the state machine of an endpoint. It does not enforce flow
control or settings, because the peers do. It needs to know where a frame ends, what a header block
decodes to, and how a stream ended. It gives up where two implementations could read differently.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from monitor.proxy.copies import MAX_CHUNKS, PER_ARRIVAL, Budget
from monitor.proxy.exchange_ids import NAME
from monitor.proxy.frames import (
    DATA,
    GOAWAY,
    HEADERS,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    Frames,
    frame,
)
from monitor.proxy.heads import Ambiguous, patience
from monitor.proxy.hpack import Field, HeaderDecoder
from monitor.proxy.http2_heads import (
    essence,
    outcome_of,
    request_head,
    response_head,
    trailer_lines,
)
from monitor.proxy.outcomes import of_status
from monitor.types import Exchange, Message, Outcome

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

OPAQUE_REASONS = (
    "not_http2",  # the preface is wrong, or was answered in another protocol
    "malformed_frame",  # a frame whose length, order or stream no endpoint may accept
    "malformed_head",  # a header block that is not HPACK, or fields that are not HTTP
    "head_too_large",  # a head or a dynamic table beyond 64 KiB
    "buffer_full",  # `capture.buffer_bytes` has no room even for following the connection
    "too_many_streams",  # more streams open than are followed
)

MAX_STREAMS = 10000
MAX_NAMED = 4096
"""The largest head (as RFC 9113 section 6.5.2 counts) that gets an id; clients have bounds."""
_PER_STREAM = 720
"""Bytes that an open stream takes beside its messages."""
_REFUSED_STREAM = 7

_ANSWERS = {  # `:status` as a literal field that leaves the dynamic table alone
    Outcome.UPSTREAM_REFUSED: b"\x08\x03502",
    Outcome.UPSTREAM_TIMEOUT: b"\x08\x03504",
}


class _Half:
    """One message of a stream, as far as it has come; `done` after END_STREAM."""

    __slots__ = ("body", "done", "head", "size", "trailers")

    def __init__(self) -> None:
        self.head = b""
        self.body = bytearray()
        self.size = 0
        self.trailers = b""
        self.done = False

    def message(self) -> Message:
        return Message(self.head, bytes(self.body), self.size, self.trailers)


class _Stream:
    """An exchange under way.

    `capture` is how many bytes of a body are copied; `held` is what the budget was charged. `lost`
    says that the budget had no room: the stream is followed to its end and then counted. `due` is
    the deadline of a gRPC call.
    """

    __slots__ = (
        "answered", "at", "capture", "chunks", "due", "held", "id", "lost", "number", "request",
        "response",
    )  # fmt: skip

    def __init__(self, id_: str, number: int, head: bytes, at: float, capture: int) -> None:
        self.id = id_
        self.number = number
        self.at = at
        self.answered = at
        self.due = at + patience(head)
        self.capture = capture
        self.held = 0
        self.lost = False
        self.chunks: list[tuple[float, int]] = []
        self.request = _Half()
        self.request.head = head
        self.response = _Half()


class Http2:
    """Observes one HTTP/2 connection from its first byte; see `monitor.proxy.observer`.

    It emits an Exchange when both sides of a stream have ended, when the stream is reset, or when
    the connection ends; then it forgets the stream. It calls `lose` for an exchange whose copy had
    no room, and `named` with the place where the head of an answer ends (see `exchange_ids`).
    """

    def __init__(
        self,
        *,
        emit: Callable[[Exchange], None],
        lose: Callable[[Outcome, str], None],
        opaque: Callable[[str], None],
        new_id: Callable[[], str],
        started_unix: Callable[[float], float],
        max_body_bytes: int,
        budget: Budget,
        named: Callable[[int, int, str], None] | None = None,
    ) -> None:
        self._emit = emit
        self._named = named
        self._lose = lose
        self._opaque = opaque
        self._new_id = new_id
        self._started_unix = started_unix
        self._bound = max_body_bytes
        self._budget = budget
        self._preface = PREFACE
        self._first_bytes_at = 0.0  # when the first bytes came
        self._from_client = Frames()
        self._from_server = Frames()
        self._client_heads = HeaderDecoder()
        self._server_heads = HeaderDecoder()
        self._streams: dict[int, _Stream] = {}
        self._partial_up = self._partial_down = 0  # bytes of frames and tables in the budget
        self._newest = 0  # highest stream the client opened: lower odd ones are known or over
        self._promised = 0  # highest stream the server promised: lower even ones are known or over
        self._accepted = 0x7FFFFFFF  # highest stream that the server still serves (GOAWAY)
        self._ended_by: Outcome | None = None
        self._cause: Outcome | None = None  # of the answer the proxy gave itself
        self._stopped = False  # opaque, or closed

    # --- from the splice ---------------------------------------------------------------------

    def downstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        if self._stopped:
            return
        try:
            if self._preface:
                self._first_bytes_at = self._first_bytes_at or at
                data = self._open(data)
            for kind, number, payload, ending, began in self._from_client.read(data, at):
                if kind == DATA:
                    stream = self._streams.get(number)
                    half = None if stream is None else stream.request
                    if stream is None or half is None or half.done:
                        self._check_over(number, half)
                        continue
                    self._keep(stream, half, payload)
                    if ending:
                        self._done(stream, half, at)
                elif kind == HEADERS:
                    self._ask(number, self._client_heads.fields(bytes(payload)), ending, at, began)
                elif kind == RST_STREAM:
                    self._reset(number, Outcome.CLIENT_GONE, at)
                elif kind == PUSH_PROMISE:
                    _malformed()
            partial = self._from_client.waiting() + self._client_heads.memory
            if partial != self._partial_up:
                self._budget.used += partial - self._partial_up
                self._partial_up = partial
                self._budget.check()
        except Ambiguous as error:
            self._give_up(error.args[0])

    def upstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        if self._stopped:
            return
        try:
            for kind, number, payload, ending, began in self._from_server.read(data, at):
                if kind == DATA:
                    stream = self._streams.get(number)
                    half = None if stream is None else stream.response
                    if stream is None or half is None or half.done or not half.head:
                        self._check_over(number, half)
                        continue
                    self._keep(stream, half, payload)
                    self._arrived(stream, half, at)
                    if ending:
                        self._done(stream, half, at)
                elif kind == HEADERS:
                    self._answer(number, self._server_heads.fields(bytes(payload)), ending, at)
                elif kind == RST_STREAM:
                    refused = int.from_bytes(payload) == _REFUSED_STREAM
                    cause = Outcome.UPSTREAM_REFUSED if refused else Outcome.UPSTREAM_BROKEN
                    self._reset(number, cause, at)
                elif kind == PUSH_PROMISE:
                    self._promise(number, self._server_heads.fields(bytes(payload)), at, began)
                elif kind == GOAWAY:
                    last = int.from_bytes(payload[:4]) & 0x7FFFFFFF
                    self._accepted = min(self._accepted, last)
            partial = self._from_server.waiting() + self._server_heads.memory
            if partial != self._partial_down:
                self._budget.used += partial - self._partial_down
                self._partial_down = partial
                self._budget.check()
        except Ambiguous as error:
            self._give_up(error.args[0])

    def downstream_eof(self, at: float) -> None:
        """See Observer."""
        self._ended_by = self._ended_by or Outcome.CLIENT_GONE

    def upstream_eof(self, at: float) -> None:
        """See Observer."""
        self._ended_by = self._ended_by or Outcome.UPSTREAM_BROKEN

    def closed(self, at: float, cause: Outcome | None) -> None:
        """See Observer."""
        cause = cause or self._ended_by or Outcome.UPSTREAM_BROKEN
        for stream in list(self._streams.values()):
            late = at >= stream.due and cause is Outcome.CLIENT_GONE
            self._end(stream, at, Outcome.UPSTREAM_TIMEOUT if late else cause)
        self._stopped = True
        self._release_readers()

    def abandon(self) -> None:
        """See Observer."""
        self._stopped = True
        for stream in self._streams.values():
            self._release(stream)
            head = stream.response.head
            outcome = of_status(int(head[7:10])) if head else Outcome.OK
            self._lose(outcome, "buffer_full" if stream.lost else "opaque")
        self._streams.clear()
        self._release_readers()

    def _release_readers(self) -> None:
        """Give back the memory for reading: nothing more is read."""
        self._budget.used -= self._partial_up + self._partial_down
        self._partial_up = self._partial_down = 0
        self._from_client, self._from_server = Frames(), Frames()
        self._client_heads, self._server_heads = HeaderDecoder(), HeaderDecoder()

    def refuse(self, at: float, cause: Outcome) -> bytes:
        """See Observer. Each open stream gets a status, unless the endpoint has sent something."""
        if self._stopped or self._preface or self._from_server.opened or not self._streams:
            self.closed(at, cause)
            return b""
        block = _ANSWERS.get(cause, _ANSWERS[Outcome.UPSTREAM_REFUSED])
        answer = b"".join([
            frame(SETTINGS, 0, 0, b""),
            *(frame(HEADERS, 0x5, number, block) for number in self._streams),
            frame(GOAWAY, 0, 0, self._newest.to_bytes(4) + bytes(4)),
        ])  # fmt: skip
        self._cause = cause
        self.upstream(answer, at)
        self.closed(at, cause)
        return answer

    def busy(self) -> bool:
        """See Observer."""
        return bool(self._streams)

    def awaiting(self) -> bool:
        """See Observer."""
        return any(
            stream.request.done and not stream.response.done for stream in self._streams.values()
        )

    def begun(self) -> float:
        """See Observer."""
        if self._streams:
            return 0.0
        return self._first_bytes_at if self._preface else self._from_client.begun()

    # --- requests ----------------------------------------------------------------------------

    def _open(self, data: bytes) -> bytes:
        expected = self._preface
        if not expected.startswith(data[: len(expected)]):
            raise Ambiguous("not_http2")
        self._preface = expected[len(data) :]
        return data[len(expected) :]

    def _ask(
        self, number: int, fields: list[Field], ending: bool, at: float, began: float
    ) -> None:  # fmt: skip
        stream = self._streams.get(number)
        if stream is not None:
            self._trail(stream, stream.request, fields, ending, at)
        elif number > self._newest and number & 1:
            self._newest = number
            self._begin(number, fields, ending, began)
        else:
            self._check_over(number, None)
            trailer_lines(fields)  # the server has ended the stream: no request can begin on it

    def _promise(self, number: int, fields: list[Field], at: float, began: float) -> None:
        if number & 1 or number <= self._promised:
            _malformed()
        self._promised = number
        self._begin(number, fields, True, began)

    def _begin(self, number: int, fields: list[Field], ending: bool, began: float) -> None:
        if len(self._streams) >= MAX_STREAMS:
            raise Ambiguous("too_many_streams")
        head = request_head(fields)
        # A tunnel is an exchange, but it carries no HTTP: count it, copy nothing.
        capture = 0 if head.startswith(b"CONNECT ") else self._bound
        stream = _Stream(self._new_id(), number, head, began, capture)
        stream.request.done = ending
        self._streams[number] = stream
        admitted = self._budget.admits()
        self._charge(stream, _PER_STREAM + len(head))
        if not admitted:
            self._forget(stream)
        self._budget.check()

    # --- responses ---------------------------------------------------------------------------

    def _answer(self, number: int, fields: list[Field], ending: bool, at: float) -> None:
        stream = self._streams.get(number)
        if stream is None:
            self._check_over(number, None)
            return
        response = stream.response
        if response.head:
            self._trail(stream, response, fields, ending, at)
            return
        head = response_head(fields)
        if head[7:8] == b"1":  # an interim answer says nothing about the exchange
            if ending or head[7:10] == b"101":
                raise Ambiguous("malformed_head")
            return
        response.head = essence(head) if stream.lost else head
        self._name(stream, fields)
        stream.answered = at
        self._charge(stream, len(head))
        if ending:
            self._done(stream, response, at)

    def _name(self, stream: _Stream, fields: list[Field]) -> None:
        frames = self._from_server
        if (
            self._named is not None
            and frames.behind >= 0
            and sum(field[3] for field in fields) < MAX_NAMED
            and not any(field[0] == NAME for field in fields)
            and not stream.request.head.startswith(b"CONNECT ")
        ):
            self._named(frames.behind, frames.length, stream.id)

    def _arrived(self, stream: _Stream, response: _Half, at: float) -> None:
        stream.answered = at
        if stream.lost:
            return
        chunks = stream.chunks
        when = at - stream.at
        if chunks and (
            chunks[-1][0] == when
            or (len(chunks) > 1 and chunks[-2][1] > len(response.body))
            or len(chunks) >= MAX_CHUNKS
        ):
            chunks[-1] = (when, response.size)
        else:
            chunks.append((when, response.size))
            self._charge(stream, PER_ARRIVAL)

    # --- both --------------------------------------------------------------------------------

    def _keep(self, stream: _Stream, half: _Half, piece: bytes | memoryview) -> None:
        kept, size = len(half.body), len(piece)
        if half.size == kept < stream.capture:
            half.body += piece[: stream.capture - kept]
            self._charge(stream, len(half.body) - kept)
        half.size += size

    def _trail(
        self, stream: _Stream, half: _Half, fields: list[Field], ending: bool, at: float
    ) -> None:
        if half.done or not ending:
            _malformed()
        trailers = trailer_lines(fields)
        half.trailers = essence(trailers) if stream.lost else trailers
        self._charge(stream, len(trailers))
        self._done(stream, half, at)

    def _done(self, stream: _Stream, half: _Half, at: float) -> None:
        half.done = True
        if half is stream.response:
            stream.answered = at
        if stream.request.done and stream.response.done:
            self._end(stream, at, Outcome.OK)

    def _reset(self, number: int, cause: Outcome, at: float) -> None:
        stream = self._streams.get(number)
        if stream is None:
            self._check_over(number, None)
        else:
            # Whoever resets a call after its deadline does so because of that.
            late = at >= stream.due and cause is not Outcome.UPSTREAM_REFUSED
            self._end(stream, at, Outcome.UPSTREAM_TIMEOUT if late else cause)

    def _check_over(self, number: int, half: _Half | None) -> None:
        """Raise Ambiguous for a frame without an open message, unless its stream is over."""
        newest = self._newest if number & 1 else self._promised
        if half is not None or not 0 < number <= newest:
            _malformed()

    # --- endings -----------------------------------------------------------------------------

    def _end(self, stream: _Stream, at: float, cause: Outcome) -> None:
        """End a stream; `cause` is what cut it short if the answer is not complete."""
        del self._streams[stream.number]
        self._release(stream)
        response = stream.response.message()
        if stream.response.done:
            at = stream.answered
            cause = self._cause or outcome_of(response)
        elif not response.head and stream.number > self._accepted:
            cause = Outcome.UPSTREAM_REFUSED
        if stream.lost:
            self._lose(cause, "buffer_full")
            return
        self._emit(
            Exchange(
                stream.id,
                self._started_unix(stream.at),
                at - stream.at,
                stream.request.message(),
                response if response.head else None,
                stream.chunks,
                cause,
            )
        )

    def _charge(self, stream: _Stream, size: int) -> None:
        if stream.lost:
            return
        stream.held += size
        self._budget.used += size
        if self._budget.used > self._budget.bound:
            self._forget(stream)

    def _forget(self, stream: _Stream) -> None:
        """Release the copy of a stream; from now on it is only followed."""
        self._budget.used += _PER_STREAM - stream.held
        stream.held = _PER_STREAM
        stream.lost = True
        stream.capture = 0
        stream.chunks.clear()
        stream.request.head = b""
        stream.response.head = essence(stream.response.head)
        for half in (stream.request, stream.response):
            half.body.clear()
            half.trailers = essence(half.trailers)

    def _release(self, stream: _Stream) -> None:
        self._budget.used -= stream.held
        stream.held = 0

    def _give_up(self, reason: str) -> None:
        self.abandon()
        self._opaque(reason)


def _malformed() -> NoReturn:
    raise Ambiguous("malformed_frame")
