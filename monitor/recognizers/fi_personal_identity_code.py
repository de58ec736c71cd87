"""Finnish personal identity codes (HETU: date, century sign, modulus 31), with a
letter at the end or beside the word."""

from __future__ import annotations

from monitor.finders import identifier


def _valid(value: str) -> bool:
    digits = value[:6] + value[-4:-1]
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == value[-1]


RECOGNIZER = identifier(
    name="fi_personal_identity_code",
    entity="FI_PERSONAL_IDENTITY_CODE",
    words=r"(?:\bhetu(?:n|ni|si|nsa)?\b|henkil.tunnus|personbeteckning)",
    form=r"(?i:(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y])",
    valid=_valid,
    alone=(
        r"[0-3][0-9][01][0-9]{3}[-+a-fu-y][0-9]{3}[a-fhj-npr-y]",
        r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d[-+A-FU-Y]\d{3}[A-FHJ-NPR-Y]",
    ),
    keys={"hetu", "henkilotunnus"},
    examples=("«131052-308T» ja «131052A308T»", "hetu: «131052-308t»"),
    counterexamples=("131052-308U", "131352-308T", "041114-0655"),
)
