"""What texts have in common: literals in their order, with gaps between."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.templates.fold import fold, spread
from tests.chances import SEEDED
from tests.templates.test_miner import sentence


@settings(max_examples=200)
@given(st.lists(st.text(st.sampled_from("ab c\n:\0"), max_size=40), min_size=1, max_size=10))
def test_what_texts_have_in_common_matches_each(texts: list[str]) -> None:
    """The head and tail may overlap in no text, and literals come in order."""
    skeleton = fold(texts)
    assert all(skeleton.matches(text) for text in texts)


@given(st.lists(st.text(max_size=30), max_size=10), SEEDED)
def test_the_order_in_which_texts_came_is_all_the_same(texts: list[str], chance: object) -> None:
    """Replicas see the same texts in other orders."""
    assert spread(texts) == spread(texts[::-1])


def test_lines_that_all_have_are_anchors_and_labels_stay() -> None:
    """Between them only runs of three words or a label at a line's start are no accident."""
    texts = [
        f"Rules:\nBe brief.\n\nContext: {sentence(n)}\nThe end of the context.\nAsk: {sentence(n + 50)}\nGo on."
        for n in range(8)
    ]
    literals = fold(texts).literals
    assert literals[0] == "Rules:\nBe brief.\n\nContext: "
    assert literals[-1].endswith("Go on.")
    assert ["The end of the context." in one for one in literals].count(True) == 1
    assert literals[2].startswith("\nAsk:")


def test_what_comes_again_counts_once() -> None:
    """Passages and turns: their number is no part of the template."""
    texts = [
        "Read the passages.\n"
        + "".join(f"Passage: {sentence(n * 7 + m)}\n" for m in range(2 + n % 3))
        + "Now answer in one word."
        for n in range(9)
    ]
    literals = fold(texts).literals
    assert literals[0] == "Read the passages.\nPassage: "
    assert literals[-1].endswith("\nNow answer in one word.")
    assert sum("Passage" in one for one in literals) == 2
