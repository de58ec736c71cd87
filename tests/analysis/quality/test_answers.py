"""What is counted of a truth, and what is wrong with it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.quality.answers import Answer, overlap, read
from monitor.rows import Truth


@pytest.mark.parametrize(
    ("truth", "answer"),
    [
        (Truth("cat", None, "dog"), Answer("cat", "dog", {})),
        (Truth(1.0, 0.8, "1"), Answer("1", "1", {"1": 0.8}, True)),
        (Truth("true", 0.8, 0.0), Answer("1", "0", {"1": 0.8}, True)),
        (Truth(None, 0.8, "1"), Answer("1", "1", {"1": 0.8}, True)),
        (Truth(None, 0.2, "1"), Answer("0", "1", {"1": 0.2}, True)),
        (Truth(None, 0.2, "-1"), Answer("-1", "-1", {"1": 0.2}, True)),
        (Truth("no", 0.2, "yes"), Answer("no", "yes", {})),
        (Truth("not 1", 0.2, "2"), Answer("2", "2", {"1": 0.2}, True)),
        (Truth(None, {"a": 0.2, "b": 0.7, "c": 0.1}, "c"),
         Answer("b", "c", {"a": 0.2, "b": 0.7, "c": 0.1})),
        (Truth(None, {"0": 0.4, "1": 0.6}, "1"), Answer("1", "1", {"1": 0.6}, True)),
        (Truth(2.5, None, 2.0), Answer(2.5, 2.0, {})),
        (Truth(2.5, None, "2.0"), Answer(2.5, 2.0, {})),
    ],
)  # fmt: skip
def test_a_truth_is_a_pair_of_one_kind(truth: Truth, answer: Answer) -> None:
    """Classes by their names, however they are spelt, or numbers; a score alone predicts."""
    assert read(truth, "1") == (answer, [])


@pytest.mark.parametrize(
    ("truth", "troubles"),
    [
        (Truth("cat"), ["unlabelled"]),
        (Truth("cat", None, " "), ["unlabelled"]),
        (Truth("cat", None, math.nan), ["unlabelled"]),
        (Truth(None, None, "cat"), ["unsaid"]),
        (Truth(None, 1.5, "1"), ["score", "unsaid"]),
        (Truth(None, {"a": -1.0}, "a"), ["score", "unsaid"]),
        (Truth(3.5, None, "cat"), ["kind"]),
        (Truth("cat", None, 3.5), ["kind"]),
        (Truth(None, 0.2, "no"), ["kind"]),
        (Truth(math.inf, None, 3.5), ["number"]),
        (Truth(1e300, None, 3.5), ["number"]),
    ],
)
def test_what_cannot_be_counted_says_why(truth: Truth, troubles: list[str]) -> None:
    """A missing label is neither right nor wrong; another kind than the prediction is no miss."""
    assert read(truth, "1") == (None, troubles)


def test_a_bad_score_costs_only_the_score() -> None:
    """The prediction and the label still count."""
    assert read(Truth("1", 1.5, "1"), "1") == (Answer("1", "1", {}), ["score"])
    assert read(Truth("1", math.nan, "1"), "1") == (Answer("1", "1", {}), ["score"])


@given(
    truth=st.builds(
        Truth,
        st.none() | st.text() | st.floats() | st.integers() | st.booleans(),
        st.none() | st.floats() | st.dictionaries(st.text(max_size=3), st.floats(), max_size=4),
        st.none() | st.text() | st.floats() | st.integers() | st.booleans(),
    ),
    positive=st.sampled_from(["1", "yes"]),
)
def test_any_truth_can_be_read(truth: Truth, positive: str) -> None:
    """It is counted, or has a reason; nothing raises."""
    answer, troubles = read(truth, positive)
    assert answer is not None or troubles
    if answer is not None:
        assert type(answer.said) is type(answer.true)
        assert all(0 <= one <= 1 for one in answer.scores.values())


@pytest.mark.parametrize(
    ("said", "true", "share"),
    [("the cat sat", "the cat sat", 1.0), ("Cat", "dog", 0.0), ("a a b", "a b b", 2 / 3),
     ("...", "...", 1.0), ("...", "!!!", 0.0), ("x", "", 0.0)],
)  # fmt: skip
def test_words_are_compared_as_a_bag(said: str, true: str, share: float) -> None:
    """Case and white space do not matter; a repeated word counts as often as both have it."""
    assert overlap(said, true) == pytest.approx(share)


def test_long_strings_are_texts() -> None:
    """And names of a few words are not."""

    def is_text(said: Any) -> bool:
        answer = read(Truth(said, None, "x"), "1")[0]
        return answer is not None and answer.is_text

    assert not is_text("New York City")
    assert is_text("it was the best of times")
    assert is_text("a" * 65)
