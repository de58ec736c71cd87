"""US Social Security and taxpayer numbers in their form (SSA: areas 000, 666, 9xx unused)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.finders import alphanumeric, beside
from monitor.interfaces import Recognizer

_WORDS = r"(?:ssn|social[ _-]?security|soc\.? ?sec\b|itin|tax(?:payer)? ?id)"
_NUMBER = r"(?!000|666)(?:[0-8]\d\d|9(?!0)\d\d){sep}(?!00)\d\d{again}(?!0000)\d{{4}}"
_FORM = re.compile(
    r"(?<![\d$€£])(?<!\d\.)"
    + _NUMBER.format(sep=r"([-. _/])", again=r"\1")
    + r"(?!\d|(?:\1|[-._/](?!\d{3}\1\d\d\1\d{4}(?!\d)))\d)"
)
_ANY = r"(?<!\d)" + _NUMBER.format(sep=r"[-. _/,\s]{0,3}", again=r"[-. _/,\s]{0,3}") + r"(?!\d)"
_beside = beside(_WORDS, _ANY)
_word = re.compile(_WORDS, re.IGNORECASE)


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    words = [start for start in starts if not text[start].isdigit()]
    found = list(_beside(text, words)) if words else []
    last = -1
    for start in starts:
        match = _FORM.match(text, start)
        if match and _stands_alone(text, match, last) and _issued(match.group()):
            found.append(match.span())
            last = match.end()
    done = 0
    for start, end in sorted(found):
        if start >= done:
            done = end
            yield start, end


def _stands_alone(text: str, match: re.Match[str], last: int) -> bool:
    """Whether it is not a part of a longer row of groups with the same separator; the one before
    ended at `last`."""
    start, end = match.span()
    if start > 1 and text[start - 1] in "-_/" and text[start - 2].isdigit() and start - 1 != last:
        return False
    around = text[max(0, start - 2) : start], text[end : end + 2][::-1]
    return not any(len(one) == 2 and one[1] == match[1] and one[0].isdigit() for one in around)


def _issued(value: str) -> bool:
    """An area of the SSA, or a 9xx number with the middle digits of a taxpayer number."""
    digits = alphanumeric(value)
    return digits[0] != "9" or 50 <= int(digits[3:5]) <= 99


RECOGNIZER = Recognizer(
    name="us_ssn",
    entity="US_SSN",
    triggers=(r"[0-9]{3}[-. _/][0-9]{2}[-. _/][0-9]{4}", _WORDS),
    find=_find,
    canonical=alphanumeric,
    examples=(
        "My SSN is «536-22-8726».",
        "«536 22 8726» or «536.22.8727»",
        "ssn: «536228726», social security number «536,22,8728»",
        "«536_22_8726»;ssn\t«536\t22\t8729»",
        "ITIN «912-70-1234», No.«536-22-8726» and...«536-22-8727».",
        "«536-22-8726»/«536-22-8727»",
        "«536-22-8726» «536-22-8727»,«536-22-8728» 12 and 7 «536-22-8729»",
    ),
    counterexamples=(
        "000-12-3456 666-12-3456 536-00-1234 536-12-0000 900-12-3456",
        "order 536228726, range 100-20-30, part 1536-22-8726, 536-22-8726-1, 536-22-8726/1, 1/536-22-8726, 536-22-8726-536-22-8727",
        "ssn is required; 2536-22-8726",
    ),
    keys=frozenset({"ssn", "socialsecurity", "socialsecuritynumber", "ssnumber", "itin"}),
    plausible=lambda text: sum(map(str.isdigit, text)) >= 4,
)
