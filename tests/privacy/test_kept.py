"""What is kept for the next process: only what was written so, or nothing."""

from __future__ import annotations

import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.privacy import patterns
from monitor.privacy.kept import Kept, beside_code

SECRET = b"s" * 32


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("data") / "one.compiled", SECRET)


@given(made_of=st.binary(), other=st.binary(), result=st.binary())
def test_what_was_written_is_read(kept: Kept, made_of: bytes, other: bytes, result: bytes) -> None:
    """For what it was made of, and for nothing else; the newest stands."""
    kept.write(made_of, b"before")
    kept.write(made_of, result)
    assert kept.read(made_of) == result
    assert other == made_of or kept.read(other) is None
    assert Kept(kept.path, b"another").read(made_of) is None


@given(result=st.binary(max_size=40), data=st.data())
def test_what_is_damaged_is_as_none(kept: Kept, result: bytes, data: st.DataObject) -> None:
    """One bit, an end that is missing, something behind it."""
    kept.write(b"x", result)
    content = bytearray(kept.path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    end = data.draw(st.integers(0, len(content) - 1))
    for damaged in (bytes(content), bytes(content[:end]), kept.path.read_bytes() + b"\0"):
        kept.path.write_bytes(damaged)
        assert kept.read(b"x") is None
        kept.write(b"x", result)
        assert kept.read(b"x") == result


def test_only_the_user_may_read_it(kept: Kept) -> None:
    """And no draft is left behind."""
    kept.write(b"x", b"y")
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in kept.path.parent.iterdir()] == [kept.path.name]


def test_beside_the_code_all_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python keeps what it compiled of the code itself."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    kept = beside_code("one.compiled")
    assert kept.path == Path(cache_from_source(patterns.__file__)).with_name("one.compiled")
    assert not kept.write(b"x", b"y")  # Python has kept nothing there yet
    kept.path.parent.mkdir(parents=True)
    assert kept.write(b"x", b"y")
    assert (kept.read(b"x"), kept.read(b"z")) == (b"y", None)
    assert kept.path.stat().st_mode & 0o777 == 0o644


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    """A directory that is not there, a file in its place, a link where the draft would be."""
    (tmp_path / "file").write_bytes(b"")
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "one.new").symlink_to(elsewhere)
    for path in (tmp_path / "none" / "one", tmp_path / "file" / "one", tmp_path / "one"):
        kept = Kept(path, SECRET)
        assert not kept.write(b"x", b"y")
        assert kept.read(b"x") is None
    assert not elsewhere.exists()
