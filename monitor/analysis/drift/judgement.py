"""Watches → what is believed of them: evidence, error budget, the beginning and end of drift."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from monitor.analysis.drift.evidence import Splits, log_evidence, log_likelihood
from monitor.analysis.drift.watch import Episode, Statistics, Watch
from monitor.findings import Status
from monitor.interfaces import Measure
from monitor.sequential.beta_binomials import Ints
from monitor.sequential.e_values import believed, log_sum, shares_of, start_weight, unspent
from monitor.turns import in_turns
from monitor.types import WatchKey, Window

MINIMUM = 30
"""With fewer values nothing is said."""

NOTICEABLE = 0.1
"""`ok` means that a PSI of this size would have stood out of chance by two standard deviations."""

AT_ONCE = 64
"""Watches whose evidence is calculated together: what there is of so many stays in the caches, and
takes about a millisecond."""

RETURNED = 3.0
"""Drift is over when the window is e^3 times likelier as reference than as what came since."""


@dataclass(frozen=True)
class Rules:
    """How counts are judged.

    `effect` decides what matters, `measures` are reported. `pane` is in seconds of event time, None
    where panes are cut by hand; a pane is closed when an event comes `lateness` seconds after its
    end. The current window is the newest panes that hold `samples` values. `tolerance` is the
    corrected effect from which on a believed change is drift, `alpha` the probability of a false
    alarm anywhere, `patience` the number of starts over which it is spent (see
    `e_values.start_weight`). No more than `watches` features x segments are watched. Changes are
    looked for every `step` values, a quarter of a window unless said.

    With `renew` (seconds of event time) references roll: what has been counted for so long without
    drift is the next reference. `alpha` then holds from one renewal to the next. So many values
    as `design_effect` says count as one, because they resemble each other like those of a session.
    With `bins` every finding has all its bins, not only one of a believed change. The numbers of
    features in `times` are Unix seconds, and findings name their bins by dates.
    """

    effect: Measure
    measures: tuple[Measure, ...] = ()
    pane: float | None = 60.0
    lateness: float = 5.0
    samples: int = 500
    tolerance: float = 0.02
    alpha: float = 0.05
    patience: int = 43200
    watches: int = 5000
    step: int | None = None
    renew: float | None = None
    design_effect: int = 1
    bins: bool = False
    times: frozenset[str] = frozenset()

    def thresholds(self) -> dict[str, float]:
        """Score from which on a believed change counts, by measure; of `effect` the tolerance."""
        usual = {measure.name: measure.threshold for measure in self.measures}
        return usual | {self.effect.name: self.tolerance}

    @property
    def block(self) -> int:
        """Values between two change points of a history, at least."""
        return self.step or max(1, self.samples // 4)


def read(watches: Iterable[Watch], rules: Rules, *, closed: bool = False) -> None:
    """Bring the statistics up to date, those with equally many bins in one calculation.

    With `closed` they are of closed panes alone, which do not depend on when one looks.
    """
    groups: dict[int, list[Watch]] = {}
    for watch in in_turns(watches):
        if watch.reference is None or not (closed or watch.statistics is None):
            continue
        if watch.is_compared:
            live = watch.history.total if closed else watch.live()
            compared = watch.log_evidence(live - watch.history.change_points)
            watch.statistics = _statistics(watch, live, compared.tolist(), rules)
        else:
            groups.setdefault(watch.reference.bins.size, []).append(watch)
    for group in in_turns(_batches(groups.values())):
        lives = [watch.history.total if closed else watch.live() for watch in group]
        points = [watch.history.change_points for watch in group]
        bins = len(group[0].weights)
        counts = [(live - point)[:, :bins] for live, point in zip(lives, points, strict=True)]
        nulls = [w.weights + point[:, :bins] for w, point in zip(group, points, strict=True)]
        rows = np.repeat(np.arange(len(group)), [len(point) for point in points])
        fields = (np.stack(field)[rows] for field in zip(*(w.tree for w in group), strict=True))
        part = np.array([watch.part for watch in group])[rows, None]
        logs = log_evidence(
            np.concatenate(counts) * part, np.concatenate(nulls) * part, Splits(*fields)
        )
        place = 0
        for watch, live in zip(group, lives, strict=True):
            length = len(watch.history.born)
            watch.statistics = _statistics(
                watch, live, logs[place : place + length].tolist(), rules
            )
            place += length


def _batches(groups: Iterable[list[Watch]]) -> Iterator[list[Watch]]:
    for group in groups:
        yield from (group[at : at + AT_ONCE] for at in range(0, len(group), AT_ONCE))


def thresholds(watches: Mapping[WatchKey, float], rules: Rules) -> dict[WatchKey, float]:
    """Log evidence from which on each watch is believed, by the log evidence of all.

    The budget is shared all → feature → segment. Every feature has an equal part; of that, the
    whole traffic has a quarter and each dimension an equal part of the rest, shared by its
    segments. The mean of a feature's evidence, so weighed, says that it changed anywhere: e-BH
    finds the features that did, and in each of them e-BH, at the level that those leave, the
    segments (Benjamini and Bogomolov 2014; Wang and Ramdas 2022).
    """
    features: dict[str, dict[WatchKey, float]] = {}
    for key, log in watches.items():
        features.setdefault(key[0], {})[key] = log
    shares = {name: _shares(logs) for name, logs in in_turns(features.items())}
    means = [
        log_sum([log + math.log(shares[name][key]) for key, log in logs.items()])
        for name, logs in in_turns(features.items())
    ]
    size = max(len(features), 1)
    bar = believed(means, [1 / size] * len(features), rules.alpha) + math.log(size)
    limits: dict[WatchKey, float] = {}
    for name, logs in in_turns(features.items()):
        inside = list(shares[name].values())
        spent = believed(list(logs.values()), inside, math.exp(-bar))
        limits |= {key: spent - math.log(share) for key, share in shares[name].items()}
    return limits


def _shares(watches: Iterable[WatchKey]) -> dict[WatchKey, float]:
    """The part of a feature's budget that each of its watches has."""
    keys = list(watches)
    parts = shares_of([(dimension, value) for _, dimension, value in keys])
    return {key: parts[key[1:]] for key in keys}


def drift_since(watch: Watch, threshold: float, rules: Rules) -> int | None:
    """The change point since which a change that matters is believed, or None.

    Counted are only bets on starts since which the effect is not tolerable: a certain but tiny
    change of long ago does not make chance look like drift today.
    """
    statistics = watch.statistics
    if statistics is None or statistics.log_evidence < threshold:
        return None
    if not statistics.effects:
        statistics.effects = [
            effect(watch, statistics.live - point, rules) for point in watch.history.change_points
        ]
    bets = [
        bet if size >= rules.tolerance else -math.inf
        for bet, size in zip(statistics.bets, statistics.effects, strict=True)
    ]
    return bets.index(max(bets)) if log_sum(bets) >= threshold else None


def effect(watch: Watch, counts: Ints, rules: Rules) -> float:
    """How large the change in `counts` is; -1 where they are too few to say."""
    usual, current = watch.windows(counts)
    if min(current.samples, usual.samples) < MINIMUM:
        return -1.0
    return rules.effect.score(usual, current)


def settle(turned: list[Watch], watches: Collection[Watch], rules: Rules) -> None:
    """Begin and end drift in `turned`, those whose history has just got a change point."""
    read(turned, rules, closed=True)
    rising = []
    for watch in turned:
        watch.settled = watch.statistics.log_evidence if watch.statistics else 0.0
        watch.highest = max(watch.highest, watch.settled)
        if watch.episode is None:
            rising.append(watch)
        elif (point := _returned(watch, watch.episode, rules)) is not None:
            watch.history.restart(point)
            watch.episode = None
    if any(watch.settled >= -math.log(rules.alpha) for watch in rising):
        limits = thresholds({watch.key: watch.settled for watch in watches}, rules)
        for watch in in_turns(rising):
            point = drift_since(watch, limits[watch.key], rules)
            if point is not None:
                history = watch.history
                watch.episode = Episode(history.times[point], history.change_points[point].tolist())
    for watch in turned:
        watch.statistics = None


def renew(watch: Watch, end: float, rules: Rules) -> None:
    """Let what was counted until `end` be the reference from now on, where it is time for that."""
    if rules.renew is None or watch.episode is not None or watch.reference is None:
        return
    if watch.is_compared:
        return  # that reference is always new
    bins, total = watch.history.bins, watch.history.total.tolist()
    counts, rest = total[:bins], total[bins:] if watch.fourier else ()
    if end - watch.history.times[0] >= rules.renew and sum(counts) >= rules.samples:
        watch.renew(watch.reference.renewed(counts, rest), end)


def status_of(usual: Window, samples: int) -> Status:
    """`ok` or `insufficient`, for what does not drift and has that many values in its window.

    The standard deviation of the corrected PSI under no change is √(2(K-1)) (1/m + 1/n).
    """
    if min(samples, usual.samples) < MINIMUM:
        return "insufficient"
    bins = sum(1 for count in usual.counts if count)
    chance = math.sqrt(2 * (bins - 1)) * (1 / usual.samples + 1 / samples)
    return "ok" if 2 * chance <= NOTICEABLE else "insufficient"


def _statistics(watch: Watch, live: Ints, logs: list[float], rules: Rules) -> Statistics:
    bets = [
        math.log(start_weight(born, rules.patience)) + log
        for born, log in zip(watch.history.born, logs, strict=True)
    ]
    left = unspent(watch.history.starts, rules.patience)
    return Statistics(live, bets, log_sum([*bets, math.log(left)] if left > 0 else bets))


def _returned(watch: Watch, episode: Episode, rules: Rules) -> int | None:
    """The change point since which values look like the reference again, or None."""
    if watch.statistics is None:
        return None
    live, history = watch.statistics.live, watch.history
    point = history.recent(live, rules.samples)
    current = live - history.change_points[point]
    drifted = np.maximum(history.change_points[point] - np.array(episode.origin, dtype=np.int64), 0)
    counted = drifted[: history.bins]
    if counted.sum() < MINIMUM or effect(watch, current, rules) >= rules.tolerance:
        return None
    usual = watch.weights
    if watch.is_compared:
        usual = np.array(watch.windows(current)[0].counts) + 0.5
    both, counts = np.stack((usual, counted + 0.5)), current[: history.bins]
    likely, unlikely = log_likelihood(np.stack((counts, counts)), both, watch.tree).tolist()
    return point if likely - unlikely >= RETURNED else None
