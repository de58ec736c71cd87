"""Norwegian birth numbers (eleven digits, two check the others), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    first = weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return first == 0 and second == 0


RECOGNIZER = identifier(
    name="no_fodselsnummer",
    entity="NO_FODSELSNUMMER",
    words=r"(?:f.dselsnummer|personnummer|\bfnr\b|d-nummer)",
    form=r"[0-7]\d[0-5]\d{3} ?\d{5}",
    valid=_valid,
    keys={"fodselsnummer", "fødselsnummer", "fnr"},
    examples=("fødselsnummer «15108695088»", "fnr: «151086 95088»"),
    counterexamples=("15108695088 kroner", "fnr 15108695089"),
)
