"""Entries of the stream, as an archive takes them."""

from __future__ import annotations

from pathlib import Path

from monitor.archive.entries import added, hour_of, kept_of, position_behind
from monitor.archive.rows import Writer
from monitor.audit.merkle import Tree
from monitor.streams.entries import Entry
from monitor.types import decode_record, encode_record
from tests.archive.conftest import BEGAN
from tests.replay.some_records import record

NOW = BEGAN / 1000 + 3600


def entry(at: int, document: bytes) -> Entry:
    return Entry("monitor:{bot:0}:records", f"{at}-0", [b"v", b"1", b"record", document])


def test_what_is_archived_is_the_document_as_it_stands(tmp_path: Path) -> None:
    """But a time of the future, which has been corrected; what is no Record is counted, not kept."""
    said = encode_record(record(1, started=BEGAN / 1000 - 1))
    ahead = encode_record(record(2, started=BEGAN / 1000 + 900))
    some = [entry(BEGAN, said), entry(BEGAN + 1, ahead), entry(BEGAN + 2, b"{}")]
    first, second, third = (kept_of(one, NOW) for one in some)
    assert first is not None
    assert (first.sid, first.document) == (f"{BEGAN}-0", said)
    assert second is not None
    corrected = decode_record(second.document)
    assert corrected == second.record
    assert corrected.started < BEGAN / 1000 + 1
    assert third is None
    sizes: list[int] = []
    writer = Writer(tmp_path / "a.part", Tree())
    assert added(writer, some, NOW, lambda size: sizes.append(size) or bytes(size)) == 2
    assert (writer.rows, sizes) == (2, [32])


def test_a_file_ends_where_its_hour_does() -> None:
    """The position behind it has the ordinal of its last entry, where that behind the page is known."""
    last = entry(BEGAN, b"")
    assert hour_of(last) == BEGAN // 3_600_000
    assert position_behind("9-0/100/3", last, 0) == "9-0/100/3"
    assert position_behind("9-0/100/3", last, 40) == f"{BEGAN}-0/60/3"
    assert position_behind("9-0", last, 40) == f"{BEGAN}-0"
