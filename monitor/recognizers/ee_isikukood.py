"""Estonian and Lithuanian personal codes (eleven digits, modulus 11 twice), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    check = weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return check == int(digits[10])


RECOGNIZER = identifier(
    name="ee_isikukood",
    entity="EE_ISIKUKOOD",
    words=r"(?:isikukood|asmens kod|personal code)",
    form=r"[1-8]\d{10}",
    valid=_valid,
    keys={"isikukood", "asmenskodas"},
    examples=("isikukood «37605030299»", "asmens kodas «33309240064»"),
    counterexamples=("37605030299 eurot", "isikukood 37605030298"),
)
