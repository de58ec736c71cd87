"""Groups and reviews, watched: four fifths without crying wolf, and rates from a chosen few."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from outcome_arms import ALPHA, first, share, watched

from monitor.analysis.fairness.monitor import FairnessMonitor
from monitor.analysis.fold import Analysis
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Fairness
from monitor.readable import rounded
from monitor.rows import Row, Truth
from monitor.sequential import two_arms
from monitor.sequential.confidence_sequences import Moments, ratio
from monitor.sequential.weighted import Item, log_evidence

GROUPS = 30
"""Ten groups and twenty intersections."""


def four_fifths(runs: int) -> Iterator[str]:
    """Each group against the rest, watched over 100 panes, with a thirtieth of the budget each."""
    yield "| truth | rate | ours, any of 30 groups | four fifths of the best, any look |"
    yield "|---|---|---|---|"
    bar = math.log(GROUPS / ALPHA)
    few = max(runs // 2, 20)
    for name, factor, rate in (
        ("no gap", 1.0, 0.1), ("no gap", 1.0, 0.3), ("no gap", 1.0, 0.5), ("ratio exactly .8", 0.8, 0.3),
    ):  # fmt: skip
        chance = np.random.default_rng(int(100 * rate + 10 * factor))
        sizes = np.tile(np.geomspace(0.5, 20, GROUPS).round().astype(int).clip(1), few)
        true = np.where(np.arange(GROUPS) % 3 == 0, factor, 1.0) * rate
        true = np.tile(true, few)

        panes = []
        for _ in range(100):
            rest = np.full_like(sizes, 180)
            x, y = chance.binomial(sizes, true), chance.binomial(rest, rate)
            panes.append(np.stack((sizes, x, rest, y), axis=1))
        ours = (watched(two_arms.ratio(0.8), iter(panes)) >= bar).any(axis=0)
        totals = np.cumsum(panes, axis=0)[4:]
        rates = (totals[..., 1] / totals[..., 0]).reshape(len(totals), few, GROUPS)
        rule = (rates < 0.8 * rates.max(axis=-1, keepdims=True)).any(axis=(0, 2))
        any_of = ours.reshape(few, GROUPS).any(axis=1)
        yield f"| {name} | {rate} | {share(any_of)} | {share(rule)} |"


def found(runs: int) -> Iterator[str]:
    """Records of a group until its ratio is believed, one of ten, rate .3 among the rest."""
    yield "| ratio | median records of the group |"
    yield "|---|---|"
    for ratio_ in (0.5, 0.6, 0.7):
        chance = np.random.default_rng(int(100 * ratio_))
        panes = []
        for _ in range(300):
            n, rest = np.full(runs, 10), np.full(runs, 90)
            x, y = chance.binomial(n, 0.3 * ratio_), chance.binomial(rest, 0.3)
            panes.append(np.stack((n, x, rest, y), axis=1))
        at = first(watched(two_arms.ratio(0.8), iter(panes)) >= math.log(10 / ALPHA)) * 10
        yield f"| {ratio_} | {np.median(at):,.0f} |"


def too_few(runs: int) -> Iterator[str]:
    """One of ten groups of whom nobody at all is selected: how many people until that is believed,
    beside the fewest from which any evidence could be (n = ln(bar) / -ln(1 - .8 rate))."""
    yield "| rate of the rest | no evidence can be from fewer than | believed from | of the monitor: fewer than 100 rows |"
    yield "|---|---|---|---|"
    bar = math.log(10 / ALPHA)
    for rate in (0.3, 0.1, 0.05):
        chance = np.random.default_rng(int(1000 * rate))
        panes = []
        for _ in range(800):
            n, rest = np.ones(40, dtype=int), np.full(40, 90)
            panes.append(np.stack((n, 0 * n, rest, chance.binomial(rest, rate)), axis=1))
        at = first(watched(two_arms.ratio(0.8), iter(panes)) >= bar)
        fewest = math.ceil(bar / -math.log(1 - 0.8 * rate))
        asked = range(min(runs, 20))
        named = [status for seed in asked for status in statuses(seed, rate)]
        told = ", ".join(f"{one} {named.count(one)}" for one in sorted(set(named)))
        yield f"| {rate} | {fewest} | {at.min():,.0f} | {told} |"


def statuses(seed: int, rate: float) -> list[str]:
    """What the monitor says of a group of 99 people, none of whom is selected, among 2,000."""
    rules = OutcomeRules(pane=200.0, lateness=0.0, fair=("group",))
    monitor = FairnessMonitor(rules, ALPHA)
    fold: Analysis[Fairness] = Analysis((), (monitor,), pane=200.0, lateness=0.0)
    chance = np.random.default_rng(seed)
    small = set(chance.permutation(2_000)[:99].tolist())
    for at, drawn in enumerate((chance.random(2_000) < rate).tolist()):
        said = "0" if at in small else str(int(drawn))
        name = "small" if at in small else "rest"
        fold.add_row(Row(float(at), {"group": name}, [], truth=Truth(said, label="1")))
    return [one.status for one in monitor.findings() if one.value == "small"]


def intersections(runs: int) -> Iterator[str]:
    """The monitor itself, with groups of five and four and the twenty intersections of both, .3 of
    whom are selected; four fifths or .1 is tolerated."""
    yield "| truth | tolerated | any alarm at any of 20 looks | rows of the intersection until then, median |"
    yield "|---|---|---|---|"
    few = max(runs // 10, 20)
    for name, factor in (("no gap", 1.0), ("one of the twenty at a ratio of .5", 0.5)):
        for tolerated, ratio_ in (("four fifths", 0.8), ("a gap of .1", None)):
            ended = [watch_crossed(seed, factor, ratio_) for seed in range(few)]
            rows = [at for at in ended if at is not None]
            median = f"{np.median(rows):,.0f}" if factor < 1 and rows else ""
            alarmed = share(np.array([at is not None for at in ended]))
            yield f"| {name} | {tolerated} | {alarmed} | {median} |"


def watch_crossed(seed: int, factor: float, ratio_: float | None) -> int | None:
    """How many rows there were of the intersection when anything was an alarm; None if never."""
    rules = OutcomeRules(
        pane=100.0, lateness=0.0, fair=("group", "place"), crossed=(("group", "place"),),
        fair_ratio=ratio_,
    )  # fmt: skip
    monitor = FairnessMonitor(rules, ALPHA)
    fold: Analysis[Fairness] = Analysis((), (monitor,), pane=100.0, lateness=0.0)
    chance = np.random.default_rng(seed)
    count, inside = 10_000, 0
    groups, places = chance.integers(0, 5, count), chance.integers(0, 4, count)
    rates = np.where((groups == 0) & (places == 0), 0.3 * factor, 0.3)
    for at, drawn in enumerate((chance.random(count) < rates).tolist()):
        place, truth = (
            f"p{places[at]}",
            Truth(str(int(drawn)), attributes={"group": f"g{groups[at]}"}),
        )
        inside += groups[at] == places[at] == 0
        fold.add_row(Row(float(at), {"place": place}, [], truth=truth))
        if at % 500 == 499 and any(one.status == "alarm" for one in monitor.findings()):
            return int(inside)
    return None


def reviews(runs: int) -> Iterator[str]:
    """100,000 items, .08 bad; a floor of 1/256, and suspects up to 1/4."""
    yield "| what | result |"
    yield "|---|---|"
    chance = np.random.default_rng(2)
    numbers, naive, out, ended, wins = [], [], [], [], []
    for _ in range(max(runs // 5, 40)):
        suspicion = chance.beta(0.5, 5.75, 100_000)
        bad = chance.random(100_000) < suspicion
        level = np.clip(np.ceil(-np.log2(np.clip(suspicion, 1e-6, 1) / 2)), 2, 8).astype(int)
        seen = chance.random(100_000) < 2.0**-level
        weight = (1 << level) * seen
        left = False
        for end in range(10_000, 100_001, 10_000):
            w, loss = weight[:end], weight[:end] * bad[:end]
            total = Moments(
                end, int(loss.sum()), int(w.sum()), int((loss * loss).sum()),
                int((loss * w).sum()), int((w * w).sum()),
            )  # fmt: skip
            interval = ratio(total, 100_000, ALPHA)
            left |= not interval.lower <= 0.08 <= interval.upper
        numbers.append(interval.number)
        naive.append(bad[seen].mean())
        out.append(left)
        expected = np.round(suspicion * 8) / 8
        for bound, kept in ((0.08, ended), (0.06, wins)):
            kept.append(max(weigh(level, expected, bad, seen, bound)) >= math.log(20))
    bias = np.mean(numbers) - 0.08
    yield f"| Hájek, mean less the truth | {bias:+.4f} (sd {np.std(numbers):.4f}) |"
    yield f"| mean of what was reviewed, less the truth | {np.mean(naive) - 0.08:+.4f} |"
    yield f"| interval leaves the truth out, 10 looks | {share(np.array(out))} |"
    yield f"| `at most .08` refuted, 10 looks | {share(np.array(ended))} |"
    yield f"| `at most .06` refuted by the end | {rounded(np.mean(wins))} |"


def weigh(
    level: np.ndarray, expected: np.ndarray, bad: np.ndarray, seen: np.ndarray, bound: float
) -> Iterator[float]:
    """ln E at ten looks."""
    loss = np.where(seen, bad.astype(int), 2)
    kinds = {(k, f): 0 for k in range(2, 9) for f in np.arange(9) / 8}
    counts: dict[Item, int] = {
        Item(k, float(f), value): 0 for k, f in kinds for value in (None, False, True)
    }
    for start in range(0, len(level), 10_000):
        part = slice(start, start + 10_000)
        rows = np.stack((level[part], (expected[part] * 8).astype(int), loss[part]), axis=1)
        for (k, f, value), n in zip(*np.unique(rows, axis=0, return_counts=True), strict=True):
            item = Item(int(k), f / 8, None if value == 2 else bool(value))
            counts[item] = counts.get(item, 0) + int(n)
        yield log_evidence(counts, bound)


SECTIONS: tuple[tuple[str, Callable[[int], Iterator[str]]], ...] = (
    ("Thirty groups of 50 to 2,000, 100 looks. To stay within: 5 %", four_fifths),
    ("A ratio below .8. Target at .6: 650 records", found),
    ("Nine groups and twenty intersections, by the monitor. To stay within: 5 %", intersections),
    ("Groups of too few people. To be said: insufficient, always", too_few),
    (
        "Reviews with known probability. Target: bias .002; left out and refuted in 5 % at most",
        reviews,
    ),
)
