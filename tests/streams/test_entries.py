"""Entries of a stream: read, or no Record, whatever is in them; places as text."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.streams.entries import Entry, ShardPosition, document, missed, record_id
from monitor.types import decode_record, encode_record
from tests.recorder.test_spool import DOCUMENT

NAMES = st.sampled_from([b"v", b"record", b"other"])


@given(st.lists(st.one_of(NAMES, st.binary(max_size=20), st.just(DOCUMENT % b"a"))))
@example([b"record", b"v", b"record", DOCUMENT % b"a"])
@example([b"record", DOCUMENT % b"a", b"record", b"v"])
def test_any_fields_are_a_record_or_none(fields: list[bytes]) -> None:
    """Somebody else may have written them; an odd number of them is no error either."""
    found = Entry("k", "1700000000000-0", fields).record()
    assert found is None or found.id == record_id(fields) == "a"
    assert isinstance(document(fields), bytes)


@pytest.mark.parametrize(
    ("entry", "started", "read", "is_ahead"),
    [
        (1000.0, 1059.0, 1059.0, False),
        (1000.0, 1061.0, 1000.0, True),
        (1000.0, 9e9, 1000.0, True),
        (3000.0, 2999.0, 2999.0, False),  # the store's clock is ahead of ours
        (9e9, 1030.0, 1030.0, False),  # somebody chose the id
        (9e9, 9e9, 1000.0, True),
    ],
)
def test_nothing_ends_later_than_it_was_appended_nor_in_the_future(
    entry: float, started: float, read: float, is_ahead: bool
) -> None:
    """By the entry's id, unless that is of the future itself; it is said which are corrected."""
    plain = msgspec.structs.replace(decode_record(DOCUMENT % b"a"), started=started, duration=0.0)
    held = Entry("k", f"{int(entry * 1000)}-0", [b"v", b"1", b"record", encode_record(plain)])
    found, was_ahead = held.read(now=1000.0)
    assert found is not None
    assert (found.started, was_ahead) == (read, is_ahead)


@given(st.integers(0, 10**15), st.integers(-1, 10**9), st.integers(0, 10**9))
def test_a_place_is_read_as_it_was_written(at: int, number: int, lost: int) -> None:
    """Of a place whose number is not known nothing is known of what was missed."""
    place = ShardPosition(f"{at}-0", number, lost)
    assert ShardPosition.of(str(place)) == (place if number >= 0 else ShardPosition(f"{at}-0"))
    assert missed(str(place)) == (lost if number >= 0 else 0)
