"""A step of several items together → what it makes of each, or what it raised there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from monitor.turns import give_way

T = TypeVar("T")
R = TypeVar("R")


def each(step: Callable[[T], R], items: Iterable[T | Exception]) -> list[R | Exception]:
    """Take a step with each item; of one that raises the exception goes on in its place."""
    found: list[R | Exception] = []
    for one in items:
        give_way()
        if isinstance(one, Exception):
            found.append(one)
            continue
        try:
            found.append(step(one))
        except Exception as error:  # noqa: BLE001  one exchange is no reason to lose the others
            behind = error.__traceback__ and error.__traceback__.tb_next
            found.append(error.with_traceback(behind))  # which is not of this frame: no cycle
    return found
