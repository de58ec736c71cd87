"""Record → characters of all input texts, and of all output texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from monitor.hidden import is_empty, is_gone
from monitor.interfaces import Feature, Values
from monitor.texts import plain
from monitor.types import Observation, Outcome, Record


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
    asked, told = zip(*map(_lengths, records), strict=True) if records else ((), ())
    return [
        Values.of(name, "numeric", [one for one in enumerate(lengths) if one[1] is not None])
        for name, lengths in (("input_text_length", asked), ("output_text_length", told))
    ]


def _lengths(record: Record) -> tuple[int | None, int | None]:
    texts = [part.text for part in record.inputs if part.text is not None]
    asked = _length(texts) if texts and not _lacks(record, "inputs", texts) else None
    if record.outcome is not Outcome.OK:
        return asked, None
    outputs = record.outputs
    answers = [part.text for part in outputs if part.text is not None and part.role != "error"]
    if _lacks(record, "outputs", answers):
        return asked, None
    return asked, _length(answers) if answers or (texts and not outputs) else None


def _lacks(record: Record, side: Literal["inputs", "outputs"], texts: Sequence[str]) -> bool:
    """Whether a text of a side is not on record, or a digest in its place."""
    parts = record.inputs if side == "inputs" else record.outputs
    if side in record.withheld and not any(texts):
        return True
    if len(texts) < len(parts) and any(map(is_empty, parts)):
        return True
    return any(text[:1] == "<" and is_gone(text) for text in texts)


def _length(texts: Sequence[str]) -> int:
    whole = "".join(texts)
    return sum(map(len, map(plain, texts))) if "<" in whole else len(whole)  # few have one


FEATURE = Feature("text_length", observe, observe_many)
