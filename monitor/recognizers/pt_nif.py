"""Portuguese tax numbers (NIF: nine digits, modulus 11), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    check = weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10
    return digits[0] != "0" and check == int(digits[8])


RECOGNIZER = identifier(
    name="pt_nif",
    entity="PT_NIF",
    words=r"(?:\bnif\b|contribuinte|\bnipc\b)",
    form=grouped(3, 3, 3),
    valid=_valid,
    keys={"nif", "numerocontribuinte"},
    examples=("NIF «501 964 843»", "contribuinte n.º «501964843»"),
    counterexamples=("501 964 843 euros", "NIF 501964844"),
)
