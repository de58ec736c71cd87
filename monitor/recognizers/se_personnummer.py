"""Swedish personal identity numbers (SFS 1991:481: date of birth, Luhn), beside the word: alone it
looks like a date and a time."""

from __future__ import annotations

from monitor.checkdigits import luhn
from monitor.finders import identifier

_DATE = r"(?:19|20)?\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])"


RECOGNIZER = identifier(
    name="se_personnummer",
    entity="SE_PERSONNUMMER",
    words=r"(?:person(?:al )?(?:nummer|id)|samordningsnummer|\bpnr\b)",
    form=rf"{_DATE}[-+ ]?\d{{4}}",
    valid=lambda digits: luhn(digits[-10:]),
    keys={"personnummer", "personalidentitynumber"},
    examples=("personnummer «880320-0016» och «19880320-0016»", "personnummer «8803200016»"),
    counterexamples=(
        "20240115-1039, 880320-0016",
        "personnummer 880320-0018 881320-0013",
        "order 8803200016",
    ),
)
