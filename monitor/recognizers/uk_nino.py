"""UK National Insurance numbers (HMRC NIM39110: prefix, six digits, A to D)."""

from __future__ import annotations

from monitor.finders import identifier

_FORM = r"(?i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]{sep}\d\d{sep}\d\d{sep}\d\d{sep}[A-D])"
_UNUSED = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})


RECOGNIZER = identifier(
    name="uk_nino",
    entity="UK_NINO",
    words=r"(?:national insurance|\bnino\b|\bni n(?:umber|o))",
    form=_FORM.format(sep="[ -]?"),
    valid=lambda value: value[:2] not in _UNUSED,
    alone=(r"[a-z]{2}[ -][0-9]{2}[ -][0-9]{2}[ -][0-9]{2}[ -][a-d]", _FORM.format(sep="[ -]")),
    keys={"nino", "ninumber", "nationalinsurance", "nationalinsurancenumber"},
    examples=("«AB 12 34 56 C» is hers", "NI number «ab123456c», «AB-12-34-56-D»"),
    counterexamples=("part AB123456C", "GB 12 34 56 C and DX 12 34 56 C and AB 12 34 56 E"),
)
