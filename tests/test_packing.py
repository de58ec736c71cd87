"""Files at rest are known by their content, packed or not, whatever they are called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import packing
from monitor.zstd import ZstdFile


def zstd(data: bytes) -> bytes:
    out = io.BytesIO()
    with ZstdFile(out, "wb") as stream:
        stream.write(data)
    return out.getvalue()


PACKED = {
    "plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd,
}  # fmt: skip


@pytest.mark.parametrize("how", PACKED)
def test_what_was_packed_comes_out(tmp_path: Path, how: str) -> None:
    """The bytes are the same; a plain file is read as it is."""
    path = tmp_path / "a"
    path.write_bytes(PACKED[how](b"x,y\n1,2\n" * 1000))
    with packing.opened(path) as stream:
        assert packing.is_packed(stream) == (how != "plain")
        assert stream.read() == b"x,y\n1,2\n" * 1000


@pytest.mark.parametrize("how", [how for how in PACKED if how != "plain"])
def test_what_breaks_off_raises_what_is_broken(tmp_path: Path, how: str) -> None:
    """Whoever reads a file catches `BROKEN`, and says where."""
    path = tmp_path / "a"
    whole = PACKED[how](bytes(place * 7919 % 251 for place in range(100_000)))
    path.write_bytes(whole[: len(whole) // 2])
    with packing.opened(path) as stream, pytest.raises(packing.BROKEN):
        stream.read()
    if how != "zstd":  # which has no checksum unless it is asked for
        path.write_bytes(whole[:100] + b"\xff" * 40 + whole[140:])
        with packing.opened(path) as stream, pytest.raises(packing.BROKEN):
            stream.read()


def test_what_only_begins_like_one_is_plain(tmp_path: Path) -> None:
    """`BZh` may begin the name of a column."""
    path = tmp_path / "a"
    for text in (b"BZh9,b\n1,2\n", b"", b"P"):
        path.write_bytes(text)
        with packing.opened(path) as stream:
            assert not packing.is_packed(stream)
            assert stream.read() == text


def test_archives_and_spreadsheets_are_told() -> None:
    """With what to do; a text that begins like one is none."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
    assert packing.strange(out.getvalue()).startswith("is a ZIP archive, or a spreadsheet")
    assert packing.strange(b"ARROW1\0\0").startswith("is an Arrow file")
    assert not packing.strange(b"ARROW1,ORC\n1,2\n")
    assert not packing.strange(b"ORC,b\n")


@given(st.text(alphabet=st.characters(min_codepoint=32), max_size=80))
def test_no_text_is_an_archive(text: str) -> None:
    """Whatever it begins with."""
    assert not packing.strange(text.encode(errors="surrogatepass"))
