"""Files of Records that are looked at in shards give what they give record by record."""

from __future__ import annotations

import gzip
import pickle
import tempfile
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.replay import files, record_shards
from monitor.replay.record_shards import FileShard, Found, Tasks
from monitor.rows import Row
from monitor.sources import archive, records
from monitor.tables.blocks import Block
from monitor.types import encode_record
from tests.replay.some_records import record
from tests.replay.test_record_files import lines, options


def sent(tasks: Tasks) -> Iterator[tuple[FileShard, Found | None]]:
    """What others see, who get what can be pickled."""
    for place, task in tasks:
        there = None if task is None else pickle.loads(pickle.dumps(task))
        yield place, None if there is None else pickle.loads(pickle.dumps(there()))


def told(path: Path, source: Any, **fields: Any) -> Any:
    """Rows, what could not be read, and the error if there is one."""
    how, rows = options(damage=Damage(), **fields), list[Row]()
    try:
        if how.ahead is None:
            rows.extend(files.observe(files.records([(path, source)], how.damage), how))
        else:
            for one in files.read_records([(path, source)], how):
                rows.extend(one.rows() if isinstance(one, Block) else (one,))
    except SourceError as error:
        return rows, how.damage.listed(), str(error)
    return rows, how.damage.listed(), ""


@settings(max_examples=30, deadline=None)
@given(
    lines, st.sampled_from([0, 1, 2, 19, 300, 3000]), st.sampled_from(["plain", "packed", "rows"])
)
def test_rows_are_the_same_in_shards(some: list[bytes], size: int, form: str) -> None:
    """Whatever stands in lines or rows, wherever shards begin, with the places of what is none."""
    if size < 3:  # the second begins with the end of a line, with the next line, or a byte later
        ends = [end for end in accumulate(len(one) + 1 for one in some) if end > 200]
        size += ends[0] - 1 if ends else 200
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_shards, "SHARD", size)
        patch.setattr(record_shards, "PIECE", size)
        path, source = Path(directory, "a"), records.SOURCE
        if form == "rows":
            source = archive.SOURCE
            table = pa.table({"record": pa.array(some, pa.binary())})
            parquet.write_table(table, path, row_group_size=size // 100 + 1)
        else:
            joined = b"\n".join(some)
            path.write_bytes(gzip.compress(joined) if form == "packed" else joined)
        expected, got = told(path, source), told(path, source, ahead=sent)
    assert msgspec.msgpack.encode(got[1:]) == msgspec.msgpack.encode(expected[1:])
    assert repr(got[0]) == repr(expected[0])


def test_a_damaged_file_ends_where_it_does(tmp_path: Path) -> None:
    """What is packed is read as far as it goes, and the place is told."""
    path = tmp_path / "a.jsonl.gz"
    some = [encode_record(record(n, id=f"{n * 7919:x}")) for n in range(40_000)]
    path.write_bytes(gzip.compress(b"\n".join(some), 1)[:-50_000])
    expected, got = (told(path, records.SOURCE, features=(), ahead=one) for one in (None, sent))
    assert got[1] == expected[1]
    assert got[1][0].error == "is cut off within what gzip has packed"
    assert len(got[0]) == len(expected[0]) > 1000


@pytest.mark.parametrize("source", [records.SOURCE, archive.SOURCE], ids=lambda one: one.name)
def test_a_file_that_is_not_there(tmp_path: Path, source: Any) -> None:
    """The same line as where nobody else looks."""
    path = tmp_path / "gone"
    assert told(path, source, ahead=sent)[2] == told(path, source)[2] != ""


@pytest.mark.parametrize("change", ["lost", "twice", "shorter"])
def test_a_shard_that_is_missing_or_comes_twice_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """By how much of the file was read, as where a worker sees another one: nothing is judged."""
    monkeypatch.setattr(record_shards, "SHARD", 1000)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(encode_record(record(n)) for n in range(20)))

    def wrong(tasks: Tasks) -> Iterator[tuple[FileShard, Found | None]]:
        for number, (place, found) in enumerate(sent(tasks)):
            if number != 3:
                yield place, found
            elif change == "twice":
                yield from [(place, found)] * 2
            elif change == "shorter":
                yield place, Found(0, 0, [])

    assert "all must see the same file" in told(path, records.SOURCE, ahead=wrong)[2]
