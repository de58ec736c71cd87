"""Sums of one segment → how good its predictions were, by measure and by class, with intervals.

| what was predicted | measures |
|---|---|
| one of two classes | accuracy; precision, recall, F1 of the positive one; AUC, logarithmic loss |
| one of several | the same, but precision, recall and F1 are means over the classes |
| a number | mean absolute error, root of the mean squared error, mean error; of an interval the
quantile loss |
| a text | exact match, overlap of words |

Rates of labels that stand for themselves have an exact interval, all else an asymptotic one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from monitor.analysis.classes import renamed
from monitor.analysis.quality.counts import (
    ONE,
    OTHER,
    Counts,
    cells_of,
    mean,
    together,
)
from monitor.analysis.quality.intervals import margin, of_rate
from monitor.analysis.quality.score_cells import area

NUMBERS = 10
"""Whole numbers of so many different values at most are classes."""

CROWDED = 0.1
"""Where classes that have no name of their own are this share, none is spoken of."""

RARE = 20
"""With fewer labels on the rarer side of a share it has no asymptotic interval."""

SHARE = (0.0, 1.0)

TEXTS = 0.1
"""Where this share of what was said or true is long, all of it is text."""

Pair = tuple[str, str]
"""(what was true, what was said)."""

Coefficient = Callable[[str, str], int]


class Measured(NamedTuple):
    """A measure and its interval; None where it would divide by 0, or where there is none."""

    measure: str
    number: float | None
    lower: float | None
    upper: float | None
    labels: int


class Ratio(NamedTuple):
    """A measure of class `name` as a share of its pairs: how often each counts as a `part`, and how
    often as a part of the `whole`."""

    name: str
    part: Coefficient
    whole: Coefficient


def of(counts: Counts, positive: str) -> list[Measured]:
    """Every measure of what was counted; `positive` is the class that scores are of."""
    kind = kind_of(counts)
    if kind == "number":
        return _of_numbers(counts)
    if kind == "text":
        both = together([counts.losses[one] for one in ("hit", "text_hit") if one in counts.losses])
        return [
            _rate("exact_match", both),
            _mean("token_overlap", counts.losses["overlap"], within=SHARE),
        ]
    if kind == "class":
        return list(_of_classes(counts, positive))
    return []


def kind_of(counts: Counts) -> str:
    """What was predicted, `class`, `number` or `text`; empty where nothing was counted."""
    hits, texts = (counts.losses.get(one, [0])[0] for one in ("hit", "text_hit"))
    if not hits + texts:
        return ""
    if texts > TEXTS * (hits + texts):
        return "text"
    # A few numbers among classes are labels of another kind, and classes stay what is measured.
    if 2 * counts.losses.get("error", [0])[0] >= hits:
        whole = sum(one[0] for one in counts.pairs.values())
        few = len({true for true, _ in counts.pairs}) <= NUMBERS
        return "class" if few and whole == hits else "number"
    return "class"


def by_class(counts: Counts, positive: str) -> Iterator[tuple[str, Measured]]:
    """(class, measure) of every class that was said or true, where classes were predicted."""
    if kind_of(counts) != "class" or _is_crowded(counts):
        return
    pairs = _related(named(counts, positive))
    for name in sorted(pairs):
        for measure, ratio in _of_class(name).items():
            yield name, _ratio(measure, pairs, [ratio], is_rate=measure != "f1")


def _of_classes(counts: Counts, positive: str) -> Iterator[Measured]:
    yield _rate("accuracy", counts.losses["hit"])
    if _is_crowded(counts):
        yield _rate("exact_match", counts.losses["hit"])
        yield _mean("token_overlap", counts.losses["overlap"], within=SHARE)
    else:
        yield from _of_named_classes(counts, positive)
    if scored := {of for of, _, _ in counts.cells}:
        yield _auc(counts, sorted(scored - {OTHER}))
    if "log_loss" in counts.losses:
        yield _mean("log_loss", counts.losses["log_loss"], within=(0.0, math.inf))


def _of_named_classes(counts: Counts, positive: str) -> Iterator[Measured]:
    pairs = _related(named(counts, positive))
    names = sorted(pairs)
    scored = {of for of, _, _ in counts.cells}
    has_positive = positive in names and (len(names) <= 2 or scored == {positive})
    each = [_of_class(name) for name in ([positive] if has_positive else names)]
    for measure in ("precision", "recall", "f1"):
        is_rate = has_positive and measure != "f1"
        yield _ratio(measure, pairs, [one[measure] for one in each], is_rate=is_rate)
    if has_positive:
        each = [_of_class(name) for name in names]
        for measure in ("precision", "recall", "f1"):
            yield _ratio(f"{measure}_macro", pairs, [one[measure] for one in each])


def named(counts: Counts, positive: str) -> dict[Pair, list[int]]:
    """The pairs of classes as labels call them, where a score alone said what was predicted."""
    found: dict[Pair, list[int]] = {}
    names = renamed(counts.pairs, positive)
    for (true, said), sums in counts.pairs.items():
        pair = true, names.get(said, said)
        found[pair] = [one + more for one, more in zip(found.get(pair, [0] * 3), sums, strict=True)]
    return found


def _is_crowded(counts: Counts) -> bool:
    """Whether there are too many classes to speak of each."""
    others = sum(sums[0] for pair, sums in counts.pairs.items() if OTHER in pair)
    return others > CROWDED * sum(sums[0] for sums in counts.pairs.values())


def _related(pairs: Mapping[Pair, list[int]]) -> dict[str, dict[Pair, list[int]]]:
    """The pairs of each class, those that it was said or true in."""
    found: dict[str, dict[Pair, list[int]]] = {}
    for pair, sums in pairs.items():
        for name in pair:
            found.setdefault(name, {})[pair] = sums
    return found


def _of_class(name: str) -> dict[str, Ratio]:
    """The measures of one class as shares of pairs."""

    def both(true: str, said: str) -> int:
        return int(true == said == name)

    return {
        "precision": Ratio(name, both, lambda _, said: int(said == name)),
        "recall": Ratio(name, both, lambda true, _: int(true == name)),
        "f1": Ratio(
            name,
            lambda true, said: 2 * both(true, said),
            lambda true, said: int(true == name) + int(said == name),
        ),
    }


def _of_numbers(counts: Counts) -> list[Measured]:
    squared = _mean("rmse", counts.losses["squared"], within=(0.0, math.inf))
    roots = [None if one is None else math.sqrt(one) for one in squared[1:4]]
    found = [
        _mean("mae", counts.losses["absolute"], within=(0.0, math.inf)),
        Measured("rmse", roots[0], roots[1], roots[2], squared.labels),
        _mean("mean_error", counts.losses["error"]),
    ]
    if "quantile" in counts.losses:
        found.append(_mean("quantile_loss", counts.losses["quantile"], within=(0.0, math.inf)))
    return found


def _auc(counts: Counts, scored: Sequence[str]) -> Measured:
    """The area under the curve, of several classes the mean of each against all others.

    The interval of a mean is that of areas which err together, the widest that can be.
    """
    numbers, margins, labels = [], [], 0
    for name in scored:
        yes, no = (cells_of(counts, name, true=true) for true in (True, False))
        labels = sum(one[0] for one in (*yes.values(), *no.values()))
        found = area(yes, no)
        if found is not None:
            numbers.append(found[0])
            margins.append(margin(found[1], labels))
    if not numbers:
        return Measured("auc", None, None, None, labels)
    number = math.fsum(numbers) / len(numbers)
    known = [one for one in margins if one is not None]
    reach = math.fsum(known) / len(known) if len(known) == len(margins) else None
    return _reaching("auc", number, reach, labels, SHARE)


def _rate(measure: str, sums: list[int]) -> Measured:
    """A share of labels, by sums of losses that are 0 or 1."""
    labels, weight, _, square, _, _ = sums
    if not labels:
        return Measured(measure, None, None, None, 0)
    if weight == labels * ONE and square == labels * ONE * ONE:
        hits = round(mean(sums)[0] * labels)
        return Measured(measure, hits / labels, *of_rate(hits, labels), labels)
    return _mean(measure, sums, within=SHARE)


def _mean(
    measure: str, sums: list[int], *, within: tuple[float, float] = (-math.inf, math.inf)
) -> Measured:
    number, variance = mean(sums)
    return _reaching(measure, number, margin(variance, sums[0]), sums[0], within)


def _ratio(
    measure: str,
    related: Mapping[str, Mapping[Pair, list[int]]],
    ratios: Sequence[Ratio],
    *,
    is_rate: bool = False,
) -> Measured:
    """The mean of some ratios, with the variance of the delta method: that of the sum over all
    labels of how far each moves it. A ratio whose whole is empty is 0, as scikit-learn has it, but
    where it is alone."""
    every = {pair: sums for one in related.values() for pair, sums in one.items()}
    labels = sum(sums[0] for sums in every.values())
    numbers, moves = [], dict.fromkeys(every, 0.0)
    for ratio in ratios:
        pairs = related.get(ratio.name, {})
        part = sum(ratio.part(*pair) * sums[1] for pair, sums in pairs.items())
        whole = sum(ratio.whole(*pair) * sums[1] for pair, sums in pairs.items())
        numbers.append(part / whole if whole else 0.0)
        for pair in pairs if whole else ():
            moved = ratio.part(*pair) - numbers[-1] * ratio.whole(*pair)
            moves[pair] += moved / whole / len(ratios)
        if not whole and len(ratios) == 1:
            return Measured(measure, None, None, None, labels)
    if not numbers:
        return Measured(measure, None, None, None, labels)
    if is_rate and all(sums[1] == sums[0] * ONE for sums in every.values()):
        among = {pair: sums[0] for pair, sums in every.items() if ratios[0].whole(*pair)}
        hits = sum(count for pair, count in among.items() if ratios[0].part(*pair))
        total = sum(among.values())
        return Measured(measure, hits / total, *of_rate(hits, total), labels)
    variance = math.fsum(moves[pair] ** 2 * sums[2] for pair, sums in every.items())
    number = math.fsum(numbers) / len(numbers)
    return _reaching(measure, number, margin(variance, labels), labels, SHARE)


def _reaching(
    measure: str, number: float, reach: float | None, labels: int, within: tuple[float, float]
) -> Measured:
    is_share = within == SHARE and measure != "auc"
    if reach is None or (is_share and labels * min(number, 1 - number) < RARE):
        return Measured(measure, number, None, None, labels)
    lower, upper = max(number - reach, within[0]), min(number + reach, within[1])
    return Measured(measure, number, lower, upper, labels)
