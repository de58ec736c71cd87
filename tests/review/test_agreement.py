"""Agreement of two readers, against published figures and by properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.review.agreement import agreement, of_classes

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


@pytest.mark.parametrize(
    ("table", "pairs", "numbers"),
    [
        ([[38, 5, 0, 1], [33, 11, 3, 0], [10, 14, 5, 6], [3, 7, 3, 10]], 149, (0.43, 0.208, 0.26)),
        ([[5, 3, 0, 0], [3, 11, 4, 0], [2, 13, 3, 4], [1, 2, 4, 14]], 69, (0.48, 0.297, 0.31)),
    ],
)
def test_two_neurologists_agree_as_was_published(
    table: list[list[int]], pairs: int, numbers: tuple[float, float, float]
) -> None:
    """Patients of Winnipeg and of New Orleans, each put into four classes by both (Westlund and
    Kurland 1953; kappa in Landis and Koch 1977; `MSPatients` of R's vcd)."""
    found = of_classes(table)
    assert sum(map(sum, table)) == pairs
    assert found.raw == pytest.approx(numbers[0], abs=0.005)
    assert found.kappa == pytest.approx(numbers[1], abs=0.0005)
    assert found.gwet_ac1 == pytest.approx(numbers[2], abs=0.005)
    turned = of_classes([list(column) for column in zip(*table, strict=True)])
    assert turned == pytest.approx(found)


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
