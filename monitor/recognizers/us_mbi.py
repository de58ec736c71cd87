"""US Medicare beneficiary identifiers (CMS: eleven characters without S, L, O, I, B, Z)."""

from __future__ import annotations

from monitor.finders import identifier

_A = "[AC-HJKMNP-RT-Y]"
_M = "[0-9AC-HJKMNP-RT-Y]"
_FORM = rf"(?i:[1-9]{_A}{_M}\d{{sep}}{_A}{_M}\d{{sep}}{_A}{{{{2}}}}\d\d)"


RECOGNIZER = identifier(
    name="us_mbi",
    entity="US_MBI",
    words=r"(?:medicare|\bmbi\b)",
    form=_FORM.format(sep="-?"),
    alone=(
        r"\b[1-9][a-y][0-9a-y][0-9]-[a-y][0-9a-y][0-9]-[a-y]{2}[0-9]{2}\b",
        _FORM.format(sep="-"),
    ),
    keys={"mbi", "medicarebeneficiaryid"},
    examples=("«1EG4-TE5-MK73» is hers", "Medicare id «1EG4TE5MK73», MBI: «1eg4-te5-mk72»"),
    counterexamples=("part 1EG4TE5MK73 and 1SG4-TE5-MK73", "medicare covers 80 percent"),
)
