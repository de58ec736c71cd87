"""South African identity numbers (day of birth, order, citizenship, Luhn), beside the word."""

from __future__ import annotations

from monitor.checkdigits import luhn
from monitor.finders import identifier

RECOGNIZER = identifier(
    name="za_id",
    entity="ZA_ID",
    words=r"(?:\b(?:sa|rsa) id\b|\bid (?:number|no)\b|identity (?:number|document))",
    form=r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ ]?\d{4}[ ]?[01]\d{2}",
    valid=luhn,
    keys={"idnumber", "saidnumber"},
    examples=("ID number: «7503305044089»", "SA ID «750330 5044 089»"),
    counterexamples=("7503305044089 rand", "ID number 7503305044080"),
)
