"""What fairness counts of a truth."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.fairness.reading import RATES, RESIDUAL, read
from monitor.rows import Truth

VALUES = st.none() | st.text(max_size=8) | st.floats() | st.sampled_from(["1", "0", "yes", ""])
SCORES = st.none() | st.floats() | st.dictionaries(st.sampled_from(["1", "0", "yes"]), st.floats())


@pytest.mark.parametrize(
    ("truth", "rates"),
    [
        (Truth(prediction="1", label="1"), {"selection_rate": True, "true_positive_rate": True, "error_rate": False}),
        (Truth(prediction="1", label="0"), {"selection_rate": True, "false_positive_rate": True, "error_rate": True}),
        (Truth(prediction=0.0, label=1.0), {"selection_rate": False, "true_positive_rate": False, "error_rate": True}),
        (Truth(prediction="1"), {"selection_rate": True}),
        (Truth(score=0.7, label="0"), {"selection_rate": True, "false_positive_rate": True, "error_rate": True}),
        (Truth(score={"1": 0.2, "0": 0.5, "x": 0.3}), {"selection_rate": False}),
        (Truth(prediction="1", label="1", weight=8.0), {"selection_rate": True}),
    ],
)  # fmt: skip
def test_each_rate_looks_at_its_rows(truth: Truth, rates: dict[str, bool]) -> None:
    """All with a prediction; those whose label is favourable or not; those with a label."""
    seen = read(truth, "1", "1")
    assert seen is not None
    assert {RATES[rate]: counts for rate, counts in seen.rates} == rates


@pytest.mark.parametrize(
    "truth", [Truth(), Truth(label="1"), Truth(prediction="", label=math.nan), Truth(score=1.5)]
)
def test_a_row_that_says_nothing_is_not_counted(truth: Truth) -> None:
    """Nor one with a label and nothing that was predicted."""
    assert read(truth, "1", "1") is None


@pytest.mark.parametrize("said", [1, 1.0, True, "1", "True", " 1.0"])
def test_a_class_has_any_spelling(said: Any) -> None:
    """Numbers and truth values of any type name the class that the text does."""
    seen = read(Truth(prediction=said, label=said), "1", "1")
    assert seen is not None
    assert dict(seen.rates) == {0: True, 1: True, 3: False}


def test_a_score_of_the_other_class_is_turned_round() -> None:
    """The score is that of `positive`, and fairness asks for the favourable class."""
    seen = read(Truth(score=0.9, label="0"), "0", "1")
    assert seen is not None
    assert seen.residual == pytest.approx(0.9 * RESIDUAL, abs=1)
    assert dict(seen.rates)[0] is False


@given(VALUES, SCORES, VALUES)
def test_any_truth_is_read(prediction: Any, score: Any, label: Any) -> None:
    """Each rate once, a residual from -1 to 1, without an exception."""
    seen = read(Truth(prediction=prediction, score=score, label=label), "1", "1")
    if seen is None:
        return
    assert len(dict(seen.rates)) == len(seen.rates)
    if seen.residual is not None:
        assert abs(seen.residual) <= RESIDUAL
