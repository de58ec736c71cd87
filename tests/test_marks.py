"""What privacy writes in the place of a text is what everybody else takes for a mark."""

from __future__ import annotations

import pytest

from monitor import hidden, marks, texts
from monitor.privacy.pseudonyms import MARK, MARK_WHOLE
from monitor.redrive import surrogates
from tests.privacy.test_scrub import scrub


def test_a_pseudonym_is_one_for_all_who_look_for_it() -> None:
    """Whatever it stands for."""
    for value in ("ada@example.org", "4111 1111 1111 1111", "203.0.113.7"):
        mark = scrub().text(value)
        for one in (marks.PSEUDONYM, MARK, MARK_WHOLE, surrogates.PSEUDONYM):
            assert one.fullmatch(mark), one
        assert hidden.is_mark(mark)
        assert not hidden.is_gone(mark)
        assert texts.plain(mark) == surrogates.masked(mark) == f"<{mark[1:].partition(':')[0]}>"


@pytest.mark.parametrize("reason", ["too_long", "expansion", "error"])
def test_so_is_what_stands_for_a_text_that_is_not_kept(reason: str) -> None:
    """With its digest and without."""
    for mark in (scrub().redacted("a text", reason), f"<REDACTED:{reason}>"):
        assert MARK_WHOLE.fullmatch(mark)
        assert hidden.is_gone(mark)
        assert mark.startswith(marks.GONE)
        assert marks.PSEUDONYM.search(mark) is None
    assert texts.plain(scrub().redacted("a text", reason)) == "<REDACTED>"
