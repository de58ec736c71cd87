"""What others would have done on the same streams, at their defaults.

Each is a function (reference values, events) → events until its first alarm, inf for never. Batch
methods look at the newest WINDOW events, every WINDOW events, as a scheduled report would.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from drift_streams import Values
from scipy import stats
from scipy.spatial.distance import jensenshannon

WINDOW = 200

Peer = Callable[[Values, Values], float]


def evidently_wasserstein(reference: Values, events: Values) -> float:
    """Evidently 0.7's default for numbers, more than 1,000 rows: W1 / sd at least 0.1."""
    scale = reference.std()
    return _first(
        events, lambda window: stats.wasserstein_distance(reference, window) / scale >= 0.1
    )


def evidently_jensen_shannon(reference: Values, events: Values) -> float:
    """Evidently 0.7's default for categories, more than 1,000 rows: JS distance at least 0.1."""
    size = int(max(reference.max(), events.max())) + 1
    usual = np.bincount(reference, minlength=size) / len(reference)

    def alarms(window: Values) -> bool:
        now = np.bincount(window, minlength=size) / len(window)
        return bool(jensenshannon(usual, now, base=2) >= 0.1)

    return _first(events, alarms)


def repeated_ks(reference: Values, events: Values) -> float:
    """Two-sample Kolmogorov-Smirnov at 0.05 on every window (whylogs' test, on raw values)."""
    return _first(events, lambda window: stats.ks_2samp(reference, window).pvalue < 0.05)


def repeated_chi_square(reference: Values, events: Values) -> float:
    """Pearson's chi-square at 0.05 on every window, ten reference quantiles."""
    edges = np.quantile(reference, np.linspace(0, 1, 11)[1:-1])
    usual = np.bincount(np.searchsorted(edges, reference), minlength=10) / len(reference)

    def alarms(window: Values) -> bool:
        now = np.bincount(np.searchsorted(edges, window), minlength=10)
        return bool(stats.chisquare(now, usual * len(window)).pvalue < 0.05)

    return _first(events, alarms)


def always_fire(reference: Values, events: Values) -> float:
    """The detector that is never late."""
    return float(WINDOW)


def never_fire(reference: Values, events: Values) -> float:
    """The detector that is never wrong."""
    return math.inf


def river(name: str) -> Peer | None:
    """A drift detector of river at its defaults, if it is installed; it sees the reference too."""
    try:
        detectors: Any = importlib.import_module("river.drift")
    except ImportError:
        return None
    make = getattr(detectors, name)

    def run(reference: Values, events: Values) -> float:
        detector = make(seed=1) if name == "KSWIN" else make()
        for value in reference[-1000:]:
            detector.update(float(value))
        for index, value in enumerate(events, start=1):
            detector.update(float(value))
            if detector.drift_detected:
                return float(index)
        return math.inf

    return run


def peers() -> Iterator[tuple[str, Peer]]:
    """Everybody who is here, for a stream of numbers."""
    yield "Evidently 0.7 default (W1/sd ≥ 0.1)", evidently_wasserstein
    yield "whylogs-style KS, p < 0.05", repeated_ks
    yield "repeated chi², p < 0.05", repeated_chi_square
    for name in ("ADWIN", "KSWIN", "PageHinkley"):
        detector = river(name)
        if detector:
            yield f"river {name}", detector
    yield "always fire", always_fire
    yield "never fire", never_fire


def _first(events: Values, alarms: Callable[[Values], Any]) -> float:
    for end in range(WINDOW, len(events) + 1, WINDOW):
        if alarms(events[end - WINDOW : end]):
            return float(end)
    return math.inf
