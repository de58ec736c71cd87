"""Ids that have become one: found whatever the order, without circles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.templates.aliases import MOST, Aliases

NAMES = st.sampled_from("abcdef")


@given(st.lists(st.tuples(NAMES, NAMES, st.booleans()), max_size=60))
def test_ids_never_go_round_in_circles(steps: list[tuple[str, str, bool]]) -> None:
    """Whatever is joined and revived, each id has an end, and what has just been joined is one."""
    aliases = Aliases()
    for old, new, revives in steps:
        if revives:
            aliases.revive(old)
            assert aliases.find(old) == old
        else:
            aliases.join(old, new)
            assert aliases.find(old) == aliases.find(new)
        assert all(aliases.find(name) not in aliases.new for name in "abcdef")


def test_the_oldest_give_way() -> None:
    """There are so many at most."""
    aliases = Aliases()
    for number in range(MOST + 5):
        aliases.join(f"old {number}", "new")
    assert len(aliases.new) == MOST
    assert aliases.find("old 0") == "old 0"
