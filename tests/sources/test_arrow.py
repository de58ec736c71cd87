"""Files and streams of Arrow as tables."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Head, Table
from monitor.sources.arrow import claims, open_arrow
from monitor.tables import arrays
from tests.tables.odd_columns import MAKERS, column


def write(path: Path, table: pa.Table, form: str, rows: int = 100) -> Path:
    if form == "feather":
        feather.write_feather(table, str(path), chunksize=rows)
        return path
    new = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
    with new(str(path), table.schema) as out:
        out.write_table(table, max_chunksize=rows)
    if form == "packed":
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def by_row(table: Table, wanted: list[str]) -> Any:
    damage = Damage()
    return [(number, list(row)) for number, row in table.rows(wanted, damage)], damage.listed()


def by_block(table: Table, wanted: list[str]) -> Any:
    damage, found = Damage(), list[Any]()
    assert table.batches is not None
    for batch in table.batches(wanted, (), damage):
        columns = [arrays.values(one) for one in batch.columns]
        found += zip(batch.numbers, map(list, zip(*columns, strict=True)), strict=True)
    return found, damage.listed()


@pytest.mark.parametrize("form", ["file", "stream", "feather", "packed"])
def test_every_form_says_the_same(tmp_path: Path, form: str) -> None:
    """By row and by column; columns inside structs too, dictionaries, a map apart."""
    rng = random.Random(1)
    kinds = ["tame float", "tame int", "code", "text", "object", "micro", "vector", "bool"]
    columns = {kind: column(kind, rng, 250) for kind in kinds}
    columns["map"] = pa.array([[("k", 1)]] * 250, pa.map_(pa.string(), pa.int64()))
    path = write(tmp_path / "t", pa.table(columns), form)
    table = open_arrow(path)
    assert table.names == [*kinds[:4], "object.inner", "object.deep.x", *kinds[5:]]
    assert table.apart == ("map",)
    wanted = ["tame int", "object.deep.x", "code"]
    found, damage = by_block(table, wanted)
    assert (found, damage) == by_row(table, wanted)
    assert [values[0] for _, values in found] == columns["tame int"].to_pylist()
    assert [values[2] for _, values in found] == columns["code"].to_pylist()
    assert ([number for number, _ in found], damage) == (list(range(1, 251)), [])
    assert sum(1 for _ in table.rows([], Damage())) == 250
    assert claims(Head(path, path.read_bytes())) == (form != "packed")


@pytest.mark.parametrize("form", ["file", "stream", "feather"])
def test_what_comes_before_the_end_of_a_file_that_breaks_off(tmp_path: Path, form: str) -> None:
    """Is read, and the first row that is lost is named; where just the end is missing, too."""
    table = pa.table({"x": [random.Random(1).random() for _ in range(1000)]})
    path = write(tmp_path / "t.arrow", table, form)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    found, damage = by_block(open_arrow(path), ["x"])
    assert (found, damage) == by_row(open_arrow(path), ["x"])
    assert len(found) in (400, 500)  # whole batches of 100 before the half
    (one,) = damage
    assert one.place == f"{path}: row {len(found) + 1}"
    assert "ends early" in one.error
    if form != "stream":
        path.write_bytes(content[:-20])
        found, (one,) = by_row(open_arrow(path), ["x"])
        assert (len(found), one.error) == (1000, "ends early")


@pytest.mark.parametrize(
    "content", [b"ARROW1", b"ARROW1\0\0" + b"x" * 99, b"\xff\xff\xff\xff", b""]
)
def test_a_file_that_is_not_arrow(tmp_path: Path, content: bytes) -> None:
    """Named, in one sentence."""
    path = tmp_path / "t.arrow"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"t\.arrow: is not Arrow"):
        open_arrow(path)


@pytest.mark.parametrize("kind", MAKERS)
def test_columns_of_any_kind(tmp_path: Path, kind: str) -> None:
    """Read alike by row and by column."""
    path = write(tmp_path / "t", pa.table({"x": column(kind, random.Random(2), 50)}), "file", 20)
    table = open_arrow(path)
    (by_columns, told), (rows, also) = by_block(table, table.names), by_row(table, table.names)
    assert repr(by_columns) == repr(rows)
    assert told == also
