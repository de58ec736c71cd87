"""UK NHS numbers (NHS Data Dictionary: ten digits, modulus 11), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier

RECOGNIZER = identifier(
    name="uk_nhs",
    entity="UK_NHS",
    words=r"\bnhs",
    form=grouped(3, 3, 4),
    valid=lambda digits: weighted(digits, range(10, 0, -1)) % 11 == 0,
    keys={"nhs", "nhsnumber", "nhsno"},
    examples=("NHS number «943 476 5870»", "nhs_no: «9434765870», «943-476-5870» (NHS)"),
    counterexamples=("943 476 5870 pounds", "NHS number 943 476 5871 and NHS budget 2024"),
)
