"""Panes → History: what a stream of values has counted so far, and where it may have changed.

A history is one vector of counts since the watch began and a few change points, each that vector as
it was at the end of some pane: the counts since one are a difference. After the counts of bins may
come whatever else adds up. Change points are the possible starts of a change and the beginnings of
windows; near ones stand close together, far ones ever further apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from monitor.sequential.beta_binomials import Ints

CHANGE_POINTS = 10
"""So many change points are kept, the first among them; any subset keeps the evidence valid."""

NEAR = 5
"""The newest change points are all kept: windows begin there."""


class History:
    """Counts since the watch began, and change points on the way. All integers; the first
    `bins` of each vector are counts of values."""

    __slots__ = ("_block", "bins", "born", "change_points", "starts", "times", "total")

    def __init__(self, size: int, began: float, bins: int | None = None) -> None:
        self.bins = size if bins is None else bins
        self.total: Ints = np.zeros(size, dtype=np.int64)
        self.change_points: Ints = np.zeros((1, size), dtype=np.int64)
        self.times = [began]
        self.born = [1]
        self.starts = 1
        self._block = 0

    def close(self, counts: Ints, end: float, block: int) -> bool:
        """Add a pane that ended at `end`; True where it made a change point (every `block`)."""
        self.total = self.total + counts
        self._block += int(counts[: self.bins].sum())
        if self._block < block:
            return False
        self._block = 0
        self.starts += 1
        self.change_points = np.concatenate((self.change_points, self.total[None]))
        self.times.append(end)
        self.born.append(self.starts)
        if len(self.born) > CHANGE_POINTS:
            self._thin()
        return True

    def recent(self, live: Ints, samples: int) -> int:
        """The newest change point since which `live` has at least `samples`; else the first."""
        since = int(live[: self.bins].sum()) - self.change_points[:, : self.bins].sum(axis=1)
        enough = np.flatnonzero(since >= samples)
        return int(enough[-1]) if len(enough) else 0

    def restart(self, point: int) -> None:
        """Forget what came before a change point."""
        self.total = self.total - self.change_points[point]
        self.times = [self.times[point]]
        self.change_points = np.zeros((1, len(self.total)), dtype=np.int64)
        self.born = [1]
        self.starts = 1
        self._block = 0

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        return {
            "cells": self.bins,
            "total": self.total.tolist(),
            "marks": self.change_points.tolist(),
            "times": self.times,
            "born": self.born,
            "starts": self.starts,
            "block": self._block,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> History:
        """The history whose `state` this is."""
        history = cls(len(state["total"]), 0.0, state["cells"])
        history.total = np.array(state["total"], dtype=np.int64)
        history.change_points = np.array(state["marks"], dtype=np.int64)
        history.times = [float(time) for time in state["times"]]
        history.born = list(state["born"])
        history.starts = state["starts"]
        history._block = state["block"]
        return history

    def _thin(self) -> None:
        """Drop the change point whose absence leaves the smallest hole for its age."""
        born, now = self.born, self.starts
        drop = min(
            range(1, len(born) - NEAR),
            key=lambda index: (born[index + 1] - born[index - 1]) / (now - born[index + 1] + NEAR),
        )
        kept = self.change_points[:drop], self.change_points[drop + 1 :]
        self.change_points = np.concatenate(kept)
        del self.times[drop], born[drop]
