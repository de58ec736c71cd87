"""Slovenian personal numbers (EMŠO, the JMBG of Yugoslavia: thirteen digits, modulus 11), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier

RECOGNIZER = identifier(
    name="si_emso",
    entity="SI_EMSO",
    words=r"(?:\bem.o\b|\bjmbg\b)",
    form=r"[0-3]\d[01]\d{10}",
    valid=lambda digits: -weighted(digits, (7, 6, 5, 4, 3, 2) * 2) % 11 % 10 == int(digits[12]),
    keys={"emso", "emšo", "jmbg"},
    examples=("EMŠO «0101006500006»", "jmbg: «0101006500006»"),
    counterexamples=("0101006500006 kosov", "EMŠO 0101006500007"),
)
