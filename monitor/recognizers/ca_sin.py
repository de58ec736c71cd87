"""Canadian social insurance numbers (nine digits, Luhn), beside the word."""

from __future__ import annotations

from monitor.checkdigits import luhn
from monitor.finders import grouped, identifier

RECOGNIZER = identifier(
    name="ca_sin",
    entity="CA_SIN",
    words=r"(?:\bsin\b|social insurance|assurance sociale|\bnas\b)",
    form=grouped(3, 3, 3),
    valid=lambda digits: digits[0] not in "08" and luhn(digits),
    keys={"sin", "sinnumber", "socialinsurancenumber"},
    examples=(
        "SIN «130 692 544»",
        "social insurance number: «130692544»; «130-692-544» (SIN)",
        "customer_sin=«130692544»",
    ),
    counterexamples=("130 692 544 people", "SIN 130 692 545, a mortal sin"),
)
