"""Values of dimensions → the value of a dimension crossed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.types import ABSENT


def crossed(dimensions: Sequence[str], segments: Mapping[str, str]) -> str:
    """The values of some dimensions joined by `|`; `none` where one of them is not stated.

    >>> crossed(["a", "b"], {"a": "x", "b": "y"}), crossed(["a", "b"], {"a": "x", "b": "none"})
    ('x|y', 'none')
    """
    values = [segments.get(name, ABSENT) for name in dimensions]
    return ABSENT if ABSENT in values else "|".join(values)
