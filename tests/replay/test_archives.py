"""Archives of ours at rest: read by their manifests, in a range, as the store would be."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.archive.chain import Chain, signer
from monitor.archive.manifests import NEW
from monitor.archive.rows import Kept, Writer
from monitor.archive.storage import Directory, Storage, at
from monitor.audit.merkle import NONCE
from monitor.cli import main
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.replay import archives, files
from monitor.types import Record, encode_record
from tests.replay.some_records import record

BEGAN = 1_700_000_000


def archive(
    storage: Storage, records: Sequence[Record], shard: int = 0, endpoint: str = "bot"
) -> None:
    """Archive these as one file, each as if it had been appended when it began."""
    chain = Chain(storage, endpoint, shard)
    chain.open()
    rows = [
        Kept(f"{one.started * 1000:.0f}-{place}", encode_record(one), one)
        for place, one in enumerate(records)
    ]
    writer = Writer(storage.scratch(), chain.tree)
    writer.add(rows, os.urandom(NONCE * len(rows)))
    file = writer.close(endpoint, shard)
    storage.publish(writer.path, file.path + NEW)
    new = chain.next_manifest(
        at=rows[-1].record.started, writer="test", position=rows[-1].sid, tree=writer.tree
    )
    assert chain.add(msgspec.structs.replace(new, file=file, files=new.files + 1), signer(None))


def some(*numbers: int) -> list[Record]:
    return [record(number, started=float(BEGAN + number)) for number in numbers]


def read(place: str, start: float | None = None, end: float | None = None) -> list[Record]:
    found = files.find([place], start=start, end=end)
    return list(files.records(found, Damage()))


@pytest.fixture(params=["directory", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "a") if request.param == "directory" else f"memory://{tmp_path.name}"


def test_what_the_manifests_list_is_read_in_order(place: str, tmp_path: Path) -> None:
    """Shards are merged by time, as those of a store are; what nobody lists is not read."""
    storage = at(place, tmp_path)
    archive(storage, some(0, 3, 4), shard=0)
    archive(storage, some(1, 2, 6), shard=1)
    archive(storage, some(5, 7), shard=0)
    strange = next(path for path in storage.below("") if path.endswith(".parquet"))
    storage.put(strange.replace(".parquet", "-2.parquet"), storage.read(strange) or b"")
    assert read(place) == some(*range(8))
    assert read(f"{place}/endpoint=bot/") == some(*range(8))


def test_of_a_range_only_what_may_be_in_it_is_read(tmp_path: Path) -> None:
    """By whole files; whoever reads them keeps what is in the range."""
    storage = Directory(tmp_path)
    for first in range(0, 10, 2):
        archive(storage, some(first, first + 1))
    assert read(str(tmp_path), start=BEGAN + 4.0) == some(*range(4, 10))
    assert read(str(tmp_path), end=BEGAN + 5.0) == some(*range(6))
    assert read(str(tmp_path), start=BEGAN + 5.0, end=BEGAN + 6.0) == some(4, 5)
    (storage.place("x")).write_text("")
    assert read(str(tmp_path), start=BEGAN + 100.0) == []


def test_an_archive_of_several_endpoints_asks_for_one(tmp_path: Path) -> None:
    """In a sentence that says how; a file that is gone is named when it is read."""
    storage = Directory(tmp_path)
    archive(storage, some(0), endpoint="a")
    archive(storage, some(1), endpoint="b")
    with pytest.raises(
        SourceError, match=r"several endpoints \(a, b\); name one, as .*/endpoint=a$"
    ):
        archives.found(str(tmp_path), None, None)
    assert read(f"{tmp_path}/endpoint=b") == some(1)
    for path in tmp_path.rglob("*.json"):
        path.write_text("{}")
    with pytest.raises(SourceError, match="is not a manifest"):
        archives.found(f"{tmp_path}/endpoint=b", None, None)


def test_an_option_says_which_endpoint_of_an_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless the place does; one that it has not is refused in a sentence. A listed file that is
    gone is missing."""
    for number, endpoint in enumerate("ab"):
        archive(Directory(tmp_path), some(number), endpoint=endpoint)
    place = str(tmp_path)
    assert archives.selected(place, "b") == f"{place}/endpoint=b"
    assert archives.selected(f"{place}/endpoint=a", "b") == f"{place}/endpoint=a"
    assert archives.selected(place, None) == place
    assert archives.selected(f"{place}/nothing", "b") == f"{place}/nothing"
    assert main(["replay", place, "--endpoint", "nosuch"]) == 2
    assert f"{place}: has no chain of endpoint nosuch; it has a, b\n" in capsys.readouterr().err
    for path in tmp_path.glob("endpoint=b/date=*/hour=*/*/*.parquet"):
        path.unlink()
    assert main(["replay", place, "--endpoint", "b"]) == 2
    assert capsys.readouterr().err.endswith(": is missing\n")


@pytest.mark.parametrize("wrong", ["gone", "cut", "empty"])
def test_of_an_archive_that_lacks_a_file_the_rest_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    """That is told first, and nothing is said to be well; the same by Dask's workers."""
    whole, place = tmp_path / "whole", tmp_path / "place"
    for top in (whole, place):
        for first in (0, 80, 160):
            archive(Directory(top), some(*range(first, first + 80)))
    path = sorted(place.rglob("*.parquet"))[1]
    if wrong == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:900] if wrong == "cut" else b"")
    told = []
    for engine in ("local", "dask"):
        options = ["--reference", str(whole), "--json", "-", "--engine", engine]
        assert main(["replay", str(place), *options]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert (told[0]["verdict"], told[0]["records"]) == ("insufficient", 160)
    assert {one["status"] for one in told[0]["features"]} >= {"ok"}
    (one,) = told[0]["unreadable"]
    assert (one["place"], one["count"]) == (str(path), 0)


@pytest.mark.parametrize(
    "place", ["-", "nothing", "http://127.0.0.1:1/endpoint=a", "*.parquet", "/"]
)
def test_what_is_no_archive_is_left_to_others(place: str, tmp_path: Path, monkeypatch: Any) -> None:
    """No server is asked, and no pattern of names is an archive."""
    monkeypatch.chdir(tmp_path)
    assert archives.found(place, None, None) is None


def test_replay_finds_the_same_as_in_a_file_of_the_same_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One shard or three, with a range, bit for bit."""
    records = some(*range(300))
    lines = tmp_path / "all.jsonl"
    lines.write_bytes(b"\n".join(map(encode_record, records)))
    one, three = tmp_path / "one", tmp_path / "three"
    for first in range(0, 300, 100):
        archive(Directory(one), records[first : first + 100])
    for shard in range(3):
        for first in range(0, 300, 100):
            archive(Directory(three), records[first : first + 100][shard::3], shard=shard)
    options = [
        "--from",
        "2023-11-14T22:13:50Z",
        "--to",
        "2023-11-14T22:17:20Z",
        "--by",
        "population",
        "--json",
        "-",
    ]
    found = []
    for place in (lines, one, three):
        assert main(["replay", str(place), *options]) == 0
        document = msgspec.json.decode(capsys.readouterr().out)
        document.pop("compared")
        found.append(document)
    assert found[0]["records"] == 210
    assert found[0] == found[1] == found[2]
