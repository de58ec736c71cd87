"""Russian tax numbers of persons (INN: twelve digits, two of them check the others), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    first = weighted(digits[:10], (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    second = weighted(digits[:11], (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10
    return digits[10:] == f"{first}{second}"


RECOGNIZER = identifier(
    name="ru_inn",
    entity="RU_INN",
    words=r"(?:\binn\b|ИНН)",
    form=r"\d{12}",
    valid=_valid,
    triggers=(r"\?{3}[^0-9]{0,4}[0-9]{12}",),
    keys={"inn", "инн"},
    examples=("ИНН: «500100732259»", "INN «500100732259»"),
    counterexamples=("500100732259 рублей", "ИНН 500100732258"),
)
