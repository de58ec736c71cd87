"""What slices are made of: segments, edge cases, and bins of numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from monitor.analysis.slices.conditions import conditions_of, tokens
from monitor.rows import Row, Truth
from monitor.tables.numerals import octave


def test_segments_edge_cases_and_bins_are_conditions() -> None:
    """What a request does not state is none, and the whole is no condition."""
    truth = Truth(prediction="cat", input_tokens=9000, output_tokens=3)
    row = Row(0.0, {"site": "ams", "plan": "none"}, [], edge_cases=["refusal"], truth=truth)
    assert conditions_of(row, None) == [
        ("site", "ams"), ("edge_case", "refusal"), ("prediction", "cat"),
        ("input_tokens", "8,000 to 30,000"), ("output_tokens", "below 100"),
    ]  # fmt: skip
    assert ("site", "ams") not in conditions_of(row, ("plan",))


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        (Truth(prediction=100.0), [("prediction", "64 to 128")]),
        (Truth(prediction=1.0, score=0.9), [("prediction", "1")]),
        (Truth(prediction="a" * 65), []),
        (Truth(prediction=float("inf")), []),
        (Truth(score=0.4), []),
    ],
)
def test_a_prediction_is_its_class_or_a_bin(truth: Truth, expected: list[tuple[str, str]]) -> None:
    """Of a regression a bin, of a text nothing; a score is no condition."""
    assert conditions_of(Row(0.0, {}, [], truth=truth), None) == expected


@given(some.integers(0, 10**12))
def test_any_number_of_tokens_has_one_of_few_bins(count: int) -> None:
    """So what a client sends makes no more conditions than there are bins."""
    assert tokens(count) in {tokens(one) for one in (0, 100, 300, 1000, 3000, 8000, 30000, 10**6)}


@given(some.floats(allow_nan=False, allow_infinity=False))
def test_a_number_lies_in_its_bin(number: float) -> None:
    """Between the ends that its name has."""
    low, _, high = octave(number).partition(" to ")
    assert float(low) * (1 - 1e-5) - 1e-300 <= abs(number) or number < 0 or not number
    assert not high or float(low) <= float(high)
