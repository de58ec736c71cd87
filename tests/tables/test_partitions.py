"""Directories that hold a column: what their names say stands in every row of the files in them."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor.assembly.sanitizer import Sanitizer
from monitor.cli import main
from monitor.damage import Damage
from monitor.interfaces import Table
from monitor.replay.files import find
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.sources.csv import open_csv
from monitor.sources.parquet import open_parquet
from monitor.tables import by_column, partitions, rows
from monitor.tables.blocks import Block
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes

CLEAN = Sanitizer(Settings())


def write(directory: Path, kind: str, seed: int, mean: float = 0.0) -> None:
    rng = random.Random(seed)
    directory.mkdir(parents=True)
    numbers = [rng.gauss(mean, 1) for _ in range(600)]
    if kind == "csv":
        (directory / "part-0.csv").write_text("\n".join(["x", *map(str, numbers)]))
    else:
        parquet.write_table(pa.table({"x": numbers}), directory / "part-0.parquet")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_directory_is_a_column(capsys: Any, tmp_path: Path, kind: str) -> None:
    """It can be judged by, and its values are watched; only what lies below the place counts, so
    that one day can be compared with another."""
    for day, mean in (("day=1", 0.0), ("day=2", 2.0)):
        for region in ("north", "south%20west"):
            seed = 100 * int(day[-1]) + len(region)
            write(tmp_path / day / f"region={region}", kind, seed, mean * (region == "north"))
    arguments = [str(tmp_path / "day=2"), "--reference", str(tmp_path / "day=1")]
    assert main(["replay", *arguments, "--by", "region", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    status = {one["value"]: one["status"] for one in found["features"]}
    assert status == {"all": "drift", "north": "drift", "south west": "ok"}
    assert main(["replay", *arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["columns"] == {"region": "categorical", "x": "numeric"}
    assert {one["feature"]: one["status"] for one in found["features"]}["region"] == "ok"


def seen(table: Table, columns: Columns, *, by_row: bool) -> list[Row]:
    types, damage = ColumnTypes(), Damage()
    read = rows.read if by_row else by_column.read
    found: list[Row] = []
    for one in read(table, columns, types, CLEAN, damage=damage):
        found += one.rows() if isinstance(one, Block) else [one]
    assert not damage.listed()
    return found


@pytest.mark.parametrize("opened", [open_csv, open_parquet])
@pytest.mark.parametrize(
    "columns", [Columns(), Columns(by=("region", "none")), Columns(ignore=("x",))]
)
def test_columns_equal_rows(tmp_path: Path, opened: Any, columns: Columns) -> None:
    """By column and row by row the same, also where no column of the file itself is wanted."""
    kind = "csv" if opened is open_csv else "parquet"
    write(tmp_path / "a", kind, 1)
    known = {"region": "north", "none": None, "year": "2026", "x": "is there already"}
    table = partitions.widened(opened(tmp_path / "a" / f"part-0.{kind}"), known)
    assert table.names == ["x", "region", "none", "year"]
    assert repr(seen(table, columns, by_row=False)) == repr(seen(table, columns, by_row=True))


def test_what_has_no_value_is_missing(tmp_path: Path) -> None:
    """Hive has a name for it; directories without a name or a sign hold no column."""
    place = tmp_path / "a=1" / f"b={partitions.NOTHING}" / "=2" / "plain" / "t.csv"
    assert partitions.values(place, tmp_path) == {"a": "1", "b": None}


def test_a_file_goes_to_other_processes_with_its_columns(tmp_path: Path) -> None:
    """Workers open it by themselves."""
    write(tmp_path / "region=north", "parquet", 1)
    ((path, source),) = pickle.loads(pickle.dumps(find([str(tmp_path)])))
    assert source.piece is not None
    assert source.piece(path, 0).names == source.table(path).names == ["x", "region"]
