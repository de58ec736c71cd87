"""Watch, judged → Finding: what its counts say, in numbers and in a sentence."""

from __future__ import annotations

from monitor.analysis.drift.findings import bins_of, direction, moved, words, yes
from monitor.analysis.drift.judgement import Rules, drift_since, effect, status_of
from monitor.analysis.drift.labels import Form
from monitor.analysis.drift.watch import Watch
from monitor.findings import Finding
from monitor.sequential.beta_binomials import Ints
from monitor.types import WHOLE, WatchKey


def finding(watch: Watch, threshold: float, rules: Rules, baseline: str) -> Finding:
    """What is known of a watch whose statistics are up to date.

    `threshold` is the log evidence from which on it is believed, `baseline` what a fixed reference
    is called.
    """
    baseline = _baseline(watch) or baseline
    statistics, reference, name = watch.statistics, watch.reference, _name(watch.key)
    if statistics is None or reference is None:
        why = "is being learned" if watch.learner or watch.peer else "is not in the reference"
        return Finding(
            *watch.key, watch.seen, 0, {}, 0.0, "insufficient", words=f"{name} {why}",
            baseline=baseline,
        )  # fmt: skip
    live, history = statistics.live, watch.history
    counts = live - history.change_points[history.recent(live, rules.samples)]
    usual, current = watch.windows(counts)
    status = status_of(usual, current.samples)
    changed = watch.episode is not None or statistics.log_evidence >= threshold
    since, origin = None, None
    if watch.episode is not None:
        status, since, origin = "drift", watch.episode.since, watch.episode.origin
    elif (point := drift_since(watch, threshold, rules)) is not None:
        status, since, origin = "drift", history.times[point], history.change_points[point]
    elif changed:
        since = history.times[statistics.bets.index(max(statistics.bets))]
    if origin is not None and (live - origin)[: history.bins].sum() < current.samples:
        counts = live - origin
        usual, current = watch.windows(counts)
    scores = {
        measure.name: measure.score(usual, current)
        for measure in rules.measures
        if (current.points or not measure.ordered) and (current.fourier or not measure.vectors)
    }
    sides, form = (reference.bins, usual, current), _form(watch, rules)
    shifts, text, shift = moved(*sides, form), "", 0.0
    lately = None
    if origin is not None:
        counts, lately = _told(watch, counts, live - origin, rules)
    bins = bins_of(*sides, form) if changed or rules.bins else []
    if changed and since is not None:
        shift = direction(usual, current) or yes(bins)
        sides = reference.bins, *watch.windows(counts)
        text = words(
            name,
            effect=max(effect(watch, counts, rules), 0.0),
            samples=sides[2].samples,
            since=since,
            harmless=status != "drift",
            shifts=moved(*sides, form),
            shift=direction(*sides[1:]),
            baseline=baseline,
            lately=lately,
        )
    before = usual.samples if watch.is_compared else reference.samples
    return Finding(
        *watch.key, current.samples, before, scores, statistics.log_evidence, status,
        changed, since, shifts, text, baseline=baseline, bins=bins, mean_shift=shift,
    )  # fmt: skip


def _told(
    watch: Watch, window: Ints, since: Ints, rules: Rules
) -> tuple[Ints, tuple[float, int] | None]:
    """The counts that a drift is told by: those of the window, or all since it began where these
    alone do not show it and it is not over; then the window's effect and size, too."""
    lately, whole = effect(watch, window, rules), effect(watch, since, rules)
    if whole <= max(lately, 0.0) or lately >= rules.tolerance:
        return window, None
    return since, (max(lately, 0.0), watch.windows(window)[1].samples)


def _form(watch: Watch, rules: Rules) -> Form:
    """How the numbers of a watch are told."""
    if watch.are_ages:
        return "age"
    return "date" if watch.key[0] in rules.times else "number"


def _baseline(watch: Watch) -> str:
    """What a watch is compared with, where that is not a fixed reference."""
    if watch.peer is not None:
        return f"{watch.peer.key[1]} {watch.peer.key[2]}"
    return "the same hour of the week" if watch.pane is not None else ""


def _name(key: WatchKey) -> str:
    feature, dimension, value = key
    return feature if dimension == WHOLE.dimension else f"{feature} in {dimension} {value}"
