"""Event time → pane: which one a moment belongs to, and up to which they are closed."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

NEVER = -(2**60)

FAR = 1e11
"""Times further from 1970 than so many seconds, three thousand years, are none."""


class Saved(msgspec.Struct, frozen=True):
    """What is kept of panes of one `length` in seconds, None where they were cut by hand."""

    length: float | None
    closed: int
    newest: float
    last: int


class Panes:
    """Panes of `length` seconds of event time, closed once an event comes `lateness` seconds after
    their end; with a length of None they are cut by hand.

    `newest` is the Unix time of the newest event, -inf before the first; `last` the newest pane
    that one went to, `closed` the newest that is closed.
    """

    def __init__(self, length: float | None, lateness: float) -> None:
        self.length = length
        self.newest = -math.inf
        self.closed = NEVER
        self.last = NEVER
        self._lateness = lateness

    def enter(self, at: float) -> tuple[float, int, int | None]:
        """(its time, its pane, the newest pane to be closed before it or None) of an event.

        One whose time is none of this world came with the newest; what is late goes to the oldest
        open pane.
        """
        time = at if -FAR < at < FAR else max(self.newest, 0.0)
        length, due = self.length, None
        if length is None:
            pane = self.current
            self.newest = max(self.newest, time)
        else:
            pane = max(math.floor(time / length), self.closed + 1)
            if time > self.newest:
                self.newest = time
                ended = math.floor((time - self._lateness) / length) - 1
                due = ended if ended > self.closed else None
        self.last = max(self.last, pane)
        return time, pane, due

    @property
    def current(self) -> int:
        """The oldest pane that is not closed; 0 where none ever was."""
        return self.closed + 1 if self.closed > NEVER else 0

    def end(self, pane: int) -> float:
        """The Unix time at which a pane ends; 0 where panes are cut by hand."""
        return (pane + 1) * (self.length or 0.0)

    def saved(self) -> Saved:
        """What a later process needs to go on in the same panes."""
        return Saved(self.length, self.closed, self.newest, self.last)

    def resume(self, saved: Saved, latest: float) -> Callable[[int], int]:
        """Go on after panes that may have been of another length, or far ahead; no time can be
        after `latest`. Returns which pane of now an open pane of then becomes."""
        self.closed, self.last = saved.closed, saved.last
        self.newest = min(saved.newest, latest)
        length = self.length
        if length is None or not math.isfinite(self.newest):
            return _the_same
        ratio = (saved.length or length) / length
        if ratio != 1 and saved.closed > NEVER:
            self.closed = math.floor((saved.closed + 1) * ratio) - 1
        newest = math.floor(self.newest / length)
        self.closed = closed = min(self.closed, newest)

        def place(pane: int) -> int:
            return min(max(math.floor(pane * ratio), closed + 1), newest + 1)

        self.last = place(saved.last) if saved.last > saved.closed else closed
        return place


def _the_same(pane: int) -> int:
    return pane
