"""Australian Medicare card numbers (ten or eleven digits, one checks), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    check = weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10
    return digits[0] in "23456" and check == int(digits[8])


RECOGNIZER = identifier(
    name="au_medicare",
    entity="AU_MEDICARE",
    words=r"medicare",
    form=grouped(4, 5, 1) + r"(?:[ /-]?\d)?",
    valid=_valid,
    keys={"medicare", "medicarenumber"},
    examples=("Medicare «2123 45670 1»", "medicare card: «21234567011»"),
    counterexamples=("2123 45670 1", "medicare 2123 45680 1"),
)
