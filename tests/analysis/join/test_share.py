"""An even share of the traffic, by what its records are called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.join.items import digest
from monitor.analysis.join.share import Share


def test_a_share_is_halved_until_it_has_room() -> None:
    """Of 1,000 records in the room of 100, about a sixteenth is kept, and never more than 100."""
    share = Share(60.0, 100)
    names = [digest("id", str(number)) for number in range(1000)]
    kept: list[int] = []
    for number, name in enumerate(names):
        if share.add(name, number / 100, 1, number):
            kept = [one for one in kept if share.keeps(one)]
        if share.keeps(name):
            kept.append(name)
        assert len(kept) <= 100
    assert share.level == 4
    assert share.halvings(0, 0) == 4
    assert share.halvings(4, 999) == 4


def test_large_records_take_several_places() -> None:
    """The bound is one of bytes."""
    share = Share(60.0, 100)
    for number in range(30):
        share.add(digest("id", str(number)), 1.0, 5, number)
    assert share.level == 1


@given(st.lists(st.tuples(st.floats(0, 500), st.integers(1, 3)), max_size=200))
def test_a_share_that_is_saved_goes_on_alike(came: list[tuple[float, int]]) -> None:
    """Whatever came, and wherever it is cut."""
    one, two = Share(60.0, 20), Share(60.0, 20)
    for number, (ended, places) in enumerate(came):
        name = digest("id", str(number))
        assert one.add(name, ended, places, number) == two.add(name, ended, places, number)
        assert (one.level, one.halvings(0, number // 2)) == (
            two.level,
            two.halvings(0, number // 2),
        )
        again = Share(60.0, 20)
        again.restore(two.saved(), two.width)
        two = again


def test_what_is_of_no_use_any_more_is_forgotten() -> None:
    """A halving says nothing of records that came after it."""
    share = Share(60.0, 10)
    for number in range(40):
        share.add(digest("id", str(number)), 1.0, 1, number)
    assert share.saved().raises
    share.forget(40)
    assert not share.saved().raises
