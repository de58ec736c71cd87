"""Centers: where the vectors are, the same every time, of anything finite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.clusters import centers
from monitor.analysis.drift.reference import Learner
from monitor.analysis.drift.windows import CLUSTERS


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(
                st.floats(allow_nan=False, allow_infinity=False), min_size=width, max_size=width
            ),
            min_size=1,
            max_size=30,
        )
    )
)
def test_any_finite_vectors_have_centers(vectors: list[list[float]]) -> None:
    """Few, finite, and of the same width."""
    found = centers(vectors, 5)
    assert 1 <= len(found) <= 5
    assert all(len(center) == len(vectors[0]) for center in found)
    assert np.isfinite(found).all()
    assert found == centers(vectors, 5)


def test_clusters_are_found() -> None:
    """Well separated groups have a center each."""
    rng = np.random.default_rng(2)
    middles = rng.normal(0, 10, (4, 32))
    vectors = np.repeat(middles, 50, axis=0) + rng.normal(0, 1, (200, 32))
    found = np.array(centers(vectors.tolist(), 4))
    for middle in middles:
        assert np.linalg.norm(found - middle, axis=1).min() < 1.5


def test_long_vectors_are_not_kept_for_long() -> None:
    """Bins are made once a quarter of a million numbers are there; the rest is counted."""
    learner = Learner(1000)
    for vector in np.random.default_rng(4).normal(0, 1, (100, 3000)).tolist():
        learner.add(vector)
    assert len(learner.state()["buffer"]) == 0
    assert learner.seen == 100
    assert not learner.complete


@pytest.mark.parametrize("odd", [[], [1.0], None, "text", [float("nan")] * 64])
def test_embeddings_make_a_reference_and_odd_ones_do_no_harm(odd: object) -> None:
    """Of another width, missing, not numbers: beside the clusters, in a special bin."""
    rng = np.random.default_rng(3)
    learner = Learner(600)
    for vector in rng.normal(0, 1, (599, 64)).tolist():
        learner.add(vector)
    learner.add(odd)
    reference = learner.reference()
    assert reference.bins.shape == "vector"
    assert reference.bins.ordinary == CLUSTERS + 1
    assert min(reference.counts[:CLUSTERS]) > 3
    assert sum(reference.counts[CLUSTERS + 1 :]) == 1
