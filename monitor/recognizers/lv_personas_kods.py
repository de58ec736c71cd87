"""Latvian personal codes (eleven digits, weights, modulus 11), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    check = (1 + weighted(digits, (10, 5, 8, 4, 2, 1, 6, 3, 7, 9))) % 11 % 10
    return digits.startswith("32") or check == int(digits[10])


RECOGNIZER = identifier(
    name="lv_personas_kods",
    entity="LV_PERSONAS_KODS",
    words=r"personas kod",
    form=grouped(6, 5),
    valid=_valid,
    keys={"personaskods"},
    examples=("personas kods «161175-19997»", "personas kods: «16117519997»"),
    counterexamples=("161175-19997 eiro", "personas kods 161175-19998"),
)
