"""The garbage collector → short collections between two pieces of work.

By itself it comes in the midst of a page of Records, looks at all their objects in one go (16 ms
for 50,000), and finds nothing: they have no cycles.
"""

from __future__ import annotations

import gc

BY_ITSELF = 50_000, 20, 50
"""Thresholds of `gc.set_threshold`, for work that calls `collect` too seldom."""
FEW = 1000
"""New objects that are still alive; to look at so many takes half a millisecond."""
SELDOM = 10_000
"""Collections of what is new for one of all that is there, which takes up to a tenth of a second.
At 200 chats a second that is about once in 20 minutes."""

_left: int | None = None


def begin() -> None:
    """Collect what is new since the process has loaded, and from now on seldom by itself.

    What is loaded was left out by `gc.freeze`: to look at all of it takes a tenth of a second, and
    frees a few hundred objects.
    """
    gc.set_threshold(*BY_ITSELF)
    _collect()


def collect() -> None:
    """Collect what is new, if that is much; call it after each piece of work.

    What stays is not looked at again, but seldom. Without `begin` this does nothing.
    """
    global _left  # noqa: PLW0603  a process has one collector
    if _left is None or gc.get_count()[0] < FEW:
        return
    if _left == 0:
        gc.unfreeze()
        _collect()
    else:
        _left -= 1
        gc.collect(0)
        gc.freeze()


def _collect() -> None:
    """Look at all that is not left out, and leave out what stays of it."""
    global _left  # noqa: PLW0603
    _left = SELDOM
    gc.collect()
    gc.freeze()
