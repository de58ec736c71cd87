"""A row → the conditions that a slice can ask for: its segments, and bins of what is a number.

The score is none of them: what a model is less sure of is wrong more often, which is what scores
are for. Whether they say how often is the question of the measure `calibration`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from monitor.analysis.classes import spelt
from monitor.analysis.rows import segments_of
from monitor.rows import Row, Truth
from monitor.tables.numerals import octave
from monitor.texts import visible
from monitor.types import WHOLE

Condition = tuple[str, str]
"""(dimension, value) as they may be shown."""

TOKENS = (100, 300, 1000, 3000, 8000, 30000, 100000)
"""Between these numbers of tokens are bins."""

SHORT = 64
"""A prediction of more characters is a text, and not a class."""


def conditions_of(row: Row, dimensions: Sequence[str] | None) -> list[Condition]:
    """The conditions that a row meets, each dimension once but for edge cases; `dimensions` are the
    segments that count, None for all."""
    found = [
        (visible(dimension), visible(value))
        for dimension, value in segments_of(row, dimensions)
        if dimension != WHOLE.dimension
    ]
    if row.truth is not None:
        found += _binned(row.truth)
    return found


def _binned(truth: Truth) -> list[Condition]:
    found = []
    said = truth.prediction
    if isinstance(said, str):
        if 0 < len(said) <= SHORT:
            found.append(("prediction", visible(said)))
    elif said is not None and math.isfinite(said):
        is_class = truth.score is not None  # of numbers of a regression there is none
        found.append(("prediction", spelt(said) if is_class else octave(float(said))))
    for name, count in (
        ("input_tokens", truth.input_tokens), ("output_tokens", truth.output_tokens)
    ):  # fmt: skip
        if count is not None:
            found.append((name, tokens(count)))
    return found


def tokens(count: int) -> str:
    """The bin of a number of tokens.

    >>> tokens(0), tokens(8000), tokens(10**9)
    ('below 100', '8,000 to 30,000', 'from 100,000')
    """
    place = bisect_right(TOKENS, count)
    if place == 0:
        return f"below {TOKENS[0]:,}"
    if place == len(TOKENS):
        return f"from {TOKENS[-1]:,}"
    return f"{TOKENS[place - 1]:,} to {TOKENS[place]:,}"
