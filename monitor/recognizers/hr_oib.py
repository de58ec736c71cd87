"""Croatian personal identification numbers (OIB: eleven digits, ISO 7064), beside the word."""

from __future__ import annotations

from monitor.checkdigits import mod11_10
from monitor.finders import identifier

RECOGNIZER = identifier(
    name="hr_oib",
    entity="HR_OIB",
    words=r"(?:\boib\b|osobni identif)",
    form=r"\d{11}",
    valid=mod11_10,
    keys={"oib"},
    examples=("OIB «33392005961»", "oib: «33392005961»"),
    counterexamples=("33392005961 kuna", "OIB 33392005962"),
)
