"""Fields of HTTP/2 as heads of HTTP/1.1: what is sound is written, anything else is ambiguous."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.proxy.heads import Ambiguous
from monitor.proxy.hpack import Field, HeaderDecoder
from monitor.proxy.http2_heads import request_head, response_head, trailer_lines

GET = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/a?b"), (b":authority", b"m")]
FIELDS = st.lists(
    st.tuples(
        st.sampled_from([b":method", b":scheme", b":path", b":authority", b":status", b":x", b"a", b"host"]),
        st.sampled_from([b"", b"GET", b"CONNECT", b"/", b"/ b", b"200", b"99", b"m", b"\xff"]),
    ),
    max_size=6,
)  # fmt: skip


def decoded(pairs: list[tuple[bytes, bytes]]) -> list[Field]:
    """As a connection's decoder gives them: literals with names of their own (RFC 7541)."""
    block = b"".join(
        b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in pairs
    )
    return HeaderDecoder().fields(block)


def test_a_request_is_written_with_its_authority_as_host() -> None:
    """Once, and in front, whether or not the client said it twice."""
    head = b"GET /a?b HTTP/2\r\nhost: m\r\na: 1\r\n\r\n"
    assert request_head(decoded([*GET, (b"a", b"1")])) == head
    assert request_head(decoded([*GET, (b"a", b"1"), (b"host", b"m")])) == head
    tunnel = decoded([(b":method", b"CONNECT"), (b":authority", b"m:1")])
    assert request_head(tunnel) == b"CONNECT m:1 HTTP/2\r\nhost: m:1\r\n\r\n"


@pytest.mark.parametrize(
    "pairs",
    [
        GET[1:], GET[:2], [*GET, GET[0]], [(b"a", b"1"), *GET], [*GET, (b":x", b"1")],
        [(b":method", b"G T"), *GET[1:]], [*GET[:2], (b":path", b"/ b")],
    ],
)  # fmt: skip
def test_a_request_that_could_be_read_in_two_ways_is_ambiguous(
    pairs: list[tuple[bytes, bytes]],
) -> None:
    """Without a method or path, with one twice, unknown or behind a field, with a space in it."""
    with pytest.raises(Ambiguous):
        request_head(decoded(pairs))


@given(FIELDS)
def test_any_fields_are_a_head_or_ambiguous(pairs: list[tuple[bytes, bytes]]) -> None:
    """A head is whole, and has a line for each field."""
    try:
        fields = decoded(pairs)
    except Ambiguous:
        return
    for write in (request_head, response_head, trailer_lines):
        try:
            found = write(fields)
        except Ambiguous:
            continue
        if write is trailer_lines:
            assert found.count(b"\r\n") == len(pairs)
        else:
            assert found.endswith(b"\r\n\r\n")
            assert found.startswith(
                (b"HTTP/2 ", b"GET ", b"CONNECT ", *(v + b" " for _, v in pairs))
            )
