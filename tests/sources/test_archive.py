"""Parquet archives of records."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from monitor.damage import Damage
from monitor.interfaces import Head
from monitor.sources import archive
from monitor.types import encode_record


def head(path: Path) -> Head:
    return Head(path, path.read_bytes()[:64])


def write(path: Path, documents: list[str | None]) -> None:
    table = pa.table({"v": ["1"] * len(documents), "record": pa.array(documents, pa.string())})
    parquet.write_table(table, path)


def test_records_come_back_as_they_were(tmp_path: Path, record) -> None:
    """The column `record` holds the same documents as the stream's field."""
    path = tmp_path / "a.parquet"
    records = [record(number) for number in range(5)]
    write(path, [encode_record(one).decode() for one in records])
    assert archive.claims(head(path))
    assert list(archive.read(path, Damage())) == records


def test_a_damaged_row_is_named(tmp_path: Path, record) -> None:
    """Also where there is nothing; the others are read."""
    for bad in ("{}", None):
        path = tmp_path / "a.parquet"
        good = [encode_record(record(number)).decode() for number in range(2)]
        write(path, [good[0], bad, good[1]])
        damage = Damage()
        assert list(archive.read(path, damage)) == [record(0), record(1)]
        assert damage.first().startswith(f"{path}: row 2: not a record: ")


def test_a_tombstone_is_no_damage(tmp_path: Path, record) -> None:
    """A row that has a leaf and no record was erased: it is counted apart, and not as unreadable."""
    path = tmp_path / "a.parquet"
    documents = [None, encode_record(record(1)).decode(), None]
    leaves = pa.array([bytes(32)] * 3, pa.binary(32))
    table = pa.table({"leaf": leaves, "record": pa.array(documents, pa.string())})
    parquet.write_table(table, path)
    damage, merged = Damage(), Damage()
    assert list(archive.read(path, damage)) == [record(1)]
    assert (damage.erasures, damage.listed(), damage.rows_of([path])) == (2, [], 0)
    merged.merge(damage)
    assert merged.erasures == 2
    assert damage.first() == f"{path}: all its records were erased"
    assert list(archive.read(path, damage)) == [record(1)]
    assert damage.erasures == 2


def test_another_table_is_no_archive(tmp_path: Path) -> None:
    """Tables of features go to the tabular source."""
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"x": [1]}), path)
    assert not archive.claims(head(path))
