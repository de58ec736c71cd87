"""What answers come down to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.answers.gist import gist
from tests.answers.hostile import is_linear


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes.", "**yes**"),
        (
            "So it is, for many reasons.\n\nAnswer: 12",
            "Let me think.\nThe final answer is: **12**.",
        ),
        ("We find \\boxed{x + 1}.", "Hence, after all of this: \\boxed{X + 1}"),
        ('{"label": "spam", "score": 3}', '{ "score": 3,\n"label": "spam" }'),
        ("Label: urgent", "Category = Urgent"),
    ],
)
def test_equal_answers_come_down_to_the_same(one: str, other: str) -> None:
    """However they are led up to, and set."""
    assert gist(one) == gist(other) != ""


def test_other_answers_do_not() -> None:
    """Another word, number or member."""
    said = ["Yes.", "No.", "Answer: 12", "Answer: 13", '{"a": 1}', '{"a": 2}', '{"b": 1}']
    assert len({gist(one) for one in said}) == len(said)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "It may be so, or it may not be so.",
        '{"a": [1]}',
        "{}",
        '{"a": "%s"}' % ("long " * 20),
        "{a",
        '{"a":' * 900,
    ],
)
def test_prose_and_deep_documents_are_not_compared(answer: str) -> None:
    """Two good answers in other words are no contradiction."""
    assert gist(answer) == ""


@given(st.text(max_size=60))
def test_any_text_has_a_short_gist_or_none(text: str) -> None:
    """A digest: nothing of the answer is kept."""
    assert len(gist(text)) in (0, 16)
    assert gist(text) == gist(f" {text} ")


def test_the_time_is_linear() -> None:
    """For braces, boxes and lines of all kinds."""
    assert is_linear(gist) == []
