"""Frames survive any cutting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.framing import Batch, Unpacker, pack
from monitor.types import Exchange, Message, Outcome


@given(st.lists(st.binary(max_size=50)), st.lists(st.integers(1, 20)))
def test_frames_come_out_as_they_went_in_however_cut(values: list[bytes], cuts: list[int]) -> None:
    """Any chunking gives the same values in the same order."""
    data = b"".join(pack(value) for value in values)
    unpacker, found = Unpacker(bytes), []
    while data:
        size = cuts.pop() if cuts else len(data)
        found += unpacker.feed(data[:size])
        data = data[size:]
    assert found == values


def test_an_exchange_crosses_unchanged() -> None:
    """What the proxy hands over is what the recorder gets."""
    exchange = Exchange(
        "0192", 1.5, 0.25, Message(b"GET / HTTP/1.1\r\n\r\n"), None, [(0.1, 3)], Outcome.CLIENT_GONE
    )
    assert Unpacker(Batch).feed(pack(Batch([exchange], True))) == [Batch([exchange], True)]


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff\x00", pack("text"), b"\x00\x00\x00\x01\xc1"])
def test_what_is_not_a_frame_is_refused(data: bytes) -> None:
    """Garbage raises ParseError and nothing else."""
    with pytest.raises(ParseError):
        Unpacker(int).feed(data)
