"""Long work → short stretches of it: between them others may have the core.

A kernel may leave a busy process its core for a whole tick (4 ms at 250 Hz) although another has
been woken. So what works long in our processes gives way now and then: recorder, analyzer and pages
are neighbours of the proxy and of the model endpoint.
"""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from threading import get_ident
from time import monotonic, thread_time
from typing import TypeVar

STRETCH = 0.0003
"""Seconds of CPU time between two moments at which others may have the core, about. Linux charges a
process that gives way for the rest of its turn (1.4 ms and more): with much shorter stretches it
would get next to nothing beside a process that never sleeps."""

T = TypeVar("T")

KNOWN = 0.001
"""Seconds for which who is alone knows its CPU time."""

_NEVER = math.inf
_known_until = 0.0  # monotonic
_look_at = 0.0  # monotonic
_began = 0, 0.0  # the thread that gave way, and its CPU time then


def give_way() -> None:
    """Let a process that waits for this core have it, if this one has had it for `STRETCH`.

    Call it often: it takes 0.1 µs within a stretch, and 2 µs at the end of one.
    """
    global _look_at, _began  # noqa: PLW0603  a core belongs to a process
    if _look_at == _NEVER:  # to ask for the time takes longer than all else here
        return
    now = monotonic()
    if now < _look_at:
        return
    left = _began[1] + STRETCH - thread_time()
    if 0.0 < left <= STRETCH:  # this process itself has waited meanwhile
        _look_at = now + left
        return
    os.sched_yield()
    _began = get_ident(), thread_time()
    _look_at = monotonic() + STRETCH


@contextmanager
def alone() -> Generator[None]:
    """Give way to nobody: a command that looks at what is at rest is no neighbour of a proxy. What
    it forks does not either."""
    global _look_at, _began  # noqa: PLW0603  as above
    _look_at, _began = _NEVER, (0, 0.0)
    try:
        yield
    finally:
        _look_at = 0.0


def worked() -> float:
    """Return the CPU time of this thread in seconds. Where it has just called `give_way` that is at
    most a stretch old, who is alone asks every `KNOWN`, and otherwise it costs a call of the
    system."""
    global _began, _known_until
    thread, began = _began
    is_alone, now = _look_at == _NEVER, monotonic()
    # Later than that it may be as old as the last long work, hours ago.
    if thread == get_ident() and now < (_known_until if is_alone else _look_at):
        return began
    began = thread_time()
    if is_alone:
        _began, _known_until = (get_ident(), began), now + KNOWN
    return began


def in_turns(items: Iterable[T]) -> Iterator[T]:
    """Return the same items, and give way between them.

    >>> list(in_turns("abc"))
    ['a', 'b', 'c']
    """
    return iter(items) if _look_at == _NEVER else _in_turns(items)


def _in_turns(items: Iterable[T]) -> Iterator[T]:
    for item in items:
        yield item
        give_way()
