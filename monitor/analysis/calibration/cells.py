"""Score → cell: where it counts in the reliability diagram, and in the evidence."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.known_probability import UNIT, units

TAILS = (0.001, 0.003, 0.01, 0.03)
"""Bins at both ends are split there: scores of rare or sure events are all in them."""

COUNTED = 5
"""What is counted in each cell: labels, those that came true, Σp, Σp², and Σp of those."""


@dataclass(frozen=True)
class Cells:
    """So many equal `bins` of scores from 0 to 1, and the cells that they are made of.

    A bin holds its lower edge, and the last one 1 as well; so does a cell. `edges` are those
    between cells, `first` says which cell is the first of each bin.
    """

    bins: int
    edges: tuple[float, ...]
    first: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.edges) + 1

    @property
    def middles(self) -> Floats:
        """The scores that stand for the cells in bets on a temperature."""
        edges = np.array((0.0, *self.edges, 1.0))
        return np.asarray((edges[1:] + edges[:-1]) / 2)

    def added(self, score: float, *, came_true: bool) -> list[tuple[int, int]]:
        """(place, integer) of what a score with a label adds to counts, (`COUNTED` x `size`).

        Sums are in `known_probability.UNIT`s.
        """
        cell, size, p = bisect_right(self.edges, score), self.size, units(score)
        added = [(cell, 1), (2 * size + cell, p), (3 * size + cell, (p * p + UNIT // 2) // UNIT)]
        return [*added, (size + cell, 1), (4 * size + cell, p)] if came_true else added

    def added_by(self, scores: Sequence[float], *, came_true: bool) -> list[tuple[int, int]]:
        """What scores with equal labels add together.

        >>> cells = cells_of(2)
        >>> one = cells.added(0.25, came_true=True)
        >>> cells.added_by([0.25, 0.25], came_true=True) == [(at, 2 * n) for at, n in one]
        True
        """
        found: dict[int, int] = {}
        for score in scores:
            for place, integer in self.added(score, came_true=came_true):
                found[place] = found.get(place, 0) + integer
        return list(found.items())

    def in_bins(self, counts: Ints) -> Ints:
        """Counts by cell, (`COUNTED` x `size`,), as counts by bin (`COUNTED`, bins)."""
        by_cell = counts.reshape(COUNTED, self.size)
        return np.asarray(np.add.reduceat(by_cell, np.array(self.first), axis=1))


def cells_of(bins: int) -> Cells:
    """The cells of so many equal bins.

    >>> cells_of(2).edges
    (0.001, 0.003, 0.01, 0.03, 0.5, 0.97, 0.99, 0.997, 0.999)
    """
    inner = [number / bins for number in range(1, bins)]
    edges = sorted({*inner, *TAILS, *(round(1 - tail, 3) for tail in TAILS)})
    return Cells(bins, tuple(edges), (0, *(edges.index(edge) + 1 for edge in inner)))
