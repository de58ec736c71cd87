"""Our HPACK decoder beside the hpack package: the same fields, whatever the encoder does."""

from __future__ import annotations

import logging
import re
from typing import Any

import hpack
import hpack.huffman
import hpack.huffman_constants
import hpack.table
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.proxy import hpack as ours
from monitor.proxy.heads import Ambiguous
from monitor.proxy.hpack import MAX_FIELDS, MAX_TABLE, HeaderDecoder

HUFFMAN = hpack.huffman.HuffmanEncoder(
    hpack.huffman_constants.REQUEST_CODES, hpack.huffman_constants.REQUEST_CODES_LENGTH
)
NAMES = st.one_of(
    st.sampled_from([name for name, _ in hpack.table.HeaderTable.STATIC_TABLE]),
    st.sampled_from([b"x-population", b"traceparent", b"grpc-status"]),
    st.from_regex(rb"[!#$%&'*+\-.^_`|~0-9a-z]{1,20}", fullmatch=True),
)
VALUES = st.binary(max_size=80).map(lambda value: re.sub(rb"[\r\n\0]", b".", value))
BLOCKS = st.lists(
    st.tuples(
        st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=8),  # name, value, never indexed
        st.booleans(),  # Huffman code
        st.one_of(st.none(), st.integers(0, MAX_TABLE)),  # another size for the table
    ),
    max_size=8,
)


def pairs(fields: list[ours.Field]) -> list[tuple[bytes, bytes]]:
    return [(field[0], field[1]) for field in fields]


def test_the_tables_are_those_of_the_rfc() -> None:
    """As another hand copied them."""
    assert [int(one, 36) for one in ours._LENGTHS] == list(
        hpack.huffman_constants.REQUEST_CODES_LENGTH
    )
    assert pairs(ours._STATIC[1:]) == list(hpack.table.HeaderTable.STATIC_TABLE)


@given(BLOCKS)
@settings(max_examples=50)
def test_what_an_encoder_writes_is_read(blocks: list[Any]) -> None:
    """Indexed, literal, never indexed, Huffman-coded or not, tables growing and shrinking."""
    encoder, decoder = hpack.Encoder(), HeaderDecoder()
    for fields, huffman, size in blocks:
        if size is not None:
            encoder.header_table_size = size
        block = encoder.encode(fields, huffman=huffman)
        found = decoder.fields(block)
        assert pairs(found) == [(name, value) for name, value, _ in fields]
        for name, value, line, _ in found:
            assert line == (b"" if name.startswith(b":") else name + b": " + value + b"\r\n")


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_read_as_the_package_reads_them_or_not_at_all(blocks: list[bytes]) -> None:
    """Where we see fields it sees the same; where it fails so do we, for the same connection."""
    theirs, decoder = hpack.Decoder(), HeaderDecoder()
    theirs.max_allowed_table_size = MAX_TABLE
    for block in blocks:
        try:
            found = pairs(decoder.fields(block))
        except Ambiguous:
            return  # we also refuse what is HPACK and cannot be a field line
        assert found == [tuple(field) for field in theirs.decode(block, raw=True)]


@given(st.binary(max_size=200))
def test_every_string_survives_the_huffman_code(text: bytes) -> None:
    """All 256 symbols, from every state, in both lengths of the padding."""
    assert ours._unfold(HUFFMAN.encode(text)) == text


@pytest.mark.parametrize(
    "coded",
    [
        b"\xff\xff\xff\xff",  # the end of the string, within it
        b"\xff",  # eight bits of padding
        b"\x00",  # `0`, padded with zeros
        HUFFMAN.encode(b"a")[:-1] + b"\x18",
    ],
)
def test_wrong_padding_is_ambiguous(coded: bytes) -> None:
    """RFC 7541, section 5.2: some decoders accept it, so nobody knows what was read."""
    with pytest.raises(Ambiguous, match="malformed_head"):
        ours._unfold(coded)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"\x80", "malformed_head"),  # index 0
        (b"\xbe", "malformed_head"),  # an entry the table does not have
        (b"\x82\x3f\xe1\x1f", "malformed_head"),  # a table size behind a field
        (b"\x3f\xe2\xff\x03", "head_too_large"),  # a table of 64 KiB and one byte
        (b"\x00\x01A\x01b", "malformed_head"),  # a capital in a name
        (b"\x00\x00\x01b", "malformed_head"),  # no name
        (b"\x00\x03a:b\x01b", "malformed_head"),
        (b"\x00\x01a\x03x\r\n", "malformed_head"),
        (b"\x00\x01a\x03x\0y", "malformed_head"),
        (b"\x00\x05a-bin\x03x\0y", "malformed_head"),
        (b"\x00\x01a\x05x", "malformed_head"),  # shorter than it says
        (b"\x00\x01a", "malformed_head"),
        (b"\x7f\xff\xff\xff\xff\xff\xff\x01", "malformed_head"),  # a number without end
        (b"\x00\x01a\x7f\x82\xff\x03" + b"y" * (MAX_FIELDS + 1), "head_too_large"),
    ],
)
def test_what_is_no_field_is_ambiguous(block: bytes, reason: str) -> None:
    """Each with its reason."""
    with pytest.raises(Ambiguous, match=reason):
        HeaderDecoder().fields(block)


def test_binary_metadata_of_grpc_has_the_line_that_it_has_in_ascii() -> None:
    """What both peers agreed to send raw is no reason to lose sight of the connection."""
    (field,) = HeaderDecoder().fields(b"\x00\x05t-bin\x06\0\x00\xff\r\nx")
    assert field[:3] == (b"t-bin", b"\0\x00\xff\r\nx", b"t-bin: AP8NCng\r\n")


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A value may be personal data, and somebody may have set the root logger to debug."""
    caplog.set_level(logging.DEBUG)
    HeaderDecoder().fields(b"\x40\x04name\x05value")
    assert not caplog.records


def test_tables_are_bounded() -> None:
    """An encoder that fills and refills its table leaves no more than one table behind."""
    decoder, encoder = HeaderDecoder(), hpack.Encoder()
    for number in range(500):
        decoder.fields(encoder.encode([(f"x-{number}", "y" * 100)]))
    assert len(decoder._table) == len(encoder.header_table.dynamic_entries) < 40
    decoder.fields(b"\x20")
    assert not decoder._table
    assert not decoder._size
