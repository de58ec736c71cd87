"""Tables: what a row is seen as."""

from __future__ import annotations

import pytest

from monitor.app.cells import Cells
from monitor.errors import SourceError
from monitor.settings.schema import Settings
from monitor.tables import cells
from monitor.tables.cells import Columns

CLEAN = Cells(Settings())


def test_a_row_is_seen_as_its_columns_are_meant() -> None:
    """Dimensions and times are not looked at, ignored columns and the index neither."""
    columns = Columns(by=("region",), timestamp="at", ignore=("id",))
    names = ["", "id", "at", "region", "age", "mail", "ok", "vector"]
    observe = cells.observer(names, columns, CLEAN, "t.csv")
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
    assert cells.observer(["x"], Columns(), CLEAN, "t")([None], 9, "").at == 9.0


@pytest.mark.parametrize("value", [None, "soon", float("nan"), True, ""])
def test_a_time_that_is_none_is_named(value: object) -> None:
    """The message has file, line and column."""
    observe = cells.observer(["at"], Columns(timestamp="at"), CLEAN, "t.csv")
    with pytest.raises(SourceError, match=r"t\.csv:3: column 'at' holds no time"):
        observe([value], 1, "t.csv:3")


def test_columns_that_are_not_there_are_named() -> None:
    """With those that are, so that a typo is found at once."""
    with pytest.raises(SourceError, match=r"t\.csv: no column 'regoin'; there are region, age"):
        cells.observer(["region", "age"], Columns(by=("regoin",)), CLEAN, "t.csv")


def test_headers() -> None:
    """Names are trimmed; twice the same is an error, and so is no name at all."""
    assert cells.header([" a ", "", "b"], "t") == ["a", "", "b"]
    with pytest.raises(SourceError, match="two columns are called 'a'"):
        cells.header(["a", "a "], "t")
    with pytest.raises(SourceError, match="no column has a name"):
        cells.header(["", " "], "t")
