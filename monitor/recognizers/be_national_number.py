"""Belgian national register numbers (eleven digits, modulus 97)."""

from __future__ import annotations

from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    check = 97 - int(digits[9:])
    before, since = int(digits[:9]) % 97, int(f"2{digits[:9]}") % 97  # the year 2000
    return check == before or (check == since and digits[:2] < "30")


RECOGNIZER = identifier(
    name="be_national_number",
    entity="BE_NATIONAL_NUMBER",
    words=r"(?:rijksregister|registre national|num.ro national|national.number|\bnrn\b|\binsz\b|\bniss\b)",
    form=grouped(2, 2, 2, 3, 2),
    valid=_valid,
    alone=(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"),
    keys={"rijksregisternummer", "niss", "insz"},
    examples=("«85.07.30-033.28» woont", "rijksregisternummer «85073003328»"),
    counterexamples=("85.07.30-033.29", "order 85073003328"),
)
