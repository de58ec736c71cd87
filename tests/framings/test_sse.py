"""Event streams, however their lines end and wherever they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.framings.sse import events


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"\r"])
def test_all_three_line_ends_are_the_same_stream(line: bytes) -> None:
    """Several data lines are one event, comments none, a field without a colon is empty."""
    body = line.join(
        [
            b": hello",
            b"event: add",
            b"data: one",
            b"data: two",
            b"",
            b"data",
            b"",
            b"id: 7",
            b"",
            b"",
        ]
    )
    assert [(event.type, event.data) for event in events(body)] == [
        ("add", b"one\ntwo"), ("", b""),
    ]  # fmt: skip


def test_an_event_that_was_cut_off_is_still_what_the_client_had_been_sent() -> None:
    """The record holds it, unlike a browser."""
    assert [event.data for event in events(b"data: a\n\ndata: b")] == [b"a", b"b"]


@given(st.lists(st.text(alphabet="abc :", min_size=1, max_size=8), min_size=1, max_size=8))
def test_offsets_stand_behind_each_event(texts: list[str]) -> None:
    """What came until an event's end holds exactly the events until then."""
    body = b"".join(f"data: {text}\n\n".encode() for text in texts)
    found = list(events(body))
    assert len(found) == len(texts)
    assert found[-1].end == len(body)
    for place, event in enumerate(found):
        assert len(list(events(body[: event.end]))) == place + 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_stream(body: bytes) -> None:
    """No exception, and progress to the end."""
    assert all(0 < event.end <= len(body) for event in events(body))
