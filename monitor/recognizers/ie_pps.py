"""Irish personal public service numbers (seven digits, check letter modulus 23), beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(value: str) -> bool:
    more = "WABCDEFGHI".find(value[8:]) if value[8:] in tuple("ABH") else 0
    total = weighted(value[:7], (8, 7, 6, 5, 4, 3, 2)) + 9 * more
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == value[7]


RECOGNIZER = identifier(
    name="ie_pps",
    entity="IE_PPS",
    words=r"(?:\bppsn?\b|personal public service)",
    form=r"(?i:\d{7}[A-W][ABHWTX]?)",
    valid=_valid,
    keys={"pps", "ppsn", "ppsnumber"},
    examples=("PPS «6433435F»", "PPSN: «6433435OA»"),
    counterexamples=("code 6433435F", "PPS 6433435E"),
)
