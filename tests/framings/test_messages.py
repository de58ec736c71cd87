"""Lines of an upgraded connection → messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.framings.messages import Message, messages


def test_messages_come_in_order_and_a_cut_one_not_at_all() -> None:
    """Whatever kind they are; a line of another shape costs itself alone."""
    body = (
        b'{"type":"text","data":"a","at":0.1}\n{"type":1}\n'
        b'{"type":"binary","data":"YQ==","at":0.2}\n{"type":"close","data":"1000","at":0.3}\n{"type":"te'
    )
    assert list(messages(body)) == [
        Message("text", "a", 0.1), Message("binary", "YQ==", 0.2), Message("close", "1000", 0.3),
    ]  # fmt: skip


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    """Without an exception."""
    assert all(isinstance(one, Message) for one in messages(body))
