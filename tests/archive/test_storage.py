"""Where an archive stands: a directory, and what fsspec knows by a URL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from monitor.archive import storage as module
from monitor.archive.storage import Directory, Storage, at
from monitor.errors import ArchiveError


@pytest.fixture(params=["directory", "file URL", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    urls = {
        "directory": str(tmp_path / "a b"),
        "file URL": f"file://{tmp_path}/a%20b",
        "objects": f"memory://{tmp_path.name}",
    }
    return at(urls[request.param], tmp_path / "scratch")


def test_what_is_there_is_not_put_again(place: Storage) -> None:
    """The first one is the one; it is whole, and listed."""
    assert place.inside("d") == place.below("d") == []
    assert place.read("d/x/1") is None
    assert place.put("d/x/1", b"first")
    assert not place.put("d/x/1", b"second")
    assert place.put("d/2", b"other")
    assert place.read_all(["d/x/1", "d/none", "d/2"]) == [b"first", None, b"other"]
    assert place.inside("d") == ["2", "x"]
    assert place.below("d") == ["d/2", "d/x/1"]
    with place.place("d/2").open("rb") as file:
        assert file.read() == b"other"


def test_a_file_is_published_renamed_and_deleted(place: Storage) -> None:
    """What was written locally is gone from there; what is not there is deleted without a word."""
    local = place.scratch()
    local.write_bytes(b"rows")
    place.publish(local, "d/a.new")
    assert not local.exists()
    place.rename("d/a.new", "d/a")
    assert (place.exists("d/a"), place.exists("d/a.new")) == (True, False)
    place.delete("d/a")
    place.delete("d/a")
    assert place.inside("d") == []


def test_empty_directories_are_left_up_to_the_first(place: Storage, tmp_path: Path) -> None:
    """What has a file stays, and so does the uppermost; what is not there is no error."""
    for path in ("e/day/1/s", "e/day/2/s"):
        assert place.put(f"{path}/f", b"rows")
    place.leave("e/day/1/s")
    assert place.below("e") == ["e/day/1/s/f", "e/day/2/s/f"]
    place.delete("e/day/1/s/f")
    place.leave("e/day/1/s")
    assert place.inside("e/day") == ["2"]
    place.delete("e/day/2/s/f")
    for directory in ("e/day/2/s", "e/day/2/s", "e", ""):
        place.leave(directory)
    assert place.below("") == place.inside("e") == []
    if isinstance(place, Directory):
        assert (tmp_path / "a b" / "e").is_dir()


@pytest.mark.parametrize("how", ["put", "publish", "rename"])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_directory_that_goes_before_its_file_comes_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, after: int
) -> None:
    """Another program finds it empty, whenever a directory has just been made."""
    place = Directory(tmp_path / "a")
    local = place.scratch()
    local.write_bytes(b"rows")
    place.put("e/old", b"rows")
    made, mkdir = [0], Path.mkdir

    def and_gone(self: Path, *args: Any, **options: Any) -> None:
        mkdir(self, *args, **options)
        made[0] += tmp_path / "a" / "e" in self.parents
        if made[0] == after:
            made[0] += 1
            place.leave(str(self.relative_to(tmp_path / "a")))

    monkeypatch.setattr(Path, "mkdir", and_gone)
    if how == "put":
        assert place.put("e/day/1/s/f", b"rows")
    elif how == "publish":
        place.publish(local, "e/day/1/s/f")
    else:
        place.rename("e/old", "e/day/1/s/f")
    assert place.read("e/day/1/s/f") == b"rows"


def test_what_nobody_writes_any_more_is_swept(place: Storage) -> None:
    """A file of a writer that was killed an hour ago, and none of those that are being written."""
    old, new = place.scratch(), place.scratch()
    os.utime(old, (1000.0, 1000.0))
    place.sweep(new.stat().st_mtime + 1)
    assert (old.exists(), new.exists()) == (False, True)


def test_what_stands_in_the_way_is_a_sentence(tmp_path: Path) -> None:
    """A directory that is a file, a scheme that nobody knows, a full disk: no traceback, no path
    of a library."""
    (tmp_path / "file").write_text("")
    for use in (
        lambda: Directory(tmp_path / "file").put("d/1", b""),
        lambda: Directory(tmp_path / "file").scratch(),
    ):
        with pytest.raises(ArchiveError, match=r"^/.*file: (not a directory|file exists)$"):
            use()
    with pytest.raises(ArchiveError, match=r"^nobody://x: no files have a URL with nobody://"):
        at("nobody://x", tmp_path)
    assert module.why(OSError(28, "no space", "/secret")) == "the disk is full"
    assert module.why(PermissionError(13, "x", "/secret")) == "permission denied"


@pytest.mark.parametrize("path", ["../victim", "d/../../victim", "/victim", ".."])
def test_no_path_leaves_the_archive(place: Storage, tmp_path: Path, path: str) -> None:
    """Whoever names it, and whatever is to be done there."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    for use in (
        lambda: place.read(path),
        lambda: place.read_all([path]),
        lambda: place.delete(path),
        lambda: place.place(path),
        lambda: place.exists(path),
        lambda: place.put(path, b""),
        lambda: place.publish(victim, path),
        lambda: place.rename("d/a", path),
        lambda: place.rename(path, "d/a"),
        lambda: place.inside(path),
        lambda: place.below(path),
    ):
        with pytest.raises(ArchiveError, match=r"is not in the archive$"):
            use()
    assert victim.read_bytes() == b"precious"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a device, a directory."""
    held = Directory(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "directory").mkdir()
    for name in ("pipe", "device", "directory"):
        for use in (held.read, held.place):
            with pytest.raises(ArchiveError, match=rf"^{tmp_path}/{name}: is no file$"):
                use(name)


def test_what_no_archive_can_be_written_to_is_said(tmp_path: Path) -> None:
    """In one sentence, and without what is secret in a URL."""
    for url, words in (
        ("https://h/x", r"https://h/x: what has such a URL can only be read; name a directory"),
        ("memory://x", r"memory://x: what has such a URL is lost with the process"),
        ("s3://", r"s3://: names no bucket; write s3://bucket/archive"),
        ("s3:///x", r"s3:///x: names no bucket"),
        ("s3://KEY:PW@b/p", r"s3://b/p: a bucket has no user .* AWS_SECRET_ACCESS_KEY"),
        ("file:///t/x?token=PW", r"file:///t/x: a directory has neither query nor fragment"),
    ):
        with pytest.raises(ArchiveError, match=f"^{words}") as raised:
            module.writable(url)
        assert "PW" not in str(raised.value)
    for url in ("s3://KEY:PW@b/p", "file:///t/x?token=PW"):
        with pytest.raises(ArchiveError):
            at(url, tmp_path)
    for url in ("s3://bucket/a", "gs://bucket", "file:///t/x%3F", "a?b", "/t/x"):
        module.writable(url)
