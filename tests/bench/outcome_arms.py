"""Two arms, watched: false alarms, units needed, intervals, beside the tests that are usual."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import numpy as np
import scipy

from monitor.analysis.experiments.arms import EVENTS
from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.analysis.experiments.monitor import ExperimentsMonitor
from monitor.analysis.experiments.units import BUCKETS, LEAST
from monitor.analysis.fold import Analysis
from monitor.readable import as_set, percent
from monitor.rows import Row, Truth
from monitor.sequential import two_arms
from monitor.sequential.confidence_sequences import Moments, Rates, difference, margin, weighed
from monitor.sequential.e_values import log_mean
from monitor.sequential.known_probability import log_evidence_of_rate, log_evidence_of_shares
from monitor.sequential.two_arms import Comparison
from monitor.texts import numbered

ALPHA = 0.05
BAR = -math.log(ALPHA)
USUAL = float(scipy.stats.norm.ppf(1 - ALPHA / 2))

Counts = np.ndarray
"""Outcomes of A, those that are 1, of B, those that are 1, of each run: (runs, 4)."""


def share(passed: np.ndarray) -> str:
    """A share of runs in %, with the upper end of its exact 95 % interval."""
    hits, runs = int(passed.sum()), len(passed)
    upper = float(scipy.stats.beta.ppf(0.975, hits + 1, runs - hits)) if hits < runs else 1.0
    return f"{percent(hits / runs)} (at most {percent(upper)})"


def draw(chance: np.random.Generator, runs: int, n: int, a: float, b: float) -> Counts:
    """A pane of n units in each arm."""
    pane = np.full((runs, 4), n)
    pane[:, 1], pane[:, 3] = chance.binomial(n, a, runs), chance.binomial(n, b, runs)
    return pane


def watched(comparison: Comparison, panes: Iterator[Counts]) -> np.ndarray:
    """ln E after each pane, (panes, runs): every run is a stratum of its own."""
    before: Counts | None = None
    logs: np.ndarray | int = 0
    found = []
    for pane in panes:
        before = np.zeros_like(pane) if before is None else before
        logs = logs + two_arms.factors(pane, before, comparison)
        before = before + pane
        found.append(log_mean(logs / two_arms.UNIT, comparison.stakes))
    return np.array(found)


def usual_z(total: Counts) -> np.ndarray:
    """The pooled z of two proportions."""
    n_a, x_a, n_b, x_b = total.T.astype(float)
    pooled = (x_a + x_b) / (n_a + n_b)
    spread = np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / n_a + 1 / n_b), 1e-300))
    return np.asarray((x_a / n_a - x_b / n_b) / spread)


def asymptotic(total: Counts, planned: int) -> tuple[np.ndarray, np.ndarray]:
    """(difference, half of the AsympCS) of two proportions."""
    n_a, x_a, n_b, x_b = total.T.astype(float)
    a, b = x_a / n_a, x_b / n_b
    units = int(n_a[0] + n_b[0])
    variance = units * (a * (1 - a) / n_a + b * (1 - b) / n_b)
    return a - b, margin(units, 1.0, planned, ALPHA) * np.sqrt(variance)


def first(passed: np.ndarray) -> np.ndarray:
    """The number of the first pane that passed, from 1 on; infinite where none did."""
    return np.where(passed.any(axis=0), passed.argmax(axis=0) + 1.0, math.inf)


def false_alarms(runs: int) -> Iterator[str]:
    """Nothing differs; 100 looks."""
    runs *= 4
    yield "| rate | ours, declared effect | ours, blind | AsympCS | z, p < .05 peeked |"
    yield "|---|---|---|---|---|"
    for rate, n in ((0.02, 500), (0.10, 500)):
        panes = [draw(np.random.default_rng(look), runs, n, rate, rate) for look in range(100)]
        ours = [
            (watched(one, iter(panes)) >= BAR).any(axis=0)
            for one in (two_arms.equal(rate / 10), two_arms.equal())
        ]
        totals = np.cumsum(panes, axis=0)
        ends = [asymptotic(total, 2 * 100 * n) for total in totals]
        left = np.any([np.abs(middle) > around for middle, around in ends], axis=0)
        peeked = np.any([np.abs(usual_z(total)) > USUAL for total in totals], axis=0)
        yield f"| {rate} | {share(ours[0])} | {share(ours[1])} | {share(left)} | {share(peeked)} |"


def power(runs: int) -> Iterator[str]:
    """Units in multiples of what a fixed test needs for 80 %."""
    yield "| change | fixed n per arm | ours: 80 %, median | one-sided | blind | AsympCS |"
    yield "|---|---|---|---|---|---|"
    for low, high in ((0.05, 0.06), (0.10, 0.12), (0.020, 0.022)):
        fixed = needed(low, high)
        n, looks = math.ceil(fixed / 40), 120
        chance = np.random.default_rng(7)
        panes = [draw(chance, runs, n, high, low) for _ in range(looks)]
        effect = high - low
        found = [
            first(watched(one, iter(panes)) >= BAR)
            for one in (two_arms.equal(effect), two_arms.equal(effect, side=1), two_arms.equal())
        ]
        ends = [asymptotic(total, 2 * fixed) for total in np.cumsum(panes, axis=0)]
        found.append(first(np.array([np.abs(middle) > around for middle, around in ends])))
        told = [
            f"{np.quantile(one, 0.8) * n / fixed:.2f}, {np.median(one) * n / fixed:.2f}"
            for one in found
        ]
        yield f"| {low} → {high} | {fixed:,} | {' | '.join(told)} |"


def needed(low: float, high: float) -> int:
    """Units in each arm for 80 % power of the z test."""
    both = USUAL + float(scipy.stats.norm.ppf(0.8))
    return math.ceil(both**2 * (low * (1 - low) + high * (1 - high)) / (high - low) ** 2)


def guardrail(runs: int) -> Iterator[str]:
    """A margin of 2 points at a rate of .20; A is the control, a look every 100 of each arm."""
    runs *= 2
    yield "| truth | asked | result |"
    yield "|---|---|---|"
    n = 100
    cases = (
        (0.22, two_arms.margin(0.02), "harm", 200),
        (0.24, two_arms.margin(0.02), "harm", 150),
        (0.23, two_arms.margin(0.02), "harm", 400),
        (0.20, two_arms.margin(-0.02), "safe", 150),
    )
    for rate, comparison, asked, looks in cases:
        chance = np.random.default_rng(int(1000 * rate))
        arms = (0.2, rate) if asked == "harm" else (rate, 0.2)
        panes = (draw(chance, runs, n, *arms) for _ in range(looks))
        passed = watched(comparison, panes) >= BAR
        if rate == 0.22:
            yield f"| {rate}, the border | {asked} | ever {share(passed.any(axis=0))} |"
        else:
            median = np.median(first(passed)) * n
            yield f"| {rate} | {asked} | median {median:,.0f} per arm |"


def intervals(runs: int) -> Iterator[str]:
    """Whether the truth is inside at every one of 40 looks, and the width at the end."""
    yield "| what | ours | width / usual | usual interval, peeked |"
    yield "|---|---|---|---|"
    chance = np.random.default_rng(3)
    looks, n, effect = 40, 34, 0.045
    rates, out, peeked, widths = Rates(effect), [], [], []
    for _ in range(runs // 5):
        before, logs, left, left_usual = np.zeros((1, 4), dtype=np.int64), 0, False, False
        for _ in range(looks):
            pane = draw(chance, 1, n, 0.245, 0.2)
            logs, before = logs + rates.factors(pane, before), before + pane
            found = rates.interval(logs, before, ALPHA)
            left |= not found.lower <= effect <= found.upper
            usual = USUAL * spread(before[0])
            left_usual |= abs(found.number - effect) > usual
        out.append(left)
        peeked.append(left_usual)
        widths.append((found.upper - found.lower) / 2 / usual)
    yield (
        f"| rates, exact | left out in {share(np.array(out))} | {np.median(widths):.2f} | "
        f"left out in {share(np.array(peeked))} |"
    )
    out, peeked, widths = [], [], []
    for _ in range(runs):
        sizes = chance.normal(0, 2.0, (2, 20_000))
        paid = np.minimum(np.exp(sizes + 3), 1000).astype(np.int64)
        paid *= chance.random((2, 20_000)) < 0.05
        left = left_usual = False
        for seen in range(1_000, 20_001, 500):
            one, other = (money(arm[:seen]) for arm in paid)
            found = difference(one, other, 40_000, ALPHA)
            usual = USUAL * math.sqrt((one.variance + other.variance) / seen)
            left |= not found.lower <= 0 <= found.upper
            left_usual |= abs(found.number) > usual
        out.append(left)
        peeked.append(left_usual)
        widths.append((found.upper - found.lower) / 2 / usual)
    yield (
        f"| revenue, σ 2, capped, AsympCS | left out in {share(np.array(out))} | "
        f"{np.median(widths):.2f} | left out in {share(np.array(peeked))} |"
    )


def spread(total: np.ndarray) -> float:
    """The standard error of a difference of two proportions."""
    n_a, x_a, n_b, x_b = total.astype(float)
    a, b = x_a / n_a, x_b / n_b
    return math.sqrt(a * (1 - a) / n_a + b * (1 - b) / n_b)


def money(paid: np.ndarray) -> Moments:
    """The sums over units that an interval needs, each with a base of 1."""
    n, total = len(paid), int(paid.sum())
    return Moments(n, total, n, int((paid * paid).sum()), total, n)


def clustered(runs: int) -> Iterator[str]:
    """What is not independent: clicks of a user, a ramp, shocks of a replica."""
    yield "| what | ours | beside |"
    yield "|---|---|---|"
    chance, users = np.random.default_rng(5), 4_000
    ours, events = [], []
    for _ in range(runs // 2):
        views = chance.poisson(20, (2, users)) + 1
        clicks = chance.binomial(views, 1 / (1 + np.exp(2 - chance.normal(0, 1, (2, users)))))
        looks = range(200, users + 1, 200)
        ends, peeked = [], []
        for seen in looks:
            arms = [ratio_of(c[:seen], v[:seen]) for c, v in zip(clicks, views, strict=True)]
            found = difference(*arms, 2 * users, ALPHA)
            ends.append(not found.lower <= 0 <= found.upper)
            total = np.array([[arms[0].bases, arms[0].totals, arms[1].bases, arms[1].totals]])
            peeked.append(bool(abs(usual_z(total)[0]) > USUAL))
        ours.append(any(ends))
        events.append(any(peeked))
    yield (
        f"| clicks per view, users differ by 1.0 logits, 20 looks | AsympCS by user "
        f"{share(np.array(ours))} | z per event {share(np.array(events))} |"
    )
    for come, users, spread_ in (
        ("later", 1_000, 2.0),
        ("later", 4_000, 2.0),
        ("at once", 4_000, 2.0),
    ):
        by_user, by_exchange = again(chance, runs, users, spread_, come)
        yield (
            f"| 20 exchanges of each of {users:,} users, {come}; they differ by {spread_} logits, 40 looks | "
            f"`unit: user` {share(by_user)} | our evidence per exchange {share(by_exchange)} |"
        )
    runs, panes = 4 * runs, []
    for part, rate in zip(np.linspace(0.1, 0.5, 40), np.linspace(0.05, 0.15, 40), strict=True):
        n = int(2000 * part)
        pane = np.full((runs, 4), n)
        pane[:, 2] = 2000 - n
        pane[:, 1] = chance.binomial(n, rate, runs)
        pane[:, 3] = chance.binomial(2000 - n, rate, runs)
        panes.append(pane)
    per_pane = (watched(two_arms.equal(0.01), iter(panes)) >= BAR).any(axis=0)
    pooled = np.abs(usual_z(np.sum(panes, axis=0))) > USUAL
    yield (
        f"| ramp 10:90 → 50:50 while the rate trebles | {share(per_pane)} | "
        f"pooled z, one look {share(pooled)} |"
    )
    runs //= 4
    n, shocked, ups = 1000, [], np.zeros(runs, dtype=np.int64)
    signs = []
    for _ in range(100):
        rates = 1 / (1 + np.exp(2.94 - chance.normal(0, 0.2, (2, runs))))
        pane = np.full((runs, 4), n)
        pane[:, 1], pane[:, 3] = chance.binomial(n, rates)
        shocked.append(pane)
        tied = chance.random(runs) < 0.5
        ups += np.where(pane[:, 1] == pane[:, 3], tied, pane[:, 1] > pane[:, 3])
        count = np.full(runs, len(shocked))
        signs.append(log_evidence_of_rate(count, ups, 0.5) >= BAR)
    single = (watched(two_arms.equal(), iter(shocked)) >= BAR).any(axis=0)
    yield (
        f"| slow share, replicas with shocks of .2 logits, 100 panes | sign of the pane "
        f"{share(np.any(signs, axis=0))} | each request a unit {share(single)} |"
    )


def ramps(runs: int) -> Iterator[str]:
    """Two equal arms, 9 : 1 and then 1 : 1, while the rate trebles; 40 looks at 500 exchanges each."""
    yield "| what | ours | beside |"
    yield "|---|---|---|"
    chance, looks, each = np.random.default_rng(11), 40, 500
    shares, rates = (0.9, 0.5), (0.05, 0.15)
    apart, pooled, came, final = [], [], [], []
    for _ in range(runs):
        sums = np.zeros((2, 2, 2), dtype=np.int64)  # period, arm, exchanges and those that are 1
        false = [False] * 4
        for look in range(looks):
            period = int(look >= looks // 2)
            first = int(chance.binomial(each, shares[period]))
            for arm, n in enumerate((first, each - first)):
                sums[period, arm] += n, chance.binomial(n, rates[period])
            ours, naive = (_effect(part) for part in (sums, sums.sum(axis=0, keepdims=True)))
            allocated = [
                log_evidence_of_shares([int(n) for n in part[:, 0]], [share_, 1 - share_])
                for part, share_ in zip(sums, shares, strict=True)
            ]
            last = log_evidence_of_shares([int(n) for n in sums[:, :, 0].sum(axis=0)], [0.5, 0.5])
            for place, is_false in enumerate(
                (ours, naive, sum(allocated) >= math.log(100), last >= math.log(100))
            ):
                false[place] |= is_false
        for kept, is_false in zip((apart, pooled, came, final), false, strict=True):
            kept.append(is_false)
    yield (
        f"| difference, AsympCS | by period {share(np.array(apart))} | over all "
        f"{share(np.array(pooled))} |"
    )
    yield (
        f"| sample ratio, α .01 | by period {share(np.array(came))} | against the last shares "
        f"{share(np.array(final))} |"
    )


def _effect(periods: np.ndarray) -> bool:
    """Whether two arms are told apart, compared within periods."""
    told = [part for part in periods if part[:, 1].min() >= EVENTS]
    if not told:
        return False
    weights = [float(part[0, 0] * part[1, 0] / part[:, 0].sum()) for part in told]
    one, other = (
        weighed(
            [Moments(n, x, n, x, x, n) for n, x in (part[arm].tolist() for part in told)], weights
        )
        for arm in (0, 1)
    )
    found = difference(one, other, 20_000, ALPHA, seen=4 * sum(weights))
    return not found.lower <= 0 <= found.upper


def again(
    chance: np.random.Generator, runs: int, users: int, spread_: float, come: str
) -> tuple[np.ndarray, np.ndarray]:
    """Whether users, and exchanges as if each were a user, ever tell equal arms apart. Each user is
    in one arm, appears at some look, and their exchanges come then or over the following looks."""
    left, looks = [], 40
    panes = np.zeros((looks, runs, 4), dtype=np.int64)
    for run in range(runs):
        arms = chance.integers(0, 2, users)
        rates = 1 / (1 + np.exp(1 - chance.normal(0, spread_, users)))
        who = np.repeat(np.arange(users), chance.poisson(19, users) + 1)
        when = chance.integers(0, looks, users)[who]
        if come == "later":
            when = np.minimum(when + chance.geometric(0.15, len(who)) - 1, looks - 1)
        said = chance.random(len(who)) < rates[who]
        cells = arms[who] * BUCKETS + chance.integers(0, BUCKETS, users)[who]
        sums, was_left = np.zeros((2, 2 * BUCKETS), dtype=np.int64), False
        for look in range(looks):
            now = when == look
            sums[0] += np.bincount(cells[now & said], minlength=2 * BUCKETS)
            sums[1] += np.bincount(cells[now], minlength=2 * BUCKETS)
            before = panes[:look, run].sum(axis=0)
            one, other = (part[:, part[1] > 0] for part in np.split(sums, 2, axis=1))
            panes[look, run] = [one[1].sum(), one[0].sum(), other[1].sum(), other[0].sum()] - before
            if min(one.shape[1], other.shape[1]) >= LEAST:
                seen = int(one[1].sum() + other[1].sum())
                found = difference(ratio_of(*one), ratio_of(*other), 20 * users, ALPHA, seen=seen)
                was_left |= not found.lower <= 0 <= found.upper
        left.append(was_left)
    alone = (watched(two_arms.equal(0.02), iter(panes)) >= BAR).any(axis=0)
    return np.array(left), alone


def ratio_of(clicks: np.ndarray, views: np.ndarray) -> Moments:
    """The sums over users that an interval needs."""
    sums = (clicks, views, clicks**2, clicks * views, views**2)
    return Moments(len(clicks), *(int(one.sum()) for one in sums))


def late_users(runs: int) -> Iterator[str]:
    """Equal arms in which people click more often the longer they have known one; all users of `b`
    come in the second half; a look at the monitor itself every 500 exchanges."""
    yield "| users count | ever a wrong verdict |"
    yield "|---|---|"
    clicked = Metric("clicked", "event", "clicked")
    ever = Metric("ever", "event", "clicked", of_units=True)
    for what, follow_up, metrics in (
        ("with all that they did", 0.0, (clicked,)),
        ("once, with their first 320 s", 320.0, (clicked, ever)),
    ):
        declared = Experiment(
            "prompt", "variant", "a", metrics, minimum_effect=0.02, planned=5000, unit="user",
            follow_up=follow_up,
        )  # fmt: skip
        wrong = [misled(declared, seed) for seed in range(max(runs // 5, 20))]
        yield f"| {what} | {share(np.array(wrong))} |"


def misled(declared: Experiment, seed: int) -> bool:
    """Whether a verdict on equal arms was ever wrong."""
    monitor = ExperimentsMonitor([declared], positive="1", pane=10.0)
    fold = Analysis((), (monitor,), pane=10.0, lateness=5.0)
    rng = random.Random(seed)
    coming = []
    for user in range(1600):
        arm = "ab"[user % 2]
        first_ = rng.uniform(500 * (arm == "b"), 1000)
        ages = [0.0, *(rng.uniform(0, 1000) for _ in range(5))]
        coming += [(first_ + age, numbered(f"{seed}/{user}"), arm, age) for age in ages]
    for place, (at, user, arm, age) in enumerate(sorted(one for one in coming if one[0] < 1400)):
        events = {"clicked": 1.0} if rng.random() < 0.1 + age / 2000 else {}
        fold.add_row(
            Row(at, {"variant": arm}, [], truth=Truth(events=events, units={"user": user}))
        )
        if place % 500 == 499 and {"better", "worse"} & {one.verdict for one in fold.findings()}:
            return True
    return False


def sample_ratio(runs: int) -> Iterator[str]:
    """Users in two arms, a look every 100 (20 for large mismatches), at most 1,000 looks."""
    runs *= 2
    yield "| truth | ours, α .01 | χ², p < .01 peeked |"
    yield "|---|---|---|"
    chance = np.random.default_rng(9)
    for truth, looks, each in ((0.5, 1000, 100), (0.51, 1000, 100), (0.55, 300, 20)):
        came = np.cumsum(chance.binomial(each, truth, (looks, runs)), axis=0)
        total = each * np.arange(1.0, looks + 1)[:, None]
        peeked = ((2 * came - total) ** 2 / total > scipy.stats.chi2.ppf(0.99, 1)).any(axis=0)
        logs = np.vectorize(_of_two)(came, total)
        at = first(logs >= math.log(100)) * each
        if truth == 0.5:
            yield f"| 50 : 50 | ever {share(np.isfinite(at))} | ever {share(peeked)} |"
        else:
            yield f"| {as_set(truth)} : {as_set(1 - truth)} | 80 % within {np.quantile(at, 0.8):,.0f} users | |"


def _of_two(came: float, total: float) -> float:
    return log_evidence_of_shares([int(came), int(total - came)], [0.5, 0.5])


SECTIONS: tuple[tuple[str, Callable[[int], Iterator[str]]], ...] = (
    ("Two equal arms, 100 looks, α .05. To stay within: 5 %", false_alarms),
    ("Units for a declared effect. Target: 1.75 and median 1.05; one-sided 1.45", power),
    ("A guardrail of 2 points. Target: 5 %; 5,000 per arm (a fixed test needs 4,950)", guardrail),
    ("Intervals. Target: left out in 5 % at most; 1.6 times as wide at the end", intervals),
    ("Units that are not independent. Target: 5 %", clustered),
    ("A ramp as it was declared. Target: 5 %; sample ratio 1 %", ramps),
    ("Users of one arm come late. Target: 5 %", late_users),
    ("Sample ratio. Target: 1 %; 50,000 and 2,000 users", sample_ratio),
)
