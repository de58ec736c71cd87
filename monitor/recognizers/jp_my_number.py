"""Japanese individual numbers (My Number: twelve digits, one checks the others), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    check = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10
    return check == int(digits[11])


RECOGNIZER = identifier(
    name="jp_my_number",
    entity="JP_MY_NUMBER",
    words=r"(?:my ?number\b|[^\n]{0,8}?(?:マイナンバー|個人番号))",
    form=grouped(4, 4, 4),
    valid=_valid,
    triggers=(r"\?{4}[^0-9]{0,8}[0-9]{4}[-. /]{0,2}[0-9]{4}[-. /]{0,2}[0-9]{4}",),
    keys={"mynumber", "マイナンバー", "個人番号"},
    examples=(
        "マイナンバーは«1234 5678 9018»です",
        "私の個人番号：«123456789018»",
        "My Number: «1234-5678-9018»",
    ),
    counterexamples=("1234 5678 9018", "個人番号：123456789019"),
)
