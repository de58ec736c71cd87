"""Record → characters of all input texts, and of all output texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.hidden import is_empty, is_gone
from monitor.interfaces import Feature, Values
from monitor.texts import plain
from monitor.types import Observation, Outcome, Part, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_text_length`, and `output_text_length` of an exchange that went well.

    Conversations count whole: history and system prompt are input too. A pseudonym counts as its
    entity, `<EMAIL_ADDRESS>`, whatever key made it. Of texts that are not all on record nothing is
    said.
    """
    asked, told = _lengths(record)
    if asked is not None:
        yield Observation("input_text_length", "numeric", asked)
    if told is not None:
        yield Observation("output_text_length", "numeric", told)


def observe_many(records: Sequence[Record]) -> list[Values]:
    """The same of many Records."""
    found = list(map(_lengths, records))
    return [
        Values.of("input_text_length", "numeric", [asked for asked, _ in found]),
        Values.of("output_text_length", "numeric", [told for _, told in found]),
    ]


def _lengths(record: Record) -> tuple[int | None, int | None]:
    texts = [part.text for part in record.inputs if part.text is not None]
    withheld = record.withheld
    asked = _length(texts, record.inputs, "inputs" in withheld) if texts else None
    if record.outcome is not Outcome.OK:
        return asked, None
    outputs = record.outputs
    answers = [part.text for part in outputs if part.text is not None and part.role != "error"]
    if not answers and (outputs or not texts):
        return asked, None
    return asked, _length(answers, outputs, "outputs" in withheld)


def _length(texts: Sequence[str], parts: Sequence[Part], is_withheld: bool) -> int | None:
    """Characters of the texts of parts; None where one is not on record, or a digest in its
    place."""
    whole = "".join(texts)
    if is_withheld and not whole:
        return None
    if len(texts) < len(parts) and any(map(is_empty, parts)):
        return None
    if "<" not in whole:  # few have one
        return len(whole)
    if any(text[:1] == "<" and is_gone(text) for text in texts):
        return None
    return sum(map(len, map(plain, texts)))


FEATURE = Feature("text_length", observe, observe_many)
