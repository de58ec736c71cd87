"""What is made when it is first used: regular expressions, and properties that are remembered.

Every process loads what recognizers and checks look for, and to compile it was half of a recorder's
start; most texts ask little of it. What every text asks is compiled at once, with `re`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

_USED = ("match", "search", "fullmatch", "finditer", "findall", "sub", "split", "groupindex")


class _Lazy:
    """An expression that becomes a compiled one at its first use."""

    __slots__ = ("_made_of", *_USED)

    def __init__(self, pattern: str, flags: int) -> None:
        self._made_of = pattern, flags

    def __getattr__(self, name: str) -> Any:
        # Asked only while the slots are empty. Two threads at once compile the same twice.
        if name == "_made_of" or name.startswith("__"):  # of one that is being copied
            raise AttributeError(name)
        compiled = re.compile(*self._made_of)
        for each in _USED:
            setattr(self, each, getattr(compiled, each))
        return getattr(compiled, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Lazy, self._made_of


def lazy(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` returns, but for the time that it takes: that is spent at the first
    use, on which a pattern that is wrong raises, too.

    >>> lazy("b+").search("abbc").span()
    (1, 3)
    """
    return cast("re.Pattern[str]", _Lazy(pattern, flags))


class once(Generic[T]):  # noqa: N801  it stands where `cached_property` does
    """A property that is made when it is first asked for, and is an attribute from then on.

    It is `functools.cached_property` without the lock that Python 3.11 takes, in less than
    half of the time. Two threads that ask at once make it twice.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, instance: Any, owner: object = None) -> T:
        found = instance.__dict__[self._name] = self._make(instance)
        return found
