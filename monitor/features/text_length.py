"""Record → characters of all input texts, and of all output texts."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.interfaces import Feature
from monitor.texts import plain
from monitor.types import Observation, Outcome, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_text_length`, and `output_text_length` of an exchange that went well.

    Conversations count whole: history and system prompt are input too. A pseudonym counts as its
    entity, `<EMAIL_ADDRESS>`, whatever key made it.
    """
    texts = [part.text for part in record.inputs if part.text is not None]
    if texts:
        yield Observation("input_text_length", "numeric", sum(map(len, map(plain, texts))))
    if record.outcome is Outcome.OK:
        answers = [
            part.text for part in record.outputs if part.text is not None and part.role != "error"
        ]
        if answers or (texts and not record.outputs):
            length = sum(map(len, map(plain, answers)))
            yield Observation("output_text_length", "numeric", length)


FEATURE = Feature("text_length", observe)
