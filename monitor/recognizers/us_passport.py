"""US passport numbers (nine digits, or a letter and eight), beside the word; others are written so too."""

from __future__ import annotations

from monitor.finders import identifier

RECOGNIZER = identifier(
    name="us_passport",
    entity="US_PASSPORT",
    words=r"passport",
    form=r"(?i:[A-Z]\d{8}|\d{9})",
    reach=30,
    keys={"uspassport"},
    examples=("passport number «536228726», Passport No: «C03005988»",),
    counterexamples=(
        "number 536228726, passport office opens at 10, passport renewal in 2024",
        "passport AB1234567",
    ),
)
