"""Rows of a made-up endpoint, with a slice that is worse or without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from monitor.rows import Row, Truth

DIMENSIONS, VALUES = 6, 4


def traffic(
    seed: int,
    count: int,
    *,
    rate: float = 0.1,
    worse: float | None = None,
    where: Mapping[str, str] | None = None,
) -> Iterator[Row]:
    """Rows of six dimensions with four values each, wrong with the probability `rate`, but with that
    of `worse` where all of `where` holds."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, VALUES, size=(count, DIMENSIONS))
    drawn = rng.random(count)
    for number in range(count):
        segments = {f"d{place}": f"v{value}" for place, value in enumerate(values[number])}
        is_worse = where is not None and where.items() <= segments.items()
        wrong = drawn[number] < (worse if is_worse and worse is not None else rate)
        truth = Truth(prediction="1", label="0" if wrong else "1", id=f"{number:06}")
        yield Row(float(number), segments, [], truth=truth)
