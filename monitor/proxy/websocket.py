"""The bytes of a WebSocket connection → one Exchange, with one line per message.

RFC 6455 and, for permessage-deflate, RFC 7692. Sans-IO and bounded: a message is unmasked and
decompressed only as far as the copy has room. Once the copy of a side is full, its frames are
followed by length alone.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable
from functools import lru_cache

import msgspec

from monitor.proxy.copies import MAX_CHUNKS, PER_ARRIVAL, Budget
from monitor.proxy.heads import Ambiguous
from monitor.proxy.observer import Upgraded
from monitor.proxy.outcomes import of_close_code
from monitor.types import Exchange, Message, Outcome

OPAQUE_REASONS = ("malformed_frame",)

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_WRAP = 80
"""Bytes of a line beside its data."""
_PER_SOCKET = 2560
"""Bytes that following a connection takes, beside its copies."""
_PER_WINDOW = 41000
"""Bytes that zlib takes to inflate the messages of one side."""

_EXTENSIONS = re.compile(rb"\r\nsec-websocket-extensions:[ \t]*([^\r\n]*)", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode


def deflate(head: bytes) -> dict[bytes, bytes] | None:
    """Return the parameters of permessage-deflate in the head of a 101; None if not agreed on.

    Raises Ambiguous for an unknown extension.

    >>> deflate(b"\\r\\nSec-WebSocket-Extensions: permessage-deflate; a=1; b\\r\\n\\r\\n")
    {b'a': b'1', b'b': b''}
    """
    found = b", ".join(_EXTENSIONS.findall(head)).strip()
    if not found:
        return None
    name, *parameters = (part.strip() for part in found.lower().split(b";"))
    if name != b"permessage-deflate" or b"," in found:
        raise Ambiguous("upgrade")
    pairs = (parameter.partition(b"=") for parameter in parameters)
    return {name.strip(): value.strip().strip(b'"') for name, _, value in pairs}


class _Side:
    """Turns the frames of one side, in pieces of any size, into lines, one per message."""

    def __init__(
        self, *, masked: bool, inflate: bool, forget: bool, bound: int, budget: Budget
    ) -> None:
        self._masked = masked
        self._inflate = inflate
        self._forget = forget  # the window, after each message
        self._window = zlib.decompressobj(-15) if inflate else None
        self._bound = bound
        self._budget = budget
        self._rest = bytearray()  # the beginning of a frame's head
        self._frame = 0  # opcode
        self._final = False
        self._left = 0  # of the frame's payload
        self._mask = b""
        self._payload = bytearray()  # of the frame, as far as it is copied
        self._kind = 0  # of the current message
        self._compressed = False
        self._message = bytearray()
        self._size = 0  # of the current message, as it was sent
        self._lines = bytearray()
        self._full = False
        self.kept = 0
        self.size = 0
        self.code = 0  # of the close frame
        self.closed = False

    def feed(self, data: bytes, at: float) -> None:
        """Read more bytes; `at` is seconds since the exchange began."""
        position = 0
        while position < len(data) and not self.closed:
            if self._left:
                piece = data[position : position + self._left]
                position += len(piece)
                self._left -= len(piece)
                self._keep(piece)
            else:
                position = self._head(data, position)
                if position < 0:
                    return
            if not self._left:
                self._framed(at)

    def body(self) -> bytes:
        """Return the copied lines and give their memory back to the budget."""
        body = bytes(self._lines)
        self.release()
        return body

    def release(self) -> None:
        """Release the copy and keep nothing more."""
        self._budget.used -= self.kept + len(self._payload) + len(self._message)
        self.kept = 0
        self._lines.clear()
        self._payload.clear()
        self._message.clear()
        self._window = None
        self._full = True

    # --- frames ------------------------------------------------------------------------------

    def _head(self, data: bytes, position: int) -> int:
        """Read a frame's head; return where its payload begins, or -1 while it is incomplete."""
        rest = self._rest
        while len(rest) < (need := self._need(rest)):
            piece = data[position : position + need - len(rest)]
            if not piece:
                return -1
            rest += piece
            position += len(piece)
        first, second = rest[0], rest[1]
        length = second & 0x7F
        size = {126: 2, 127: 8}.get(length, 0)
        if size:
            length = int.from_bytes(rest[2 : 2 + size])
        self._begin(first, second, length)
        self._mask = bytes(rest[2 + size :])
        self._left = length
        rest.clear()
        return position

    def _need(self, rest: bytearray) -> int:
        if len(rest) < 2:
            return 2
        size = {126: 2, 127: 8}.get(rest[1] & 0x7F, 0)
        return 2 + size + (4 if rest[1] & 0x80 else 0)

    def _begin(self, first: int, second: int, length: int) -> None:
        opcode, final, compressed = first & 0x0F, bool(first & 0x80), bool(first & 0x40)
        if first & 0x30 or bool(second & 0x80) != self._masked or length >> 63:
            raise Ambiguous("malformed_frame")
        if opcode in (_TEXT, _BINARY):
            if self._kind or (compressed and not self._inflate):
                raise Ambiguous("malformed_frame")
            self._kind = opcode
            self._compressed = compressed
            self._size = 0
        elif compressed or (opcode == _CONTINUATION and not self._kind):
            raise Ambiguous("malformed_frame")
        elif opcode in (_CLOSE, _PING, _PONG):
            if not final or length > 125:
                raise Ambiguous("malformed_frame")
        elif opcode != _CONTINUATION:
            raise Ambiguous("malformed_frame")
        self._frame = opcode
        self._final = final

    def _keep(self, piece: bytes) -> None:
        if self._frame >= _CLOSE:
            self._payload += piece  # 125 bytes at most
            self._budget.used += len(piece)
            return
        self._size += len(piece)
        if not self._full:
            piece = piece[: max(0, self._room() - len(self._message) - len(self._payload))]
            self._payload += piece
            self._budget.used += len(piece)

    def _room(self) -> int:
        return self._bound - self.kept

    def _framed(self, at: float) -> None:
        """Handle a complete frame."""
        payload, self._payload = _unmasked(self._payload, self._mask), bytearray()
        if self._frame >= _CLOSE:
            self._budget.used -= len(payload)
            if self._frame == _CLOSE:
                self._close(payload, at)
            return
        self._message += payload
        if self._final:
            self._complete(at)

    # --- messages ----------------------------------------------------------------------------

    def _close(self, payload: bytes, at: float) -> None:
        if len(payload) == 1:
            raise Ambiguous("malformed_frame")
        self.closed = True
        self.code = int.from_bytes(payload[:2]) if payload else 1005
        reason = payload[2:].decode("utf-8", "replace")
        self._line("close", f"{self.code} {reason}".strip(), at)

    def _complete(self, at: float) -> None:
        message, self._message = bytes(self._message), bytearray()
        self._budget.used -= len(message)
        kind, self._kind = self._kind, 0
        if self._full:
            self.size += self._size + _WRAP
            return
        whole = len(message) == self._size
        if self._compressed:
            message, whole = self._inflated(message, whole=whole)
        if kind == _TEXT:
            self._line("text", message.decode("utf-8", "ignore" if not whole else "replace"), at)
        else:
            self._line("binary", base64.b64encode(message).decode(), at)
        if not whole:
            self._full = True
            self.size = max(self.size, self.kept) + 1 + max(0, self._size - len(message))

    def _inflated(self, message: bytes, *, whole: bool) -> tuple[bytes, bool]:
        """Return the decompressed message, as far as there is room, and whether it is complete."""
        window = self._window
        room = self._room() + 1
        if window is None or self._forget:
            window = self._window = zlib.decompressobj(-15)
        try:
            found = window.decompress(message + (b"\x00\x00\xff\xff" if whole else b""), room)
        except zlib.error:
            raise Ambiguous("malformed_frame") from None
        if window.eof:  # RFC 7692 section 7.2.3.4 allows a final block; a new stream begins
            if whole and window.unused_data.lstrip(b"\x00") != b"\xff\xff":  # more follows
                raise Ambiguous("malformed_frame")
            self._window = zlib.decompressobj(-15)
        return found[: room - 1], whole and len(found) < room

    def _line(self, kind: str, data: str, at: float) -> None:
        line = _encode({"type": kind, "data": data, "at": round(at, 6)}) + b"\n"
        self.size += len(line)
        if self._full:
            return
        if len(line) > self._room():
            self._full = True
            line = self._shortened(kind, data, at)
        self._lines += line
        self.kept += len(line)
        self._budget.used += len(line)

    def _shortened(self, kind: str, data: str, at: float) -> bytes:
        """Return as much of a message as there is room for, as a line of valid JSON."""
        room = self._room()
        if kind == "close":
            return b""
        data = data[: max(0, room - _WRAP)]
        if kind == "binary":
            data = data[: len(data) // 4 * 4]
        while data:
            line = _encode({"type": kind, "data": data, "at": round(at, 6)}) + b"\n"
            if len(line) <= room:
                return line
            data = data[: len(data) * room // len(line) // 4 * 4]
        return b""


def _unmasked(payload: bytearray, mask: bytes) -> bytes:
    """Unmask a payload (RFC 6455 section 5.3) with one XOR of long numbers.

    >>> _unmasked(bytearray(b"\\x11\\x22\\x33\\x44\\x55"), b"\\x11\\x22\\x33\\x44")
    b'\\x00\\x00\\x00\\x00D'
    """
    size = len(payload)
    if not mask or not size:
        return bytes(payload)
    if size > 1024:  # there, four strides through a table are faster than one long number
        for at, byte in enumerate(mask):
            payload[at::4] = payload[at::4].translate(_flips(byte))
        return bytes(payload)
    pad = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(pad)).to_bytes(size)


@lru_cache(256)
def _flips(mask: int) -> bytes:
    return bytes(byte ^ mask for byte in range(256))


class WebSocket:
    """Observes a connection from its 101 on; emits one Exchange when the connection ends.

    Raises Ambiguous if the peers agreed on an unknown extension.
    """

    def __init__(
        self,
        upgraded: Upgraded,
        *,
        emit: Callable[[Exchange], None],
        lose: Callable[[Outcome, str], None],
        opaque: Callable[[str], None],
        max_body_bytes: int,
        budget: Budget,
    ) -> None:
        agreed = deflate(upgraded.response.head)
        inflate = agreed is not None
        forget = agreed or {}
        self._upgraded = upgraded
        self._emit = emit
        self._lose = lose
        self._opaque = opaque
        self._budget = budget
        self._client = _Side(
            masked=True,
            inflate=inflate,
            forget=b"client_no_context_takeover" in forget,
            bound=max_body_bytes,
            budget=budget,
        )
        self._server = _Side(
            masked=False,
            inflate=inflate,
            forget=b"server_no_context_takeover" in forget,
            bound=max_body_bytes,
            budget=budget,
        )
        self._held = _PER_SOCKET + len(upgraded.request.head) + len(upgraded.response.head)
        self._held += 2 * _PER_WINDOW if inflate else 0
        budget.used += self._held
        self._chunks: list[tuple[float, int]] = []
        self._first_to_close: _Side | None = None
        self._ended_by: Outcome | None = None
        self._lost = False
        self._gone = False

    # --- from the splice ---------------------------------------------------------------------

    def downstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        self._feed(self._client, data, at)

    def upstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        self._feed(self._server, data, at)

    def downstream_eof(self, at: float) -> None:
        """See Observer."""
        self._ended_by = self._ended_by or Outcome.CLIENT_GONE

    def upstream_eof(self, at: float) -> None:
        """See Observer."""
        self._ended_by = self._ended_by or Outcome.UPSTREAM_BROKEN

    def closed(self, at: float, cause: Outcome | None) -> None:
        """See Observer. A close frame decides the outcome, whatever ended the connection then."""
        first = self._first_to_close
        if first is not None:
            cause = of_close_code(first.code, by_client=first is self._client)
        self._end(at, cause or self._ended_by or Outcome.UPSTREAM_BROKEN)

    def abandon(self) -> None:
        """See Observer."""
        self._release()
        if not self._gone:
            self._gone = True
            self._lose(Outcome.OK, "buffer_full" if self._lost else "opaque")

    def refuse(self, at: float, cause: Outcome) -> bytes:
        """See Observer. After a 101 no HTTP answer is possible."""
        return b""

    def busy(self) -> bool:
        """See Observer."""
        return not (self._gone or (self._client.closed and self._server.closed))

    def awaiting(self) -> bool:
        """See Observer. Always False: either side may be silent."""
        return False

    def begun(self) -> float:
        """See Observer. Always 0: after a 101 there are no heads."""
        return 0.0

    # --- both sides --------------------------------------------------------------------------

    def _feed(self, side: _Side, data: bytes, at: float) -> None:
        if self._gone:
            return
        before, broken, when = side.size, "", at - self._upgraded.began
        try:
            side.feed(data, when)
        except Ambiguous as error:
            broken = error.args[0]
        if side is self._server and side.size > before and not self._lost:
            self._arrived(when)
        if broken:
            by_client = side is self._client
            self._end(at, Outcome.CLIENT_ERROR if by_client else Outcome.SERVER_ERROR)
            self._opaque(broken)
            return
        if side.closed and self._first_to_close is None:
            self._first_to_close = side
        if self._budget.used > self._budget.bound and not self._lost:
            self._lost = True
            self._release()

    def _arrived(self, when: float) -> None:
        chunks, size = self._chunks, self._server.size
        if chunks and (chunks[-1][1] > self._server.kept or len(chunks) >= MAX_CHUNKS):
            chunks[-1] = (when, size)
        else:
            chunks.append((when, size))
            self._held += PER_ARRIVAL
            self._budget.used += PER_ARRIVAL

    def _release(self) -> None:
        self._budget.used -= self._held
        self._held = 0
        if self._lost:
            self._chunks = []
        self._client.release()
        self._server.release()

    def _end(self, at: float, outcome: Outcome) -> None:
        if self._gone:
            return
        self._gone = True
        if self._lost:
            self._lose(outcome, "buffer_full")
            return
        upgraded, client, server = self._upgraded, self._client, self._server
        exchange = Exchange(
            upgraded.id,
            upgraded.started,
            at - upgraded.began,
            Message(upgraded.request.head, client.body(), client.size),
            Message(upgraded.response.head, server.body(), server.size),
            self._chunks,
            outcome,
            "websocket",
        )
        self._release()
        self._emit(exchange)
