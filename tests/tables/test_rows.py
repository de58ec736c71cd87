"""Tables: what a row is seen as."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.assembly.sanitizer import Sanitizer
from monitor.errors import SourceError
from monitor.settings.schema import Settings
from monitor.tables import rows
from monitor.tables.cells import clock, moment, moment_of
from monitor.tables.column_types import ColumnType
from monitor.tables.columns import Columns
from monitor.tables.times import SCALES

CLEAN = Sanitizer(Settings())


def test_a_row_is_seen_as_its_columns_are_meant() -> None:
    """Dimensions and times are not looked at, ignored columns and the index neither."""
    columns = Columns(by=("region",), timestamp="at", ignore=("id",))
    names = ["", "id", "at", "region", "age", "mail", "ok", "vector"]
    observe = rows.observer(names, columns, CLEAN, "t.csv")
    row = observe([0, 7, "1970-01-02", 3.0, 41.0, "ada@example.org", True, [0.5]], 9, "t.csv:10")
    assert row.at == 86400.0
    assert row.segments == {"region": "3"}
    assert [(seen.feature, seen.kind, seen.value) for seen in row.observations] == [
        ("age", "numeric", 41.0),
        ("mail", "categorical", "<EMAIL_ADDRESS>"),
        ("ok", "boolean", True),
        ("vector", "vector", [0.5]),
    ]


def test_of_a_list_that_is_unfolded_any_element_is_seen() -> None:
    """One of each; where two kinds of rows come by turns, the first and the last of either."""
    seen = set()
    for number in range(64):
        tags = ["odd a", "odd b"] if number % 2 else ["even a", "even b"]
        found = rows.observed("tags", "list", tags, number, CLEAN)
        seen |= {one.value for one in found if one.kind == "categorical"}
    assert seen == {"even a", "even b", "odd a", "odd b"}


def test_a_row_without_times_is_numbered() -> None:
    """The moment of a row is then its number."""
    assert rows.observer(["x"], Columns(), CLEAN, "t")([None], 9, "").at == 9.0


@pytest.mark.parametrize(
    ("value", "how"),
    [
        ("9999-12-31T00:00:00Z", None), ("9999-12-31", ColumnType("datetime")),
        ("31.12.9999", ColumnType("datetime", day_first=True)), ("9999-12-31", ColumnType("categorical")),
        ("9999-12-31", ColumnType("identifier")), (date(9999, 12, 31), None),
        *((datetime(9999, 12, 31, tzinfo=UTC), ColumnType(kind))
          for kind in ("datetime", "numeric", "identifier", "boolean")),
        ("9999-12-31", ColumnType("datetime", unit="s")), (253402214400000, ColumnType("datetime", unit="ms")),
        ("253402214400", ColumnType("datetime", unit="s")), (99991231, ColumnType("datetime", unit="date")),
    ],
)  # fmt: skip
def test_a_time_that_is_written_is_that_time_however_late(
    value: object, how: ColumnType | None
) -> None:
    """Only of a number of which nobody says what it counts is that guessed by its size."""
    assert clock(how)(value) == 253_402_214_400.0


@pytest.mark.parametrize("how", [None, *(ColumnType("datetime", unit=unit) for unit in SCALES)])
def test_a_number_that_is_no_time_in_the_unit_of_its_column_is_in_a_smaller_one(
    how: ColumnType | None,
) -> None:
    """Nobody means a year that cannot be written."""
    scale = 1 if how is None or how.unit is None else SCALES[how.unit]
    assert clock(how)(1_700_000_000_000 * scale) == 1.7e9


@given(
    st.datetimes(
        timezones=st.sampled_from([UTC, *(timezone(timedelta(hours=h)) for h in (-23, 23))])
    )
)
@example(datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))))
@example(datetime.min.replace(tzinfo=timezone(timedelta(hours=23))))
def test_a_moment_is_the_one_that_was_written(at: datetime) -> None:
    """In any year that there is, as a text and as it stands in a typed table."""
    how = ColumnType("datetime")
    text = at.isoformat()
    assert moment(text) == clock(how)(text) == moment(at) == moment_of(at) == at.timestamp()


@pytest.mark.parametrize("value", [None, "soon", float("nan"), True, ""])
def test_a_time_that_is_none_is_named(value: object) -> None:
    """The message has file, line and column."""
    observe = rows.observer(["at"], Columns(timestamp="at"), CLEAN, "t.csv")
    with pytest.raises(SourceError, match=r"t\.csv:3: column 'at' holds no time"):
        observe([value], 1, "t.csv:3")


def test_columns_that_are_not_there_are_named() -> None:
    """With those that are, so that a typo is found at once."""
    with pytest.raises(SourceError, match=r"t\.csv: no column 'regoin'; there are region, age"):
        rows.observer(["region", "age"], Columns(by=("regoin",)), CLEAN, "t.csv")
