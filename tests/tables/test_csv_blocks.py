"""Blocks of CSV: the rows that Python's own reader finds, and as much told of what it cannot read."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Table
from monitor.sources.csv import open_csv
from monitor.tables import arrays, csv_blocks
from tests.tables.odd_columns import WORDS

TAME = ("1", "2.5", "a", "b c", "Zürich", "", '"quoted"', '"a, b"', '"say ""hi"""', '""')
WILD = (
    *TAME, '"two\nlines"', '"two\r\nlines"', '5" pipe', ' "x"', '"x" ', '"x"y', '"open', 'a"b"', '""""',
    "a,b", "\n", "\r", "\r\n", "\n\n", "a\x00b", "\ufeff", *WORDS,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small file has many."""
    for name, size in (("SMALL", 8), ("LARGE", 64), ("LONGEST", 512), ("ROWS", 3), ("INNER", 2)):
        monkeypatch.setattr(csv_blocks, name, size)


def by_row(table: Table, wanted: list[str]) -> Any:
    damage = Damage()
    return [(line, list(values)) for line, values in table.rows(wanted, damage)], damage.listed()


def by_block(table: Table, wanted: list[str]) -> Any:
    damage, found = Damage(), list[Any]()
    assert table.batches is not None
    for batch in table.batches(wanted, (), damage):
        columns = [arrays.values(column) for column in batch.columns]
        found += zip(batch.numbers, map(list, zip(*columns, strict=True)), strict=True)
    return found, damage.listed()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all: making a directory takes as long as reading a small file."""
    return tmp_path_factory.mktemp("t") / "t.csv"


def same(path: Path, content: bytes) -> None:
    """Whether both ways tell the same of a file; one that is no table is none in both."""
    path.write_bytes(content)
    try:
        table = open_csv(path)
    except SourceError:
        return
    if table.batches is None:
        return  # a zero among few bytes is taken for UTF-16, which is read by row alone
    names = [name for name in table.names if name]  # what has no name is not looked at
    for wanted in (names, names[-1:]):
        assert by_block(table, wanted) == by_row(table, wanted)


@given(
    rows=st.lists(st.lists(st.sampled_from(TAME), min_size=2, max_size=2), max_size=40),
    end=st.sampled_from(("\n", "\r\n")),
    has_end=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_ordinary_files_are_read_alike(
    file: Path, rows: list[list[str]], end: str, has_end: bool
) -> None:
    """Quoted or not, with either end of line, with one after the last row or without."""
    same(file, (end.join(["x,y", *map(",".join, rows)]) + end * has_end).encode())


@given(
    rows=st.lists(st.lists(st.sampled_from(WILD), min_size=1, max_size=3), max_size=30),
    delimiter=st.sampled_from((",", ";", "\t", "|")),
    mark=st.sampled_from((b"", b"\xef\xbb\xbf")),
    spoilt=st.lists(st.tuples(st.integers(0, 500), st.binary(min_size=1, max_size=4)), max_size=2),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_as_by_row(
    file: Path, rows: list[list[str]], delimiter: str, mark: bytes, spoilt: list[tuple[int, bytes]]
) -> None:
    """Stray quotes, breaks within fields, empty lines, other widths, bytes that are no UTF-8."""
    text = "\n".join([delimiter.join(("x", "y")), *map(delimiter.join, rows)])
    content = bytearray(mark + text.encode(errors="surrogatepass"))
    for place, put in spoilt:
        content[place % (len(content) + 1) : place % (len(content) + 1)] = put
    same(file, bytes(content))


@pytest.mark.parametrize("seed", range(6))
def test_a_packed_file_that_breaks_off_is_read_as_far(
    file: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by row, whatever had been read when it broke off."""
    for name, size in (("SMALL", 64), ("LARGE", 512), ("LONGEST", 1024), ("ROWS", 9)):
        monkeypatch.setattr(csv_blocks, name, size)
    rng = random.Random(seed)
    rows = [f"{rng.random()},{rng.choice(TAME if seed % 2 else WILD)}" for _ in range(1200)]
    packed = gzip.compress("\n".join(["x,y", *rows]).encode(errors="surrogatepass"))
    same(file, packed[: -rng.randint(1, 4000)])


def test_one_odd_line_costs_no_more_than_its_neighbours(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All other rows come as arrays; a quote in the middle of a field is no reason for more."""
    for name, size in (("SMALL", 256), ("LARGE", 4096), ("LONGEST", 1 << 16)):
        monkeypatch.setattr(csv_blocks, name, size)
    lines = [f"{number},some text" for number in range(5000)]
    lines[2500] = '2500,a 5" pipe'
    file.write_text("\n".join(["x,y", *lines]))
    table = open_csv(file)
    assert table.batches is not None
    batches = list(table.batches(["x", "y"], ("x",), Damage()))
    assert sum(map(len, batches)) == 5000
    assert sum(len(batch) for batch in batches if isinstance(batch.columns[0], list)) < 50


def test_numbers_come_as_numbers_unless_one_is_none(file: Path) -> None:
    """Of a column with a text among them all texts stay, those of other columns do not."""
    file.write_text("x,y\n" + "1,1\n2,\n" * 20 + "nan(7),3\n")
    table = open_csv(file)
    assert table.batches is not None
    last = list(table.batches(["x", "y"], ("x", "y"), Damage()))[-1]
    assert [str(column.type) for column in last.columns] == ["string", "double"]
    assert last.columns[0].to_pylist()[-1] == "nan(7)"
