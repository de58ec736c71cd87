"""Paths into JSON values: a small part of RFC 9535, whose walk costs a step for each part.

Names, `['any name']`, `[0]`, `[-1]`, and `[*]` for the first item that leads to a scalar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

MAX_STEPS = 32
MAX_ITEMS = 64
"""Items of a list that `[*]` looks at."""

_STEP = re.compile(r"\.([^.\[\]'\"]+)|\[(?:(-?\d{1,9})|(\*)|'([^']*)'|\"([^\"]*)\")\]")
_EXAMPLE = "give one as request.metadata.plan, response.choices[0].finish_reason or request['a b']"

Step = str | int | None
"""A name, a place in a list, or None for any place."""


def parsed(path: str) -> tuple[str, list[Step]]:
    """Return (`request` or `response`, steps); raises ValueError that says what would be right.

    >>> parsed("request.messages[-1]['a b']")
    ('request', ['messages', -1, 'a b'])
    """
    side = re.match(r"request|response", path)
    if side is None:
        raise ValueError(f"{path!r} begins with neither request nor response; {_EXAMPLE}")
    steps: list[Step] = []
    place = side.end()
    while place < len(path):
        found = _STEP.match(path, place)
        if found is None:
            raise ValueError(f"{path!r} is no path from {path[place:]!r} on; {_EXAMPLE}")
        name, index, anything, *quoted = found.groups()
        steps.append(
            int(index) if index else None if anything else name or quoted[0] or quoted[1] or ""
        )
        place = found.end()
    if not 1 <= len(steps) <= MAX_STEPS:
        raise ValueError(f"{path!r} has {len(steps)} steps; {_EXAMPLE}")
    return side[0], steps


def at(value: Any, steps: Sequence[Step]) -> Any:
    """What stands at a path, None where nothing does.

    >>> at({"a": [{"b": 1}, {"b": 2}]}, ["a", -1, "b"]), at({"a": [{}, {"b": 3}]}, ["a", None, "b"])
    (2, 3)
    """
    for place, step in enumerate(steps):
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif not isinstance(value, list):
            return None
        elif step is None:
            rest = steps[place + 1 :]
            found = (at(item, rest) for item in value[:MAX_ITEMS])
            return next((one for one in found if text(one) is not None), None)
        else:
            value = value[step] if -len(value) <= step < len(value) else None
        if value is None:
            return None
    return value


def text(value: Any) -> str | None:
    """A scalar as text, None for what is none.

    >>> text("a"), text(3), text(3.0), text(True), text({}), text(float("nan")), text("")
    ('a', '3', '3', 'true', None, 'nan', None)
    """
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        try:
            return str(int(value)) if whole else str(value)
        except ValueError:  # an integer of more digits than Python writes
            return None
    return None
