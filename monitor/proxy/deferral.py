"""Pieces that were forwarded → their observers, many at a time.

A process that wakes up finds its caches full of other things, so to look at one piece alone costs
several times as much as to look at it among others. Pieces wait until the next hand-off to the
recorder, or until there are enough of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from monitor.proxy.copies import Budget

PIECES, BYTES = 64, 262144
"""So many are enough."""
TURN = 16
"""Pieces that are shown at a stretch where nobody waits for them; 0.1 to 0.2 ms."""
QUOTA = 512
"""Pieces that are kept between two beats. Where there are more, the caches are warm."""
PER_PIECE = 150
"""Bytes that a piece takes beside its own while it waits."""


class Side(Protocol):
    """Where a piece came from."""

    def show(self, data: bytes, at: float) -> None:
        """Show the observer a piece that arrived at `at`; does not raise."""


class AtOnce:
    """Keeps nothing: each piece is shown when it comes. See Deferral."""

    def keep(self, side: Side, data: bytes, at: float) -> bool:
        """Leave a piece to be shown at once: return False."""
        return False

    def settle(self, most: int = 0) -> bool:
        """Show nothing: no piece waits."""
        return False


AT_ONCE = AtOnce()


class Deferral:
    """Keeps pieces of all connections in order of arrival, charged to the budget.

    `expect` is called when there are some: `settle` must be called soon.
    """

    __slots__ = ("_budget", "_bytes", "_expect", "_left", "_pieces")

    def __init__(self, budget: Budget, expect: Callable[[], None]) -> None:
        self._budget = budget
        self._expect = expect
        self._pieces: list[tuple[Side, bytes, float]] = []
        self._bytes = 0
        self._left = QUOTA

    def keep(self, side: Side, data: bytes, at: float) -> bool:
        """Keep a piece; return False if it must be shown at once: the buffer is full, or the quota
        used up. All that were kept have been shown then."""
        if not self._left:
            return False
        budget = self._budget
        size = len(data) + PER_PIECE
        used = budget.used + size
        if used > budget.early:
            self.settle()
            return False
        budget.used = used
        pieces = self._pieces
        pieces.append((side, data, at))
        self._bytes = waiting = self._bytes + size
        self._left -= 1
        count = len(pieces)
        if not self._left:
            self._show(0)
        elif count >= PIECES or waiting >= BYTES:
            self._show(TURN)
        elif count == 1:
            self._expect()
        return True

    def settle(self, most: int = 0) -> bool:
        """Show all pieces (0), or at a beat the oldest `most`; return whether some are left.
        Nothing may be asked of an observer before all are shown."""
        if most:
            self._left = QUOTA
        return self._show(most)

    def _show(self, most: int) -> bool:
        pieces, self._pieces = self._pieces, []
        if 0 < most < len(pieces):
            self._pieces = pieces[most:]
            del pieces[most:]
        budget = self._budget
        for side, data, at in pieces:
            size = len(data) + PER_PIECE
            budget.used -= size
            self._bytes -= size
            side.show(data, at)
        return bool(self._pieces)
