"""Record → the hashed words of the input and of the output, to be held against a vocabulary."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.interfaces import Feature
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


FEATURE = Feature("unknown_words", observe)
