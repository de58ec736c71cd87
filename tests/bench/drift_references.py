"""False alarms and delays against references that come in panes, and of autocorrelated values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from drift_ours import ALPHA, waited
from drift_streams import RULES, Values, binner, put, watch

from monitor.analysis.drift.judgement import drift_since, read
from monitor.analysis.drift.watch import Watch

LIMIT = math.log(1 / ALPHA)
WEEK = 168 * 3600
TEN_MINUTES = 600


def arms(deviations: float, *, ratio: int, trials: int, panes: int) -> list[float]:
    """Values of an arm until it is found to drift from the champion, inf: never.

    Both wander together by a deviation from pane to pane; a pane holds 100 values of the arm and
    `ratio` times as many of the champion, which has learned its bins from 1,000.
    """
    found = []
    for trial in range(trials):
        rng = np.random.default_rng([13, trial, ratio, int(deviations * 10)])
        champion = watch(("x", "variant", "champion"), rng.standard_normal(1000), categories=False)
        assert champion.reference is not None
        arm = Watch(("x", "variant", "b"), None, peer=champion)
        arm.stand_on(champion.reference, 0.0)
        count = binner(champion)
        delay = math.inf
        for pane in range(panes):
            common = math.sin(pane / 3)
            put(champion, pane, count(rng.standard_normal(100 * ratio) + common))
            put(arm, pane, count(rng.standard_normal(100) + common + deviations))
            arm.close(pane, float(pane), RULES.block)
            champion.close(pane, float(pane), RULES.block)
            read([arm], RULES)
            if drift_since(arm, LIMIT, RULES) is not None:
                delay = 100.0 * (pane + 1)
                break
        found.append(delay)
    return found


def hours(deviations: float, *, trials: int, weeks: int) -> list[float]:
    """Values after week 2 until drift from the same hour of the week is found; -1: before.

    A value a minute; its level goes up and down by three deviations a day.
    """
    found = []
    for trial in range(trials):
        rng = np.random.default_rng([14, trial, int(deviations * 10)])
        start = 4 * 86400  # a Monday
        level = level_at(rng)
        usual = np.concatenate([level(start + hour * 3600.0, 6) for hour in range(168)])
        made = watch(("x", "all", "all"), rng.permutation(usual), categories=False)
        assert made.reference is not None
        one = Watch(("x", "all", "all"), None, pane=float(TEN_MINUTES))
        one.stand_on(made.reference, 0.0)
        count, delay = binner(one), math.inf
        for index in range(weeks * WEEK // TEN_MINUTES):
            pane = start // TEN_MINUTES + index
            moved = deviations if index * TEN_MINUTES >= 2 * WEEK else 0.0
            put(one, pane, count(level(float(pane * TEN_MINUTES), 10) + moved))
            if one.close(pane, float(pane), RULES.block):
                read([one], RULES)
                if drift_since(one, LIMIT, RULES) is not None:
                    late = (index + 1) * 10 - 2 * WEEK // 60
                    delay = float(late) if late > 0 else -1.0
                    break
        found.append(delay)
    return found


def level_at(rng: np.random.Generator) -> Callable[[float, int], Values]:
    """(Unix time, how many) → values at that time."""
    return lambda time, n: rng.standard_normal(n) + 3 * math.sin(time / 86400 * 2 * math.pi)


def sessions(
    deviations: float, *, size: int, alike: float, design_effect: int, trials: int
) -> list[float]:
    """Delays where every `size` values are of one session: correlated by `alike`, 1 is the same."""
    rng = np.random.default_rng([15, size, int(alike * 10), int(deviations * 10)])

    def drawn(n: int) -> Values:
        common = np.repeat(rng.standard_normal(-(-n // size)), size)[:n]
        return math.sqrt(alike) * common + math.sqrt(1 - alike) * rng.standard_normal(n)

    watches = [
        watch(("x", "all", "all"), drawn(5000), categories=False, design_effect=design_effect)
        for _ in range(trials)
    ]
    events = [drawn(10000) + deviations for _ in range(trials)]
    return waited(watches, events, rules=replace(RULES, design_effect=design_effect), step=100)
