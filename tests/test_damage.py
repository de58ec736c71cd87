"""What could not be read."""

from __future__ import annotations

from pathlib import Path

from monitor.damage import LISTED, Damage, Unreadable

PATH = Path("t.csv")


def spoilt(first: int, count: int) -> Damage:
    """Rows from `first` on, and as many cells."""
    damage = Damage()
    for line in range(first, first + count):
        damage.rows(PATH, f"t.csv:{line}", "wrong")
        damage.cell(PATH, "x", f"t.csv:{line}", "numeric")
    return damage


def test_all_is_counted_and_a_few_places_are_told() -> None:
    """However many there are."""
    found = spoilt(1, 1000).listed()
    assert len(found) == LISTED + 2
    assert sum(one.count for one in found) == 2000
    assert found[0] == Unreadable("t.csv:1", "wrong")
    assert found[-1] == Unreadable("t.csv:1", "column 'x': not numeric", 1000)
    assert spoilt(7, 2).first() == "t.csv:7: wrong"
    assert Damage().first() == ""


def test_parts_add_up() -> None:
    """What shards found in order is what one pass would have found."""
    for cut in (0, 3, 50):
        parts = spoilt(1, cut)
        parts.merge(spoilt(cut + 1, 60 - cut))
        assert parts.listed() == spoilt(1, 60).listed()


def test_a_file_that_is_read_again_is_counted_anew() -> None:
    """And no other."""
    damage = spoilt(1, 5)
    damage.rows(Path("other.csv"), "other.csv:1", "wrong")
    damage.begin(PATH)
    assert damage.listed() == [Unreadable("other.csv:1", "wrong")]
