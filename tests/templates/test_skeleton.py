"""Fixed texts with gaps: what matches, what is strong enough, what the id stands on."""

from __future__ import annotations

import pytest

from monitor.templates.skeleton import Skeleton


def test_head_and_tail_may_not_overlap() -> None:
    """A text must hold both."""
    skeleton = Skeleton(["abc", "bcd"])
    assert not skeleton.matches("abcd")
    assert skeleton.matches("abcbcd")
    assert skeleton.fillers("abcbcd") == [""]


def test_a_text_without_gaps_matches_itself_alone() -> None:
    """Neither more nor less."""
    skeleton = Skeleton(["the whole text"])
    assert skeleton.matches("the whole text")
    assert not skeleton.matches("the whole text ")
    assert skeleton.fillers("the whole text") is None


@pytest.mark.parametrize(
    ("literals", "strong"),
    [
        (["Translate this into German: ", ""], True),
        (["Can you please tell me ", ""], False),
        (["", " and that is what all of them always say to each other ", ""], False),
        (["", "\n\nTranslate the text above. Reply with it only."], True),
        (["You answer on behalf of the ", " department. Be precise and quote the handbook."], True),
        (["To: ", ""], False),
    ],
)
def test_what_is_fixed_must_be_no_accident(literals: list[str], strong: bool) -> None:
    """Many words, or some with a delimiter at a gap; and something from the start of a line on."""
    assert Skeleton(literals).is_strong() is strong


def test_the_ends_of_gaps_do_not_enter_the_id() -> None:
    """There chance decides: two recorders see other texts."""
    one = Skeleton(["Read the letter below.\nFrom: A", "\nReply in two sentences."])
    other = Skeleton(["Read the letter below.\nFrom: ", ".\nReply in two sentences."])
    assert one.id == other.id
    assert one.id != Skeleton(["Read the letter below.\nFrom: ", "\nReply in six sentences."]).id
