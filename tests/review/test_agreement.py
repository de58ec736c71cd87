"""Agreement of two readers, against published figures and by properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.review.agreement import agreement

COUNTS = st.integers(0, 500)


def test_figures_of_published_tables() -> None:
    """Cohen 1960's formula and Gwet 2008's paradox: nearly equal readers, kappa near 0."""
    paradox = agreement(118, 5, 2, 0)
    assert paradox.raw == pytest.approx(0.944)
    assert paradox.kappa == pytest.approx(-0.0234, abs=1e-4)
    assert paradox.gwet_ac1 == pytest.approx(0.9408, abs=1e-4)
    assert paradox.on_failed == 0
    usual = agreement(20, 5, 10, 15)
    assert usual.raw == pytest.approx(0.7)
    assert usual.kappa == pytest.approx(0.4)


def test_coins_that_say_yes_agree_for_ac1_and_not_for_kappa() -> None:
    """Two who pass 95 of 100 at random: raw 0.905, AC1 0.895, kappa 0."""
    coins = agreement(9025, 475, 475, 25)
    assert coins.raw == pytest.approx(0.905)
    assert coins.gwet_ac1 == pytest.approx(0.895, abs=1e-3)
    assert coins.kappa == pytest.approx(0, abs=1e-9)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_every_number_has_its_range_or_is_none(pp: int, pf: int, fp: int, ff: int) -> None:
    """Shares lie in 0..1, coefficients in -1..1, and nothing is NaN."""
    found = agreement(pp, pf, fp, ff)
    assert found.pairs == pp + pf + fp + ff
    for share in (found.raw, found.on_failed, found.on_passed):
        assert share is None or 0 <= share <= 1
    for number in (found.kappa, found.alpha, found.gwet_ac1):
        assert number is None or (math.isfinite(number) and -1.001 <= number <= 1)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_who_was_first_matters_to_no_number(pp: int, pf: int, fp: int, ff: int) -> None:
    """The order of the two readers changes nothing."""
    one, other = agreement(pp, pf, fp, ff), agreement(pp, fp, pf, ff)
    for name in one.__struct_fields__:
        first, second = getattr(one, name), getattr(other, name)
        assert first == second or first == pytest.approx(second)
