"""Danish personal identification numbers (CPR: date of birth, four digits), beside the word."""

from __future__ import annotations

from monitor.finders import identifier

RECOGNIZER = identifier(
    name="dk_cpr",
    entity="DK_CPR",
    words=r"(?:\bcpr|personnummer)",
    form=r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d[- ]?\d{4}",
    keys={"cpr", "cprnumber"},
    examples=("CPR «211062-5629»", "CPR-nr. «2110625629»"),
    counterexamples=("ordre 211062-5629", "CPR 411062-5629"),
)
