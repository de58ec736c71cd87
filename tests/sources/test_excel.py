"""Workbooks as tables."""

from __future__ import annotations

import contextlib
import random
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Head, Table
from monitor.sources import excel
from tests.sources.workbooks import Formula, Wrong, write

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def values(table: Table) -> list[list[Any]]:
    return [list(row) for _, row in table.rows(table.names, Damage())]


def test_what_cells_show(tmp_path: Path) -> None:
    """Numbers, whole ones as such, texts, dates, spans, booleans, of formulas the values; what is
    empty or an error is missing; empty rows are none."""
    rows = [
        ["n", "word", "at", "span", "ok", "formula", "error"],
        [1, "a & b", NOON, timedelta(hours=36), True, Formula("x"), Wrong("#DIV/0!")],
        [],
        [2.5, None, NOON, timedelta(hours=1), False, Formula(""), Wrong("#N/A")],
    ]
    table = excel.open_excel(write(tmp_path / "t.xlsx", {"Data": rows}))
    assert table.names == rows[0]
    noon = NOON.replace(tzinfo=None)
    assert values(table) == [
        [1, "a & b", noon, timedelta(hours=36), True, "x", None],
        [2.5, None, noon, timedelta(hours=1), False, None, None],
    ]
    assert type(values(table)[0][0]) is int
    numbers = [number for number, _ in table.rows(["n"], Damage())]
    assert [table.place(number) for number in numbers] == [
        f"{tmp_path}/t.xlsx: sheet 1, row {row}" for row in (2, 4)
    ]
    assert not table.notes


def test_the_sheet_with_most_rows_and_those_like_it(tmp_path: Path) -> None:
    """Notes before it, other columns and hidden sheets are not looked at, and it is said."""
    path = write(
        tmp_path / "t.xlsx",
        {
            "Read me": [["Sales of all years"], ["by Ada"]],
            "2025": [["x", "y"], *([n, n] for n in range(5))],
            "2026": [["x", "y"], *([n, n] for n in range(9))],
            "Codes": [["code", "name"], [1, "a"]],
            "Old": [["x", "y"], [0, 0]],
            "Empty": [],
        },
        hidden="Old",
    )
    table = excel.open_excel(path)
    assert [row[0] for row in values(table)] == [*range(5), *range(9)]
    assert table.notes == ("sheet '2026' was read; not looked at: 'Read me', 'Codes', 'Empty'",)


def test_a_title_above_the_names(tmp_path: Path) -> None:
    """The names are in the first row of more than one cell; twice the same is told apart."""
    rows = [[], ["Report of January"], [], ["x", "x", None], [1, 2, 3], [4, 5]]
    table = excel.open_excel(write(tmp_path / "t.xlsx", {"Data": rows}))
    assert (table.names, values(table)) == (["x", "x.1", ""], [[1, 2, 3], [4, 5, None]])
    assert table.notes == (
        "the names of the columns were taken from row 4 of a sheet",
        "column 2 is called 'x' as another one; here it is 'x.1'",
    )
    one = excel.open_excel(write(tmp_path / "u.xlsx", {"Data": [["x"], [1], [2]]}))
    assert (one.names, values(one)) == (["x"], [[1], [2]])


def test_what_is_claimed(tmp_path: Path) -> None:
    """A workbook by its parts; no other archive."""
    path = write(tmp_path / "t.bin", {"Data": [["x"], [1]]})
    assert excel.claims(Head(path, path.read_bytes()))
    other = tmp_path / "t.xlsx"
    with zipfile.ZipFile(other, "w") as out:
        out.writestr("a.csv", "x\n1\n")
    assert not excel.claims(Head(other, other.read_bytes()))
    assert not excel.claims(Head(other, b"PK\x03\x04 and no more"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0" + b"x" * 900, "is damaged, or no workbook"),
        (b"PK\x03\x04" + b"x" * 900, "is damaged, or no workbook"),
    ],
)
def test_a_file_that_is_no_workbook(tmp_path: Path, content: bytes, message: str) -> None:
    """One sentence."""
    path = tmp_path / "t.xls"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=rf"t\.xls: cannot be read: {message}"):
        excel.open_excel(path)


def test_a_workbook_without_a_table(tmp_path: Path) -> None:
    """Named."""
    path = write(tmp_path / "t.xlsx", {"Empty": [], "Note": []})
    with pytest.raises(SourceError, match="no sheet holds a table"):
        excel.open_excel(path)


def test_a_workbook_that_would_fill_the_memory(tmp_path: Path, monkeypatch) -> None:
    """Is not unpacked."""
    path = write(tmp_path / "t.xlsx", {"Data": [["x"], *([1] for _ in range(999))]})
    monkeypatch.setattr(excel, "UNPACKED", 10_000)
    with pytest.raises(SourceError, match="is too large unpacked; save it as CSV"):
        excel.open_excel(path)
    monkeypatch.setattr(excel, "LARGEST", 100)
    with pytest.raises(SourceError, match="has more than 100 bytes"):
        excel.open_excel(path)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_workbooks_are_read_or_named(tmp_path: Path, seed: int) -> None:
    """Whatever bytes are changed or missing."""
    rng = random.Random(seed)
    path = write(tmp_path / "t.xlsx", {"Data": [["x", "y"], *([n, "a"] for n in range(20))]})
    for _ in range(20):
        content = bytearray(path.read_bytes())
        for _ in range(rng.randrange(1, 9)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        broken = tmp_path / "broken.xlsx"
        broken.write_bytes(content[: rng.choice((len(content), rng.randrange(len(content))))])
        with contextlib.suppress(SourceError):
            values(excel.open_excel(broken))
