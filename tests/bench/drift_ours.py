"""How often we alarm where nothing changed, and how soon where something did."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median

import numpy as np
from drift_streams import KINDS, RULES, Values, binner, put, small, watch

from monitor.analysis.drift.judgement import Rules, drift_since, read, settle
from monitor.analysis.drift.watch import Watch
from monitor.readable import rounded

ALPHA = RULES.alpha
LOOK = 20
"""Events between looks at a single stream."""

FEATURES, SEGMENTS = 20, 10
EVENTS, PANE = 100_000, 2_000


def false_alarms(m: int, trials: int, seed: int) -> tuple[int, int]:
    """Trials with any drift, and with any believed change, over EVENTS events without change."""
    drifted = changed = 0
    kinds = list(KINDS.items())
    for trial in range(trials):
        rng = np.random.default_rng([seed, m, trial])
        watches, binners, draws = [], [], []
        for feature in range(FEATURES):
            name, draw = kinds[feature % len(kinds)]
            for segment in range(SEGMENTS + 1):
                where = ("segment", str(segment)) if segment < SEGMENTS else ("all", "all")
                one = watch((f"{name} {feature}", *where), draw(rng, m), categories="cat" in name)
                watches.append(one)
                binners.append(binner(one))
                draws.append(draw)
        alarmed = believed = False
        for pane in range(EVENTS // PANE):
            parts: list[Values] = []
            for index, one in enumerate(watches):
                if index % (SEGMENTS + 1) == SEGMENTS:
                    values = np.concatenate(parts)
                    parts = []
                else:
                    values = draws[index](rng, PANE // SEGMENTS)
                    parts.append(values)
                put(one, pane, binners[index](values))
                one.close(pane, float(pane), RULES.block)
            settle(watches, watches, RULES)
            alarmed |= any(one.episode for one in watches)
            limit = math.log(len(watches) / ALPHA)
            believed |= any(one.settled >= limit for one in watches)
            if alarmed:
                break
        drifted += alarmed
        changed += alarmed or believed
    return drifted, changed


def delays(
    reference: list[Values],
    events: list[Values],
    *,
    streams: float = 1,
    quiet: int = 0,
    tolerance: float = RULES.tolerance,
    categories: bool = False,
) -> list[float]:
    """Events after `quiet` until each stream is found to drift (inf: never, -1: before).

    Each stream is one of `streams` that are watched: its part of the error budget is smaller.
    """
    rules: Rules = replace(RULES, tolerance=tolerance)
    waiting = [
        watch((str(index), "all", "all"), values, categories=categories)
        for index, values in enumerate(reference)
    ]
    return waited(waiting, events, streams=streams, quiet=quiet, rules=rules)


def waited(
    watches: list[Watch],
    events: list[Values],
    *,
    streams: float = 1,
    quiet: int = 0,
    rules: Rules = RULES,
    step: int = LOOK,
) -> list[float]:
    """The same for watches made already, with a look every `step` events."""
    limit = math.log(streams / ALPHA)
    waiting = dict(enumerate(watches))
    binners = {index: binner(one) for index, one in waiting.items()}
    found = [math.inf] * len(watches)
    for look, start in enumerate(range(0, len(events[0]), step)):
        for index, one in waiting.items():
            put(one, look, binners[index](events[index][start : start + step]))
            one.close(look, float(look), rules.block)
        read(waiting.values(), rules)
        for index, one in list(waiting.items()):
            if drift_since(one, limit, rules) is not None:
                found[index] = start + step - quiet if start + step > quiet else -1
                del waiting[index]
    return found


def shifted(m: int, deviations: float, **options: float) -> list[float]:
    """Delays for a standard normal whose mean moves."""
    trials, events = int(options.pop("trials")), int(options.pop("events"))
    quiet = int(options.get("quiet", 0))
    rng = np.random.default_rng([7, m, int(deviations * 100), quiet])
    reference = [rng.standard_normal(m) for _ in range(trials)]
    moving = np.where(np.arange(quiet + events) < quiet, 0.0, deviations)
    current = [rng.standard_normal(quiet + events) + moving for _ in range(trials)]
    return delays(reference, current, **options)  # type: ignore[arg-type]


def small_segments(
    m: int, apart: float, deviations: float, *, shrunk: bool, trials: int, streams: float
) -> list[float]:
    """Delays in segments of `m` reference values, of a whole of 5,000; each segment's mean differs
    from the whole's by `apart` times a normal deviate, and moves by `deviations`."""
    rng = np.random.default_rng([10, m, int(apart * 10), int(deviations * 10)])
    watches, events = [], []
    for _ in range(trials):
        parent = watch(("x", "all", "all"), rng.standard_normal(5000), categories=False)
        usual = apart * rng.standard_normal()
        watches.append(small(rng.standard_normal(m) + usual, parent, shrunk=shrunk))
        events.append(rng.standard_normal(3000) + usual + deviations)
    return waited(watches, events, streams=streams, step=100)


def new_category(m: int, share: float, trials: int, streams: int) -> list[float]:
    """Delays for a category never seen before that takes `share` of the values."""
    rng = np.random.default_rng([8, m])
    draw = KINDS["20 categories"]
    reference = [draw(rng, m) for _ in range(trials)]
    current = [np.where(rng.random(3000) < share, 500, draw(rng, 3000)) for _ in range(trials)]
    return delays(reference, current, streams=streams, categories=True)


def missing(m: int, share: float, trials: int, streams: int) -> list[float]:
    """Delays for values that go missing."""
    rng = np.random.default_rng([9, m])
    reference = [rng.standard_normal(m) for _ in range(trials)]
    current = [
        np.where(rng.random(3000) < share, np.nan, rng.standard_normal(3000)) for _ in range(trials)
    ]
    return delays(reference, current, streams=streams)


def told(found: list[float]) -> str:
    """Median delay and how many were found, as one cell of a table."""
    share = sum(map(math.isfinite, found)) / len(found)
    middle = median(found)
    early = sum(delay == -1 for delay in found)
    text = f"{middle:,.0f}" if math.isfinite(middle) else "not found by half"
    return f"{text} (found {rounded(share)}" + (f", {early} too early)" if early else ")")
