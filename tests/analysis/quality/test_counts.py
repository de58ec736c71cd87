"""Sums of a segment are integers that add up."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.quality.answers import read
from monitor.analysis.quality.counts import LOSS_BITS, Counts, added_by, mean, units
from monitor.rows import Truth

truths = st.lists(
    st.tuples(
        st.builds(
            Truth,
            st.sampled_from(["1", "0", "cat", "New York", "a text of some words"]),
            st.none() | st.floats(0, 1),
            st.sampled_from(["1", "0", "York", "another text of some words"]),
        )
        | st.builds(Truth, st.floats(-1e6, 1e6), st.none(), st.floats(-1e6, 1e6)),
        st.sampled_from([1.0, 2.0, 64.0, 1.37]),
    ),
    max_size=40,
)


def counted(some: list[tuple[Truth, float]]) -> Counts:
    counts = Counts()
    for truth, weight in some:
        answer, _ = read(truth, "1")
        assert answer is not None
        counts.add(added_by(answer, str), units(weight))
    return counts


@given(some=truths, cut=st.integers(0, 40), seed=st.integers())
def test_parts_add_up_in_any_order(some: list[tuple[Truth, float]], cut: int, seed: int) -> None:
    """Shuffled, counted in two shards and merged, saved and restored: the same bit for bit."""
    whole = counted(some)
    random.Random(seed).shuffle(some)
    first, second = counted(some[:cut]), counted(some[cut:])
    first.merge(second, str)
    assert first == whole
    assert Counts.restored(whole.saved()) == whole


def test_a_damaged_entry_is_said() -> None:
    """As of every other part of a checkpoint."""
    with pytest.raises(msgspec.DecodeError):
        Counts.restored(b'[1,[["a"]],[],[]]')


@given(values=st.lists(st.tuples(st.floats(0, 100), st.sampled_from([1, 2, 8])), min_size=2))
def test_a_mean_and_its_variance_are_hajeks(values: list[tuple[float, int]]) -> None:
    """As numpy has them of the same weighted values."""
    np = pytest.importorskip("numpy")
    counts = Counts()
    for value, weight in values:
        answer, _ = read(Truth(value, None, 0.0), "1")
        assert answer is not None
        counts.add(added_by(answer, str), units(weight))
    x, w = (np.array(one, dtype=float) for one in zip(*values, strict=True))
    expected = (w * x).sum() / w.sum()
    variance = (w**2 * (x - expected) ** 2).sum() / w.sum() ** 2
    found = mean(counts.losses["absolute"])
    assert found[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found[1] == pytest.approx(variance, rel=1e-6, abs=1e-9)


def test_a_loss_is_kept_to_many_places() -> None:
    """Errors of a billionth are no zeros, and their squares are not either."""
    counts = counted([(Truth(1e-9, None, 0.0), 1.0)] * 3)
    assert mean(counts.losses["absolute"])[0] == pytest.approx(1e-9, rel=1e-9)
    assert mean(counts.losses["squared"])[0] == pytest.approx(1e-18, rel=1e-5)
    assert counts.losses["absolute"][2] < 1 << (LOSS_BITS + 22)
