"""Dutch citizen service numbers (BSN: nine digits, eleven test), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    return digits != "0" * 9 and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


RECOGNIZER = identifier(
    name="nl_bsn",
    entity="NL_BSN",
    words=r"(?:\bbsn|burgerservice|sofi.?nummer)",
    form=r"(?:\d{9}|\d{4}[. -]\d\d[. -]\d{3}|\d{3}[. -]\d{3}[. -]\d{3})",
    valid=_valid,
    keys={"bsn", "burgerservicenummer"},
    examples=("BSN «111222333»", "burgerservicenummer: «1112.22.333»"),
    counterexamples=("111222333 rijen", "BSN 111222334"),
)
