"""Answers → integer sums of one segment, which add up over shards and restarts bit for bit.

A weight is a whole number of 2⁻²⁰, a loss one of 2⁻⁸⁰; sums of their products are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from monitor.analysis.classes import LARGE
from monitor.analysis.quality.answers import Answer, overlap, plain
from monitor.analysis.quality.score_cells import cell

WEIGHT_BITS, LOSS_BITS = 20, 80
ONE = 1 << WEIGHT_BITS
"""The weight of a label that stands for itself."""

OTHER = "other"
"""The class of all that came when there were too many."""

SMALLEST = 2.0**-52
"""A probability of a label below this counts as this in the logarithmic loss."""

SCORED = 10
"""With more classes than these their scores are not told apart."""

ALL_CLASSES = 0.99
"""Probabilities that add up to this are those of all classes."""

HEAVIEST = 1e9
"""No label stands for more."""


_Saved = tuple[
    int,
    list[tuple[tuple[str, str], list[int]]],
    list[tuple[tuple[str, bool, int], list[int]]],
    list[tuple[str, list[int]]],
]


class Added(NamedTuple):
    """What one answer adds to each of its segments: a pair of classes, cells of scores as (class,
    whether it was true, cell), and losses by name in units of 2⁻⁸⁰."""

    pair: tuple[str, str] | None
    cells: list[tuple[str, bool, int]]
    losses: list[tuple[str, int]]


class AlikeSums(NamedTuple):
    """What differs among answers that are alike but for their scores: how many there are, how many
    fell into each cell, and (Σx, Σx²) of each loss x that depends on the score, by name."""

    answers: int
    cells: dict[tuple[str, bool, int], int]
    losses: dict[str, tuple[int, int]]


@dataclass
class Counts:
    """Sums of one segment.

    `pairs` are by (what was true, what was said), `cells` by (class, whether it was true, cell):
    [labels, sum of weights, sum of squared weights]. `losses` are by name: [labels, Σw, Σwx, Σw²,
    Σw²x, Σw²x²] of losses x. `labels` counts rows with a label.
    """

    labels: int = 0
    pairs: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    cells: dict[tuple[str, bool, int], list[int]] = field(default_factory=dict)
    losses: dict[str, list[int]] = field(default_factory=dict)

    def add(self, added: Added, weight: int) -> None:
        """Count one answer of a `weight` in units of 2⁻²⁰."""
        self.labels += 1
        square = weight * weight
        if added.pair is not None:
            _count(self.pairs, added.pair, weight, square)
        for key in added.cells:
            _count(self.cells, key, weight, square)
        for name, loss in added.losses:
            sums = self.losses.get(name)
            if sums is None:
                sums = self.losses[name] = [0] * 6
            weighted = weight * loss
            sums[0] += 1
            sums[1] += weight
            sums[2] += weighted
            sums[3] += square
            sums[4] += weight * weighted
            sums[5] += weighted * weighted

    def add_many(self, added: Added, weight: int, sums: AlikeSums) -> None:
        """Count answers that add the same but for their scores, as `add` would one by one."""
        count, square = sums.answers, weight * weight
        self.labels += count
        if added.pair is not None:
            _add(self.pairs, added.pair, [count, count * weight, count * square])
        for key, times in sums.cells.items():
            _add(self.cells, key, [times, times * weight, times * square])
        for name, loss in added.losses:
            once, twice = sums.losses.get(name) or (count * loss, count * loss * loss)
            _add(self.losses, name, [
                count, count * weight, weight * once, count * square, square * once, square * twice,
            ])  # fmt: skip

    def saved(self) -> bytes:
        """All of it as JSON, whose integers have no end."""
        return msgspec.json.encode(
            (self.labels, *(list(one.items()) for one in (self.pairs, self.cells, self.losses)))
        )

    @classmethod
    def restored(cls, entry: bytes) -> Counts:
        """What was saved; raises msgspec.DecodeError where it is damaged."""
        labels, pairs, cells, losses = msgspec.json.decode(entry, type=_Saved)
        return cls(labels, dict(pairs), dict(cells), dict(losses))

    def merge(self, other: Counts, named: Callable[[str], str]) -> None:
        """Add what was counted elsewhere; classes are called as `named` says."""
        self.labels += other.labels
        for (true, said), sums in other.pairs.items():
            _add(self.pairs, (named(true), named(said)), sums)
        for (name, is_true, where), sums in other.cells.items():
            _add(self.cells, (named(name), is_true, where), sums)
        for name, sums in other.losses.items():
            _add(self.losses, name, sums)


def units(weight: float) -> int:
    """A weight in units of 2⁻²⁰: at least one; 1 for what is no weight.

    >>> units(1.0) == ONE, units(float("nan")) == ONE, units(-3.0) == ONE, units(1e-9)
    (True, True, True, 1)
    """
    if not 0 < weight <= HEAVIEST:
        return ONE
    return max(1, round(weight * ONE))


def added_by(answer: Answer, name: Callable[[str], str]) -> Added:
    """What an answer adds; `name` gives the class under which a name is counted, the same or
    `other`."""
    losses: list[tuple[str, int]] = []
    if isinstance(answer.said, float) and isinstance(answer.true, float):
        error = _fixed(answer.said - answer.true)
        losses = [
            ("error", error),
            ("absolute", abs(error)),
            ("squared", error * error >> LOSS_BITS),
        ]
        whole = answer.said.is_integer() and answer.true.is_integer()
        pair = (name(_plainly(answer.true)), name(_plainly(answer.said))) if whole else None
        return Added(pair, [], [*losses, ("hit", _share(answer.said == answer.true))])
    said, true = str(answer.said), str(answer.true)
    if answer.is_text:
        losses.append(("text_hit", _share(plain(said) == plain(true))))
        losses.append(("overlap", _fixed(overlap(said, true))))
        return Added(None, [], losses)
    if " " in said or " " in true:
        losses.append(("overlap", _fixed(overlap(said, true))))
    else:
        losses.append(("overlap", _share(said == true)))
    losses.append(("hit", _share(said == true)))
    if answer.scores:
        positive = next(iter(answer.scores)) if answer.is_binary else ""
        share = answer.scores.get(true, 0.0)
        if answer.is_binary:
            share = answer.scores[positive] if true == positive else 1 - answer.scores[positive]
        if share or answer.is_binary or math.fsum(answer.scores.values()) >= ALL_CLASSES:
            losses.append(("log_loss", log_loss(share)))
    cells = []
    if answer.is_binary or 1 < len(answer.scores) <= SCORED:
        cells = [(name(of), of == true, cell(share)) for of, share in answer.scores.items()]
    return Added((name(true), name(said)), cells, losses)


def log_loss(share: float) -> int:
    """The logarithmic loss, in units of 2⁻⁸⁰, where what came true had this probability.

    >>> log_loss(1.0), log_loss(0.0) == log_loss(SMALLEST)
    (0, True)
    """
    return _fixed(-math.log(max(share, SMALLEST)))


def with_interval(added: Added, answer: Answer, ends: tuple[float, float], target: float) -> Added:
    """What a number adds that has a prediction interval, which is to hold the share `target` of
    labels: also its quantile loss, the mean pinball loss of both ends (Koenker and Bassett 1978).
    """
    if not isinstance(answer.true, float) or not all(abs(end) < LARGE for end in ends):
        return added
    loss = math.fsum(
        max(level * (answer.true - end), (level - 1) * (answer.true - end))
        for end, level in zip(ends, ((1 - target) / 2, (1 + target) / 2), strict=True)
    )
    return added._replace(losses=[*added.losses, ("quantile", _fixed(loss / 2))])


def mean(sums: list[int]) -> tuple[float, float]:
    """(mean, its variance) of a loss by its sums, weighted (Hájek): exact but for the last step.

    >>> half = 1 << (LOSS_BITS - 1)
    >>> mean([2, 2 * ONE, 2 * ONE * half, 2 * ONE**2, 2 * ONE**2 * half, 2 * ONE**2 * half**2])
    (0.5, 0.0)
    """
    _, weight, weighted, square, once, twice = sums
    unit = 1 << LOSS_BITS
    spread = twice * weight * weight - 2 * weighted * weight * once + weighted * weighted * square
    return weighted / (weight * unit), spread / (weight**4 * unit * unit)


def together(sums: list[list[int]]) -> list[int]:
    """The sums of losses of which each label has one.

    >>> together([[1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1]]), together([])
    ([2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0])
    """
    return [sum(each) for each in zip([0] * 6, *sums, strict=True)]


def cells_of(counts: Counts, name: str, *, true: bool) -> dict[int, list[int]]:
    """The cells of the scores of a class, of labels that were this class or that were not."""
    return {
        where: sums
        for (of, is_true, where), sums in counts.cells.items()
        if of == name and is_true == true
    }


def _plainly(number: float) -> str:
    return str(int(number))


def _fixed(value: float) -> int:
    return int(math.ldexp(value, LOSS_BITS))


def _share(right: bool) -> int:
    return 1 << LOSS_BITS if right else 0


def _count(table: dict[Any, list[int]], key: object, weight: int, square: int) -> None:
    sums = table.get(key)
    if sums is None:
        table[key] = [1, weight, square]
        return
    sums[0] += 1
    sums[1] += weight
    sums[2] += square


def _add(table: dict[Any, list[int]], key: object, sums: list[int]) -> None:
    ours = table.get(key)
    table[key] = list(sums) if ours is None else [a + b for a, b in zip(ours, sums, strict=True)]
