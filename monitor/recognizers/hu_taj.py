"""Hungarian social security numbers (TAJ: nine digits, weights 3 and 7), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier

RECOGNIZER = identifier(
    name="hu_taj",
    entity="HU_TAJ",
    words=r"(?:\btaj\b|t.rsadalombiztos)",
    form=grouped(3, 3, 3),
    valid=lambda digits: weighted(digits, (3, 7) * 4) % 10 == int(digits[8]),
    keys={"taj", "tajszam"},
    examples=("TAJ «111 111 110»", "TAJ-szám: «111111110»"),
    counterexamples=("111 111 110 forint", "TAJ 111 111 111"),
)
