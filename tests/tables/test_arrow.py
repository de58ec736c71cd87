"""Arrow's files, batch by batch."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from monitor.errors import SourceError
from monitor.tables import arrays, arrow


def written(path: Path, table: pa.Table, rows: int) -> Path:
    with pa.ipc.new_file(str(path), table.schema) as out:
        out.write_table(table, max_chunksize=rows)
    return path


def test_batches_are_cut_and_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long those of the file are."""
    monkeypatch.setattr(arrow, "ROWS", 4)
    path = written(tmp_path / "t", pa.table({"x": list(range(14)), "y": ["a"] * 14}), 10)
    told: list[Any] = []
    found = list(arrow.batches(path, ["x"], arrays.values, lambda *one: told.append(one)))
    assert [(first, count) for first, count, _ in found] == [(1, 4), (5, 4), (9, 2), (11, 4)]
    assert [value for *_, (x,) in found for value in x] == list(range(14))
    assert arrow.columns(path) == (["x", "y"], ())
    assert told == []


def test_what_python_does_not_hold_costs_its_rows(tmp_path: Path, monkeypatch) -> None:
    """A time behind the year 9999, in either way of reading."""
    monkeypatch.setattr(arrow, "ROWS", 5)
    far = pa.array([0] * 7 + [10**18] + [0] * 7, pa.timestamp("s"))
    path = written(tmp_path / "t", pa.table({"at": far}), 100)
    for form in (arrays.values, arrays.usable):
        told: list[Any] = []
        found = list(arrow.batches(path, ["at"], form, lambda *one, told=told: told.append(one)))
        assert [first for first, *_ in found] == [1, 11]
        assert [one[:2] for one in told] == [(6, 5)]
    assert arrays.values(pa.array([0], pa.timestamp("s"))) == [datetime(1970, 1, 1)]  # noqa: DTZ001


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Named."""
    with pytest.raises(SourceError, match="nowhere: is not Arrow: "):
        arrow.columns(tmp_path / "nowhere")
