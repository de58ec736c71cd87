"""Scores with and without labels → how good predictions are to be expected (CBPE), and until when.

The first labels of a segment say what scores are worth: isotonic regression of what came true on
the score. From then on every row is expected to be a little right and a little wrong, whether its
label comes or not (confidence-based performance estimation; NannyML 2022). That holds as long as
scores are worth what they were, however the inputs drift. Whether they are is watched: of the
scores of each of a few `BLOCKS`, how many came true. What has changed there withdraws the estimate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np

from monitor.analysis.alike import Alike
from monitor.analysis.classes import is_nameless, scores_of, spelt, value_of
from monitor.analysis.drift.performance import Calibration, calibrate
from monitor.rows import Row, Truth
from monitor.tables.blocks import Block, Column
from monitor.types import Observation

BLOCKS = (0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)
"""Between these scores it is watched what scores are worth; narrow ones, so that a drift of the
inputs moves little within them."""

BLOCK = "score_block_"
"""The feature of a block is called so, and by its number."""


class Scored(NamedTuple):
    """The score of what a row says, 0 to 1, and whether that came true (None without a label).

    Of two classes that is the positive one, which was predicted or was not (`is_predicted`); of
    several the one that was predicted.
    """

    score: float
    is_predicted: bool
    came_true: bool | None
    is_binary: bool


def scored(truth: Truth, positive: str) -> Scored | None:
    """What a row's score is worth something for; None without a score of what was predicted, or
    where its class is none of those that labels name."""
    scores, is_binary = scores_of(truth, positive)
    if not scores:
        return None
    said, label = value_of(truth.prediction), value_of(truth.label)
    if is_binary:
        if label is not None and is_nameless(positive, spelt(label)):
            return None
        name, score = positive, scores[positive]
        is_predicted = score >= 0.5 if said is None else spelt(said) == positive
    else:
        likeliest = min(scores, key=lambda one: (-scores[one], one))
        name, is_predicted = likeliest if said is None else spelt(said), True
        if name not in scores:
            return None
        score = scores[name]
    came_true = None if label is None else spelt(label) == name
    return Scored(float(score), is_predicted, came_true, is_binary)


def watched(row: Row, one: Scored) -> Row | None:
    """What is watched of a row: whether a score of its block came true; None without a label."""
    if one.came_true is None:
        return None
    block = f"{BLOCK}{bisect_right(BLOCKS, one.score)}"
    return Row(row.at, {}, [Observation(block, "boolean", one.came_true)])


def watched_alike(run: Alike, came_true: Sequence[bool | None]) -> Block | None:
    """The same of rows of kinds, of which is known whether their scores came true; None where that
    is known of none."""
    known = np.array([one is not None for one in came_true])
    true = np.array([one is True for one in came_true], dtype=np.intp)
    which = np.array(run.which, dtype=np.intp)
    kept = np.flatnonzero(known[which])
    if not len(kept):
        return None
    true, scores = true[which[kept]], np.array(run.scores, dtype=np.float64)[kept]
    blocks = np.searchsorted(BLOCKS, scores, side="right")
    columns = []
    for number in np.unique(blocks).tolist():
        feature, rows = f"{BLOCK}{number}", np.flatnonzero(blocks == number)
        seen = [Observation(feature, "boolean", one) for one in (False, True)]
        columns.append(Column(feature, true[rows], seen, rows=rows))
    return Block(run.times()[kept], {}, columns)


_Saved = tuple[list[tuple[int, tuple[int, int]]], list[tuple[tuple[int, bool], int]], bool]


@dataclass
class Expected:
    """What is counted of one segment.

    `known` are the labels that say what scores are worth: (how many, how many came true) by cell.
    `coming` are the rows since, with a label or not, by (cell, whether it was predicted). `labels`
    are those of `known`, `worth` is made of them when it is asked for.
    """

    known: dict[int, tuple[int, int]] = field(default_factory=dict)
    coming: dict[tuple[int, bool], int] = field(default_factory=dict)
    is_binary: bool = True
    labels: int = 0
    worth: Calibration | None = field(default=None, compare=False)

    def add(self, one: Scored, place: int, learn: int, *, weighs_one: bool) -> None:
        """Count a row whose score is in the cell `place`.

        The first `learn` labels say what scores are worth. Those that were asked for with some
        probability, so that they do not weigh one, are another mix and say nothing of that.
        """
        self.is_binary &= one.is_binary
        if self.labels < learn:
            if one.came_true is not None and weighs_one:
                count, true = self.known.get(place, (0, 0))
                self.known[place] = count + 1, true + one.came_true
                self.labels += 1
            return
        key = place, one.is_predicted
        self.coming[key] = self.coming.get(key, 0) + 1

    def add_many(self, cells: Mapping[int, int], one: Scored) -> None:
        """Count rows like `one` but for their scores, once the first labels have come; `cells` say
        how many scores are in each."""
        self.is_binary &= one.is_binary
        for place, count in cells.items():
            key = place, one.is_predicted
            self.coming[key] = self.coming.get(key, 0) + count

    def merge(self, other: Expected) -> None:
        """Add the counts of another shard."""
        self.is_binary &= other.is_binary
        for place, (count, true) in other.known.items():
            ours = self.known.get(place, (0, 0))
            self.known[place] = ours[0] + count, ours[1] + true
        self.labels += other.labels
        self.worth = None
        for key, count in other.coming.items():
            self.coming[key] = self.coming.get(key, 0) + count

    def measures(self) -> dict[str, float]:
        """What is to be expected of the rows since, by measure; empty before there are any."""
        if not self.coming:
            return {}
        worth = self.worth = self.worth or self._calibration()
        hits = misses = positives = said = 0.0
        for (place, is_predicted), count in sorted(self.coming.items()):
            rate = worth(place)
            positives += count * rate
            if is_predicted:
                said += count
                hits += count * rate
            else:
                misses += count * (1 - rate)
        rows = sum(self.coming.values())
        found = {"accuracy": (hits + misses) / rows}
        if self.is_binary:
            for measure, part, whole in (
                ("precision", hits, said), ("recall", hits, positives),
                ("f1", 2 * hits, said + positives),
            ):  # fmt: skip
                if whole > 0:
                    found[measure] = part / whole
        return found

    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % intervals of `measures`: of what labels of these rows would show."""
        if not self.coming:
            return {}
        worth = self.worth = self.worth or self._calibration()
        rows = Counter[tuple[int, bool]]()
        for (place, is_predicted), count in self.coming.items():
            rows[worth.step(place), is_predicted] += count
        return worth.intervals(rows)

    def _calibration(self) -> Calibration:
        cells = [place for place, (count, _) in self.known.items() for _ in range(count)]
        truths = [number < true for count, true in self.known.values() for number in range(count)]
        return calibrate(cells, truths)

    def saved(self) -> bytes:
        """Both tables as JSON; integers have no end there."""
        kept = list(self.known.items()), list(self.coming.items()), self.is_binary
        return msgspec.json.encode(kept)

    @classmethod
    def restored(cls, entry: bytes) -> Expected:
        """What was saved; raises msgspec.DecodeError where it is damaged."""
        known, coming, is_binary = msgspec.json.decode(entry, type=_Saved)
        labels = sum(count for _, (count, _) in known)
        return cls(dict(known), dict(coming), is_binary, labels)
