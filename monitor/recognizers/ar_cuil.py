"""Argentine CUIL and CUIT numbers of persons (AFIP: modulus 11), which hold the number of the identity card: with hyphens, or
beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    rest = weighted(digits[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return "09987654321"[rest] == digits[10]


RECOGNIZER = identifier(
    name="ar_cuil",
    entity="AR_CUIL",
    words=r"\bcui[lt]\b",
    form=r"2[03-7]-?\d{8}-?\d",
    valid=_valid,
    alone=(r"\b2[03-7]-[0-9]{8}-[0-9]\b", r"2[03-7]-\d{8}-\d"),
    keys={"cuil", "cuit"},
    examples=("CUIL: «20-05536168-2»", "«20-05536168-2», CUIT «20055361682»"),
    counterexamples=("20-05536168-3", "20055361682 pesos"),
)
