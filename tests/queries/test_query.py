"""Parameters → what was asked, and pages of a list."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import UsageError
from monitor.queries.query import Limit, Paged, Query, cursor_of, page, place_of, read


class Asked(Paged, frozen=True, kw_only=True):
    """What is asked here."""

    kind: Literal["", "a", "b"] = ""
    segment: list[str] = []
    big: bool = False


def test_parameters_are_read_by_their_types() -> None:
    """Numbers, choices, switches, and what may be given several times."""
    given_ = [("limit", "5"), ("kind", "a"), ("segment", "x"), ("segment", "y"), ("big", "true")]
    asked = read(given_, Asked)
    assert (asked.limit, asked.kind, asked.segment, asked.big) == (5, "a", ["x", "y"], True)
    assert read([], Asked).limit == 100


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ([("limit", "0")], "limit: is not a whole number from 1 to 1,000"),
        ([("limit", "1e400")], "limit: is not a whole number from 1 to 1,000"),
        ([("limit", "")], "limit: is not a whole number from 1 to 1,000"),
        ([("kind", "c")], "kind: is not empty, a or b"),
        ([("big", "maybe")], "big: is not true or false"),
        ([("limit", "1"), ("limit", "2")], "limit: is given twice; give it once"),
        ([("cursor", "x" * 5000)], "cursor: is not a `cursor` of the page before"),
        ([("stauts", "a")], "'stauts': is not a parameter here; its parameters are limit, cursor, kind, segment, big"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(parameters: list[tuple[str, str]], sentence: str) -> None:
    """And what would be right is said."""
    with pytest.raises(UsageError, match=re.escape(sentence)):
        read(parameters, Asked)


@given(
    st.lists(st.tuples(st.sampled_from(["limit", "kind", "cursor", "?"]) | st.text(), st.text()))
)
def test_any_parameters_are_read_or_are_one_sentence(parameters: list[tuple[str, str]]) -> None:
    """Nothing else is raised, also by a cursor that is read afterwards."""
    try:
        page([("a",)], lambda one: one, read(parameters, Asked))
    except UsageError as error:
        assert str(error).isprintable()  # noqa: PT017


@given(st.lists(st.tuples(st.text(), st.integers(-9, 9)), unique=True), st.integers(1, 5))
def test_pages_make_up_the_list(items: list[tuple[str, int]], limit: int) -> None:
    """Each item comes once and in order, however large the pages are."""
    found, cursor = [], ""
    while True:
        some, following = page(items, lambda one: one, Paged(limit=limit, cursor=cursor))
        found += some
        if following is None:
            break
        cursor = following
    assert found == sorted(items)


def test_what_goes_between_two_pages_moves_nothing() -> None:
    """A cursor stands behind an item, not at a number."""
    some, cursor = page([1, 2, 3, 4], lambda one: (one,), Paged(limit=2))
    assert some == [1, 2]
    assert page([0, 3, 4], lambda one: (one,), Paged(cursor=cursor or "")) == ([3, 4], None)


@given(st.text() | st.binary().map(lambda data: cursor_of((data.hex(), 1))))
def test_any_cursor_is_a_place_or_one_sentence(cursor: str) -> None:
    """One of another list, too."""
    try:
        place = place_of(cursor)
        assert isinstance(place, tuple)
        page([("a", "b")], lambda one: one, Paged(cursor=cursor))
    except UsageError as error:
        assert str(error) == "cursor: is not a `cursor` of the page before"  # noqa: PT017


def test_a_query_has_the_name_of_its_path() -> None:
    """Without what stands in braces."""

    async def work(system: object, asked: object) -> None: ...

    assert Query("records/{id}", Asked, Asked, work).name == "records"
    assert msgspec.convert("7", Limit, strict=False) == 7
