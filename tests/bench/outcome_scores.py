"""Stated probabilities, watched: calibration, coverage, the order of labels, beside usual tests."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy
from outcome_arms import BAR, first, share

from monitor.analysis.calibration.cells import COUNTED, cells_of
from monitor.analysis.calibration.measures import calibration
from monitor.analysis.calibration.monitor import CalibrationMonitor
from monitor.analysis.coverage.monitor import MORE, CoverageMonitor
from monitor.analysis.drift.performance import calibrate
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.tallies import Judgement
from monitor.findings import Calibration
from monitor.readable import rounded
from monitor.rows import Row, Truth
from monitor.sequential.known_probability import (
    UNIT,
    log_evidence,
    log_evidence_of_rate,
    log_evidence_of_sampled_rate,
)

CELLS = cells_of(15)
LAWS = {"uniform": (1.0, 1.0), "confident": (0.4, 0.4), "rare": (0.6, 6.0)}
"""Scores are drawn from these beta laws."""


def scores(chance: np.random.Generator, law: str, n: int) -> np.ndarray:
    """Scores of n records."""
    return chance.beta(*LAWS[law], n)


def looks(p: np.ndarray, y: np.ndarray, every: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is counted by cell after each `every` records, (looks, cells) thrice."""
    cell = np.searchsorted(CELLS.edges, p, side="right")
    units = np.round(p * UNIT).astype(np.int64)
    found = np.zeros((3, len(p) // every, CELLS.size), dtype=np.int64)
    block = np.arange(len(p)) // every
    for part, values in enumerate((np.ones_like(units), y.astype(np.int64), units)):
        np.add.at(found[part], (block, cell), values)
    counts, ones, sums = np.cumsum(found, axis=1)
    return counts, ones, sums


def evidence(p: np.ndarray, y: np.ndarray, every: int, tolerance: float = 0.0) -> np.ndarray:
    """ln E after each `every` records."""
    return log_evidence(*looks(p, y, every), CELLS.middles, tolerance)


def false_alarms(runs: int) -> Iterator[str]:
    """Perfect models, 20,000 records, a look every 200."""
    yield "| scores | ours | ours, tolerance .02 | Hosmer-Lemeshow | Spiegelhalter | ECE > .05 in the last 500 |"
    yield "|---|---|---|---|---|---|"
    for law in LAWS:
        chance = np.random.default_rng(1)
        ended = [[], [], [], [], []]
        for _ in range(runs):
            p = np.clip(scores(chance, law, 20_000), 1e-9, 1 - 1e-9)
            y = chance.random(len(p)) < p
            ended[0].append((evidence(p, y, 200) >= BAR).any())
            ended[1].append((evidence(p, y, 200, 0.02) >= BAR).any())
            for place, peeked in enumerate(usual(p, y), start=2):
                ended[place].append(peeked)
        yield f"| {law} | {' | '.join(share(np.array(one)) for one in ended)} |"


def usual(p: np.ndarray, y: np.ndarray) -> tuple[bool, bool, bool]:
    """Whether each usual test ever rejects at .05 at one of the looks."""
    z = np.cumsum((y - p) * (1 - 2 * p)) / np.sqrt(np.cumsum((1 - 2 * p) ** 2 * p * (1 - p)))
    spiegelhalter = bool((np.abs(z[199::200]) > 1.96).any())
    bar, found, wide = scipy.stats.chi2.ppf(0.95, 8), False, False
    tenth = np.searchsorted(np.quantile(p, np.linspace(0.1, 0.9, 9)), p, side="right")
    fifteenth = np.minimum((p * 15).astype(int), 14)
    for seen in range(200, len(p) + 1, 200):
        groups = [np.bincount(tenth[:seen], w, 10) for w in (p[:seen], y[:seen])]
        n = np.bincount(tenth[:seen], minlength=10)
        mean = groups[0] / np.maximum(n, 1)
        parts = (groups[1] - groups[0]) ** 2 / np.maximum(n * mean * (1 - mean), 1e-9)
        found |= bool(parts.sum() > bar)
        last = slice(max(0, seen - 500), seen)
        gaps = np.bincount(fifteenth[last], (y - p)[last], 15)
        wide |= bool(seen >= 500 and np.abs(gaps).sum() / 500 > 0.05)
    return found, spiegelhalter, wide


def delays(runs: int) -> Iterator[str]:
    """Records until a wrong model is believed to be one, in the median; uniform scores."""
    yield "| off by | median records | found within 20,000 |"
    yield "|---|---|---|"
    for name, hot, shift in (
        ("temperature 1.25", 1.25, 0.0), ("temperature 1.5", 1.5, 0.0), ("shift .3", 1.0, 0.3), ("shift .1", 1.0, 0.1),
    ):  # fmt: skip
        chance = np.random.default_rng(2)
        found = []
        for _ in range(runs // 2):
            p = np.clip(scores(chance, "uniform", 20_000), 1e-9, 1 - 1e-9)
            truth = 1 / (1 + np.exp(-(np.log(p / (1 - p)) / hot + shift)))
            logs = evidence(p, chance.random(len(p)) < truth, 50)
            found.append(first((logs >= BAR)[:, None])[0] * 50)
        at = np.array(found)
        yield f"| {name} | {np.median(at):,.0f} | {rounded(np.isfinite(at).mean())} |"


def errors(runs: int) -> Iterator[str]:
    """The calibration error of perfect models, 15 bins."""
    yield "| records | usual ECE, mean | corrected, mean | corrected, sd |"
    yield "|---|---|---|---|"
    chance = np.random.default_rng(3)
    for n in (200, 500, 1_000, 10_000):
        plain, ours = [], []
        for _ in range(8 * runs if n < 1_000 else runs):
            p = scores(chance, "uniform", n)
            y = chance.random(n) < p
            counts = np.zeros((COUNTED, CELLS.size), dtype=np.int64)
            counts[:3] = np.array(looks(p, y, n))[:, 0]
            cell = np.searchsorted(CELLS.edges, p, side="right")
            np.add.at(counts[3], cell, np.round(p * p * UNIT).astype(np.int64))
            np.add.at(counts[4], cell, np.round(p * y * UNIT).astype(np.int64))
            found = calibration(("all", "all"), counts.ravel(), CELLS, Judgement(0.0, "ok"))
            ours.append(found.ece)
            gaps = [b.labels * abs(b.share - b.score) for b in found.bins if b.labels]
            plain.append(sum(gaps) / n)
        yield f"| {n:,} | {np.mean(plain):.3f} | {np.mean(ours):.4f} | {np.std(ours):.3f} |"


def coverage(runs: int) -> Iterator[str]:
    """Conformal intervals that promise .90, 10,000 records, a look every 10."""
    runs *= 8
    yield "| calibration scores | ours, ever | with the tolerance of .02 | last 200 below .88 | misses .15 found after |"
    yield "|---|---|---|---|---|"
    chance = np.random.default_rng(4)
    count = 10 * np.arange(1, 1001)
    none = np.zeros(1000, dtype=np.int64)
    for sample in (200, 1_000, 5_000):
        low = math.floor(0.1 * (sample + 1) + 1e-9)
        ended, plain, rolling, found = [], [], [], []
        for _ in range(runs):
            missed = chance.random(10_000) < chance.beta(low, sample + 1 - low)
            ones = np.cumsum(missed)[9::10]
            logs = log_evidence_of_sampled_rate(count, ones, (none, none), 0.1, sample, more=MORE)
            ended.append((logs >= BAR).any())
            plain.append((log_evidence_of_rate(count, ones, 0.1, 0.02, more=MORE) >= BAR).any())
            total = np.cumsum(missed)
            rolling.append((total[200:] - total[:-200]).max() > 24)
            worse = np.cumsum(chance.random(10_000) < 0.15)[9::10]
            logs = log_evidence_of_sampled_rate(count, worse, (none, none), 0.1, sample, more=MORE)
            found.append(first((logs >= BAR)[:, None])[0] * 10)
        yield (
            f"| {sample:,} | {share(np.array(ended))} | {share(np.array(plain))} | "
            f"{share(np.array(rolling))} | {np.median(found):,.0f} |"
        )
    ended, found = exactly(runs)
    yield f"| the rate is known | {share(np.array(ended))} | | | {np.median(found):,.0f} |"
    yield ""
    yield (
        "Of 200 calibration scores one sample in 67 truly misses .15 and more, so such misses are "
        "never certain there."
    )


def exactly(runs: int) -> tuple[list[bool], list[float]]:
    """(whether there was a false alarm, when misses of .15 were found) of a rate of exactly .10."""
    chance, count = np.random.default_rng(5), 10 * np.arange(1, 1001)
    ended, found = [], []
    for _ in range(runs):
        for truth, kept in ((0.10, ended), (0.15, found)):
            ones = np.cumsum(chance.random(10_000) < truth)[9::10]
            logs = log_evidence_of_rate(count, ones, 0.1, more=MORE) >= BAR
            kept.append(logs.any() if truth == 0.10 else first(logs[:, None])[0] * 10)
    return ended, found


def label_order(runs: int) -> Iterator[str]:
    """A perfect model at .10; bad news takes a day, good news seven, in the mean."""
    yield "| labels counted | ever an alarm |"
    yield "|---|---|"
    chance = np.random.default_rng(6)
    arrival, maturity = [], []
    for _ in range(runs // 2):
        n = 20_000
        p = chance.beta(1.0, 9.0, n)
        y = chance.random(n) < p
        came = np.linspace(0, 60, n) + chance.exponential(np.where(y, 1.0, 7.0))
        order = np.argsort(came)
        arrival.append((evidence(p[order], y[order], 200, 0.02) >= BAR).any())
        maturity.append((evidence(p, y, 200, 0.02) >= BAR).any())
    yield f"| as they arrive | {share(np.array(arrival))} |"
    yield f"| once, at a time fixed by the record | {share(np.array(maturity))} |"


def together(runs: int) -> Iterator[str]:
    """All monitors of outcomes with one budget: a perfect model in 11 segments, watched; ten groups
    are alike, and no slice is worse."""
    yield "| records | runs | any alarm at any of 20 looks |"
    yield "|---|---|---|"
    chance, ended = np.random.default_rng(8), []
    for _ in range(max(runs // 4, 2)):
        fold = outcomes_of(OutcomeRules(
            pane=250.0, lateness=5.0, tolerance=0.0, fair=("group",), fair_tolerance=0.0,
            sliced=("error", "calibration"), slice_tolerance=0.0,
        ))  # fmt: skip
        p = chance.beta(1, 1, 5_000)
        y, out = chance.random(5_000) < p, chance.random(5_000) < 0.1
        group, alarmed = chance.integers(0, 10, 5_000), False
        for at, (score, true, miss, one) in enumerate(
            zip(p.tolist(), y.tolist(), out.tolist(), group.tolist(), strict=True)
        ):
            truth = Truth(score=score, label=str(int(true)), choices=["0", "1"][: 1 if miss else 2])
            if miss:
                truth = Truth(score=score, label=str(int(true)), choices=[str(int(not true))])
            fold.add_row(Row(float(at), {"group": str(one)}, [], truth=truth))
            if at % 250 == 249:
                alarmed |= any(found.status == "alarm" for found in fold.findings())
        ended.append(alarmed)
    yield f"| 5,000 | {len(ended)} | {share(np.array(ended))} |"


def published(_: int) -> Iterator[str]:
    """nannyml's data, where it is installed: `PYTHONPATH=DIR`."""
    spec = importlib.util.find_spec("nannyml")
    if spec is None or spec.origin is None:
        yield "nannyml's data were not there."
        return
    import pandas as pd

    data = Path(spec.origin).parent / "datasets" / "data"
    yield "ln E of each chunk or year alone, and since the beginning."
    yield ""
    yield "| set | scores | tolerance | alone | since the beginning |"
    yield "|---|---|---|---|---|"
    usual = pd.read_csv(data / "synthetic_car_loan_reference.csv")
    now = pd.read_csv(data / "synthetic_car_loan_analysis.csv")
    labels = pd.read_csv(data / "synthetic_car_loan_analysis_target.csv")
    now = now.merge(labels, on="id")
    fitted = calibrate(usual["y_pred_proba"].tolist(), [bool(y) for y in usual["repaid"]])
    chunks = [now[start : start + 5_000] for start in range(0, 50_000, 5_000)]
    rates = [np.array([fitted(p) for p in one["y_pred_proba"]]) for one in chunks]
    truths = [one["repaid"].to_numpy() for one in chunks]
    for tolerance in (0.0, 0.01, 0.02):
        yield told("car loans", "calibrated on the reference", tolerance, rates, truths)
    yield watched_chunks(rates, truths)
    census = pd.read_parquet(data / "employment_MA_analysis.pq")
    census = census.merge(pd.read_parquet(data / "employment_MA_analysis_target.pq"), on="id")
    first_year = pd.read_parquet(data / "employment_MA_reference.pq")
    years = [first_year, *(census[census["year"] == year] for year in sorted(set(census["year"])))]
    rates = [one["predicted_probability"].to_numpy() for one in years]
    truths = [one["employed"].to_numpy() for one in years]
    for tolerance in (0.0, 0.01):
        yield told("census 2015-18", "as they are", tolerance, rates, truths)


def watched_chunks(rates: list[np.ndarray], truths: list[np.ndarray]) -> str:
    """A row: what the monitor says after each chunk, with change points, at a tolerance of .01."""
    rules = OutcomeRules(pane=500.0, lateness=0.0, tolerance=0.01, positive="1")
    fold: Analysis[Calibration] = Analysis(
        (), (CalibrationMonitor(rules, 0.05),), pane=500.0, lateness=0.0
    )
    said, at = [], 0.0
    for p, y in zip(rates, truths, strict=True):
        for score, label in zip(p.tolist(), y.tolist(), strict=True):
            fold.add_row(Row(at, {}, [], truth=Truth(score=score, label=str(int(label)))))
            at += 1
        found = fold.findings()[0]
        said.append(f"{found.log_evidence:.1f}{'!' if found.status == 'alarm' else ''}")
    return f"| car loans, watched; ! is an alarm | | 0.01 | | {' '.join(said)} |"


def told(
    name: str, what: str, tolerance: float, rates: list[np.ndarray], truths: list[np.ndarray]
) -> str:
    """A row: evidence of each part, and of all parts up to it."""
    alone = [evidence(p, y, len(p), tolerance)[-1] for p, y in zip(rates, truths, strict=True)]
    since = [
        evidence(np.concatenate(rates[: end + 1]), np.concatenate(truths[: end + 1]), sum(map(len, rates[: end + 1])), tolerance)[-1]
        for end in range(len(rates))
    ]  # fmt: skip
    parts = (" ".join(f"{log:.1f}" for log in logs) for logs in (alone, since))
    return f"| {name} | {what} | {tolerance} | {' | '.join(parts)} |"


def cost(_: int) -> Iterator[str]:
    """CPU time of the monitors of calibration and coverage, in one process."""
    rules = OutcomeRules(pane=60.0)
    chance = np.random.default_rng(1)
    rows = [
        Row(float(at), {"a": str(at % 50), "b": str(at % 449)}, [],
            truth=Truth(score=score, label="1", choices=["0", "1"]))
        for at, score in enumerate(chance.random(30_000).tolist())
    ]  # fmt: skip
    yield "| monitor | µs a label and segment | ms to judge 500 segments |"
    yield "|---|---|---|"
    for monitor in (CalibrationMonitor(rules, 0.01), CoverageMonitor(rules, 0.01)):
        began = time.process_time()
        for number, row in enumerate(rows):
            monitor.add(row, number // 60, row.at)
        counted = time.process_time() - began
        monitor.close(10**6, float)
        monitor.add(rows[0], 10**6 + 1, 1e9)
        segments = len(monitor.findings())
        for tally in monitor._tallies._by_segment.values():
            tally.read = None
        began = time.process_time()
        monitor.findings()
        spent = time.process_time() - began
        yield (
            f"| {monitor.name} | {1e6 * counted / len(rows) / 3:.1f} | "
            f"{1000 * spent / segments * 500:.0f} |"
        )


SECTIONS: tuple[tuple[str, Callable[[int], Iterator[str]]], ...] = (
    ("Perfect models, 20,000 records, a look every 200. To stay within: 5 %", false_alarms),
    ("Wrong models. Target: medians of 1,100, 400 and 1,400", delays),
    ("Calibration error of perfect models. Target: .002 at most from 200 on", errors),
    ("Coverage. To stay within: 5 %; misses of .15 within 350", coverage),
    ("The order of labels. To stay within: 5 % at maturity", label_order),
    ("All monitors of outcomes together, no tolerance. To stay within: 5 %", together),
    ("Published sets", published),
    ("Cost. Target: 10 µs; 100 ms", cost),
)
