"""What a reader says: read strictly, answered in sentences."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import UsageError
from monitor.review.desk import Said, said

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(("reviewer", "passed", "label", "note", "skip", "x"))


def test_a_verdict_and_a_skip() -> None:
    """Either, with what may stand beside it."""
    assert said({"reviewer": "ann", "passed": True}).result == "passed"
    assert said({"reviewer": "ann", "passed": False, "label": 3, "note": "no"}).result == "failed"
    assert said({"reviewer": "ann", "skip": True}).result == "skipped"


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ([], "the body is not an object with the keys reviewer, passed"),
        ({"passed": True}, "reviewer: is missing"),
        ({"reviewer": "ann"}, "say either `passed` (true or false) or `skip: true`"),
        ({"reviewer": "ann", "passed": True, "skip": True}, "say either `passed`"),
        ({"reviewer": "ann", "passed": "yes"}, "passed: is not true or false"),
        ({"reviewer": "", "skip": True}, "reviewer: is not a name of 1 to 200 characters"),
        ({"reviewer": "ann", "passed": True, "label": [1]}, "label: is not a text of 1 to"),
        ({"reviewer": "ann", "passed": True, "verdict": 1}, "its keys are reviewer, passed,"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tree: Any, sentence: str) -> None:
    """It names the key and says what would be right."""
    with pytest.raises(UsageError) as raised:
        said(tree)
    assert str(raised.value).startswith(sentence)


@given(JSON | st.dictionaries(KEYS, JSON))
@settings(max_examples=50)
def test_any_json_is_an_answer_or_an_error(tree: Any) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(UsageError):
        assert isinstance(said(tree), Said)
