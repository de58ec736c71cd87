"""AWS event streams: as other encoders write them, damaged anywhere, cut anywhere."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.framings.aws_eventstream import MAX_HEADER_BYTES, Message, Value, is_stream, messages

GOLDEN = Path(__file__).parent / "goldens" / "aws_eventstream"
"""Encoded by amazon-transcribe 0.6.4, and read back by botocore 1.44.8: what that read is beside it."""


def coded(value: Value) -> bytes:
    match value:
        case bool():
            return b"\0" if value else b"\1"
        case int():
            return struct.pack(">Bq", 5, value)
        case float():
            return struct.pack(">Bq", 8, round(value * 1000))
        case str():
            return struct.pack(">BH", 7, len(value.encode())) + value.encode()
    return struct.pack(">BH", 6, len(value)) + value


def framed(headers: bytes, payload: bytes) -> bytes:
    """A message by the specification."""
    prelude = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return message + struct.pack(">I", crc32(message))


def encoded(headers: dict[str, Value], payload: bytes) -> bytes:
    named = (bytes([len(name.encode())]) + name.encode() + coded(headers[name]) for name in headers)
    return framed(b"".join(named), payload)


VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(10**12), 10**13).map(lambda at: at / 1000),
    st.text(max_size=20),
    st.binary(max_size=20),
)
MESSAGES = st.lists(
    st.tuples(st.dictionaries(st.text(max_size=10), VALUES, max_size=4), st.binary(max_size=30)),
    max_size=5,
)


def test_what_another_encoder_wrote_is_read_as_another_decoder_reads_it() -> None:
    """Every type of header; events, an exception, an error, an empty message."""
    body = GOLDEN.with_suffix(".bin").read_bytes()
    found = list(messages(body))
    expected = json.loads(GOLDEN.with_suffix(".json").read_text())
    assert len(found) == len(expected) == 10
    end = 0
    for one, read in zip(found, expected, strict=True):
        end += read["length"]
        shown = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in one.headers.items()
        }
        if "at" in shown:
            shown["at"] = round(float(shown["at"]) * 1000)
        assert (one.is_intact, one.end, shown) == (True, end, read["headers"])
        assert one.payload.decode("latin-1") == read["payload"]


@given(MESSAGES)
@settings(max_examples=50)
def test_messages_are_those_written(written: list[tuple[dict[str, Value], bytes]]) -> None:
    """An offset stands behind each."""
    body = b"".join(encoded(*one) for one in written)
    found = list(messages(body))
    assert [(one.headers, one.payload, one.is_intact) for one in found] == [
        (headers, payload, True) for headers, payload in written
    ]
    for place, one in enumerate(found):
        assert list(messages(body[: one.end])) == found[: place + 1]
        assert list(messages(body[: one.end - 1])) == found[:place]
        assert list(messages(body[: one.end + 1])) == found[: place + 1]


@given(MESSAGES.filter(bool), st.data())
@settings(max_examples=50)
def test_a_wrong_byte_costs_its_message_alone(
    written: list[tuple[dict[str, Value], bytes]], data: st.DataObject
) -> None:
    """One in its lengths, or in their check, costs what comes behind it too: nothing tells where
    the next begins."""
    frames = [encoded(*one) for one in written]
    which = data.draw(st.integers(0, len(frames) - 1))
    where = data.draw(st.integers(0, len(frames[which]) - 1))
    wrong = bytearray(frames[which])
    wrong[where] ^= data.draw(st.integers(1, 255))
    body = b"".join([*frames[:which], bytes(wrong), *frames[which + 1 :]])
    found, whole = list(messages(body)), list(messages(b"".join(frames)))
    assert found[:which] == whole[:which]
    if where < 12:
        assert found[which:] == [Message({}, b"", len(body), is_intact=False)]
    else:
        assert found[which] == Message({}, b"", whole[which].end, is_intact=False)
        assert found[which + 1 :] == whole[which + 1 :]


@pytest.mark.parametrize(
    "headers",
    [
        b"\1", b"\1a", b"\1a\2", b"\1a\x0a", b"\1a\xff", b"\1a\7\0\2a", b"\1a\6\0", b"\1a\x09short",
        b"\1\xff\0", b"\1a\7\0\1\xff", b"\1a\0\1a\1", b"\1a\5\0\0\0", b"\xff" + b"a" * 20,
        bytes(3) * 2,
        b"".join(b"\x05%05d\6\xff\xff" % n + bytes(65535) for n in range(3)),
    ],
)  # fmt: skip
def test_headers_that_are_none_cost_their_message(headers: bytes) -> None:
    """Though both checks are right: too short, of no type, not UTF-8, twice, too many."""
    assert len(headers) < 20 or len(headers) > MAX_HEADER_BYTES or headers[0] == 255
    body = framed(headers, b"{}") + encoded({}, b"next")
    broken, following = messages(body)
    assert broken == Message({}, b"", len(headers) + 18, is_intact=False)
    assert following.payload == b"next"


@pytest.mark.parametrize("lengths", [(0, 0), (15, 0), (16, 1), (40, 25), (40, 2**32 - 1)])
def test_lengths_that_cannot_be_are_the_end(lengths: tuple[int, int]) -> None:
    """With a right check, too; no progress would be made."""
    prelude = struct.pack(">II", *lengths)
    body = encoded({}, b"a") + prelude + struct.pack(">I", crc32(prelude)) + bytes(60)
    first, broken = messages(body)
    assert first.payload == b"a"
    assert broken == Message({}, b"", len(body), is_intact=False)


def test_a_length_beyond_the_bytes_is_a_message_that_was_cut_off() -> None:
    """As the body is, at the capture bound or where the upstream broke; 4 GiB are never asked for."""
    prelude = struct.pack(">II", 2**32 - 1, 0)
    assert list(messages(prelude + struct.pack(">I", crc32(prelude)) + bytes(60))) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_a_stream(body: bytes) -> None:
    """No exception, and progress to the end."""
    ends = [one.end for one in messages(body)]
    assert ends == sorted(set(ends))
    assert all(0 < end <= len(body) for end in ends)


def test_a_hostile_stream_takes_linear_time() -> None:
    """Half a million empty messages, and headers of one byte each."""
    body = encoded({}, b"") * 500_000
    assert sum(one.is_intact for one in messages(body)) == 500_000
    many = b"".join(b"\2%b\0" % struct.pack(">H", number) for number in range(0x80))
    assert not any(one.is_intact for one in messages(framed(many * 100, b"") * 100))


def test_headers_tell_the_stream() -> None:
    """By the content type alone."""
    assert is_stream({"content-type": "Application/vnd.amazon.EventStream; charset=x"})
    assert not is_stream({"content-type": "application/json"})
    assert not is_stream({})
