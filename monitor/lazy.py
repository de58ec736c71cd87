"""Regular expressions that are compiled when they are first used.

Every process loads what recognizers and checks look for, and to compile it was half of a recorder's
start; most texts ask little of it. What every text asks is compiled at once, with `re`.
"""

from __future__ import annotations

import re
from typing import Any, cast

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
