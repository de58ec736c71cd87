"""What a column is."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import time, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.damage import Damage
from monitor.interfaces import Table
from monitor.tables.column_types import ColumnType, Kind
from monitor.tables.inference import SAMPLE, Column, ColumnTypes


def table(**columns: Sequence[Any]) -> Table:
    """A table in memory."""

    def rows(wanted: Sequence[str], damage: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
        return enumerate(zip(*(columns[name] for name in wanted), strict=True))

    return Table(Path("t"), list(columns), rows, str)


def column_type(values: Iterable[Any]) -> ColumnType:
    """How a column with these values is read."""
    column = Column("")
    for value in values:
        column.add(value)
    return column.type()


def kinds(types: ColumnTypes) -> dict[str, str]:
    return {name: how.kind for name, how in types.by_column.items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2", "x"] + ["3"] * 20, "numeric"),
        (["1", "2", "x"], "categorical"),
        (["1e3", "-2", " 4 ", "inf"], "numeric"),
        (["1_000", "2_000"], "categorical"),
        (["02115", "98101"], "categorical"),
        (["0", "1", "0.5"], "numeric"),
        (["2024-01-01", "2024-01-02T10:00:00+02:00", ""], "datetime"),
        (["NaN", "n/a", "NULL", ""], "unknown"),
        (["TRUE", "False", ""], "boolean"),
    ],
)
def test_a_column_is_what_most_of_its_values_are(values: list[str], expected: str) -> None:
    """A few strays do not make numbers a category; leading zeros make a code."""
    assert column_type(values).kind == expected


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text() | st.dates() | st.times()
    | st.datetimes() | st.decimals() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@given(values=st.lists(ANYTHING, max_size=40))
def test_any_column_has_a_reading(values: list[Any]) -> None:
    """Whatever stands in it."""
    assert column_type(values).kind in get_args(Kind)


def test_the_first_table_decides_for_later_ones() -> None:
    """A column of numbers that turns into words is a wrong type, not another kind of column."""
    types = ColumnTypes()
    types.learn([table(x=["1", "2"])])
    types.learn([table(x=["low", "high"], y=["a", "b"])])
    assert kinds(types) == {"x": "numeric", "y": "categorical"}


def test_a_profile_decides_too() -> None:
    """Against a profile numbers that were categories stay categories, and the other way round."""
    types = ColumnTypes({"code": "categorical", "size": "numeric", "when": "numeric"})
    types.learn([table(code=["1"], size=["big"], when=["2024-01-01"])])
    assert kinds(types) == {"code": "categorical", "size": "numeric", "when": "datetime"}


def test_one_value_that_can_be_read_in_one_way_decides_the_column() -> None:
    """Wherever it stands, in the reference or in what is compared with it."""
    early, late = ["01/02/2026"] * 3000, ["02/02/2026", "13/02/2026"]
    for reference, current in ((early + late, early), (early, early + late)):
        types = ColumnTypes()
        types.learn([table(day=reference)], [table(day=current)])
        assert types.of("day") == ColumnType("datetime", day_first=True)
    types = ColumnTypes()
    types.learn([table(day=early)], [table(day=early)])
    assert "no value tells day from month" in types.of("day").note


def test_a_column_that_begins_empty_is_read_by_what_comes() -> None:
    """The first thousand rows do not decide where they say nothing."""
    types = ColumnTypes()
    types.learn([table(x=[""] * 2500 + ["1,5", "2,25"] * 20)])
    assert types.of("x") == ColumnType("numeric", ",")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1,234", "12", "987"] * 20, (".", "")),
        (["1,234", "2,345"], (".", "1,234 can be read in two ways; it was read as 1234")),
        (["1.234", "12", "987"] * 20, (",", "")),
        (["1.234", "2.345"], (".", "1.234 can be read in two ways; it was read as 1.234")),
        (["1.234", "0.5"], (".", "")),
        (["1.234", "0,5"], (",", "")),
        (["1.234.567"], (",", "")),
        (["1,234", "1234"] * 20, (",", "")),
        (["12", "7"], (".", "")),
    ],
)
def test_a_sign_that_can_be_of_decimals_or_of_thousands(
    texts: list[str], expected: tuple[str, str]
) -> None:
    """Other values of the column tell which it is; where none does, that is said."""
    found = column_type(texts)
    assert (found.kind, found.decimal, found.note) == ("numeric", *expected)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("id", random.Random(1).sample(range(10**6), 200), "identifier"),
        ("customerId", random.Random(1).sample(range(10**6), 200), "identifier"),
        ("whatever", range(5000, 5200), "identifier"),
        ("token", [f"{n:08x}" for n in range(10**8, 10**8 + 200)], "identifier"),
        ("price", [random.Random(n).random() for n in range(200)], "numeric"),
        ("id", [1, 2, 3] * 60, "numeric"),
        ("at", [1_700_000_000 + 60 * n for n in range(200)], "datetime"),
        ("income", random.Random(1).sample(range(10**6), 200), "numeric"),
        ("density", [random.Random(n).lognormvariate(46, 1) for n in range(200)], "numeric"),
        ("density", [f"{random.Random(n).random():.6f}e+20" for n in range(200)], "numeric"),
        ("hash", random.Random(1).sample(range(10**15, 10**18), 200), "identifier"),
        ("note", [f"a text of more than sixty-four characters, number {n}, as it is" * 2
                  for n in range(200)], "text"),
        ("search", [f"where is my {word}, it is {n} days late" for n, word in enumerate(
            ["parcel", "order", "card", "refund"] * 50)], "text"),
        ("frage", [f"我的包裹{chr(0x4e00 + n)}在哪里" for n in range(200)], "text"),
        ("digest", [f"{n:0128x}" for n in range(200)], "identifier"),
        ("place", [f"row {n} of 200" for n in range(200)], "identifier"),
        ("answer", ["I do not agree at all", "I agree"] * 100, "categorical"),
        ("spent", [timedelta(seconds=n * n % 977, milliseconds=n) for n in range(200)], "numeric"),
        ("hour", [time(n % 24, n * 7 % 60, n % 60) for n in range(200)], "numeric"),
    ],
)  # fmt: skip
def test_values_that_nearly_all_differ(name: str, values: Sequence[Any], expected: str) -> None:
    """Ids and counters are no measurements; numbers on a scale, times and texts are."""
    types = ColumnTypes()
    types.learn([table(**{name: list(values)})])
    assert types.of(name).kind == expected


def test_many_tables_are_looked_at_here_and_there() -> None:
    """A column that changed its kind half-way is seen, and a thousand files take no longer."""
    taken: list[int] = []

    def part(number: int) -> Table:
        one = table(x=["a" if number >= 300 else "1.5"] * 2000, y=["2.5"] * 2000)

        def rows(wanted: Sequence[str], damage: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
            for row in one.rows(wanted, damage):
                taken.append(number)
                yield row

        return dataclasses.replace(one, rows=rows)

    types = ColumnTypes()
    types.learn([table(x=["1.5"] * 200, y=["2.5"] * 200)])
    assert types.unlike([part(number) for number in range(1000)]) == {
        "x": ColumnType("categorical")
    }
    assert len(taken) <= SAMPLE
    assert len(set(taken)) == 32
    assert types.unlike([]) == {}
