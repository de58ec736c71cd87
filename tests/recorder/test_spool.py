"""The spool: what went in comes out in order, within bounds, whatever a crash left behind."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StreamError
from monitor.recorder import spool as module
from monitor.recorder.spool import Spool, SpoolFile
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


def names(file: SpoolFile) -> list[str]:
    return [one.id for part in file.parts for one in part.records]


def drained(spool: Spool) -> list[str]:
    ids = []
    while (file := spool.oldest(0.0)) is not None:
        ids += names(file)
        spool.forget(file.path)
    return ids


def test_records_come_out_in_order_across_files_and_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new process reads what the old one left."""
    monkeypatch.setattr(module, "FILE_BYTES", 1000)
    spool = Spool(tmp_path / "s", 1 << 20)
    assert not spool
    for number in range(0, 20, 2):
        assert spool.append([record(str(number)), record(str(number + 1))])
    again = Spool(tmp_path / "s", 1 << 20)
    assert again
    assert again.bytes == spool.bytes
    assert {one.id for entries, _ in again.entries() for one in entries} == {
        str(number) for number in range(20)
    }
    assert drained(again) == [str(number) for number in range(20)]
    assert not again
    assert again.bytes == 0


def test_a_full_spool_takes_nothing_rather_than_a_part(tmp_path: Path) -> None:
    """The bound holds; what it refused can be offered again."""
    spool = Spool(tmp_path / "s", 700)
    assert spool.append([record("1")])
    assert not spool.append([record("2"), record("3")])
    assert spool.refusal == "spool.max_bytes, 700, is reached"
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


def test_what_is_appended_while_draining_goes_to_another_file(tmp_path: Path) -> None:
    """Nothing is added to a file that is about to be deleted."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1")])
    file = spool.oldest(0.0)
    assert file is not None
    spool.append([record("2")])
    spool.forget(file.path)
    assert drained(spool) == ["2"]


def test_a_file_knows_since_when_its_records_may_be_in_the_stream(tmp_path: Path) -> None:
    """Never, at first; from the first look on since that look, for a successor too; and what was
    doubtful when it came since then, in a file of its own."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1")])
    spool.append([record("2")], since=1700000000.5)
    spool.append([record("3")])
    first = spool.oldest(1700000100.0)
    assert first is not None
    assert (first.since, names(first)) == (None, ["1"])
    again = Spool(tmp_path / "s", 1 << 20)
    found = []
    while (file := again.oldest(1700000200.0)) is not None:
        found.append((file.since, names(file)))
        again.forget(file.path)
    assert found == [(1700000100.0, ["1"]), (1700000000.0, ["2"]), (None, ["3"])]


def test_a_successor_begins_behind_what_was_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a file too; and counts only what is left."""
    monkeypatch.setattr(module, "PART", 2)
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record(str(number)) for number in range(5)])
    file = spool.oldest(7.0)
    assert file is not None
    assert [len(part.records) for part in file.parts] == [2, 2, 1]
    path = file.path
    for part in file.parts[:2]:
        path = spool.settle(path, part.end)
    again = Spool(tmp_path / "s", 1 << 20)
    assert [[one.id for one in entries] for entries, _ in again.entries()] == [["4"]]
    rest = again.oldest(9.0)
    assert rest is not None
    assert (rest.since, names(rest)) == (7.0, ["4"])
    again.forget(again.settle(rest.path, rest.parts[-1].end))
    assert not again
    assert not list((tmp_path / "s").iterdir())


@pytest.mark.parametrize("place", [0, 3, 5, 8, 40, 100])
def test_a_corrupt_record_costs_itself_and_no_more(tmp_path: Path, place: int) -> None:
    """Wherever in its frame the wrong byte stands, reading goes on at the next record."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record(f"{number}") for number in range(5)])
    (path,) = (tmp_path / "s").iterdir()
    data = bytearray(path.read_bytes())
    data[2 * len(data) // 5 + place] ^= 0x55
    path.write_bytes(data)
    again = Spool(tmp_path / "s", 1 << 20)
    assert [damaged for _, damaged in again.entries()] == [1]
    assert drained(again) == ["0", "1", "3", "4"]


def test_zeros_that_a_power_cut_left_are_one_damaged_place(tmp_path: Path) -> None:
    """A frame of nothing is none."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1")])
    (path,) = (tmp_path / "s").iterdir()
    path.write_bytes(path.read_bytes() + bytes(4099))
    again = Spool(tmp_path / "s", 1 << 20)
    assert [damaged for _, damaged in again.entries()] == [1]
    assert drained(again) == ["1"]


@given(st.data())
def test_reading_any_bytes_ends_and_yields_what_is_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Records among garbage come out, in order; garbage does not."""
    directory = tmp_path_factory.mktemp("s")
    pieces = data.draw(st.lists(st.one_of(st.just(None), st.binary(max_size=30)), max_size=8))
    whole = b""
    expected = []
    for number, piece in enumerate(pieces):
        if piece is None:
            expected.append(str(number))
        document = DOCUMENT % b"%d" % number
        whole += module._frame(document) if piece is None else piece
    (directory / "000000000001.spool").write_bytes(whole)
    assert drained(Spool(directory, 1 << 20)) == expected


def test_the_spools_of_recorders_that_are_no_more_come_behind_our_own(tmp_path: Path) -> None:
    """With what their names say; their directories go."""
    own = Spool(tmp_path / "e-0", 1 << 20)
    own.append([record("1")])
    other = Spool(tmp_path / "e-1", 1 << 20)
    other.append([record("2")], since=5.0)
    other.append([record("3")])
    spool = Spool(tmp_path / "e-0", 1 << 20)
    spool.adopt(tmp_path / "e-1")
    spool.append([record("4")])
    assert spool.bytes == sum(path.stat().st_size for path in (tmp_path / "e-0").iterdir())
    found = []
    while (file := spool.oldest(9.0)) is not None:
        found.append((file.since, names(file)))
        spool.forget(file.path)
    assert found == [(None, ["1"]), (5.0, ["2"]), (None, ["3"]), (None, ["4"])]
    assert not (tmp_path / "e-1").exists()


def test_a_file_that_cannot_be_read_now_is_not_thrown_away(tmp_path: Path) -> None:
    """Too many open files, an error of the disk: somebody is told, and it is tried again."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1")])
    (path,) = (tmp_path / "s").iterdir()
    path.unlink()
    path.mkdir()
    with pytest.raises(StreamError, match="cannot be read"):
        Spool(tmp_path / "s", 1 << 20).oldest(0.0)
    assert list(Spool(tmp_path / "s", 1 << 20).entries()) == [([], 0)]


def test_records_that_another_version_wrote_are_passed_over(tmp_path: Path) -> None:
    """They cannot be read; those behind them can."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record("1")])
    (path,) = (tmp_path / "s").iterdir()
    path.write_bytes(
        module._frame(b'{"id":"0","protocol":"p","operation":"o","outcome":"ok"}')
        + path.read_bytes()
    )
    again = Spool(tmp_path / "s", 1 << 20)
    file = again.oldest(0.0)
    assert file is not None
    assert names(file) == ["1"]
    assert [one.id for part in file.parts for one in part.unreadable] == ["0"]


def test_a_directory_that_cannot_be_written_is_a_full_spool(tmp_path: Path) -> None:
    """No exception; the records wait elsewhere, and why is known."""
    (tmp_path / "file").write_text("in the way")
    spool = Spool(tmp_path / "file" / "s", 1 << 20)
    assert not spool.append([record("1")])
    assert spool.refusal == f"{tmp_path / 'file' / 's'} cannot be written to: not a directory"


def test_a_directory_that_somebody_removes_is_made_again(tmp_path: Path) -> None:
    """What was in it is gone; what comes is not refused until a restart."""
    spool = Spool(tmp_path / "s", 1 << 20)
    assert spool.append([record("1")])
    shutil.rmtree(tmp_path / "s")
    assert [spool.append([record("2")]) for _ in range(2)] == [False, True]


@pytest.mark.parametrize("room", range(10_000, 30_000, 1_999))
def test_a_disk_that_is_full_within_a_write_keeps_what_was_acknowledged_and_no_more(
    tmp_path: Path, room: int
) -> None:
    """What did not fit stays with the proxy; on disk too it would be in the stream twice."""
    spool = Spool(tmp_path / "spool", 10**6)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    taken: list[str] = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))
    try:
        while spool.append(batch := [record(f"{len(taken) + one:04}") for one in range(32)]):
            taken += [one.id for one in batch]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert spool.append([record("last")])
    assert drained(spool) == [*taken, "last"]


def test_files_are_private(tmp_path: Path) -> None:
    """Records are pseudonymized, and still nobody else's business."""
    Spool(tmp_path / "s", 1 << 20).append([record("1")])
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0


def test_a_record_is_erased_in_its_place(tmp_path: Path) -> None:
    """Also in what is settled, and beside damage: its recorder, which may be running, goes on with
    the same bytes, and its ledger has one record that it cannot read."""
    spool = Spool(tmp_path / "s", 1 << 20)
    spool.append([record(name) for name in "abcd"])
    file = spool.oldest(1.0)
    assert file is not None
    whole = file.path.read_bytes()
    size = len(whole) // 4
    path = spool.settle(file.path, size)
    path.write_bytes(whole[: 2 * size] + b"x" * 9 + whole[2 * size :])

    def is_meant(document: bytes) -> bool:
        return document.startswith((b'{"id":"a"', b'{"id":"c"'))

    assert module.erase(tmp_path / "s", is_meant, for_good=False) == 2
    assert path.read_bytes().count(b'"segments"') == 4
    assert module.erase(tmp_path / "s", is_meant, for_good=True) == 2
    assert path.read_bytes().count(b'"segments"') == 2
    assert (
        module.erase(tmp_path / "s", lambda document: b'"segments"' in document, for_good=False)
        == 2
    )
    (found,) = Spool(tmp_path / "s", 1 << 20).oldest(2.0).parts  # type: ignore[union-attr]
    assert [one.id for one in found.records] == ["b", "d"]
    assert [one.id for one in found.unreadable] == ["c"]
    assert module.erase(tmp_path / "nowhere", is_meant, for_good=True) == 0
