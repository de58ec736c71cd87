"""Australian tax file numbers (ATO: nine digits, weights, modulus 11), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier

RECOGNIZER = identifier(
    name="au_tfn",
    entity="AU_TFN",
    words=r"(?:\btfn|tax file)",
    form=grouped(3, 3, 3),
    valid=lambda digits: weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0,
    keys={"tfn", "taxfilenumber"},
    examples=(
        "TFN «123 456 782»",
        "tax file number is «123456782»",
        "TFNs: «123 456 782», «876 543 210»",
    ),
    counterexamples=("123 456 782 rows", "TFN 123 456 783"),
)
