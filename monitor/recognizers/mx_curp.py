"""Mexican population registry codes (CURP: letters of the name, day of birth, sex, state, a check digit), wherever they stand."""

from __future__ import annotations

from monitor.finders import identifier

_ORDER = "0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ"


def _valid(code: str) -> bool:
    total = sum(_ORDER.index(sign) * (18 - place) for place, sign in enumerate(code[:17]))
    return (10 - total % 10) % 10 == int(code[17])


_FORM = r"(?i:[A-Z][AEIOUX][A-Z]{2}\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z]\d)"

RECOGNIZER = identifier(
    name="mx_curp",
    entity="MX_CURP",
    words=r"\bcurp\b",
    form=_FORM,
    valid=_valid,
    alone=(r"\b[a-z][aeioux][a-z]{2}[0-9]{6}[hmx][a-z]{5}[0-9a-z][0-9]\b", _FORM),
    keys={"curp"},
    examples=("CURP: «BOXW310820HNERXN09»", "«BOXW310820HNERXN09» es mi clave"),
    counterexamples=("BOXW310820HNERXN08", "CURP: pendiente"),
)
