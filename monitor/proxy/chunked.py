"""A chunked body, in pieces of any size → its data, end and trailers (RFC 9112 section 7.1)."""

from __future__ import annotations

import re
from collections.abc import Callable

from monitor.proxy.heads import Ambiguous

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\r\n\0]*)?\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n\0]*\r\n")
_MAX_LINE = 16384
_MAX_TRAILERS = 65536


class Chunked:
    """Passes the data of one body to `add`; `trailers` is complete once `feed` has seen the end.

    >>> body = []
    >>> chunked = Chunked(body.append)
    >>> chunked.feed(b"3\\r\\nab"), chunked.feed(b"c\\r\\n0\\r\\nx: y\\r\\n\\r\\nnext")
    (None, b'next')
    >>> body, chunked.trailers
    ([b'ab', b'c'], b'x: y\\r\\n')
    """

    __slots__ = ("_add", "_left", "_partial", "trailers", "waiting")

    def __init__(self, add: Callable[[bytes], None]) -> None:
        self._add = add
        self._left = 0  # of the chunk's data and its CRLF
        self._partial: bytes | None = b""  # of a size line; None once in the trailers
        self.trailers = b""
        self.waiting = 0  # bytes of a line or of trailers that have come without their end

    def feed(self, data: bytes) -> bytes | None:
        """Read more; return the bytes behind the body's end, or None before the end.

        Raises Ambiguous if the framing is malformed.
        """
        if self._partial is None:
            return self._end(data)
        if self._partial:
            data = self._partial + data
            self._partial = b""
            self.waiting = 0
        start = 0
        while True:
            left = self._left
            if left > 2:
                end = start + left - 2
                piece = data[start:end]
                if piece:
                    self._add(piece)
                start += len(piece)
                left = self._left = left - len(piece)
                if left > 2:
                    return None
            if left:
                if data[start : start + left] != b"\r\n"[2 - left :]:
                    self._wait_for_crlf(data[start:])
                    return None
                start += left
                self._left = 0
            size = _SIZE.match(data, start)
            if size is None:
                self._partial = self._checked_partial(data[start:])
                self.waiting = len(self._partial)
                return None
            start = size.end()
            length = int(size[1], 16)
            if not length:
                self._partial = None
                return self._end(data[start:])
            self._left = length + 2

    def _wait_for_crlf(self, rest: bytes) -> None:
        expected = b"\r\n"[2 - self._left :]
        if not expected.startswith(rest):
            raise Ambiguous("malformed_chunk")
        self._left -= len(rest)

    def _checked_partial(self, partial: bytes) -> bytes:
        if b"\n" in partial or len(partial) > _MAX_LINE:
            raise Ambiguous("malformed_chunk")
        return partial

    def _end(self, data: bytes) -> bytes | None:
        """Read trailers up to the blank line; `self.trailers` has those that have come."""
        data = self.trailers + data
        if data.startswith(b"\r\n"):
            self.trailers = b""
            return data[2:]
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > _MAX_TRAILERS:
                raise Ambiguous("malformed_chunk")
            self.trailers = data
            self.waiting = len(data)
            return None
        trailers = data[: end + 2]
        start = 0
        while start < len(trailers):
            line = _TRAILER.match(trailers, start)
            if line is None:
                raise Ambiguous("malformed_chunk")
            start = line.end()
        self.trailers = trailers
        self.waiting = len(trailers)
        return data[end + 4 :]
