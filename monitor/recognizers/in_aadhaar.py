"""Indian Aadhaar numbers (UIDAI: twelve digits, Verhoeff), beside the word."""

from __future__ import annotations

from monitor.checkdigits import verhoeff
from monitor.finders import grouped, identifier

RECOGNIZER = identifier(
    name="in_aadhaar",
    entity="IN_AADHAAR",
    words=r"(?:aadh?aa?r|uidai|\buid\b|आधार)",
    form=grouped(4, 4, 4),
    valid=lambda digits: digits[0] not in "01" and verhoeff(digits),
    triggers=(r"\?{4}[^0-9]{0,8}[0-9]{4}[-. /]{0,2}[0-9]{4}[-. /]{0,2}[0-9]{4}",),
    keys={"aadhaar", "aadhaarnumber", "aadhar", "aadharnumber"},
    examples=(
        "Aadhaar «2341 2341 2346»",
        "मेरा आधार नंबर «234123412346» है",
        "«234123412346» is my aadhar",
    ),
    counterexamples=("2341 2341 2346 units", "aadhaar 2341 2341 2347"),
)
