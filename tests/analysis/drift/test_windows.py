"""Bins: made once, total on anything, silent about anybody's exact value."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.labels import label
from monitor.analysis.drift.windows import (
    CATEGORY_BINS,
    Bins,
    category_bins,
    limits,
    locator,
    number_bins,
    numbers_locator,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=5,
)
BINS = [
    Bins("numeric", edges=[0.0, 0.0, 1.0, 2.5]),
    Bins("categorical", categories=["a", "true"]),
    Bins("vector", centers=[[0.0, 0.0], [1.0, 1.0]], radius=2.0),
    Bins("nothing"),
]


@given(value=ANYTHING)
def test_whatever_comes_has_a_bin(value: Any) -> None:
    """A value of any type falls into one bin of each shape, and the bin has a name."""
    for bins in BINS:
        index = locator(bins)(value)
        assert 0 <= index < bins.size, bins.shape
        assert label(bins, index), bins.shape


@given(st.lists(FINITE, min_size=1, max_size=200), st.integers(3, 10))
def test_no_value_of_the_sample_is_below_or_above(values: list[float], inner: int) -> None:
    """The outermost edges enclose the sample, and edges ascend."""
    bins = number_bins(values, inner)
    assert bins.edges == sorted(bins.edges)
    assert len(bins.edges) - len(bins.between[1:-1]) <= inner + 2
    locate = locator(bins)
    assert all(0 < locate(value) < len(bins.edges) for value in values)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=50))
def test_few_distinct_numbers_have_a_bin_each(values: list[int]) -> None:
    """Zeros and ones are not thrown together."""
    locate = locator(number_bins(values))
    assert len({locate(value) for value in set(values)}) == len(set(values))


def test_edges_are_nobodys_value() -> None:
    """Values with many digits do not show in the bins."""
    values = [
        math.sqrt(number) * 12345.678
        for number in range(2, 900)
        if math.isqrt(number) ** 2 != number
    ]
    assert not set(number_bins(values).edges) & set(values)


def test_an_outlier_does_not_swallow_the_others() -> None:
    """Bins stay where the values are."""
    bins = number_bins([number / 100 for number in range(1000)] + [1e12])
    assert sum(edge < 10 for edge in bins.edges) >= 9


def test_a_million_categories_are_few_bins() -> None:
    """Only categories that recur have a bin, and not many."""
    once = [f"user-{number}" for number in range(100_000)]
    assert category_bins(once).categories == []
    twice = [f"user-{number % 5000}" for number in range(20_000)]
    assert len(category_bins(twice).categories) == CATEGORY_BINS


def test_numbers_no_float_can_hold_are_not_finite() -> None:
    """An integer of 400 digits is counted beside NaN and infinity."""
    bins = Bins("numeric", edges=[0.0, 1.0])
    locate = locator(bins)
    assert locate(10**400) == locate(math.nan) == locate(-math.inf) == bins.ordinary + 1


@given(
    st.lists(st.integers(-10_000, 10_000), min_size=1, max_size=80),
    st.sampled_from([10, 100]),
    st.integers(3, 10),
    st.sampled_from(["float32", "float64"]),
)
def test_a_value_that_recurs_is_in_one_bin_in_every_width(
    ticks: list[int], scale: int, inner: int, width: str
) -> None:
    """0.4 of 32 bits and of 64 are the same number: no edge stands on a value that recurs."""
    values = [tick / scale for tick in ticks]
    locate = locator(number_bins(values * 2, inner))
    for value in values:
        for other in (np.nextafter(value, np.inf), np.nextafter(value, -np.inf), value + 0.0):
            assert locate(float(np.asarray(other).astype(width))) == locate(value)


def test_few_values_of_sixteen_bits_are_the_same() -> None:
    """Also where they are far apart in size, and at both ends."""
    values = [0.1, 0.2, 0.3, 1000.7]
    locate = locator(number_bins(values * 30))
    assert [locate(float(np.float16(value))) for value in values] == [1, 3, 5, 7]
    assert [locate(value) for value in (-5.0, 1010.0)] == [0, 8]


@pytest.mark.parametrize(
    ("values", "new"),
    [
        ([200, 500], 301),
        ([0, 1], 0.45),
        ([10, 20, 40], 24),
        ([0.0, 0.4], 0.2),
        ([2025], 2026),
        ([1793404800], 1795996800),
        ([20261128], 20261129),
        ([1793404800.5], 1793491200.5),
        ([9.99], 9.9),
    ],
)
def test_a_value_that_never_was_is_none_of_the_few(values: list[float], new: float) -> None:
    """Between two values, and near the only one: it is in no bin of theirs, but between or
    outside."""
    bins = number_bins(values * 100)
    locate = locator(bins)
    assert [label(bins, locate(value)) for value in values] == [f"{value:g}" for value in values]
    assert locate(new) in bins.between
    assert numbers_locator(bins)(np.array([*values, new])).tolist() == [
        locate(value) for value in (*values, new)
    ]


@given(st.lists(FINITE, min_size=1, max_size=10))
def test_few_numbers_and_their_neighbours_are_in_order(values: list[float]) -> None:
    """However near to each other and however large: each has a bin, limits ascend, and many
    numbers at once are where they are one by one."""
    bins = number_bins(values)
    ends, locate, distinct = limits(bins), locator(bins), sorted(set(values))
    assert ends == sorted(ends)
    assert [locate(value) for value in distinct] == list(range(1, bins.ordinary, 2))
    near = [math.nextafter(one, way) for one in [*ends, *values] for way in (-math.inf, math.inf)]
    all_ = [one for one in [*ends, *values, *near] if math.isfinite(one)]
    assert numbers_locator(bins)(np.array(all_)).tolist() == [locate(one) for one in all_]


def test_profiles_of_older_versions_count_as_they_did() -> None:
    """There a bin is what is nearest to each value."""
    old = Bins("numeric", edges=[1.0, 1.0, 2.0, 4.0], exact=True)
    assert [locator(old)(value) for value in (0.0, 1, 1.6, 2, 3.5, 4, 6)] == [0, 1, 2, 2, 3, 3, 4]
    assert [label(old, index) for index in range(5)] == ["below 1", "1", "2", "4", "above 4"]


def test_one_value_far_out_does_not_hide_a_tail() -> None:
    """Of many values the outermost bins are parted, three values from the end; not where that value
    recurs, nor of few values."""
    amounts = [math.exp(normal / 100) for normal in range(-300, 300)] + [1e9]
    bins = number_bins(amounts)
    assert bins.tails
    assert (bins.ordinary, len(number_bins(amounts[::2]).edges)) == (14, 11)
    assert sum(value > bins.edges[-2] for value in amounts) == 2
    prices = [9.5, 10.5, 11.5] * 300 + list(range(100, 120)) * 3
    assert not number_bins(prices).tails


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_numbers_there_are_have_bins(sign: int) -> None:
    """Rounded, their edges would be beyond what a float holds."""
    values = [sign * sys.float_info.max * (1 - number * 1e-10) for number in range(600)]
    for inner in (1, 10):
        edges = number_bins([*values, values[0]], inner).edges
        assert edges == sorted(edges)
        assert all(map(math.isfinite, edges))
