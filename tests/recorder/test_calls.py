"""Exchange → Call: heads in any state, bodies in any coding, within bounds."""

from __future__ import annotations

import encodings
import gzip
import subprocess
import sys
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.recorder import calls
from monitor.types import Call, Exchange, Message, Outcome

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b'{"text": "' + b"lorem ipsum " * 200 + b'"}'


def read(head: bytes, body: bytes = b"", chunks: list[tuple[float, int]] | None = None) -> Call:
    return calls.read(
        Exchange(
            "i", 0.0, 1.0, Message(b"POST /a/b?x=1 HTTP/1.1\r\nHost: h\r\n\r\n"),
            Message(head, body, len(body)), chunks or [], Outcome.OK,
        )
    )  # fmt: skip


def coded(coding: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n".encode()


CODINGS = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstd.compress(TEXT),
    "gzip, br": brotli.compress(gzip.compress(TEXT)),
    "identity": TEXT,
}


@pytest.mark.parametrize("coding", CODINGS)
def test_codings_are_removed(coding: str) -> None:
    """Also stacked, in the order the header names them."""
    call = read(coded(coding), CODINGS[coding])
    assert call.response_body == TEXT
    assert not call.response_truncated


def test_several_gzip_members_are_one_body() -> None:
    """RFC 1952 section 2.2."""
    body = gzip.compress(b"one ") + gzip.compress(b"two")
    assert read(coded("gzip"), body).response_body == b"one two"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_cut_body_keeps_what_came_and_says_so(coding: str) -> None:
    """Half of it decodes to a beginning of the whole."""
    half = CODINGS[coding][: len(CODINGS[coding]) // 2]
    call = read(coded(coding), half)
    assert TEXT.startswith(call.response_body)
    assert call.response_truncated


COMPRESS = {
    "gzip": lambda data: gzip.compress(data, 9),
    "deflate": lambda data: zlib.compress(data, 9),
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("coding", COMPRESS)
@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072, 1_000_000])
def test_a_body_of_any_size_is_whole(coding: str, size: int) -> None:
    """Decoding goes step by step; what stands behind a full step is not forgotten."""
    text = b"".join(b"%d " % number for number in range(size // 5 + 1))[:size]
    call = read(coded(coding), COMPRESS[coding](text))
    assert call.response_body == text
    assert not call.response_truncated


@pytest.mark.parametrize("coding", [*COMPRESS, "gzip, gzip", "zstd, zstd", "br, gzip, zstd"])
def test_a_bomb_is_bounded(coding: str) -> None:
    """A few kilobytes that want to be thirty megabytes keep their beginning, and say so."""
    body = b"0" * 30_000_000
    for one in coding.split(", "):
        body = COMPRESS[one](body)
    call = read(coded(coding), body)
    assert len(call.response_body) == min(
        calls.MAX_DECODED_BYTES, max(len(body) * calls.MAX_RATIO, 65536)
    )
    assert set(call.response_body) == {ord("0")}
    assert call.response_truncated


def test_a_bomb_between_two_codings_is_bounded() -> None:
    """What the inner coding makes nothing of counts as well."""
    empty = gzip.compress(b"")
    body = gzip.compress(empty * 500_000, 9)
    call = read(coded("gzip, gzip"), body)
    assert call.response_body == b""
    assert call.response_truncated


BOMBS = """
import gzip, resource, sys, zlib
import brotli
from monitor.recorder import calls
from tests.recorder.test_calls import COMPRESS, coded, read

bodies = []
for coding in (*COMPRESS, "zstd, zstd", "gzip, gzip"):
    body = b"0" * 50_000_000
    for one in coding.split(", "):
        body = COMPRESS[one](body)
    bodies.append((coding, body))
del body
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")

def memory(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(name))

before = memory("VmRSS")
for coding, body in bodies:
    read(coded(coding), body)
print((memory("VmHWM") - before) / calls.MAX_DECODED_BYTES)
"""


def test_a_bomb_costs_little_more_memory_than_its_bound() -> None:
    """As the system counts it, the decoders' own windows included."""
    done = subprocess.run(
        [sys.executable, "-c", BOMBS], capture_output=True, text=True, check=True, timeout=200
    )
    assert float(done.stdout) < 4


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "zip", "nonsense"])
def test_what_is_no_charset_is_not_decoded(charset: str) -> None:
    """Python has codecs under such names; the time of one is quadratic."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    body = b"aaaa-b" * 100_000
    assert read(head, body).response_body == body


def test_unknown_charsets_leave_nothing_behind() -> None:
    """Every client may name another one."""

    def ask(names: list[str]) -> None:
        for name in names:
            kind = f"Content-Type: text/plain; charset={name}\r\n\r\n".encode()
            read(b"HTTP/1.1 200 OK\r\n" + kind, "text".encode("utf-16"))

    ask(["x-warm", "koi8-u", "utf-16-le", "windows-1252"])
    before = len(encodings._cache)  # type: ignore[attr-defined]
    ask([f"x-{number}" for number in range(200)])
    assert len(encodings._cache) == before  # type: ignore[attr-defined]


def test_a_charset_that_cannot_be_told_is_a_broken_body() -> None:
    """UTF-16 whose byte order nobody marked."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n"
    assert read(head, "text".encode("utf-16")).response_body == b"text"
    assert read(head, "text".encode("utf-16-le")).response_truncated


def test_arrivals_are_in_offsets_of_the_decoded_body() -> None:
    """A stream compressed and flushed event by event keeps its times."""
    packer = zlib.compressobj(wbits=31)
    body, chunks = b"", []
    for place, event in enumerate((b"data: 1\n\n", b"data: 22\n\n")):
        body += packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH)
        chunks.append((float(place), len(body)))
    call = read(coded("gzip"), body, chunks)
    assert call.arrivals == [(0.0, 9), (1.0, 19)]


def test_request_line_and_repeated_fields() -> None:
    """Path and query apart, names lower case, repetitions joined."""
    call = read(b"HTTP/1.1 404 Not Found\r\nA: 1\r\na: 2\r\n\r\n")
    assert (call.method, call.path, call.query, call.status) == ("POST", "/a/b", "x=1", 404)
    assert call.response_headers == {"a": "1, 2"}
    assert call.request_headers == {"host": "h"}


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=100), st.binary(max_size=200),
    st.sampled_from(["gzip", "deflate", "br", "zstd", "x", "gzip, gzip"]),
)  # fmt: skip
def test_any_bytes_are_readable(head: bytes, body: bytes, coding: str) -> None:
    """No exception from heads or bodies."""
    read(head, body)
    read(coded(coding), body)


def test_field_values_are_utf_8_and_what_is_not_is_latin_1() -> None:
    """Byte by byte: one bad byte does not change how the rest is read."""
    head = "HTTP/1.1 200 OK\r\na: Zürich\r\nb: caf".encode() + b"\xe9 " + "４１\r\n\r\n".encode()
    assert calls.head(head)[1] == {"a": "Zürich", "b": "café ４１"}
