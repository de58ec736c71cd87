"""Brazilian CNPJ numbers (Receita Federal: fourteen digits, two of them check the others)."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    if digits == digits[0] * 14:
        return False
    first = weighted(digits, (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10
    second = weighted(digits, (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10
    return digits[12:] == f"{first}{second}"


RECOGNIZER = identifier(
    name="br_cnpj",
    entity="BR_CNPJ",
    words=r"\bcnpj",
    form=grouped(2, 3, 3, 4, 2),
    valid=_valid,
    alone=(r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}", r"\d\d\.\d{3}\.\d{3}/\d{4}-\d\d"),
    keys={"cnpj"},
    examples=("«16.727.230/0001-97» Ltda", "CNPJ «16727230000197»"),
    counterexamples=("16.727.230/0001-98", "nota 16727230000197"),
)
