"""Slices: how often one is named for nothing, and how soon a worse one is, beside t tests of each."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator

import numpy as np
from outcome_arms import share

from monitor.analysis.fold import Analysis
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.slices.monitor import SlicesMonitor
from monitor.findings import Slice
from monitor.readable import rounded
from monitor.rows import Row, Truth

DIMENSIONS, VALUES, FEWEST = 6, 4, 50
WHERE = {(0, 1), (1, 2)}


def drawn(seed: int, count: int, worse: float | None) -> tuple[np.ndarray, np.ndarray]:
    """(values of six dimensions, whether the row was wrong): one in ten, but of the slice `worse`."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, VALUES, size=(count, DIMENSIONS))
    rate = np.full(count, 0.1)
    if worse is not None:
        rate[np.all([values[:, place] == value for place, value in WHERE], axis=0)] = worse
    return values, rng.random(count) < rate


def watched(values: np.ndarray, wrong: np.ndarray, tolerance: float) -> Iterator[list[Slice]]:
    """What is believed after every pane."""
    monitor = SlicesMonitor(
        OutcomeRules(pane=200.0, sliced=("error",), slice_tolerance=tolerance), 0.05
    )
    fold = Analysis((), [monitor], pane=200.0, lateness=0.0)
    for number, (row, is_wrong) in enumerate(zip(values.tolist(), wrong.tolist(), strict=True)):
        segments = {f"d{place}": f"v{value}" for place, value in enumerate(row)}
        truth = Truth(prediction="1", label="0" if is_wrong else "1", id=str(number))
        fold.add_row(Row(float(number), segments, [], truth=truth))
        if number % 200 == 199:
            yield [one for one in monitor.findings() if one.status == "alarm"]


def tested(values: np.ndarray, wrong: np.ndarray) -> bool:
    """Whether any slice of up to three conditions with 50 rows is worse with p < .05 by Welch's t
    test and by 5 points, as slice finders test them."""
    for size in (1, 2, 3):
        for places in itertools.combinations(range(DIMENSIONS), size):
            key = np.zeros(len(wrong), dtype=np.int64)
            for place in places:
                key = key * VALUES + values[:, place]
            n = np.bincount(key, minlength=VALUES**size).astype(float)
            bad = np.bincount(key, weights=wrong, minlength=VALUES**size)
            m, rest = len(wrong) - n, wrong.sum() - bad
            live = (n >= FEWEST) & (m >= FEWEST)
            one, other = bad[live] / n[live], rest[live] / m[live]
            error = np.sqrt(one * (1 - one) / n[live] + other * (1 - other) / m[live])
            if ((one - other > 0.05) & (one - other > 1.645 * error)).any():
                return True
    return False


MOST = 200
"""Runs of a case, at most: each looks at all slices some dozen times."""


def none_worse(runs: int) -> list[str]:
    """Runs without a worse slice."""
    runs = min(runs, MOST)
    lines = ["| rows | ours, no tolerance | ours, tolerance .05 | t tests, one look |",
             "|---|---|---|---|"]  # fmt: skip
    for count in (2000, 5000):
        ever: list[list[bool]] = [[], []]
        named = []
        for seed in range(runs):
            values, wrong = drawn(seed, count, None)
            for place, tolerance in enumerate((0.0, 0.05)):
                ever[place].append(any(watched(values, wrong, tolerance)))
            named.append(tested(values, wrong))
        told = [share(np.array(one)) for one in (*ever, named)]
        lines.append(f"| {count:,} | {' | '.join(told)} |")
    return lines


def one_worse(runs: int) -> list[str]:
    """Runs in which a slice of two conditions, one row in sixteen, is worse."""
    runs = min(runs, MOST)
    lines = ["| wrong in the slice | found | rows of the slice until then, median | others named |",
             "|---|---|---|---|"]  # fmt: skip
    target = {(f"d{place}", f"v{value}") for place, value in WHERE}
    for worse in (0.25, 0.35, 0.5):
        found, others = [], []
        for seed in range(runs):
            values, wrong = drawn(seed, 10_000, worse)
            first, other = math.inf, False
            for look, named in enumerate(watched(values, wrong, 0.05), start=1):
                sets = [{(c.dimension, c.value) for c in one.conditions} for one in named]
                if target in sets:
                    first = min(first, look * 200 / VALUES**2)
                other = other or any(not one & target for one in sets)
            found.append(first)
            others.append(other)
        hits = sum(math.isfinite(one) for one in found)
        lines.append(
            f"| {worse} | {rounded(hits / runs)} | {np.median(found):.0f} | {share(np.array(others))} |"
        )
    return lines


def cost(runs: int) -> list[str]:
    """CPU time of a row, where nearly each row meets conditions of its own, and where few differ."""
    lines = ["| rows | µs a row |", "|---|---|"]
    for name, values in (("4,096 sets of conditions", 4), ("64 sets of conditions", 2)):
        rng = np.random.default_rng(1)
        monitor = SlicesMonitor(OutcomeRules(pane=1000.0, sliced=("error", "latency")), 0.05)
        fold = Analysis((), [monitor], pane=1000.0, lateness=0.0)
        rows = []
        for number, row in enumerate(rng.integers(0, values, size=(20_000, 6)).tolist()):
            segments = {f"d{place}": f"v{value}" for place, value in enumerate(row)}
            truth = Truth(prediction="1", label="1", id=str(number), duration=rng.random())
            rows.append(Row(float(number), segments, [], truth=truth))
        began = time.process_time()
        for one in rows:
            fold.add_row(one)
        lines.append(f"| {name} | {(time.process_time() - began) / len(rows) * 1e6:.1f} |")
    return lines


SECTIONS = (
    ("None of 1,500 slices is worse, a look every 200 rows. To stay within: 5 %", none_worse),
    ("A slice of two conditions is worse, .1 elsewhere. Target: found in 95 %", one_worse),
    ("The cost of slices, two measures", cost),
)
