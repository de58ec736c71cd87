"""Words, one a record."""

from __future__ import annotations

from collections import Counter

from monitor.features.words import FEATURE
from monitor.texts import CELLS, cell
from monitor.types import Part


def test_every_record_says_one_word(record, seen) -> None:
    """However long the text, it is one observation in one of few cells."""
    found = seen(FEATURE, record(inputs=[Part(role="user", text="many words here " * 500)]))
    assert [len(values) for values in found.values()] == [1, 1]


def test_over_many_records_all_words_are_seen(record, seen) -> None:
    """The id chooses, so that the cells fill as the words of the texts would fill them."""
    text = "alpha bravo delta hotel"
    count = Counter(
        seen(FEATURE, record(id=f"id-{i}", inputs=[Part(role="user", text=text)]))["input_words"][0]
        for i in range(2000)
    )
    assert set(count) == {cell(word, CELLS) for word in text.split()}
    assert min(count.values()) > 350


def test_no_words_no_observation(record, seen) -> None:
    """Punctuation is no word."""
    one = record(inputs=[Part(role="user", text="?!")], outputs=[])
    assert seen(FEATURE, one) == {}
