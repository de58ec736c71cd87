"""Indian permanent account numbers (Income Tax Department: AAAPA1234A), beside the word."""

from __future__ import annotations

from monitor.finders import identifier

RECOGNIZER = identifier(
    name="in_pan",
    entity="IN_PAN",
    words=r"(?:\bpan\b|permanent account)",
    form=r"(?i:[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z])",
    valid=lambda value: value[5:9] != "0000",
    keys={"pan", "pannumber", "permanentaccountnumber"},
    examples=("PAN «ACUPA7085R»", "permanent account number: «acupa7085r»"),
    counterexamples=("code ACUPA7085R", "a frying pan, PAN ACUXA7085R"),
)
