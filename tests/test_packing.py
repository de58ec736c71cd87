"""Files at rest are known by their content, packed or not, whatever they are called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from functools import lru_cache
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


def xz(content: bytes) -> bytes:
    """Packed less well, which takes a tenth of the time."""
    return lzma.compress(content, preset=0)


PACKED = {
    "plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": xz, "zstd": zstd,
}  # fmt: skip


@pytest.mark.parametrize("how", PACKED)
def test_what_was_packed_comes_out(tmp_path: Path, how: str) -> None:
    """The bytes are the same; a plain file is read as it is."""
    path = tmp_path / "a"
    path.write_bytes(PACKED[how](b"x,y\n1,2\n" * 1000))
    with packing.opened(path) as stream:
        assert packing.is_packed(stream) == (how != "plain")
        assert stream.read() == b"x,y\n1,2\n" * 1000


TEXT = b"".join(b"%d,%d\n" % (n, n * n * 7919 % 100_003) for n in range(200_000))
"""More than any packing holds back, or packs together."""

WAYS = [how for how in PACKED if how != "plain"]


@lru_cache
def packed(how: str) -> bytes:
    return PACKED[how](TEXT)


def broken(path: Path, content: bytes) -> tuple[bytes, str]:
    """What comes of a packed file up to where it breaks off, and why it does."""
    path.write_bytes(content)
    found = bytearray()
    with packing.opened(path) as stream:
        try:
            while more := stream.read1(70_001):
                found += more
        except OSError as error:
            with pytest.raises(OSError, match=packing.why(error)):  # again and again
                stream.read(1)
            return bytes(found), packing.why(error)
    return bytes(found), ""


@pytest.mark.parametrize("how", WAYS)
def test_of_what_is_cut_off_everything_comes_before(tmp_path: Path, how: str) -> None:
    """Also at its last byte, and within the second of two that were put one behind the other."""
    whole, said = packed(how), f"is cut off within what {how} has packed"
    found, why = broken(tmp_path / "a", whole[: len(whole) // 2])
    assert len(TEXT) // 9 < len(found) < len(TEXT)
    assert (TEXT.startswith(found), why) == (True, said)
    assert broken(tmp_path / "a", whole + whole[:-1])[1] == said
    assert broken(tmp_path / "a", whole + whole) == (TEXT + TEXT, "")


@pytest.mark.parametrize("how", WAYS[1:])
def test_of_what_is_damaged_no_rubbish_comes(tmp_path: Path, how: str) -> None:
    """What is unpacked right before the place that cannot be is left out."""
    whole = bytearray(packed(how))
    for place in range(len(whole) * 2 // 3, len(whole) * 2 // 3 + 2000):
        whole[place] ^= 0x55
    found, why = broken(tmp_path / "a", bytes(whole))
    assert f"is damaged: {how} cannot unpack it any further near byte" in why
    assert why.endswith(packing.DOUBT) == bool(found)
    assert TEXT.startswith(found)


def test_a_checksum_that_does_not_hold_is_told(tmp_path: Path) -> None:
    """Gzip has it at its end: what was read came before anybody could know."""
    whole = bytearray(packed("gzip"))
    whole[-8] ^= 1
    found, why = broken(tmp_path / "a", bytes(whole))
    assert len(TEXT) - len(found) < 20_000
    assert why.startswith("is damaged: a checksum of gzip near byte")
    assert why.endswith(packing.DOUBT)
    small = bytearray(gzip.compress(b""))
    small[-8] ^= 1
    assert broken(tmp_path / "a", bytes(small))[1].endswith("does not hold")  # nothing was read


@pytest.mark.parametrize("how", WAYS)
def test_what_stands_behind_is_not_passed_over(tmp_path: Path, how: str) -> None:
    """Another program may have written on; zeros fill up."""
    whole = packed(how)
    said = f"goes on with something else than {how} at byte {len(whole):,}"
    assert broken(tmp_path / "a", whole + b"1,2\n" * 5) == (TEXT, said)
    assert broken(tmp_path / "a", whole + b"x" + whole) == (TEXT, said)
    assert broken(tmp_path / "a", whole + bytes(512)) == (TEXT, "")


@pytest.mark.parametrize("how", WAYS)
def test_nothing_may_be_packed(tmp_path: Path, how: str) -> None:
    """An empty file of a packing is whole."""
    assert broken(tmp_path / "a", PACKED[how](b"")) == (b"", "")
    assert broken(tmp_path / "a", PACKED[how](b"") + packed(how)) == (TEXT, "")


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


BROAD = {"le": "utf-16-le", "be": "utf-16-be"}


@pytest.mark.parametrize("how", PACKED)
@pytest.mark.parametrize("order", BROAD)
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_utf_16_comes_as_utf_8(tmp_path: Path, how: str, order: str, mark: str) -> None:
    """By its mark, or by how JSON begins; without the mark, whatever the size of a reading, and
    characters beyond the first 65,536 whole."""
    path, text = tmp_path / "a", '{"x": "Zoë 🐵"}\n' * 9000
    path.write_bytes(PACKED[how]((mark + text).encode(BROAD[order])))
    with packing.opened(path) as stream:
        assert packing.is_broad(stream)
        assert packing.is_packed(stream)
        first = next(stream)
        assert first + b"".join(iter(lambda: stream.read(70_001), b"")) == text.encode()


def is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("order", BROAD)
@pytest.mark.parametrize("more", [0, 1, 2, 3])
def test_utf_8_behind_utf_16_keeps_its_lines(tmp_path: Path, order: str, more: int) -> None:
    """Each is a line that is no UTF-8, however long they are, and also in the middle of a
    character; what stands before comes."""
    path, text = tmp_path / "a", "".join(f'{{"x": "Zoë 中 🐵 {place}"}}\n' for place in range(5000))
    before = "\ufeff" + '{"x": "Zoë"}\n' * 300
    path.write_bytes(before.encode(BROAD[order]) + text.encode() + b"y" * more)
    with packing.opened(path) as stream:
        found = stream.readlines()
    assert found[:300] == ['{"x": "Zoë"}\n'.encode()] * 300
    strange = found[300:]
    assert abs(len(strange) - 5000) <= 2
    assert not [line for line in strange[1:-1] if is_utf_8(line)]


def test_text_without_spaces_is_no_utf_8(tmp_path: Path) -> None:
    """Chinese has characters of which one byte is the end of a line in UTF-8."""
    path, text = tmp_path / "a", "上海 上下 " * 20 + "\n" + "上海中国人民上下" * 40
    path.write_bytes(("\ufeff" + text).encode("utf-16-le"))
    with packing.opened(path) as stream:
        assert stream.read() == text.encode()


@given(st.binary(max_size=64))
def test_no_utf_16_is_no_error(tmp_path_factory: pytest.TempPathFactory, rest: bytes) -> None:
    """Half a character makes bytes that are no UTF-8, and what is around it comes."""
    path = tmp_path_factory.getbasetemp() / "broad"
    path.write_bytes("\ufeffab".encode("utf-16-le") + rest)
    with packing.opened(path) as stream:
        found = stream.read()
    assert found.startswith(b"ab")
    try:
        whole = rest.decode("utf-16-le")
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            found.decode()
    else:
        assert found.decode() == "ab" + whole
