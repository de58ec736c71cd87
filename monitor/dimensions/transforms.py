"""Text → the value of a dimension: matched, mapped, put into buckets, in this order."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from monitor import expressions, json_paths

Transform = Callable[[str], str | None]


def matched(expression: str) -> Transform:
    """The first group of the first match; None where nothing matches."""
    compiled = expressions.compiled(expression)
    return lambda text: expressions.first(compiled, text)


def mapped(names: Mapping[str, str], *, is_closed: bool) -> Transform:
    """The name of a text; one that has none stays as it is, or is None where the map is closed.

    Raises ValueError where a name is empty.
    """
    if (unnamed := next((text for text, name in names.items() if not name), None)) is not None:
        raise ValueError(f"{unnamed!r} has an empty name; give it one, or leave it out")
    return lambda text: names.get(text, None if is_closed else text)


def bucketed(edges: Sequence[float]) -> Transform:
    """The bucket of a number, its lower edge included; None for what is no number.

    Raises ValueError where the edges do not rise.

    >>> [bucketed([18, 40, 65])(age) for age in ("17.9", "18", "64", "65", "old")]
    ['<18', '18-40', '40-65', '>=65', None]
    """
    if not edges or not all(map(math.isfinite, edges)):
        raise ValueError("have no edges; give numbers, as [18, 40, 65]")
    if any(left >= right for left, right in itertools.pairwise(edges)):
        raise ValueError(f"{list(edges)} do not rise; give them in order, as [18, 40, 65]")
    said = [json_paths.text(edge) for edge in edges]  # each by a name of its own
    between = [f"{low}-{high}" for low, high in itertools.pairwise(said)]
    names = [f"<{said[0]}", *between, f">={said[-1]}"]

    def bucket(text: str) -> str | None:
        try:
            number = float(text)
        except ValueError:
            return None
        return None if math.isnan(number) else names[bisect_right(edges, number)]

    return bucket
