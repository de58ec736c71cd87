"""Bulgarian uniform civil numbers (ten digits, modulus 11), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier

RECOGNIZER = identifier(
    name="bg_egn",
    entity="BG_EGN",
    words=r"(?:\begn\b|ЕГН|unified civil|uniform civil)",
    form=grouped(6, 4),
    valid=lambda digits: weighted(digits, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(digits[9]),
    triggers=(r"\?{3}[^0-9]{0,3}[0-9]{6}",),
    keys={"egn", "егн"},
    examples=("EGN «7523169263»", "ЕГН: «752316 9263»"),
    counterexamples=("7523169263 leva", "EGN 7523169264"),
)
