"""The spool: what went in comes out in order, within bounds, whatever a crash left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.streams import spool as module
from monitor.streams.spool import Spool
from monitor.types import Record, decode_record

DOCUMENT = (
    b'{"id":"%s","endpoint":"e","protocol":"p","operation":"o","model":"m","started":1,"duration":1,'
    b'"time_to_first_token":null,"time_per_output_token":null,"status":200,"outcome":"ok",'
    b'"streamed":false,"segments":{},"request":{"method":"GET","path":"/","headers":{},"bytes":0,'
    b'"truncated":false},"response":{"headers":{},"bytes":0,"truncated":false},"inputs":[],'
    b'"outputs":[],"tokens":null,"finish_reasons":[],"pseudonyms":{},"key":"k1","trace_id":null}'
)


def record(name: str) -> Record:
    return decode_record(DOCUMENT % name.encode())


def drained(spool: Spool) -> list[str]:
    ids = []
    while (segment := spool.oldest(0.0)) is not None:
        ids += [one.id for one in segment.records]
        spool.forget(segment.path)
    return ids


def test_records_come_out_in_order_across_segments_and_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new process reads what the old one left."""
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1000)
    spool = Spool(tmp_path / "s", 1 << 20)
    assert not spool
    for number in range(0, 20, 2):
        assert spool.append([record(str(number)), record(str(number + 1))])
    again = Spool(tmp_path / "s", 1 << 20)
    assert again
    assert again.bytes == spool.bytes
    assert again.ids() == {str(number) for number in range(20)}
    assert drained(again) == [str(number) for number in range(20)]
    assert not again
    assert again.bytes == 0


def test_a_full_spool_takes_nothing_rather_than_a_part(tmp_path: Path) -> None:
    """The bound holds; what it refused can be offered again."""
    spool = Spool(tmp_path / "s", 700)
    assert spool.append([record("1")])
    assert not spool.append([record("2"), record("3")])
    assert drained(spool) == ["1"]
    assert spool.append([record("2")])


@pytest.mark.parametrize("cut", [1, 5, 9, 100])
def test_a_torn_end_costs_what_was_torn_and_no_more(tmp_path: Path, cut: int) -> None:
    """A power cut in mid-write loses the last record at most."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1"), record("2"), record("3")])
    (path,) = (tmp_path / "s").iterdir()
    path.write_bytes(path.read_bytes()[:-cut])
    assert drained(Spool(tmp_path / "s", 1 << 20)) == ["1", "2"]


def test_what_is_appended_while_draining_goes_to_another_segment(tmp_path: Path) -> None:
    """Nothing is added to a file that is about to be deleted."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1")])
    segment = spool.oldest(0.0)
    assert segment is not None
    spool.append([record("2")])
    spool.forget(segment.path)
    assert drained(spool) == ["2"]


def test_a_segment_knows_since_when_its_records_may_be_in_the_stream(tmp_path: Path) -> None:
    """Never, at first; from the first look on since that look, for a successor too; and what was
    doubtful when it came since then, in a segment of its own."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1")])
    spool.append([record("2")], since=1700000000.5)
    spool.append([record("3")])
    first = spool.oldest(1700000100.0)
    assert first is not None
    assert (first.since, [one.id for one in first.records]) == (None, ["1"])
    again = Spool(tmp_path / "s", 1 << 20)
    found = []
    while (segment := again.oldest(1700000200.0)) is not None:
        found.append((segment.since, [one.id for one in segment.records]))
        again.forget(segment.path)
    assert found == [(1700000100.0, ["1"]), (1700000000.0, ["2"]), (None, ["3"])]


def test_records_that_another_version_wrote_are_passed_over(tmp_path: Path) -> None:
    """They cannot be read; those behind them can."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1")])
    (path,) = (tmp_path / "s").iterdir()
    path.write_bytes(module._frame(b'{"id":"0"}') + path.read_bytes())
    again = Spool(tmp_path / "s", 1 << 20)
    assert again.ids() == {"0", "1"}
    assert drained(again) == ["1"]


def test_a_directory_that_cannot_be_written_is_a_full_spool(tmp_path: Path) -> None:
    """No exception; the records wait elsewhere."""
    (tmp_path / "file").write_text("in the way")
    assert not Spool(tmp_path / "file" / "s", 1 << 20).append([record("1")])


def test_files_are_private(tmp_path: Path) -> None:
    """Records are pseudonymized, and still nobody else's business."""
    Spool(tmp_path / "s", 1 << 20).append([record("1")])
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
