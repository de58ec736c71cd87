"""Expressions that are matched in linear time."""

from __future__ import annotations

import pytest

from monitor import expressions


def test_only_the_beginning_of_a_text_is_looked_at() -> None:
    """A stranger's text costs no more than its bound."""
    found = expressions.compiled("b")
    assert expressions.first(found, "a" * expressions.MAX_TEXT + "b") is None


@pytest.mark.parametrize("expression", ["a{1000}{1000}", "(" * 2000, "[", "*"])
def test_what_is_too_large_or_wrong_is_said(expression: str) -> None:
    """The message names the expression and the reason."""
    with pytest.raises(ValueError, match="no regular expression of RE2: "):
        expressions.compiled(expression)


def test_an_empty_match_is_none() -> None:
    """An empty text is no value."""
    assert expressions.first(expressions.compiled("x*"), "aaa") is None
