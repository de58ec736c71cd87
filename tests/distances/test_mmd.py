"""Maximum mean discrepancy: unbiased under no change, and it sees a cloud that moves."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from monitor.analysis.drift.reference import Learner, Reference
from monitor.distances.mmd import MEASURE, mmd
from monitor.types import Window


def cloud(count: int, shift: float, seed: int, width: int = 16) -> list[list[float]]:
    drawn = np.random.default_rng(seed).standard_normal((count, width))
    drawn[:, 0] += shift
    found: list[list[float]] = drawn.tolist()
    return found


def reference(vectors: list[list[float]], bins: Reference | None = None) -> Reference:
    learner = Learner(bins=bins.bins if bins else None)
    for vector in vectors:
        learner.add(vector)
    return learner.reference()


@functools.cache
def usual() -> Reference:
    """What is usual, made when a first test asks for it: each worker collects all tests."""
    return reference(cloud(4000, 0.0, 1))


def score(vectors: list[list[float]]) -> float:
    return MEASURE.score(usual().window(), reference(vectors, usual()).window())


def test_without_change_it_is_nothing_on_average() -> None:
    """The estimate is unbiased: with the cut at 0 it stays far below what counts."""
    scores = [score(cloud(200, 0.0, seed)) for seed in range(2, 22)]
    assert sum(scores) / len(scores) < MEASURE.threshold / 3
    assert 0.0 in scores


def test_a_cloud_that_moves_is_seen() -> None:
    """The further the larger."""
    scores = [score(cloud(500, shift, 30)) for shift in (0.0, 1.0, 2.0, 4.0)]
    assert scores == sorted(scores)
    assert scores[2] > MEASURE.threshold


def test_it_agrees_with_the_kernel_on_raw_vectors() -> None:
    """The Gaussian kernel's unbiased MMD² on all pairs, within what 24 frequencies can say."""
    from scipy.spatial.distance import cdist

    one, other = (np.array(cloud(600, shift, seed)) for shift, seed in ((0.0, 40), (4.0, 41)))
    width = usual().bins.bandwidth
    k = [
        np.exp(-(cdist(a, b) ** 2) / (2 * width**2))
        for a, b in ((one, one), (other, other), (one, other))
    ]
    inner = [(m.sum() - np.trace(m)) / (len(m) * (len(m) - 1)) for m in k[:2]]
    exact = inner[0] + inner[1] - 2 * k[2].mean()
    windows = [reference(v.tolist(), usual()).window() for v in (one, other)]
    assert MEASURE.score(*windows) == pytest.approx(exact, rel=0.5)


def test_the_threshold_is_what_a_small_move_shows() -> None:
    """A normal on a line that moved by 0.14 standard deviations, within what 24 frequencies say."""
    clouds = [cloud(20000, shift, 50, width=1) for shift in (0.0, 0.02**0.5)]
    usual = reference(clouds[0])
    moved = reference(clouds[1], usual)
    assert MEASURE.score(usual.window(), moved.window()) == pytest.approx(
        MEASURE.threshold, rel=0.5
    )


def test_too_few_vectors_say_nothing() -> None:
    """And windows that are not of vectors have no such distance."""
    assert mmd([1.0, 0.0], 1, [0.0, 50.0], 50) == 0.0
    assert MEASURE.score(Window((5, 5, 0, 0, 0)), Window((5, 0, 5, 0, 0))) == 0.0
