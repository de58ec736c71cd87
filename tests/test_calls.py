"""Exchange → Call: heads in any state, bodies in any coding, within bounds."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import calls
from monitor.types import Call, Exchange, Message, Outcome

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
    "zstd": zstandard.compress(TEXT),
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


def test_a_bomb_is_bounded() -> None:
    """A few kilobytes that want to be fifty megabytes do not become them."""
    call = read(coded("gzip"), gzip.compress(b"0" * 50_000_000))
    assert len(call.response_body) <= calls.MAX_DECODED_BYTES
    assert call.response_truncated


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
