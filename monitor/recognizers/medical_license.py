"""Certificates of the US Drug Enforcement Administration (two letters, seven digits), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(value: str) -> bool:
    digits = value[2:]
    return weighted(digits, (1, 2) * 3) % 10 == int(digits[6])


RECOGNIZER = identifier(
    name="medical_license",
    entity="MEDICAL_LICENSE",
    words=r"(?:\bdea\b|medical licen[cs]e|prescriber)",
    form=r"(?i:[A-HJ-MPRSTUX][A-Z9]\d{7})",
    valid=_valid,
    keys={"dea", "deanumber", "medicallicense"},
    examples=("DEA «AB1234563», prescriber DEA # «BB1388568»",),
    counterexamples=("part AB1234563", "DEA AB1234564, the DEA in 2024"),
)
