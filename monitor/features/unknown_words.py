"""Record → the hashed words of the input and of the output, to be held against a vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.interfaces import Feature, Values
from monitor.openings import openings
from monitor.texts import answer, hashed, question
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_unknown_words` and `output_unknown_words`, of the last user text and the answer.

    The reference keeps a hashed vocabulary; what is watched is the share of a text's words that
    are not in it.
    """
    for name, text in (
        ("input_unknown_words", question(record)), ("output_unknown_words", answer(record)),
    ):  # fmt: skip
        words = hashed(text)
        if words:
            yield Observation(name, "words", words)


def observe_said(questions: Sequence[str], answers: Sequence[str]) -> list[Values]:
    """The same of many."""
    return [
        Values.of(name, "words", [words or None for words in openings(texts).hashed])
        for name, texts in (("input_unknown_words", questions), ("output_unknown_words", answers))
    ]


FEATURE = Feature("unknown_words", observe, observe_said=observe_said)
