"""Record → characters of all input texts, and of all output texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.interfaces import Feature, Values
from monitor.texts import plain
from monitor.types import Observation, Outcome, Record


def observe(record: Record) -> Iterator[Observation]:
    """`input_text_length`, and `output_text_length` of an exchange that went well.

    Conversations count whole: history and system prompt are input too. A pseudonym counts as its
    entity, `<EMAIL_ADDRESS>`, whatever key made it.
    """
    asked, told = _lengths(record)
    if asked is not None:
        yield Observation("input_text_length", "numeric", asked)
    if told is not None:
        yield Observation("output_text_length", "numeric", told)


def observe_many(records: Sequence[Record]) -> list[Values]:
    """The same of many Records."""
    asked, told = zip(*map(_lengths, records), strict=True) if records else ((), ())
    return [
        Values.of(name, "numeric", [one for one in enumerate(lengths) if one[1] is not None])
        for name, lengths in (("input_text_length", asked), ("output_text_length", told))
    ]


def _lengths(record: Record) -> tuple[int | None, int | None]:
    texts = [part.text for part in record.inputs if part.text is not None]
    asked = _length(texts) if texts else None
    if record.outcome is not Outcome.OK:
        return asked, None
    outputs = record.outputs
    answers = [part.text for part in outputs if part.text is not None and part.role != "error"]
    return asked, _length(answers) if answers or (texts and not outputs) else None


def _length(texts: Sequence[str]) -> int:
    whole = "".join(texts)
    return sum(map(len, map(plain, texts))) if "<" in whole else len(whole)  # few have one


FEATURE = Feature("text_length", observe, observe_many)
