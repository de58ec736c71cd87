"""Romanian personal numeric codes (thirteen digits, modulus 11), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    rest = weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return int(digits[12]) == (1 if rest == 10 else rest)


RECOGNIZER = identifier(
    name="ro_cnp",
    entity="RO_CNP",
    words=r"(?:\bcnp\b|cod numeric)",
    form=r"[1-9]\d{12}",
    valid=_valid,
    keys={"cnp"},
    examples=("CNP «1630615123457»", "cod numeric personal: «1630615123457»"),
    counterexamples=("1630615123457 bucăți", "CNP 1630615123458"),
)
