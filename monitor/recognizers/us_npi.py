"""US national provider identifiers (CMS: ten digits, Luhn after 80840), beside the word."""

from __future__ import annotations

from monitor.checkdigits import luhn
from monitor.finders import identifier

RECOGNIZER = identifier(
    name="us_npi",
    entity="US_NPI",
    words=r"(?:\bnpi\b|national provider)",
    form=r"[12]\d{9}",
    valid=lambda digits: luhn("80840" + digits),
    keys={"npi"},
    examples=("NPI «1234567893»", "national provider id: «1234567893»"),
    counterexamples=("1234567893 rows", "NPI 1234567894"),
)
