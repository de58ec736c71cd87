"""Laws of every drift measure."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.distances import LIVE, MEASURES
from monitor.interfaces import Measure
from monitor.types import Window

UNORDERED = [measure for measure in MEASURES if not measure.ordered]
every_measure = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)


@st.composite
def pairs(draw: st.DrawFn, most: int = 10**9) -> tuple[Window, Window]:
    """Two windows over the same ordered bins."""
    k = draw(st.integers(1, 12))
    counts = st.lists(
        st.one_of(st.just(0), st.integers(0, 30), st.integers(0, most)),
        min_size=k + 3, max_size=k + 3,
    ).map(tuple)  # fmt: skip
    steps = draw(st.lists(st.floats(1e-9, 1e9), min_size=k, max_size=k))
    points = tuple(accumulate(steps, initial=draw(st.floats(-1e12, 1e12))))[1:]
    scale = draw(st.one_of(st.just(0.0), st.floats(1e-6, 1e12)))
    return Window(draw(counts), points, scale), Window(draw(counts), points, scale)


def merged(*windows: Window) -> Window:
    counts = tuple(map(sum, zip(*(window.counts for window in windows), strict=True)))
    return Window(counts, windows[0].points, windows[0].scale)


def test_names_are_unique_and_live_ones_are_among_all() -> None:
    """A measure's name is a label value, so there is one of each."""
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
    assert set(LIVE) <= set(MEASURES)
    assert {"psi", "jensen_shannon"} <= {measure.name for measure in LIVE}


# Each pair is shown to all measures: to make one takes much longer than to measure it.


@settings(max_examples=60)
@given(pair=pairs())
def test_a_score_is_finite_and_not_negative(pair: tuple[Window, Window]) -> None:
    """Whatever was counted, there is a number that can be drawn."""
    for measure in MEASURES:
        score = measure.score(*pair)
        assert math.isfinite(score), measure.name
        assert score >= 0, measure.name


@settings(max_examples=60)
@given(pair=pairs())
def test_nothing_differs_from_itself(pair: tuple[Window, Window]) -> None:
    """A window is at distance 0 from itself, and from nothing."""
    window = pair[0]
    nothing = Window(tuple(0 for _ in window.counts), window.points, window.scale)
    for measure in MEASURES:
        assert measure.score(window, window) == 0, measure.name
        assert measure.score(window, nothing) == 0, measure.name
        assert measure.score(nothing, window) == 0, measure.name


@settings(max_examples=60)
@given(pair=pairs(), share=st.floats(0, 1))
def test_the_order_of_merging_does_not_matter(pair: tuple[Window, Window], share: float) -> None:
    """Counts added up in shards give the score of one pass, bit for bit."""
    reference, current = pair
    left = Window(tuple(int(c * share) for c in current.counts), current.points, current.scale)
    right = Window(
        tuple(c - part for c, part in zip(current.counts, left.counts, strict=True)),
        current.points, current.scale,
    )  # fmt: skip
    added = merged(right, left)
    for measure in MEASURES:
        assert measure.score(reference, added) == measure.score(reference, current), measure.name


@settings(max_examples=60)
@given(pair=pairs(), data=st.data())
def test_categories_have_no_order(pair: tuple[Window, Window], data: st.DataObject) -> None:
    """What an unordered measure says does not depend on how the bins are numbered."""
    order = data.draw(st.permutations(range(len(pair[0].counts))))
    shuffled = [Window(tuple(window.counts[i] for i in order)) for window in pair]
    for measure in UNORDERED:
        assert measure.score(*shuffled) == measure.score(*pair), measure.name


@settings(max_examples=60)
@given(pair=pairs())
def test_bins_that_were_never_hit_do_not_exist(pair: tuple[Window, Window]) -> None:
    """Empty special bins do not change a score."""
    grown = [Window((*window.counts, 0, 0, 0)) for window in pair]
    for measure in UNORDERED:
        assert measure.score(*grown) == measure.score(*pair), measure.name


SMALL = 0.02**0.5
"""Standard deviations by which a normal moves at every threshold."""
LINEAR = {"wasserstein", "total_variation", "hellinger", "kolmogorov_smirnov"}
"""Twice the move is twice the score; for the others it is four times."""
FREQUENCIES = np.random.default_rng(0).standard_normal((24, 4))


def of_chance(rng: np.random.Generator, samples: int, vectors: bool) -> Window:
    """A window of what never changes: ten bins, or as many vectors, of one distribution."""
    if vectors:
        angles = rng.standard_normal((samples, 4)) @ FREQUENCIES.T
        sums = np.concatenate([np.cos(angles).sum(0), np.sin(angles).sum(0)]) / 24**0.5
        return Window((samples, 0, 0, 0), fourier=tuple(map(float, sums)))
    points = tuple(float(x) for x in np.linspace(-1.6, 1.6, 10))
    counts = (*map(int, rng.multinomial(samples, [0.1] * 10)), 0, 0, 0)
    return Window(counts, points, 1.0)


@every_measure
@pytest.mark.parametrize(
    ("m", "n", "moved", "share"),
    [(5000, 100, 0.45, 5 / 4), (5000, 1000, 0.18, 1 / 3), (1000, 1000, 0.22, 1 / 3), (5000, 5000, 0.1, 1 / 8)],
)  # fmt: skip
def test_chance_alone_scores_about_nothing(
    measure: Measure, m: int, n: int, moved: float, share: float
) -> None:
    """With no change no score is what a normal shows that moved by so many standard deviations, and
    on average they stay below a share of the threshold; some are nothing at all."""
    rng = np.random.default_rng(m + n)
    scores = [
        measure.score(*(of_chance(rng, samples, measure.vectors) for samples in (m, n)))
        for _ in range(40 if measure.vectors else 100)  # each of thousands of sines
    ]
    limit = measure.threshold * (moved / SMALL) ** (1 if measure.name in LINEAR else 2)
    assert max(scores) < limit
    assert 0 < np.mean(scores) < measure.threshold * share
    assert 0.0 in scores


@pytest.mark.parametrize(
    "measure", [m for m in MEASURES if not m.vectors], ids=lambda measure: measure.name
)
@pytest.mark.parametrize("k", [10, 20, 50])
def test_the_threshold_is_what_a_small_move_shows(measure: Measure, k: int) -> None:
    """A normal that moved by 0.1414 standard deviations scores about the threshold, by design."""
    from scipy import stats

    edges = stats.norm.ppf(np.linspace(0, 1, k + 1))[1:-1]
    mass = 10**7

    def window(move: float) -> Window:
        shares = np.diff(np.concatenate([[0], stats.norm.cdf(edges - move), [1]]))
        density = np.concatenate([[0], stats.norm.pdf(edges), [0]])
        points = -np.diff(density) * k
        counts = (*(int(share * mass) for share in shares), 0, 0, 0)
        return Window(counts, tuple(float(x) for x in points), 1.0)

    score = measure.score(window(0.0), window(0.02**0.5))
    assert score == pytest.approx(measure.threshold, rel=0.11)
