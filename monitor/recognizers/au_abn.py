"""Australian business numbers (ABR: eleven digits, modulus 89), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    return digits[0] != "0" and (weighted(digits, weights) - 10) % 89 == 0


RECOGNIZER = identifier(
    name="au_abn",
    entity="AU_ABN",
    words=r"(?:\babn\b|australian business)",
    form=grouped(2, 3, 3, 3),
    valid=_valid,
    keys={"abn"},
    examples=("ABN «83 914 571 673»", "abn: «83914571673»"),
    counterexamples=("83 914 571 673 bytes", "ABN 83 914 571 674"),
)
