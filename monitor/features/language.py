"""Record → the language of the input and the output, or the script where it has no stop words."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.interfaces import Feature
from monitor.languages import language
from monitor.texts import answer, question
from monitor.types import Observation, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_language` and `output_language`: a code such as `de`, a script, or `unknown`."""
    for name, text in (("input_language", question(record)), ("output_language", answer(record))):
        if text:
            yield Observation(name, "categorical", language(text))


FEATURE = Feature("language", observe)
