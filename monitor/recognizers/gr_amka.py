"""Greek social security numbers (AMKA: date of birth, eleven digits, Luhn), beside the word."""

from __future__ import annotations

from monitor.checkdigits import luhn
from monitor.finders import identifier

RECOGNIZER = identifier(
    name="gr_amka",
    entity="GR_AMKA",
    words=r"(?:\bamka\b|ΑΜΚΑ)",
    form=r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{7}",
    valid=luhn,
    triggers=(r"\?{4}[^0-9]{0,3}[0-9]{11}",),
    keys={"amka", "αμκα"},
    examples=("AMKA «01013099997»", "ΑΜΚΑ: «01013099997»"),
    counterexamples=("01013099997 euro", "AMKA 01013099998"),
)
