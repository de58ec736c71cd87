"""Chinese resident identity numbers (GB 11643: region, day of birth, order, ISO 7064 MOD 11-2), wherever they stand."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(number: str) -> bool:
    check = weighted(number[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
    return "10X98765432"[check] == number[17]


_FORM = r"[1-6]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"

RECOGNIZER = identifier(
    name="cn_resident_id",
    entity="CN_RESIDENT_ID",
    words=r"(?:resident id|shenfenzheng)",
    form=_FORM,
    valid=_valid,
    alone=(r"[1-6][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9x]", _FORM),
    keys={"residentid", "idcardnumber", "shenfenzheng", "身份证号", "身份证号码"},
    examples=(
        "身份证号：«11010519491231002X»。",
        "ID card «440308199901101512»",
        "resident id «11010519491231002X»",
    ),
    counterexamples=("110105194912310021", "order 110105194913310028", "1101051949123100281"),
)
