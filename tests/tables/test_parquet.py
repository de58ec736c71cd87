"""Columns of Parquet files."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as writer

from monitor.tables import parquet


def test_columns_come_back_whatever_their_encoding(tmp_path: Path) -> None:
    """The fast ways give what `to_pylist` would, but for missing numbers."""
    table = pa.table(
        {
            "float": [1.5, None],
            "int": [1, 2],
            "gap": pa.array([1, None]),
            "word": pa.array(["a", None]).dictionary_encode(),
            "list": [[1.0], None],
        }
    )
    writer.write_table(table, tmp_path / "t")
    (columns,) = parquet.batches(tmp_path / "t", ["word", "int", "gap", "list", "float"])
    assert columns[:4] == [["a", None], [1, 2], [1, None], [[1.0], None]]
    assert columns[4][0] == 1.5
    assert math.isnan(columns[4][1])
    assert parquet.names(tmp_path / "t") == table.column_names


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(parquet.SourceError, match=r"pip install '\.\[replay\]'"):
        parquet.names(tmp_path / "t")
