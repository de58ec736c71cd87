"""Chance for a property test: a generator with a seed."""

from __future__ import annotations

import functools
import inspect
import os
import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

SEEDED = st.builds(random.Random, st.integers(0, (1 << 64) - 1))
"""Hypothesis draws the seed and nothing else. Of `st.randoms()` it draws each number that a test asks
for, which took nine tenths of the time of tests that bend and cut bytes."""

NIGHTLY = 20
"""So many times the examples and seeds are tried by night, also where a test says how many; and others each time."""


def seeded(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a test run with so many generators, each the argument `chance`; a failure names its seed.

    For what runs for each of many cases: Hypothesis takes 15 ms before it draws a first example.
    """

    def by(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(**arguments: Any) -> None:
            seeds = list(range(count))
            if os.environ.get("HYPOTHESIS_PROFILE") == "nightly":
                seeds = [random.getrandbits(64) for _ in range(NIGHTLY * count)]
            for seed in seeds:
                try:
                    test(**arguments, chance=random.Random(seed))
                except BaseException as error:
                    error.add_note(f"chance=random.Random({seed})")
                    raise

        told = inspect.signature(test)
        others = [one for name, one in told.parameters.items() if name != "chance"]
        run.__signature__ = told.replace(parameters=others)  # type: ignore[attr-defined]
        return run

    return by
