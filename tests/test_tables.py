"""Tables: what a column is, what a value is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import tables
from monitor.app.cells import Cells
from monitor.config import Settings
from monitor.errors import SourceError
from monitor.tables import Columns, Readings, read_text, reading

CLEAN = Cells(Settings())


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
    assert reading(values) == expected


@given(value=st.text(), how=st.sampled_from(["numeric", "boolean", "datetime", "categorical"]))
def test_any_text_is_read(value: str, how: str) -> None:
    """What cannot be read as it should be stays a text, for the window to count as a wrong type."""
    assert isinstance(read_text(value, how), str | int | float | None)  # type: ignore[arg-type]


def test_the_first_table_decides_for_later_ones() -> None:
    """A column of numbers that turns into words is a wrong type, not another kind of column."""
    readings = Readings()
    readings.learn(["x"], [["1"], ["2"]])
    readings.learn(["x", "y"], [["low", "a"], ["high", "b"]])
    assert readings.by_column == {"x": "numeric", "y": "categorical"}


def test_a_profile_decides_too() -> None:
    """Against a profile numbers that were categories stay categories, and the other way round."""
    readings = Readings({"code": "categorical", "size": "numeric", "when": "numeric"})
    readings.learn(["code", "size", "when"], [["1", "big", "2024-01-01"]])
    assert readings.by_column == {"code": "categorical", "size": "numeric", "when": "datetime"}


def test_values_of_typed_tables() -> None:
    """Every type of Parquet becomes one that windows know; NaN is missing, infinity is not."""
    moment = datetime(2024, 2, 29, 12, tzinfo=UTC)
    given_ = [1, "a", True, None, moment, moment.replace(tzinfo=None), date(2024, 2, 29)]
    expected = [1, "a", True, None, 1709208000.0, 1709208000.0, 1709164800.0]
    assert [tables.plain_value(value) for value in given_] == expected
    assert tables.plain_value(float("nan")) is tables.plain_value(Decimal("nan")) is None
    assert tables.plain_value(float("inf")) == float("inf")
    assert tables.plain_value(timedelta(minutes=1)) == 60.0
    assert tables.plain_value(b"caf\xc3\xa9") == "café"
    assert tables.plain_value([1.0, 2.0]) == [1.0, 2.0]


def test_a_row_is_seen_as_its_columns_are_meant() -> None:
    """Dimensions and times are not looked at, ignored columns and the index neither."""
    columns = Columns(by=("region",), timestamp="at", ignore=("id",))
    names = ["", "id", "at", "region", "age", "mail", "ok", "vector"]
    observe = tables.observer(names, columns, CLEAN, "t.csv")
    row = observe([0, 7, "1970-01-02", 3.0, 41.0, "ada@example.org", True, [0.5]], 9, "t.csv:10")
    assert row.at == 86400.0
    assert row.segments == {"region": "3"}
    assert [(seen.feature, seen.kind, seen.value) for seen in row.observations] == [
        ("age", "numeric", 41.0),
        ("mail", "categorical", "<EMAIL_ADDRESS>"),
        ("ok", "boolean", True),
        ("vector", "vector", [0.5]),
    ]


def test_a_row_without_times_is_numbered() -> None:
    """The moment of a row is then its number."""
    assert tables.observer(["x"], Columns(), CLEAN, "t")([None], 9, "").at == 9.0


@pytest.mark.parametrize("value", [None, "soon", float("nan"), True, ""])
def test_a_time_that_is_none_is_named(value: object) -> None:
    """The message has file, line and column."""
    observe = tables.observer(["at"], Columns(timestamp="at"), CLEAN, "t.csv")
    with pytest.raises(SourceError, match=r"t\.csv:3: column 'at' holds no time"):
        observe([value], 1, "t.csv:3")


def test_columns_that_are_not_there_are_named() -> None:
    """With those that are, so that a typo is found at once."""
    with pytest.raises(SourceError, match=r"t\.csv: no column 'regoin'; there are region, age"):
        tables.observer(["region", "age"], Columns(by=("regoin",)), CLEAN, "t.csv")


def test_headers() -> None:
    """Names are trimmed; twice the same is an error, and so is no name at all."""
    assert tables.header([" a ", "", "b"], "t") == ["a", "", "b"]
    with pytest.raises(SourceError, match="two columns are called 'a'"):
        tables.header(["a", "a "], "t")
    with pytest.raises(SourceError, match="no column has a name"):
        tables.header(["", " "], "t")
