"""A reference profile's document → what is usual in each column, without the numbers of drift.

Reading the whole profile needs numpy, which a sidecar does without; `analysis.drift.profiles` and
`analysis.drift.reference` say what the document holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from monitor.view import Usual

_GRID = 1 << 16
"""Steps from the first edge to the last in which a profile adds up numbers."""
_RARE = 0.01
"""A column with a larger share of values that have no bin of their own has no known categories:
they are ids, or texts."""


class _Bins(msgspec.Struct):
    shape: str
    edges: list[float] = []
    categories: list[str] = []
    vocabulary: bytes = b""


class _Reference(msgspec.Struct):
    cells: _Bins
    counts: list[int]
    sums: list[int] = []
    squares: int = 0


class _Entry(msgspec.Struct):
    feature: str
    dimension: str
    reference: _Reference


class _Document(msgspec.Struct):
    references: list[_Entry]


def usual(document: bytes) -> Mapping[str, Usual]:
    """What is usual in each column of the whole traffic, by its name.

    Raises msgspec.DecodeError where the document is no profile.
    """
    read = msgspec.json.decode(document, type=_Document)
    found = {}
    for entry in read.references:
        known = _usual(entry.reference) if entry.dimension == "all" else None
        if known is not None:
            found[entry.feature] = known
    return found


def _usual(reference: _Reference) -> Usual | None:
    bins, counts = reference.cells, reference.counts
    if bins.shape == "categorical" and bins.categories:
        known = sum(counts[: len(bins.categories)])
        others = sum(counts[len(bins.categories) : len(bins.categories) + 1])
        if others > _RARE * (known + others):
            return None
        return Usual(categories=frozenset(bins.categories))
    if bins.shape != "numeric" or bins.vocabulary or len(bins.edges) < 2:
        return None
    low, high = bins.edges[0], bins.edges[-1]
    samples = sum(counts[: len(bins.edges) + 1])
    if not samples:
        return None
    mean = sum(reference.sums) / samples
    variance = max(reference.squares / samples - mean * mean, 0.0)
    return Usual(low, high, math.sqrt(variance) * ((high / _GRID - low / _GRID) or 1.0))
