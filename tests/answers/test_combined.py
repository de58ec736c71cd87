"""What the numbers of a text make, computed once for a text that comes again."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.answers import quantities as module
from monitor.answers.combined import made_of, rows_of, side_by_side
from monitor.answers.marks import marks
from monitor.answers.quantities import Amounts, Quantity, of_source, quantities

PIECES = (
    "12 kg, 3.4 kg. ",
    "$1.5 2%",
    "\n7 | 8\n9 | 10\n",
    '{"a": 12, "b": 13.5}, ',
    "in all ",
    "4 ",
)


def values(text: str, amounts: Amounts) -> dict[tuple[str, str], list[float]]:
    return {key: list(made) for key, made in made_of(text, amounts).items()}


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_what_is_remembered_is_what_the_numbers_make(text: str) -> None:
    """Also when the text comes again; of a text that is not remembered it is computed."""
    anew = Amounts(quantities(text, 1000, names=True))
    anew.marked = marks(text)
    for _ in range(3):
        found = of_source(text, 1000)
        assert values(text, found) == values(text, anew)
        assert rows_of(found) == rows_of(anew)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_numbers_stand_side_by_side_as_they_do_in_rows(text: str) -> None:
    """Whether the rows are known by then or not."""
    found = Amounts(quantities(text, 1000, names=True))
    found.marked = marks(text)
    before = list(side_by_side(found))
    assert before == [pair for row in rows_of(found) for pair in pairwise(row)]
    assert list(side_by_side(found)) == before


def test_a_text_that_comes_again_is_combined_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request of a conversation has all texts of the last one."""
    text = "Of 12 kg, 3.4 kg are left."
    first = values(text, of_source(text, 1000))
    assert ("g", "-") in first
    made_of(text, of_source(text, 1000))
    monkeypatch.setattr("monitor.answers.combined.combine", None)
    assert values(text, of_source(text, 1000)) == first


def test_what_is_remembered_is_bounded() -> None:
    """Texts with as many numbers as are remembered, all in short rows that make most."""
    module._of_short.cache_clear()
    kept: list[Quantity] = []
    tracemalloc.start()
    try:
        for number in range(20):
            text = f"{number}\n" + "12 34\n56 78\n" * 60
            found = of_source(text, 1000)
            for _ in range(2):
                made_of(text, found)
            kept += found
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        module._of_short.cache_clear()
    assert len(kept) == 20 * 241
    assert held / 20 * module._REMEMBERED < 30_000_000
