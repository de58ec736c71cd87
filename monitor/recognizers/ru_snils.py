"""Russian insurance numbers (SNILS: nine digits and a sum of them), grouped as people group them, or beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    return weighted(digits[:9], range(9, 0, -1)) % 101 % 100 == int(digits[9:])


RECOGNIZER = identifier(
    name="ru_snils",
    entity="RU_SNILS",
    words=r"(?:\bsnils\b|СНИЛС)",
    form=r"\d{3}[- ]?\d{3}[- ]?\d{3}[- ]?\d\d",
    valid=_valid,
    alone=(r"\b[0-9]{3}-[0-9]{3}-[0-9]{3} [0-9]{2}\b", r"\d{3}-\d{3}-\d{3} \d\d"),
    triggers=(r"\?{5}[^0-9]{0,4}[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{2}",),
    keys={"snils", "снилс"},
    examples=("СНИЛС: «112-233-445 95»", "«112-233-445 95»", "snils «11223344595»"),
    counterexamples=("112-233-445 96", "11223344595 рублей"),
)
