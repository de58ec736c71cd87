"""Record → the language of the input and the output, or the script where it has no stop words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.interfaces import Feature, Values
from monitor.languages import language
from monitor.openings import openings
from monitor.texts import answer, question
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_language` and `output_language`: a code such as `de`, a script, or `unknown`."""
    for name, text in (("input_language", question(record)), ("output_language", answer(record))):
        if text:
            yield Observation(name, "categorical", language(text))


def observe_said(questions: Sequence[str], answers: Sequence[str]) -> list[Values]:
    """The same of many."""
    return [
        Values.of(
            name,
            "categorical",
            [
                told if text else None
                for text, told in zip(texts, openings(texts).languages, strict=True)
            ],
        )
        for name, texts in (("input_language", questions), ("output_language", answers))
    ]


FEATURE = Feature("language", observe, observe_said=observe_said)
