"""Tables: what a row is seen as."""

from __future__ import annotations

import pytest

from monitor.app.sanitizer import Sanitizer
from monitor.errors import SourceError
from monitor.settings.schema import Settings
from monitor.tables import rows
from monitor.tables.columns import Columns

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


def test_a_row_without_times_is_numbered() -> None:
    """The moment of a row is then its number."""
    assert rows.observer(["x"], Columns(), CLEAN, "t")([None], 9, "").at == 9.0


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
