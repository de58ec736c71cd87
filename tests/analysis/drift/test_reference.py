"""References: small, mergeable, without raw values, made of anything."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.profiles import Profile, dump_profile, load_profile
from monitor.analysis.drift.reference import BUFFER, Learner, Reference
from monitor.errors import SourceError

VALUES = st.lists(
    st.none() | st.booleans() | st.floats(width=32) | st.sampled_from(["a", "b", "c"]), max_size=120
)


def learned(values: list[Any], wanted: int | None = None) -> Reference:
    learner = Learner(wanted)
    for value in values:
        learner.add(value)
    return learner.reference()


@given(VALUES)
def test_any_values_make_a_reference(values: list[Any]) -> None:
    """Mixed, missing, infinite, none at all: there are counts, weights and a window."""
    reference = learned(values)
    assert reference.samples <= len(values)
    assert (reference.weights() > 0).all()
    window = reference.window()
    assert list(window.points) == sorted(window.points)
    assert math.isfinite(window.scale)


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ([None] * 50, "nothing"),
        ([math.nan] * 50, "nothing"),
        ([3.0] * 50, "numeric"),
        ([], "nothing"),
        (["only"], "categorical"),
        ([1.0] * 30 + ["one"] * 20, "numeric"),
        ([{"not": "ours"}] * 9, "nothing"),
    ],
)
def test_a_degenerate_sample_still_has_bins(values: list[Any], shape: str) -> None:
    """All missing, constant, one value, mixed types: the majority decides."""
    assert learned(values).bins.shape == shape


@given(VALUES, st.integers(0, 120))
def test_learning_goes_on_after_a_restart(values: list[Any], cut: int) -> None:
    """A learner saved and restored anywhere ends with the same reference."""
    learner = Learner(100)
    for value in values[:cut]:
        learner.add(value)
    again = Learner.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(learner.state())))
    for value in values[cut:]:
        learner.add(value)
        again.add(value)
    assert again.complete == learner.complete
    assert again.reference() == learner.reference()


def test_different_bins_do_not_merge() -> None:
    """Counts over different bins are not added up."""
    with pytest.raises(SourceError, match="different bins"):
        learned([1.0, 2.0]).merge(learned(["a", "a"]))


def test_the_window_stands_where_the_values_are() -> None:
    """Means and deviation of the reference come back from the counts."""
    rng = np.random.default_rng(5)
    values = rng.normal(100, 15, 4 * BUFFER)
    window = learned(values.tolist()).window()
    shares = np.array(window.counts[:-3]) / window.samples
    assert shares @ np.array(window.points) == pytest.approx(values.mean(), rel=0.005)
    assert window.scale == pytest.approx(values.std(), rel=0.03)


def test_unseen_categories_are_expected_as_often_as_they_come() -> None:
    """With ever new categories, the share of the unseen in the reference is that of the future."""
    chance = random.Random(4)
    draw = [f"c{int(chance.paretovariate(0.7))}" for _ in range(3000)]
    reference = learned(draw[:1000], 1000)
    known = set(reference.bins.categories)
    future = sum(value not in known for value in draw[1000:]) / 2000
    weights = reference.weights()
    expected = weights[len(known)] / weights.sum()
    assert expected == pytest.approx(future, abs=0.04)


# --- small segments ------------------------------------------------------------------------------


def segment(count: int, shift: float = 0.0, seed: int = 7) -> Learner:
    learner = Learner()
    for value in np.random.default_rng(seed).normal(shift, 1, count).tolist():
        learner.add(value)
    return learner


WHOLE = learned(np.random.default_rng(6).standard_normal(4000).tolist())


def test_a_small_segment_like_the_whole_is_lent_half_its_weight() -> None:
    """On the whole's bins; what it counted itself stays what it is."""
    shrunk = segment(100).within(WHOLE)
    assert shrunk.bins == WHOLE.bins
    assert shrunk.samples == 100
    assert 35 < sum(shrunk.prior) <= 50
    assert shrunk.weights().sum() == pytest.approx(100 + sum(shrunk.prior), rel=0.03)
    assert shrunk.window().samples == pytest.approx(100 + sum(shrunk.prior), abs=5)


def test_the_more_it_differs_the_less_it_is_lent() -> None:
    """And nothing once it is clear: then it has bins of its own."""
    lent = [sum(segment(100, shift).within(WHOLE).prior) for shift in (0.0, 0.25, 0.35, 2.0)]
    assert lent == sorted(lent, reverse=True)
    assert lent[-1] == 0
    assert segment(100, 2.0).within(WHOLE) == segment(100, 2.0).reference()


@pytest.mark.parametrize("count", [0, BUFFER, 2000])
def test_who_needs_nothing_is_lent_nothing(count: int) -> None:
    """Without values, or with as many as it takes."""
    assert not segment(count).within(WHOLE).prior
    assert not segment(100).within(segment(300).reference()).prior


@given(VALUES)
def test_any_values_can_be_a_small_segment(values: list[Any]) -> None:
    """Of the whole's type or not."""
    learner = Learner()
    for value in values:
        learner.add(value)
    reference = learner.within(WHOLE)
    assert (reference.weights() > 0).all()
    assert load_profile(dump_profile(Profile({("x", "s", "v"): reference})), "p").references == {
        ("x", "s", "v"): reference
    }


def test_weights_lent_add_up_and_are_checked() -> None:
    """Shards of one segment; a file with a weight that is none is damaged."""
    one = segment(100).within(WHOLE)
    both = one.merge(one)
    assert sum(both.prior) == pytest.approx(2 * sum(one.prior))
    profile = dump_profile(Profile({("x", "s", "v"): one}))
    first = str(one.prior[0]).encode()
    with pytest.raises(SourceError, match="damaged"):
        load_profile(profile.replace(first, b"-1.0", 1), "p")
