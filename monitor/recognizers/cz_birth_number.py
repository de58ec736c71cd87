"""Czech and Slovak birth numbers (six digits, slash, modulus 11), beside the word."""

from __future__ import annotations

from monitor.finders import identifier

_DATE = r"\d\d(?:[0257][1-9]|[1368][0-2])(?:0[1-9]|[12]\d|3[01])"


def _valid(digits: str) -> bool:
    return len(digits) == 9 or int(digits[:9]) % 11 % 10 == int(digits[9])


RECOGNIZER = identifier(
    name="cz_birth_number",
    entity="CZ_BIRTH_NUMBER",
    words=r"(?:rodn. ..slo|\br\.?\?\.|birth.number)",
    form=_DATE + r"[/ ]?\d{3,4}",
    valid=_valid,
    keys={"rodnecislo", "birthnumber"},
    examples=("rodné číslo «710319/2745» a dále", "rodné číslo: «7103192745»"),
    counterexamples=("710319/2745 is alone", "rodné číslo 710319/2746", "objednávka 7103192745"),
)
