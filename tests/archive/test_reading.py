"""An archive and a range of time: which files are looked at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from monitor.archive import reading
from monitor.archive.manifests import NEW, name_of
from monitor.archive.storage import Storage
from monitor.errors import ArchiveError
from tests.archive.conftest import BEGAN, DAY, Step


def counts(found: list[reading.Shard]) -> dict[int, int]:
    return {shard.number: len(shard.files) for shard in found}


def test_only_files_that_may_hold_the_range_are_read(storage: Storage, step: Step) -> None:
    """Of every shard, by when their Records began."""
    for day in range(3):
        for shard in (0, 10):
            step(0, 2, day=day, shard=shard)
    assert reading.endpoints(storage) == ["bot"]
    assert counts(reading.read(storage, "bot", None, None)) == {0: 3, 10: 3}
    second = BEGAN / 1000 + DAY / 1000 - 1
    assert counts(reading.read(storage, "bot", second, second + 1)) == {0: 1, 10: 1}
    assert counts(reading.read(storage, "bot", second + 1, None)) == {0: 1, 10: 1}
    assert counts(reading.read(storage, "bot", None, second)) == {0: 1, 10: 1}
    assert counts(reading.read(storage, "bot", second + 1e9, None)) == {0: 0, 10: 0}


def test_what_no_manifest_lists_is_not_read_and_no_directory_of_files_is_listed(
    storage: Storage, step: Step, tmp_path: Path, monkeypatch: Any
) -> None:
    """A file of somebody else in the midst of ours."""
    step(0, 2)
    (path,) = (tmp_path / "archive").rglob("*.parquet")
    path.with_name("other.parquet").write_bytes(path.read_bytes())
    asked: list[str] = []
    inside = storage.inside
    monkeypatch.setattr(storage, "inside", lambda one: asked.append(one) or inside(one))
    (shard,) = reading.read(storage, "bot", None, None)
    assert shard.files == (path,)
    assert all("_manifests" in one for one in asked)


def test_a_listed_file_that_has_no_name_yet_is_read(storage: Storage, step: Step) -> None:
    """Its writer was killed between the manifest and the name."""
    step(0, 2)
    step(2, 2)
    (shard,) = reading.read(storage, "bot", None, None)
    last = shard.files[-1]
    last.rename(last.with_name(last.name + NEW))
    (again,) = reading.read(storage, "bot", None, None)
    assert again.files == (shard.files[0], last.with_name(last.name + NEW))


def test_a_place_without_an_archive_holds_no_endpoints(storage: Storage, tmp_path: Path) -> None:
    """Nothing, a file, a directory of partitions that somebody else has made."""
    assert reading.endpoints(storage) == []
    (tmp_path / "archive" / "endpoint=x").mkdir(parents=True)
    assert reading.endpoints(storage) == []


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(storage: Storage, step: Step) -> None:
    """Nor in the place of a manifest: both are said."""
    step(0, 2)
    (shard,) = reading.read(storage, "bot", None, None)
    for place in (*shard.files, storage.place(name_of("bot", 0, 0))):
        place.unlink()
        os.mkfifo(place)
        with pytest.raises(ArchiveError, match=rf"{place.name}: is no file$"):
            reading.read(storage, "bot", None, None)


@pytest.mark.parametrize("number", [0, 1])
def test_a_chain_that_lacks_a_manifest_is_not_read_as_if_it_ended_there(
    storage: Storage, step: Step, number: int
) -> None:
    """What stands behind it would be passed over in silence; of the last one nobody can know."""
    for day in range(3):
        step(0, 2, day=day)
    Path(storage.name, name_of("bot", 0, number)).unlink()
    with pytest.raises(ArchiveError, match=rf"{number:08}\.json: is missing, and later ones are"):
        reading.read(storage, "bot", None, None)
    Path(storage.name, name_of("bot", 0, 2)).unlink()
    if number:
        Path(storage.name, name_of("bot", 0, 1)).unlink(missing_ok=True)
        assert counts(reading.read(storage, "bot", None, None)) == {0: 1}
