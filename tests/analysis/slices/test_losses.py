"""How bad a row is, by each measure."""

from __future__ import annotations

import pytest

from monitor.analysis.slices.losses import LEAST, MEASURES, ONE, Bars, losses
from monitor.rows import Row, Truth

ALL = frozenset(MEASURES)


def of(truth: Truth, bars: Bars | None = None, **row: object) -> dict[str, int]:
    found = losses(Row(0.0, {}, [], truth=truth, **row), "1", ALL, bars or Bars())  # type: ignore[arg-type]
    return {MEASURES[number]: bad for number, bad in found}


@pytest.mark.parametrize(
    ("truth", "bad"),
    [
        (Truth(prediction="1", label="1"), 0),
        (Truth(prediction="1", label="0"), ONE),
        (Truth(prediction=1.0, label=1.0, score=0.9), 0),
        (Truth(prediction="the red house on the hill", label="a red house on the hill"), 0),
        (Truth(prediction="the red house on the hill", label="no idea what that may be"), ONE),
    ],
)
def test_a_class_or_text_is_wrong_or_not(truth: Truth, bad: int) -> None:
    """A text is wrong that shares less than half of its words with the truth."""
    assert of(truth)["error"] == bad


def test_without_a_label_there_is_no_error() -> None:
    """A missing label is neither right nor wrong; that of a reviewer is of a sample of another
    mix."""
    assert of(Truth(prediction="1", score=0.9)) == {}
    assert of(Truth(prediction="1", label="0", weight=4.0)) == {}


def test_a_number_is_bad_beyond_what_most_of_the_first_were() -> None:
    """Until enough have come nothing is said; the bar stays as it is afterwards."""
    bars = Bars()
    for number in range(LEAST):
        assert of(Truth(duration=1.0 if number % 20 else 30.0), bars) == {}
    bars.set()
    assert of(Truth(duration=1.0), bars) == {"latency": 0}
    assert of(Truth(duration=9.0), bars) == {"latency": ONE}
    assert 1.0 < bars.known["latency"] <= 2.0
    assert not bars.first


def test_parts_of_the_first_numbers_add_up() -> None:
    """Counted apart and merged, they set the bar that they set together."""
    one, other, both = Bars(), Bars(), Bars()
    for number in range(LEAST):
        of(Truth(cost=float(number)), one if number % 2 else other)
        of(Truth(cost=float(number)), both)
    one.merge(other)
    one.set()
    both.set()
    assert one.known == both.known


def test_how_sure_is_held_against_how_right() -> None:
    """0.5 where a score says what came true; of two classes the likelier one counts."""
    assert of(Truth(score=0.9, label="1"))["calibration"] == round((1 + 0.9 - 1) / 2 * ONE)
    assert of(Truth(score=0.1, label="1"))["calibration"] == round((1 + 0.9) / 2 * ONE)


def test_checks_and_refusals() -> None:
    """A failed check is bad; what an endpoint refused was not slow."""
    assert of(Truth(passed=False)) == {"checks": ONE}
    assert of(Truth(passed=True)) == {"checks": 0}
    bars = Bars({"latency": 1.0})
    assert of(Truth(duration=5.0), bars, accepted=False) == {}
