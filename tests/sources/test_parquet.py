"""Parquet tables."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor.assembly.sanitizer import Sanitizer
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.sources.parquet import open_parquet
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes
from monitor.tables.rows import read


def seen(path: Path, columns: Columns, first: int = 0) -> list[Row]:
    damage = Damage()
    clean = Sanitizer(Settings())
    found = list(
        read(open_parquet(path), columns, ColumnTypes(), clean, damage=damage, first=first)
    )
    assert not damage.listed()
    return found


def test_of_parquet_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    """Segments alone, or the number of rows, cost nothing else."""
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"x": [1, 2], "y": ["a", "b"]}), path)
    found = seen(path, Columns(by=("y",), segments_only=True), first=5)
    assert found == [Row(5.0, {"y": "a"}, []), Row(6.0, {"y": "b"}, [])]
    assert len(seen(path, Columns(segments_only=True))) == 2


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"x" * 50, b"", b"text"])
def test_a_file_that_is_not_parquet(tmp_path: Path, content: bytes) -> None:
    """Named, in one sentence."""
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"t\.parquet: is not Parquet"):
        open_parquet(path)


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    """Parquet's columns are read by their names: one line says what to do."""
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), path)
    with pytest.raises(SourceError, match="two columns are called 'a'; rename one"):
        open_parquet(path)


def test_a_file_of_maps_alone_is_refused_with_their_names(tmp_path: Path) -> None:
    """Nothing of it is looked at, and it is said why."""
    path = tmp_path / "t.parquet"
    maps = pa.array([[("a", 1)]], type=pa.map_(pa.string(), pa.int64()))
    parquet.write_table(pa.table({"m": maps}), path)
    with pytest.raises(SourceError, match=r"t\.parquet: all columns are maps or unions \(m\)"):
        open_parquet(path)
