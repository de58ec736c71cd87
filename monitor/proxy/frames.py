"""Bytes of one direction of an HTTP/2 connection → the frames that an observer needs.

RFC 9113, sections 4 and 6. Header blocks are yielded whole and without padding, DATA in pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from monitor.proxy.heads import Ambiguous

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, GOAWAY, CONTINUATION = 0, 1, 3, 4, 5, 7, 9

MAX_BLOCK = 65536
"""The largest header block that is assembled, in bytes."""

Frame = tuple[int, int, bytes | memoryview, bool, float]
"""Kind, stream, payload, whether it ends the stream (END_STREAM), and when its first byte came.

The payload of DATA is a piece of the content; of HEADERS and PUSH_PROMISE the whole block (the
stream of a PUSH_PROMISE is the promised one); of RST_STREAM and GOAWAY the payload itself. Other
kinds are skipped.
"""

_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x4, 0x8, 0x20
_WHOLE = frozenset((HEADERS, RST_STREAM, PUSH_PROMISE, GOAWAY, CONTINUATION))
_read_head = Struct(">BHBBI").unpack_from


def frame(kind: int, flags: int, number: int, payload: bytes) -> bytes:
    """Return the bytes of one frame.

    >>> frame(RST_STREAM, 0, 5, bytes(4)).hex()
    '00000403000000000500000000'
    """
    return len(payload).to_bytes(3) + bytes((kind, flags)) + number.to_bytes(4) + payload


def _ahead(kind: int, length: int) -> int:
    """Return how much of the payload is needed at once: all, or of DATA the padding's length."""
    if length > MAX_BLOCK and kind != DATA:
        raise Ambiguous("head_too_large")
    return 1 if kind == DATA else length


class Frames:
    """Reads the frames of one direction from pieces of any size."""

    __slots__ = (
        "_began", "_block", "_block_began", "_block_kind", "_content", "_ending", "_need",
        "_number", "_promiser", "_rest", "_skip", "_stopped", "_strict", "behind", "length",
        "opened",
    )  # fmt: skip

    def __init__(self) -> None:
        self.opened = False  # SETTINGS, which must come first, has been seen
        self.length = 0  # of the payload of the frame that was yielded last, if that is no DATA,
        self.behind = -1  # and how much of its piece stands behind it; -1: it came in several
        self._strict = True  # not every kind of frame may come next
        self._rest = bytearray()  # the beginning of something that takes `need` bytes
        self._need = 0
        self._began = 0.0  # when the first byte of `rest` came
        self._stopped = 0  # where the last walk ended
        self._content = 0  # bytes of the current DATA frame still to come,
        self._skip = 0  # then so many of padding; or those of a frame that is passed over
        self._number = 0  # stream of the current DATA frame, or of the block
        self._ending = False  # it carries END_STREAM
        self._block: bytearray | None = None  # a header block that waits for CONTINUATION
        self._block_kind = HEADERS
        self._block_began = 0.0
        self._promiser = 0  # the stream whose frames continue the block

    def waiting(self) -> int:
        """Return the bytes kept until the rest of a frame or header block has come."""
        return len(self._rest) + len(self._block or b"")

    def begun(self) -> float:
        """Return when the first byte of `waiting` came; 0 if nothing waits."""
        if self._block is not None:
            return self._block_began
        return self._began if self._rest else 0.0

    def read(self, data: bytes, at: float) -> Iterator[Frame]:
        """Yield the frames that `data`, read at the time `at`, completes or continues.

        Exhaust the iterator. Raises Ambiguous at the first frame that no endpoint may accept.
        """
        rest = self._rest
        position = 0
        while rest:  # complete what an earlier read began, with as little copying as possible
            piece = data[position : position + self._need - len(rest)]
            rest += piece
            position += len(piece)
            if len(rest) < self._need:
                return
            begun = bytes(rest)
            rest.clear()
            for each in self._walk(begun, 0, at, self._began):
                self.behind = -1
                yield each
            rest += begun[self._stopped :]
        yield from self._walk(data, position, at, at)
        if self._stopped < len(data):
            self._began = at
            rest += data[self._stopped :]

    def _walk(self, data: bytes, position: int, at: float, began: float) -> Iterator[Frame]:
        end = len(data)
        while position < end:
            if self._content:
                stop = min(position + self._content, end)
                self._content -= stop - position
                ending = self._ending and not self._content
                yield DATA, self._number, memoryview(data)[position:stop], ending, at
                position = stop
                continue
            if self._skip:
                stop = min(position + self._skip, end)
                self._skip -= stop - position
                position = stop
                continue
            self._need = need = 9
            if end - position < 9:
                break
            high, low, kind, flags, number = _read_head(data, position)
            length = high << 16 | low
            number &= 0x7FFFFFFF
            if self._strict:
                self._check(kind, flags, number)
            if kind in _WHOLE or (kind == DATA and flags & _PADDED):
                need += _ahead(kind, length)
            if end - position < need:
                self._need = need
                break
            position += need
            if kind == DATA:
                self._begin(flags, number, length, data[position - 1])
                if not self._content:
                    yield DATA, number, b"", self._ending, at
            elif kind in _WHOLE:
                whole = self._frame(kind, flags, number, data[position - length : position], began)
                self.length, self.behind = length, end - position
                if whole is not None:
                    yield whole
            else:
                self._skip = length
        self._stopped = position

    def _check(self, kind: int, flags: int, number: int) -> None:
        """Raise Ambiguous unless SETTINGS comes first and only CONTINUATION within a block."""
        if self.opened:
            if kind != CONTINUATION:
                raise Ambiguous("malformed_frame")
        elif kind != SETTINGS or flags & 1 or number:
            raise Ambiguous("not_http2")
        else:
            self.opened = True
            self._strict = False

    def _begin(self, flags: int, number: int, length: int, pad: int) -> None:
        if flags & _PADDED:
            length -= 1 + pad
            if length < 0:
                raise Ambiguous("malformed_frame")
            self._skip = pad
        self._number = number
        self._content = length
        self._ending = bool(flags & _END_STREAM)

    def _frame(
        self, kind: int, flags: int, number: int, payload: bytes, began: float
    ) -> Frame | None:
        if kind == CONTINUATION:
            return self._continue(flags, number, payload)
        if kind == RST_STREAM and len(payload) == 4 and number:
            return kind, number, payload, False, began
        if kind == GOAWAY and len(payload) >= 8 and not number:
            return kind, number, payload, False, began
        if kind in (RST_STREAM, GOAWAY):
            raise Ambiguous("malformed_frame")
        start, stop = 0, len(payload)
        if flags & _PADDED:
            start, stop = 1, stop - (payload[0] if payload else 0)
        self._promiser = number
        if kind == PUSH_PROMISE:
            number = int.from_bytes(payload[start : start + 4]) & 0x7FFFFFFF
            start += 4
        elif flags & _PRIORITY:
            start += 5
        if stop < start or not number or not self._promiser:
            raise Ambiguous("malformed_frame")
        ending = bool(flags & _END_STREAM) and kind == HEADERS
        if flags & _END_HEADERS:
            return kind, number, payload[start:stop], ending, began
        self._strict = True
        self._block = bytearray(payload[start:stop])
        self._block_kind = kind
        self._block_began = began
        self._number = number
        self._ending = ending
        return None

    def _continue(self, flags: int, number: int, payload: bytes) -> Frame | None:
        block = self._block
        if block is None or number != self._promiser:
            raise Ambiguous("malformed_frame")
        block += payload
        if len(block) > MAX_BLOCK:
            raise Ambiguous("head_too_large")
        if not flags & _END_HEADERS:
            return None
        self._strict = False
        self._block = None
        return self._block_kind, self._number, bytes(block), self._ending, self._block_began
