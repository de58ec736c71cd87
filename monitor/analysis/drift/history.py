"""Panes → Trail: what a stream of values has counted so far, and the moments one may look back to.

A trail is one vector of counts since the watch began and a few marks, each that vector as it was
at the end of some pane: the counts since a mark are a difference. After the counts of cells may
come whatever else adds up. Marks are the possible starts of
a change and the beginnings of windows; near ones stand close together, far ones ever further apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from monitor.analysis.drift.evidence import Ints

MARKS = 10
"""So many marks are kept, the first among them; any subset keeps the evidence valid."""

NEAR = 5
"""The newest marks are all kept: windows begin there."""


class Trail:
    """Counts since the watch began, and marks on the way. All integers; the first `cells` of each
    vector are counts of values."""

    __slots__ = ("_block", "born", "cells", "marks", "starts", "times", "total")

    def __init__(self, size: int, began: float, cells: int | None = None) -> None:
        self.cells = size if cells is None else cells
        self.total: Ints = np.zeros(size, dtype=np.int64)
        self.marks: Ints = np.zeros((1, size), dtype=np.int64)
        self.times = [began]
        self.born = [1]
        self.starts = 1
        self._block = 0

    def close(self, counts: Ints, end: float, block: int) -> bool:
        """Add a pane that ended at `end`; True where this made a mark, every `block` values."""
        self.total = self.total + counts
        self._block += int(counts[: self.cells].sum())
        if self._block < block:
            return False
        self._block = 0
        self.starts += 1
        self.marks = np.vstack((self.marks, self.total))
        self.times.append(end)
        self.born.append(self.starts)
        if len(self.born) > MARKS:
            self._thin()
        return True

    def recent(self, live: Ints, samples: int) -> int:
        """The newest mark since which `live` has counted at least `samples`; else the first."""
        since = int(live[: self.cells].sum()) - self.marks[:, : self.cells].sum(axis=1)
        enough = np.flatnonzero(since >= samples)
        return int(enough[-1]) if len(enough) else 0

    def restart(self, mark: int) -> None:
        """Forget what came before a mark."""
        self.total = self.total - self.marks[mark]
        self.times = [self.times[mark]]
        self.marks = np.zeros((1, len(self.total)), dtype=np.int64)
        self.born = [1]
        self.starts = 1
        self._block = 0

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        return {
            "cells": self.cells,
            "total": self.total.tolist(),
            "marks": self.marks.tolist(),
            "times": self.times,
            "born": self.born,
            "starts": self.starts,
            "block": self._block,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Trail:
        """The trail whose `state` this is."""
        trail = cls(len(state["total"]), 0.0, state["cells"])
        trail.total = np.array(state["total"], dtype=np.int64)
        trail.marks = np.array(state["marks"], dtype=np.int64)
        trail.times = [float(time) for time in state["times"]]
        trail.born = list(state["born"])
        trail.starts = state["starts"]
        trail._block = state["block"]
        return trail

    def _thin(self) -> None:
        """Drop the mark whose absence leaves the smallest hole for its age."""
        born, now = self.born, self.starts
        drop = min(
            range(1, len(born) - NEAR),
            key=lambda index: (born[index + 1] - born[index - 1]) / (now - born[index + 1] + NEAR),
        )
        self.marks = np.delete(self.marks, drop, axis=0)
        del self.times[drop], born[drop]
