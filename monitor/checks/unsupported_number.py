"""Numbers of an answer stand in what it was given, rounded or not, or follow from it."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from monitor.answers.citations import prose, without_sources
from monitor.answers.grounds import grounds
from monitor.answers.sourced import MOST, Sources, unsupported
from monitor.interfaces import Check
from monitor.readable import as_set
from monitor.texts import plain
from monitor.types import Part, Verdict
from monitor.view import View

_CLAIMS = 400
"""Numbers of an answer that are looked at."""
_FEW = 2
"""Texts with fewer numbers are not what an answer's numbers are from."""
_NUMBERS = re.compile(
    r"<(?:PHONE_NUMBER|IBAN_CODE|CREDIT_CARD|US_BANK_NUMBER|MEDICAL_RECORD_NUMBER|US_SSN)"
    r":[a-z0-9]{1,40}:[A-Za-z0-9_-]{16,64}>"
)
"""Pseudonyms of numbers; equal numbers have equal ones."""


class Thresholds(msgspec.Struct, frozen=True):
    """An answer fails with `count` numbers that nothing supports, or with such a `share` of them.
    What it was given has at least `context` characters, or results of tools."""

    count: Annotated[int, msgspec.Meta(ge=1)] = 2
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.3
    context: Annotated[int, msgspec.Meta(ge=0)] = 400


def look(view: View, thresholds: Thresholds) -> Verdict | None:
    """Count the numbers of the answers, and those that nothing supports."""
    answers = view.marked_answers
    if not any(map(_DIGIT, answers)):
        return None
    texts = grounds(view, thresholds.context)
    if not texts:
        return None
    missing, total = _masked(answers, texts)
    sources = Sources([plain(text) for text in texts], view.question)
    if sources.count >= MOST or sources.count + total < _FEW:
        return None
    for answer in view.answers:
        bad, numbers = unsupported(without_sources(prose(answer)), sources, _CLAIMS)
        missing, total = missing + bad, total + numbers
    if not total:
        return None
    failed = missing >= thresholds.count or missing >= thresholds.share * total
    return Verdict(not (failed and missing), missing, total)


_DIGIT = re.compile(r"[0-9<\uff10-\uff19\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]").search


def _masked(answers: list[str], texts: list[str]) -> tuple[int, int]:
    """(how many pseudonyms of numbers stand in no text, how many there are)."""
    said = {one for text in answers if "<" in text for one in _NUMBERS.findall(text)}
    return sum(not any(one in text for text in texts) for one in said), len(said)


def _talk(context: str, answer: str, question: str = "What does the report say?") -> View:
    return View(
        inputs=[Part(role="system", text=context), Part(role="user", text=question)],
        outputs=[Part(role="assistant", text=answer)],
    )


_REPORT = (
    "Mill report for the third quarter. The paper mill at Ulm made 12,480 tonnes of board, after "
    "11,900 tonnes in the second quarter. Its energy use was 3.42 MWh per tonne. Water came to "
    "9.8 m3 per tonne. The plant ran on 88 of 92 days. Sales were EUR 14.25 million, of which "
    "61.5% went abroad. Two fires were put out within 15 minutes, and nobody was hurt. The works "
    "council and the owners agreed on a pay rise of 4.1% from January on. A new press for EUR 2.3 "
    "million is to come next year."
)
_MARK = "<PHONE_NUMBER:k1:abcdefghijklmnop>"

CHECK = Check(
    "unsupported_number",
    lambda given: (
        f"whether fewer than {given.count} numbers of an answer and less than "
        f"{as_set(given.share)} of them, neither stand in what it was given nor follow from it"
    ),
    look,
    Thresholds(),
    placebo=True,
    is_dear=True,
    passing=(
        _talk(_REPORT, "The mill made about 12,500 tonnes, 4.9% more than the quarter before."),
        _talk(_REPORT, "Sales reached €14.3 million; 61.5 % went abroad."),
        _talk(_REPORT, "It stood still on 4 days: it ran on 88 of 92."),
        _talk(_REPORT, "Pay rises by 410 basis points. See section 12 of 2024-10-01."),
        _talk(_REPORT + f" Call {_MARK}.", f"Call {_MARK}."),
    ),
    failing=(
        _talk(_REPORT, "The mill made 13,900 tonnes of board."),
        _talk(_REPORT, "Sales were 14.25 million dollars and energy 4.3 MWh per tonne."),
        _talk(_REPORT, "Pay rises by 7.5%, and 31% of sales stayed in Germany."),
        _talk(_REPORT, f"Call {_MARK}."),
    ),
    skipped=(
        _talk("You are brief.", "A marathon is 42.195 km long."),
        _talk(_REPORT, "The mill made more than before, and nobody was hurt."),
        _talk(_REPORT, "```python\nx = 4711\n```"),
        _talk(_REPORT + "\n[image image/png 6 bytes]", "It made 13,900 tonnes."),
        View(outputs=[Part(role="assistant", text="It is 42 km.")], outcome=View().outcome),
    ),
)
