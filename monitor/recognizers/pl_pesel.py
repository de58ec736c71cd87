"""Polish PESEL numbers (eleven digits, one checks the others), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier

RECOGNIZER = identifier(
    name="pl_pesel",
    entity="PL_PESEL",
    words=r"pesel",
    form=r"\d{11}",
    valid=lambda digits: weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0,
    keys={"pesel"},
    examples=("PESEL «44051401359»", "numer pesel: «44051401359»"),
    counterexamples=("44051401359 sztuk", "PESEL 44051401358"),
)
