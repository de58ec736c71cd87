"""Bank account numbers (no check digit), beside words for an account at a bank."""

from __future__ import annotations

from monitor.finders import identifier

RECOGNIZER = identifier(
    name="us_bank_number",
    entity="US_BANK_NUMBER",
    words=r"(?:bank account|checking account|savings account|account.?(?:no\b|number|#)|\bacct\b|kontonummer|kontonr|num.ro de compte|n.mero de cuenta|sort code)",
    form=r"\d{6,17}",
    reach=12,
    keys={"accountnumber", "bankaccount", "bankaccountnumber", "kontonummer"},
    examples=(
        "bank account «123456789012», account number: «000123456789»",
        "Kontonummer «0532013000»",
    ),
    counterexamples=("an account of 12345678 words", "account number missing, order 12345678901"),
)
