"""Columns equal rows: a table read by column holds what its rows do, bit for bit."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as writer

from monitor.assembly.sanitizer import Sanitizer
from monitor.damage import Damage
from monitor.interfaces import Table
from monitor.settings.schema import Privacy, Settings
from monitor.sources.csv import open_csv
from monitor.sources.parquet import open_parquet
from monitor.tables import by_column, csv_blocks, parquet, rows
from monitor.tables.blocks import Block
from monitor.tables.column_types import ColumnType, Kind
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes
from tests.tables.odd_columns import MAKERS, WORDS, column

CLEAN = Sanitizer(Settings())
RULED = Sanitizer(Settings(privacy=Privacy(paths={"inputs.c0": "hash_whole", "inputs.c1": "drop"})))


def told(table: Table, way: Any, columns: Columns, types: ColumnTypes, sanitizer: Sanitizer) -> Any:
    """All rows, in words that tell -0.0 from 0, and what could not be read."""
    damage = Damage()
    found: list[Any] = []
    for one in way.read(table, columns, types, sanitizer, damage=damage, first=3):
        found += one.rows() if isinstance(one, Block) else (one,)
    return [repr(row) for row in found], damage.listed()


def alike(table: Table, columns: Columns, sanitizer: Sanitizer, types: ColumnTypes) -> None:
    """Whether both ways tell the same of a table."""
    expected = told(table, rows, columns, types, sanitizer)
    assert told(table, by_column, columns, types, sanitizer) == expected


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small table has several."""
    monkeypatch.setattr(parquet, "WIDE", 16)
    monkeypatch.setattr(parquet, "BATCH", 4)
    monkeypatch.setattr(csv_blocks, "SMALL", 100)
    monkeypatch.setattr(csv_blocks, "LARGE", 400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory for all."""
    return tmp_path_factory.mktemp("t")


def said(rng: random.Random) -> ColumnTypes:
    """Columns that have to be looked at, or of which a profile says how they are read."""
    types = ColumnTypes(expected=("gone", "c0"))
    if rng.random() < 0.5:
        kinds = get_args(Kind)
        unit = rng.choice((None, "s", "ms", "date"))
        types.by_column["c0"] = ColumnType(rng.choice(kinds), rng.choice((".", ",")), unit=unit)
    return types


@pytest.mark.parametrize("kind", sorted(MAKERS))
@given(seed=st.integers(0, 2**32), count=st.integers(1, 60), ruled=st.booleans())
@settings(max_examples=5, deadline=None)
def test_a_column_of_any_kind_is_its_rows(
    folder: Path, kind: str, seed: int, count: int, ruled: bool
) -> None:
    """Whatever stands in it, however it is to be read, with rules or without."""
    rng, path = random.Random(seed), folder / "t.parquet"
    table = pa.table({"c0": column(kind, rng, count), "c1": column(kind, rng, count)})
    writer.write_table(table, path, row_group_size=40)
    opened, types, sanitizer = open_parquet(path), said(rng), RULED if ruled else CLEAN
    alike(opened, Columns(), sanitizer, types)
    if opened.names == ["c0", "c1"]:
        by = ("c1",) if rng.random() < 0.5 else ()
        alike(opened, Columns(by=by, timestamp="c0"), sanitizer, types)


@given(seed=st.integers(0, 2**32), ruled=st.booleans())
@settings(max_examples=40, deadline=None)
def test_texts_are_their_rows(folder: Path, seed: int, ruled: bool) -> None:
    """Of CSV: numbers with a few that are none, names, marks of missing values, long texts."""
    rng, path = random.Random(seed), folder / "t.csv"
    usual = rng.choice((
        lambda: repr(rng.gauss(0, 1)), lambda: str(rng.randint(-5, 10**12)), lambda: rng.choice("abc"),
        lambda: f"{rng.randint(0, 99)},{rng.randint(0, 9)}", lambda: f"id-{rng.getrandbits(40)}",
        lambda: f"2024-02-{rng.randint(1, 30):02}",
    ))  # fmt: skip
    odd = rng.choice((0.0, 0.05, 0.3))
    with path.open("w", newline="") as stream:
        lines = csv.writer(stream, quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
        lines.writerow(("c0", "c1"))
        for _ in range(rng.randint(1, 80)):
            pair = [rng.choice(WORDS) if rng.random() < odd else usual() for _ in range(2)]
            lines.writerow([one.replace("\r", "").replace("\0", "") for one in pair])
    opened, types, sanitizer = open_csv(path), said(rng), RULED if ruled else CLEAN
    alike(opened, Columns(), sanitizer, types)
    alike(opened, Columns(by=("c1",), timestamp="c0"), sanitizer, types)


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_file_is_read_as_far(folder: Path, seed: int) -> None:
    """The same rows before what is damaged, and as many told to be lost."""
    rng, path = random.Random(seed), folder / "damaged.parquet"
    kinds = ("tame float", "text", "day", "list")
    table = pa.table({f"c{place}": column(kind, rng, 300) for place, kind in enumerate(kinds)})
    writer.write_table(table, path, row_group_size=100, data_page_size=64, compression="none")
    content = bytearray(path.read_bytes())
    for _ in range(3):
        place = rng.randrange(4, len(content) * 2 // 3)
        content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)
    types = ColumnTypes({}, dict.fromkeys(("c0", "c1", "c2", "c3"), ColumnType("categorical")))
    alike(open_parquet(path), Columns(), CLEAN, types)
