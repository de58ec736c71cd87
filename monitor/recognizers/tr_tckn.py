"""Turkish identity numbers (eleven digits, two of them check the others), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    tenth = weighted(digits[:9], (7, 9, 7, 9, 7, 9, 7, 9, 7)) % 10
    return digits[9:] == f"{tenth}{(weighted(digits[:9], (1,) * 9) + tenth) % 10}"


RECOGNIZER = identifier(
    name="tr_tckn",
    entity="TR_TCKN",
    words=r"(?:\btckn\b|kimlik)",
    form=r"[1-9]\d{10}",
    valid=_valid,
    keys={"tckn", "tckimlikno", "kimlikno"},
    examples=("T.C. kimlik no: «17291716060»", "TCKN «17291716060»"),
    counterexamples=("17291716060 adet", "TCKN 17291716050"),
)
