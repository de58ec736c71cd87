"""Entries of a stream: read, or no Record, whatever is in them; places as text."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from monitor.streams.entries import Entry, Place, document, missed, record_id
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


@given(st.integers(0, 10**15), st.integers(-1, 10**9), st.integers(0, 10**9))
def test_a_place_is_read_as_it_was_written(at: int, number: int, lost: int) -> None:
    """Of a place whose number is not known nothing is known of what was missed."""
    place = Place(f"{at}-0", number, lost)
    assert Place.of(str(place)) == (place if number >= 0 else Place(f"{at}-0"))
    assert missed(str(place)) == (lost if number >= 0 else 0)
