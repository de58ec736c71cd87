"""Figures of several rounds, as the pages of the benchmarks show them."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Sequence

import psutil


def spread(values: Sequence[float], form: str = ".0f", unit: str = "") -> str:
    """The median, with the smallest and the largest."""
    middle = f"{statistics.median(values):{form}}{unit}"
    return f"{middle} ({min(values):{form}}–{max(values):{form}})" if len(values) > 1 else middle


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Ours by theirs, round by round; nothing where both are the same."""
    if ours is theirs:
        return ""
    pairs = zip(ours, theirs, strict=True)
    return spread([one / other for one, other in pairs], ".2f", " ×")


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile by rank."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table, and an empty line."""
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def other_work(seconds: float = 2) -> float:
    """Cores that are busy while this process only waits for so many seconds."""
    return psutil.cpu_percent(seconds) / 100 * (os.cpu_count() or 1)
