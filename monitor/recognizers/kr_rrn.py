"""Korean resident registration numbers (day of birth, sex and century, a check digit until 2020), wherever they stand."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(digits: str) -> bool:
    return (11 - weighted(digits[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == int(
        digits[12]
    )


_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"

RECOGNIZER = identifier(
    name="kr_rrn",
    entity="KR_RRN",
    words=r"(?:resident registration|\brrn\b|주민등록번호|주민번호)",
    form=rf"\d\d{_DAY}-?\d{{7}}",
    valid=_valid,
    alone=(
        r"[0-9]{2}[01][0-9][0-3][0-9]-[1-4][0-9]{6}",
        rf"(?:[3-9]\d{_DAY}-[12]|[0-2]\d{_DAY}-[34])\d{{6}}",
    ),
    triggers=(r"\?{4,6}[^0-9]{0,4}[0-9]{6}-?[0-9]{7}",),
    keys={"rrn", "residentregistrationnumber", "주민등록번호"},
    examples=("주민등록번호: «971013-9019902»", "«990101-1000001» 입니다", "RRN «9710139019902»"),
    counterexamples=(
        "971013-9019903",
        "build 240115-1234567, 971013-9019902",
        "9710139019902 units",
    ),
)
