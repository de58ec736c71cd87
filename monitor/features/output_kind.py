"""Record → what kind of answer it was: empty, refusal, json, broken json, tool call or text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from monitor.hidden import is_gone
from monitor.interfaces import Feature, Values
from monitor.refusals import is_refusal
from monitor.types import Observation, Outcome, Part, Record

_NO_ANSWERS = ("error", "tool")
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL)


def observe(record: Record) -> Iterator[Observation]:
    """`output_kind` of an exchange with a text in or out that went well; of an answer that is not
    on record nothing is said."""
    found = _kind(record)
    if found is not None:
        yield Observation("output_kind", "categorical", found)


def observe_many(records: Sequence[Record]) -> list[Values]:
    """The same of many Records."""
    return [Values.of("output_kind", "categorical", list(map(_kind, records)))]


def _kind(record: Record) -> str | None:
    if record.outcome is not Outcome.OK:
        return None
    outputs = record.outputs
    if len(outputs) == 1 and outputs[0].role == "assistant":  # as nearly all are
        text = outputs[0].text
        if text and text[0] != "<":
            return kind(text)
    answers = [part for part in outputs if part.text is not None and part.role not in _NO_ANSWERS]
    is_none = not answers and (bool(outputs) or all(part.text is None for part in record.inputs))
    if is_none or _is_hidden(record, answers):
        return None
    roles = {part.role for part in answers}
    if "tool_call" in roles:
        return "tool call"
    if "refusal" in roles:
        return "refusal"
    texts = [part.text or "" for part in answers if part.role != "reasoning"]
    return kind(texts[0] if len(texts) == 1 else "\n".join(texts))


def _is_hidden(record: Record, answers: Sequence[Part]) -> bool:
    """Whether a rule left out what was answered."""
    said = [part.text for part in answers if part.text]
    if not said:
        return "outputs" in record.withheld
    return any(text[:1] == "<" and is_gone(text) for text in said)


def kind(text: str) -> str:
    """The kind of one answer.

    >>> [kind(text) for text in ("", '{"a": 1}', '{"a": ', "I'm sorry, but I can't do that.")]
    ['empty', 'json', 'broken json', 'refusal']
    >>> kind("I can help with that: it is 42.")
    'text'
    """
    text = text.strip()
    if not text:
        return "empty"
    if text[0] == "`" and (fenced := _FENCE.match(text)):
        text = fenced[1].strip()
    if text[:1] in ("{", "["):
        try:
            msgspec.json.decode(text, type=msgspec.Raw)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):  # or nested too deep
            return "broken json" if text[0] == "{" else "text"
        return "json"
    return "refusal" if is_refusal(text) else "text"


FEATURE = Feature("output_kind", observe, observe_many)
