"""Made-up streams for the drift benchmark, and watches fed with them by the product's own code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.reference import Learner
from monitor.analysis.drift.watch import Watch
from monitor.analysis.drift.windows import limits
from monitor.distances import LIVE, psi

Values = npt.NDArray[Any]
Draw = Callable[[np.random.Generator, int], Values]

RULES = Rules(psi.MEASURE, LIVE)


def _normal(rng: np.random.Generator, n: int) -> Values:
    return rng.standard_normal(n)


def _lognormal(rng: np.random.Generator, n: int) -> Values:
    return rng.lognormal(0, 1, n)


def _length(rng: np.random.Generator, n: int) -> Values:
    return np.round(rng.lognormal(5, 0.8, n))


def _categories(k: int) -> Draw:
    shares = 1 / np.arange(1, k + 1) ** 0.7
    shares /= shares.sum()
    return lambda rng, n: rng.choice(k, n, p=shares)


KINDS: dict[str, Draw] = {
    "normal": _normal,
    "lognormal": _lognormal,
    "5 categories": _categories(5),
    "20 categories": _categories(20),
    "100 categories": _categories(100),
    "text length": _length,
}


def watch(
    name: tuple[str, str, str], reference: Values, *, categories: bool, design_effect: int = 1
) -> Watch:
    """A watch on what `Learner` makes of these values, in order."""
    learner = Learner(len(reference))
    for value in reference.tolist():
        learner.add(str(value) if categories else value)
    made = Watch(name, None, design_effect=design_effect)
    made.stand_on(learner.reference(), 0.0)
    return made


def small(segment: Values, parent: Watch, *, shrunk: bool) -> Watch:
    """A watch on a small segment of what `parent` watches, shrunk to it or on its own."""
    learner = Learner()
    for value in segment.tolist():
        learner.add(value)
    made = Watch(("x", "segment", "s"), None)
    assert parent.reference is not None
    made.stand_on(learner.within(parent.reference) if shrunk else learner.reference(), 0.0)
    return made


def put(one: Watch, pane: int, counts: npt.NDArray[np.int64]) -> None:
    """Let an open pane hold these counts of bins, and nothing of what else adds up."""
    one.open[pane] = [*counts.tolist(), *[0] * one.more]


def binner(made: Watch) -> Callable[[Values], npt.NDArray[np.int64]]:
    """The watch's `locate` for many values at once: values → counts."""
    assert made.reference is not None
    bins = made.reference.bins
    if bins.shape == "categorical":
        table = np.array([made.locate(str(category)) for category in range(1000)])
        return lambda values: np.bincount(table[values], minlength=bins.size)
    edges = np.array(limits(bins))

    def count(values: Values) -> npt.NDArray[np.int64]:
        places = np.searchsorted(edges, values, side="left")
        places[values == edges[0]] = 1
        missing = np.isnan(values)
        places[missing] = bins.ordinary
        return np.bincount(places, minlength=bins.size)

    return count
