"""Pieces of a message body → the copy that is kept of it, within the bounds on memory."""

from __future__ import annotations

from monitor.proxy.chunked import Chunked
from monitor.proxy.heads import CHUNKED, UNTIL_CLOSE, Ambiguous, has
from monitor.types import Message

SMALL = 1024
"""A piece below this many bytes joins the one before it: an object a byte would cost 40 times more
than the budget knows of."""


PER_COPY = 240
"""Bytes that following one body takes beside what is kept of it."""
PER_ARRIVAL = 128
"""Bytes that one entry of `Exchange.chunks` takes."""


class Budget:
    """Bytes of captured traffic held by this process, and how many may be.

    Copies of traffic end at `bound`: what has no room is dropped, and its exchange is lost. To
    follow an exchange takes memory too, also where nothing of it is kept; that ends at `limit`,
    where the connection turns opaque (`buffer_full`).
    """

    __slots__ = ("bound", "limit", "used")

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.limit = bound + bound // 16 + (256 << 10)
        self.used = 0

    def check(self) -> None:
        """Raise Ambiguous where there is no room even for following along."""
        if self.used > self.limit:
            raise Ambiguous("buffer_full")


class Copy:
    """One message while its body is on its way; `size` is the true length so far.

    `feed` returns None while the body goes on, and what stands behind it once it has ended. A copy
    for which the budget has no room is `dropped`: it keeps on following the body without keeping
    any of it.
    """

    __slots__ = (
        "_bound", "_budget", "_chunked", "_expected", "_fixed", "_head", "_left", "_loose",
        "_parts", "dropped", "held", "size",
    )  # fmt: skip

    def __init__(self, head: bytes, length: int, bound: int, budget: Budget) -> None:
        self._head = head
        self._left = length
        self._bound = bound
        self._budget = budget
        self._chunked = Chunked(self.add) if length == CHUNKED else None
        self._parts: list[bytes | bytearray] = []
        self._fixed = PER_COPY + len(head)
        budget.used += self._fixed
        self.size = 0
        self.held = 0
        self.dropped = False
        self._expected = False
        self._loose = 0  # bytes of `_fixed` that wait within the coding
        if budget.used > budget.bound:
            self.drop()

    def feed(self, data: bytes) -> bytes | None:
        """Follow the body; raises Ambiguous where its framing is malformed."""
        if self._chunked is not None:
            rest = self._chunked.feed(data)
            if (loose := self._chunked.waiting) != self._loose:
                self._budget.used += loose - self._loose
                self._fixed += loose - self._loose
                self._loose = loose
                self._budget.check()
            return rest
        left = self._left
        if left == UNTIL_CLOSE or len(data) < left:
            self.add(data)
            if left > 0:
                self._left = left - len(data)
            return None
        if len(data) == left:
            self.add(data)
            return b""
        if left:
            self.add(data[:left])
        return data[left:]

    def add(self, piece: bytes) -> None:
        """Keep what there is room for."""
        self.size += len(piece)
        room = self._bound - self.held
        if room <= 0 or self.dropped:
            return
        if len(piece) > room:
            piece = piece[:room]
        parts = self._parts
        size = len(piece)
        if size >= SMALL or not parts:
            parts.append(piece)
        elif type(last := parts[-1]) is bytearray:
            last += piece
        else:
            parts.append(bytearray(piece))
        self.held += size
        self._budget.used += size
        if self._budget.used > self._budget.bound:
            self.drop()

    def drop(self) -> None:
        """Give the memory back; nothing is kept from here on."""
        self.dropped = True
        self._parts.clear()
        self._expected = self.expects()
        self._budget.used -= self.held + len(self._head)
        self._fixed -= len(self._head)
        self._head = b""
        self.held = 0

    def release(self) -> None:
        """The end: all that this copy took leaves the budget."""
        self.drop()
        self._budget.used -= self._fixed
        self._fixed = 0

    def until_close(self) -> bool:
        """True when the end of the connection is the end of this body."""
        return self._left == UNTIL_CLOSE

    def expects(self) -> bool:
        """True when the sender may have kept the body back (RFC 9110 section 10.1.1)."""
        return self._expected or has(self._head, b"expect")

    def full(self) -> bool:
        """True when nothing more of the body will be kept."""
        return self.held >= self._bound or self.dropped

    def message(self) -> Message:
        """The copy as it stands; its memory leaves the budget."""
        parts = self._parts
        body = bytes(parts[0]) if len(parts) == 1 else b"".join(parts)
        self._budget.used -= self.held + self._fixed
        self.held = self._fixed = 0
        trailers = self._chunked.trailers if self._chunked is not None else b""
        return Message(self._head, body, self.size, trailers)
