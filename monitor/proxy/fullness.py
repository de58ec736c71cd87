"""Exchanges lost to a full buffer → a line when that begins, and one when it is over."""

from __future__ import annotations

import logging
from collections.abc import Callable

QUIET = 60.0
"""Seconds without a loss after which there is room again: two lines a minute at most."""


class Fullness:
    """Follows the count of exchanges lost as `buffer_full`. `log` takes a level of `logging` and a
    text; `bound` is what the buffer may hold, in bytes."""

    def __init__(self, bound: int, lost: int, log: Callable[[int, str], None]) -> None:
        """`lost` is the count by now, of which nothing is told."""
        self._bound = bound
        self._lost = self._before = lost
        self._log = log
        self._latest: float | None = None  # when it was seen to rise, while it is full

    def look(self, lost: int, now: float) -> None:
        """Take the count at a time, in seconds of a clock that never jumps."""
        if lost > self._lost:
            if self._latest is None:
                self._before = self._lost
                self._log(
                    logging.WARNING,
                    f"the buffer is full (capture.buffer_bytes, {self._bound:,}): clients are "
                    "served, and exchanges without room leave no record (buffer_full); see whether "
                    "the recorder keeps up and the store answers",
                )
            self._lost, self._latest = lost, now
        elif self._latest is not None and now - self._latest >= QUIET:
            self._latest = None
            self._log(
                logging.INFO,
                "the buffer has had room for a minute again; exchanges that had none before "
                f"(buffer_full): {lost - self._before:,}",
            )
