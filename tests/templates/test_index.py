"""Skeletons found by the beginning of one line."""

from __future__ import annotations

from monitor.templates.index import ALWAYS, LAST, LINES, Index, beginnings, first_lines
from monitor.templates.skeleton import Skeleton


def test_of_those_that_match_the_one_that_fixes_most_is_found() -> None:
    """Whatever the order in which they were added."""
    wide = Skeleton(["Translate into German: ", ""])
    narrow = Skeleton(["Translate into German: ", "\nKeep all names."])
    for those in ((wide, narrow), (narrow, wide)):
        index = Index()
        for one in those:
            index.add(one)
        assert index.look("Translate into German: a\nKeep all names.") is narrow
        assert index.look("Translate into German: a") is wide
        assert index.look("Translate: a") is None


def test_a_line_behind_a_long_slot_is_found() -> None:
    """The last lines of a text are looked at too; those in the middle of 10,000 are not."""
    text = "\n".join(map(str, range(10_000)))
    assert len(first_lines(text)) == LINES + LAST
    assert first_lines(text)[-1] == "9999"
    index = Index()
    asks = Skeleton(["", "\nNow answer the question from the lines above."])
    index.add(asks)
    assert index.look(text + "\nNow answer the question from the lines above.") is asks


def test_a_line_is_known_by_what_is_fixed_from_its_start() -> None:
    """A line that begins with a slot tells nothing; a short one only if it is fixed to its end."""
    skeleton = Skeleton(
        ["Rules:\nBe ", " with all people\nContext:\n", " of it\nThe answer is this: ", ""]
    )
    assert beginnings(skeleton) == ["Rules:", "Context:", "The answer is th"]


def test_those_without_a_line_of_their_own_are_few() -> None:
    """The least lately used one gives way."""
    index = Index()
    added = [Skeleton(["", f" {n} is what they say, {n} times"]) for n in range(ALWAYS + 1)]
    gone = [index.add(one) for one in added]
    assert gone == [None] * ALWAYS + [added[0]]
    assert len(index) == ALWAYS
