"""German tax identification numbers (§ 139b AO: eleven digits, ISO 7064), beside the word."""

from __future__ import annotations

from monitor.checkdigits import mod11_10
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    most = max(digits[:10].count(digit) for digit in digits[:10])
    return digits[0] != "0" and most in (2, 3) and mod11_10(digits)


RECOGNIZER = identifier(
    name="de_tax_id",
    entity="DE_TAX_ID",
    words=r"(?:steuer.?id|\bidnr\b|steuerliche identif|steuer.?nummer|\btin\b|tax id)",
    form=grouped(2, 3, 3, 3),
    valid=_valid,
    keys={"steuerid", "steueridentifikationsnummer", "idnr"},
    examples=("Steuer-ID «36 574 261 809»", "IdNr. «36574261809»"),
    counterexamples=("36 574 261 809 Zeilen", "Steuer-ID 36 574 261 808"),
)
