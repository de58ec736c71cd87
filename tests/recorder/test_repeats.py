"""How long ago the same was asked."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.recorder.repeats import Repeats
from monitor.types import Part, Record, decode_record
from tests.recorder.test_spool import DOCUMENT

PLAIN = decode_record(DOCUMENT % b"a")


def asked(text: str, at: float, **more: Any) -> Record:
    parts = [Part(role="user", text=text)]
    return msgspec.structs.replace(PLAIN, started=at, **{"inputs": parts, **more})


def test_the_last_equal_request_counts() -> None:
    """By what is asked of which model; who comes later may have begun earlier."""
    repeats = Repeats(b"key")
    assert repeats.after(asked("hi", 10.0)) is None
    assert repeats.after(asked("hello", 11.0)) is None
    assert repeats.after(asked("hi", 13.0)) == 3.0
    assert repeats.after(asked("hi", 12.5)) == -0.5
    assert repeats.after(asked("hi", 14.0, model="another")) is None
    assert repeats.after(asked("hi", 14.0, operation="embeddings")) is None


def test_nothing_is_no_request() -> None:
    """Two exchanges that ask nothing are not the same question."""
    repeats = Repeats(b"key")
    assert repeats.after(asked("", 10.0, inputs=[])) is None
    assert repeats.after(asked("", 11.0, inputs=[])) is None


def test_strangers_cannot_make_the_memory_grow() -> None:
    """The newest are remembered; one that comes again is new."""
    repeats = Repeats(b"key", most=3)
    for number in range(1000):
        assert repeats.after(asked(f"{number}", number)) is None
        assert len(repeats._began) <= 3
    assert repeats.after(asked("997", 2000.0)) == 2000 - 997
    assert repeats.after(asked("new", 2001.0)) is None
    assert repeats.after(asked("997", 2002.0)) == 2.0
    assert repeats.after(asked("998", 2003.0)) is None


def test_what_is_remembered_is_a_keyed_digest() -> None:
    """Nothing of a request can be read from memory, nor be tried without the key."""
    one, other = Repeats(b"key"), Repeats(b"another key")
    for each in (one, other):
        each.after(asked("hi", 1.0))
    assert all(len(digest) == 16 for digest in one._began)
    assert one._began.keys().isdisjoint(other._began)
