"""Blobs: what encoded and compressed runs hold, within a bound."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import PrivacyError
from monitor.privacy.blobs import blobs, decompress
from tests.recorder.test_calls import zstd

LIMIT = 1 << 16
WORDS = "write to ada@example.org about the matter, please"
PACKERS = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
    "brotli": brotli.compress,
}


@pytest.mark.parametrize(
    "encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes, bytes.hex]
)
@given(words=st.text(st.characters(categories=("Lu", "Ll", "Nd", "Zs")), min_size=24, max_size=200))
def test_encoded_text_comes_out(encode, words: str) -> None:
    """base64 of either alphabet, in lines, and hexadecimal."""
    coded = encode(words.encode())
    coded = coded if isinstance(coded, str) else coded.decode()
    found = list(blobs(f"see ({coded.strip()}) there", LIMIT))
    assert [blob.content for blob in found] == [words] or coded.strip().isalpha()


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_text_comes_out(packer: str) -> None:
    """Every coding that HTTP knows, and those of archives."""
    coded = base64.b64encode(PACKERS[packer](WORDS.encode() * 3)).decode()
    assert [blob.content for blob in blobs(coded, LIMIT)] == [WORDS * 3]


@pytest.mark.parametrize("packer", PACKERS)
def test_a_bomb_is_refused_when_it_passes_the_limit(packer: str) -> None:
    """No more is unpacked than the limit says, and one byte."""
    packed = PACKERS[packer](bytes(100 * LIMIT))
    with pytest.raises(PrivacyError, match="bomb"):
        decompress(packed, LIMIT)


def test_media_is_described_and_ids_are_left_alone() -> None:
    """A picture by kind; a UUID, a digest, a word are nothing."""
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8).decode()
    (blob,) = blobs(f"data:image/png;base64,{picture}", LIMIT)
    assert (blob.kind, blob.content) == ("image/png", None)
    (blob,) = blobs(picture, LIMIT)
    assert blob.kind == "image/png"
    for plain in (
        "550e8400-e29b-41d4-a716-446655440000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "Donaudampfschifffahrtsgesellschaft",
    ):
        assert list(blobs(plain, LIMIT)) == []


@given(
    st.text(max_size=100)
    | st.text("ABCDabcd0189+/=-_ \n", max_size=400)
    | st.binary(max_size=200).map(lambda b: base64.b64encode(b).decode())
)
def test_any_text_gives_blobs_apart_and_in_order(text: str) -> None:
    """No text raises anything but a bomb."""
    done = 0
    for blob in blobs(text, LIMIT):
        assert done <= blob.start < blob.end <= len(text)
        done = blob.end


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x1f\x8b", b"x\x9c", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"]),
)
def test_damaged_packages_are_none(data: bytes, magic: bytes) -> None:
    """Whatever follows the magic bytes."""
    opened = decompress(magic + data, LIMIT)
    assert opened is None or len(opened) <= LIMIT


@pytest.mark.parametrize("value", ["536-22-1234", "203.0.113.77", "a.b@c.org", "4111111111111111"])
def test_a_short_value_is_read_too(value: str) -> None:
    """From ten bytes on, in base64 with or without padding; in hexadecimal."""
    coded = base64.b64encode(value.encode()).decode()
    for one in (coded, coded.rstrip("="), value.encode().hex()):
        found = [blob.content for blob in blobs(f"id={one}&x", LIMIT)]
        assert found == [value] or len(one.rstrip("=")) < 14


def test_what_is_text_among_bytes_is_read() -> None:
    """A message of protobuf, in base64: the strings in it, the rest as line ends."""
    message = b"\x0a\x0fada@example.org\x10\xff\x01" + bytes(range(200, 220))
    (blob,) = blobs(base64.b64encode(message).decode(), LIMIT)
    assert blob.content
    assert "ada@example.org" in blob.content.split("\n")


def test_a_data_url_ends_where_its_data_ends() -> None:
    """The words behind it are not a part of it, its own lines are."""
    coded = base64.b64encode(WORDS.encode()).decode()
    text = f"see data:text/plain;base64,{coded} and so on"
    (blob,) = blobs(text, LIMIT)
    assert (blob.content, text[blob.end :]) == (WORDS, " and so on")
    lines = base64.encodebytes(WORDS.encode() * 5).decode().strip()
    (blob,) = blobs(f"data:text/plain;base64,{lines}", LIMIT)
    assert blob.content == WORDS * 5
