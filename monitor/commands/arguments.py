"""Types of options that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from typing import Any

from monitor.errors import UsageError
from monitor.settings.validation import did_you_mean
from monitor.tables.cells import is_empty, moment


def time(text: str) -> float:
    """Unix seconds of a time as people write it, as argparse wants it.

    >>> time("2024-02-29T12:00:00Z")
    1709208000.0
    """
    at = moment(text)
    if at is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2024-02-29T12:00:00Z")
    return at


def check_range(options: argparse.Namespace) -> None:
    """Raise UsageError where nothing can lie between `--from` and `--to`."""
    if is_empty(options.start, options.end):
        raise UsageError("--to: is not later than --from, so nothing lies between the two")


class Several(argparse.Action):
    """Values parted by commas; an option that is given again adds its own to them, each once.

    `most` bounds how many there may be, wherever they stand.
    """

    def __init__(self, *args: Any, most: int | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self._most = most

    def __call__(self, _parser: object, found: argparse.Namespace, values: Any, *_: object) -> None:
        """Add `values` to what is there. Raises ArgumentError when they are too many."""
        every = tuple(dict.fromkeys((*getattr(found, self.dest), *values)))
        if self._most is not None and len(every) > self._most:
            raise argparse.ArgumentError(self, f"has more than {self._most} values")
        setattr(found, self.dest, type(self.default)(every))


def some_of(known: Collection[str]) -> Callable[[str], frozenset[str]]:
    """The type of an option that takes some of these words, parted by commas."""

    def wanted(text: str) -> frozenset[str]:
        words = frozenset(one.strip() for one in text.split(","))
        if unknown := sorted(words - set(known)):
            near = did_you_mean(unknown[0], known)
            raise argparse.ArgumentTypeError(
                f"{unknown[0]!r} is not one of {', '.join(known)}{near}"
            )
        return words

    return wanted
