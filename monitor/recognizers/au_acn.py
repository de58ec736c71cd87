"""Australian company numbers (ASIC: nine digits, one checks the others), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier

RECOGNIZER = identifier(
    name="au_acn",
    entity="AU_ACN",
    words=r"(?:\bacn\b|australian company n)",
    form=grouped(3, 3, 3),
    valid=lambda digits: -weighted(digits, (8, 7, 6, 5, 4, 3, 2, 1)) % 10 == int(digits[8]),
    keys={"acn"},
    examples=("ACN «004 085 616»", "acn: «004085616»"),
    counterexamples=("004 085 616 bytes", "ACN 004 085 617"),
)
