"""Values as logs write them → times, counts and names; None or nothing for what is none."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from monitor import texts
from monitor.counts import count
from monitor.types import Tokens

MILLISECONDS = 1e11
"""No number of so many is Unix seconds."""
LONGEST = 200
"""Characters of a name."""
_NOTHING = frozenset(("", "none", "null", "nan", "undefined"))


def moment(value: Any) -> float | None:
    """Unix seconds of a text, in UTC where it says no offset, or of a number of s, ms, µs or ns.

    >>> moment("2023-11-14T22:13:20Z"), moment("2023-11-14 22:13:20"), moment("1700000000000000000")
    (1700000000.0, 1700000000.0, 1700000000.0)
    >>> moment("1712010201112")
    1712010201.112
    >>> moment(1.7e12), moment("soon"), moment(True), moment("2023-11-14T23:13:20.5+01:00")
    (1700000000.0, None, None, 1700000000.5)
    """
    at = None
    if not isinstance(value, str) or value[4:5] != "-":  # digits alone look like dates
        at = number(value)
    if at is None and isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return texts.seconds(value.strip())
    if at is None or at <= 0:
        return None
    while at >= MILLISECONDS:
        at /= 1000
    return at


def number(value: Any) -> float | None:
    """A finite number, which may be written as text.

    >>> number("1.5"), number(2), number(""), number("nan"), number(None)
    (1.5, 2.0, None, None, None)
    """
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def span(started: float | None, ended: float | None) -> float | None:
    """Seconds between two times; None where one is not known or the second is no later.

    >>> span(1.0, 3.5), span(1.0, 1.0), span(None, 1.0)
    (2.5, None, None)
    """
    if started is None or ended is None or ended <= started:
        return None
    return ended - started


def positive(value: Any, scale: float = 1.0) -> float | None:
    """A number above 0, divided by `scale`.

    >>> positive("250", 1000), positive(0), positive(-1)
    (0.25, None, None)
    """
    found = number(value)
    return found / scale if found is not None and found > 0 else None


def name(value: Any) -> str:
    """A short text or a whole number, as it is a dimension's value; empty for anything else.

    >>> name(" prod "), name(3), name("None"), name({"a": 1}), name("x" * 300)
    ('prod', '3', '', '', '')
    """
    if not isinstance(value, str):
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 63:
            return ""
        value = str(value)
    value = value.strip()
    return "" if len(value) > LONGEST or value.lower() in _NOTHING else value


def named(**values: Any) -> dict[str, str]:
    """The dimensions that have a value.

    >>> named(team="a", user=None, version=2)
    {'team': 'a', 'version': '2'}
    """
    return {key: said for key, value in values.items() if (said := name(value))}


def tokens(
    read: Any, written: Any, *, cached: Any = None, cache_write: Any = None, reasoning: Any = None
) -> Tokens | None:
    """Tokens read and written, and the parts of these; None where none were counted.

    >>> tokens("12", 3.0, cached=0) == Tokens(12, 3, cached=0), tokens(None, "x")
    (True, None)
    """
    input_, output = count(read), count(written)
    if input_ is None and output is None:
        return None
    return Tokens(input_, output, count(cached), count(cache_write), reasoning=count(reasoning))
