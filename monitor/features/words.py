"""Record → one hashed word of the input and of the output: what the texts are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.interfaces import Feature, Values
from monitor.openings import talks
from monitor.texts import CELLS, answer, cell, drawn, pick, pick_at, question
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_words` and `output_words`: the cell of one word of the last user text and the answer.

    The record's id chooses the word. Over many records the cells are filled as the words of all
    the texts would fill them, but each record speaks once: words of one text belong together, and
    evidence that counted them all would be sure of a change that is one talkative record.
    """
    for name, text in (("input_words", question(record)), ("output_words", answer(record))):
        word = pick(text, record.id)
        if word:
            yield Observation(name, "categorical", cell(word, CELLS))


def observe_many(records: Sequence[Record]) -> list[Values]:
    """The same of many Records."""
    said, numbers = talks(records), [drawn(record.id) for record in records]
    return [
        Values.of(
            name,
            "categorical",
            [cell(word, CELLS) if word else None for word in map(pick_at, texts, numbers)],
        )
        for name, texts in (("input_words", said.questions), ("output_words", said.answers))
    ]


FEATURE = Feature("words", observe, observe_many)
