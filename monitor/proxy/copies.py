"""Pieces of a message body → a copy of it, within the bounds on memory."""

from __future__ import annotations

from collections.abc import Callable

from monitor.proxy.chunked import Chunked
from monitor.proxy.heads import CHUNKED, UNTIL_CLOSE, Ambiguous, has
from monitor.types import Message

SMALL = 1024
"""A piece of fewer bytes is joined to the one before it. One object per byte would take 40 times
what the budget counts."""


EARLY = 0.8
"""Part of the buffer from which on chance decides which exchanges are copied."""
PER_COPY = 240
"""Bytes that following one body takes, beside its copy."""
MAX_CHUNKS = 16384
"""Pieces of an answer whose times are kept; of more the last ones count as one."""
PER_ARRIVAL = 128
"""Bytes that one entry of `Exchange.chunks` takes."""


class Budget:
    """Counts the bytes of captured traffic that this process holds.

    Above `bound` copies are dropped and their exchanges lost. Following an exchange without a copy
    takes memory too; above `limit` the connection turns opaque (`buffer_full`). `chance` draws from
    0 to 1, evenly.
    """

    __slots__ = ("_chance", "bound", "early", "limit", "used")

    def __init__(self, bound: int, chance: Callable[[], float] = lambda: 1.0) -> None:
        self.bound = bound
        self.early = int(bound * EARLY)
        self.limit = bound + bound // 16 + (256 << 10)
        self.used = 0
        self._chance = chance

    def admits(self) -> bool:
        """Return True if an exchange that begins now shall be copied; else it is only followed.

        Above `early` chance decides: the fuller the buffer, the fewer are copied (random early
        detection, Floyd and Jacobson 1993). So losses are spread evenly over the exchanges, and one
        that will be lost costs no copy. Otherwise all would be lost until a Receipt makes room, and
        then none until it is used up.
        """
        over = self.used - self.early
        return over <= 0 or over < self._chance() * (self.bound - self.early)

    def check(self) -> None:
        """Raise Ambiguous(`buffer_full`) if there is no room even for following an exchange."""
        if self.used > self.limit:
            raise Ambiguous("buffer_full")


class Copy:
    """Copies one message while its body arrives; `size` is the true length so far, in bytes.

    `feed` returns None until the body ends, then the bytes behind it. If the budget has no room,
    the copy is `dropped`: it follows the body to its end and keeps nothing.
    """

    __slots__ = (
        "_bound", "_budget", "_chunked", "_expected", "_fixed", "_head", "_left", "_partial",
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
        self._partial = 0  # bytes of `_fixed` that wait within the coding
        if budget.used > budget.bound:
            self.drop()

    def feed(self, data: bytes) -> bytes | None:
        """Read more of the body; raises Ambiguous if its framing is malformed."""
        if self._chunked is not None:
            rest = self._chunked.feed(data)
            if (partial := self._chunked.waiting) != self._partial:
                self._budget.used += partial - self._partial
                self._fixed += partial - self._partial
                self._partial = partial
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
        """Add a piece to the copy, as far as there is room."""
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
        """Release the copy and keep nothing more."""
        self.dropped = True
        self._parts.clear()
        self._expected = self.expects()
        self._budget.used -= self.held + len(self._head)
        self._fixed -= len(self._head)
        self._head = b""
        self.held = 0

    def release(self) -> None:
        """Give all memory of this copy back to the budget."""
        self.drop()
        self._budget.used -= self._fixed
        self._fixed = 0

    def until_close(self) -> bool:
        """Return True if the body ends with the connection."""
        return self._left == UNTIL_CLOSE

    def expects(self) -> bool:
        """Return True if the client may have held the body back (RFC 9110 section 10.1.1)."""
        return self._expected or has(self._head, b"expect")

    def full(self) -> bool:
        """Return True if no more of the body will be copied."""
        return self.held >= self._bound or self.dropped

    def message(self) -> Message:
        """Return the copy made so far and give its memory back to the budget."""
        parts = self._parts
        body = bytes(parts[0]) if len(parts) == 1 else b"".join(parts)
        self._budget.used -= self.held + self._fixed
        self.held = self._fixed = 0
        trailers = self._chunked.trailers if self._chunked is not None else b""
        return Message(self._head, body, self.size, trailers)
