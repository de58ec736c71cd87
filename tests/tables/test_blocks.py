"""Blocks: rows by column, cut, sorted by segment and counted as rows would be."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.rows import Row
from monitor.tables.blocks import NUMBER, Block, Column, Labels, count, relabelled
from monitor.types import Observation

CODES = st.lists(st.sampled_from((NUMBER, 0, 1)), min_size=1, max_size=30)


def block(codes: list[int]) -> Block:
    """A column of numbers, one value and a missing one; one that every third row has; a segment."""
    total = len(codes)
    seen = [Observation("x", "categorical", "a"), Observation("x", "numeric", None)]
    third = np.arange(0, total, 3)
    rare = [Observation("x.length", "numeric", place) for place in third.tolist()]
    return Block(
        np.arange(total, dtype=np.float64) / 2,
        {"region": relabelled(np.arange(total) % 3, ["north", "south", "north"])},
        [
            Column("x", np.array(codes), seen, np.arange(total)),
            Column("x.length", np.arange(len(third)), rare, rows=third),
        ],
    )


@given(CODES, st.data())
def test_a_part_of_a_block_holds_these_rows(codes: list[int], data: st.DataObject) -> None:
    """By places, by a range, by segment: always what the rows of the whole are."""
    whole = block(codes)
    rows = list(whole.rows())
    assert [type(row) for row in rows] == [Row] * len(codes) == [Row] * count(whole)
    places = sorted(data.draw(st.sets(st.integers(0, len(codes) - 1))))
    assert list(whole.take(np.array(places, dtype=np.intp)).rows()) == [rows[n] for n in places]
    first, end = data.draw(st.integers(-2, 31)), data.draw(st.integers(-2, 31))
    assert list(whole.between(first, end).rows()) == rows[max(first, 0) : max(end, 0)]
    by_value = {value: list(part.rows()) for value, part in whole.parts("region")}
    assert by_value == {
        value: [row for row in rows if row.segments["region"] == value] for value in by_value
    }
    assert sum(map(len, by_value.values())) == len(rows)


@given(CODES)
def test_a_column_is_its_numbers_and_what_else_it_holds(codes: list[int]) -> None:
    """Each value is in one of the two, as often as it comes."""
    column = block(codes).columns[0]
    apart = [one for one, times in column.tally() for _ in range(times)]
    numbers = [Observation("x", "numeric", number) for number in column.plain().tolist()]
    assert sorted(map(repr, apart + numbers)) == sorted(map(repr, column.observations()))


def test_values_beyond_a_budget_are_others() -> None:
    """Several become one; of a dimension that nobody counts all do."""
    whole = block([0] * 6)
    labels = whole.within({"region": {"south"}}).segments["region"]
    assert labels.counts() == {"other": 4, "south": 2}
    assert labels.are("other").tolist() == [True, False, True] * 2
    assert not labels.are("north").any()
    assert whole.within({}).segments["region"].values == ["other"]


def test_equal_labels_are_one() -> None:
    """Whatever spellings they had; those that stay apart keep their codes."""
    labels = relabelled(np.array([2, 0, 1]), ["1", "2", "1"])
    assert [labels.values[code] for code in labels.codes] == ["1", "1", "2"]
    assert Labels(np.array([1, 1]), ["a", "b"]).counts() == {"b": 2}
