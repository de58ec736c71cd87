"""Archived JSONL files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.sources import records as archived
from monitor.types import encode_record


@pytest.mark.parametrize("opener", [open, gzip.open])
def test_records_come_back_as_they_were(tmp_path: Path, record, opener) -> None:
    """One document a line, blank lines aside, plain or gzipped."""
    path = tmp_path / "records"
    records = [record(number) for number in range(3)]
    with opener(path, "wb") as stream:
        stream.write(b"\n".join(map(encode_record, records)) + b"\n\n")
    damage = Damage()
    assert list(archived.read(path, damage)) == records
    assert not damage.listed()


@pytest.mark.parametrize("line", [b'{"id": 1}', b"{", b"[]", b'{"id":"\xff"}'])
def test_what_is_no_record_is_named_by_line(tmp_path: Path, record, line: bytes) -> None:
    """The message has file and line, and nothing of what stands there; the others are read."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(encode_record(record(0)) + b"\n" + line + b"\n")
    with path.open("ab") as stream:
        stream.write(encode_record(record(1)))
    damage = Damage()
    assert list(archived.read(path, damage)) == [record(0), record(1)]
    assert damage.first().startswith(f"{path}:2: not a record: ")
    assert len(damage.listed()) == 1


def test_a_cut_archive_is_said_to_be_damaged(tmp_path: Path, record) -> None:
    """A gzip file that ends early is not a shorter archive: what is missing is told."""
    path = tmp_path / "records.jsonl.gz"
    packed = gzip.compress(b"\n".join(encode_record(record(n)) for n in range(500)))
    path.write_bytes(packed[: len(packed) // 2])
    damage = Damage()
    found = list(archived.read(path, damage))
    where = f"{path}:{len(found) + 1}"
    assert damage.first() == f"{where}: is cut off within what gzip has packed"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """One sentence with the name."""
    with pytest.raises(SourceError, match="nowhere: cannot be read: No such file"):
        list(archived.read(tmp_path / "nowhere", Damage()))
