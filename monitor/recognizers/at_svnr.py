"""Austrian social insurance numbers (ten digits, the fourth checks the others), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    weights = (3, 7, 9, 5, 8, 4, 2, 1, 6)
    return digits[0] != "0" and weighted(digits[:3] + digits[4:], weights) % 11 == int(digits[3])


RECOGNIZER = identifier(
    name="at_svnr",
    entity="AT_SVNR",
    words=r"(?:sozialversicherungs|\bsvnr\b|\bsv.?nr|\bsv.?nummer)",
    form=grouped(4, 6),
    valid=_valid,
    keys={"svnr", "sozialversicherungsnummer"},
    examples=("SVNR «1237 010180»", "Sozialversicherungsnummer: «1237010180»"),
    counterexamples=("1237 010180 Stück", "SVNR 1238 010180"),
)
