"""Italian fiscal codes (DM 23/12/1976: sixteen characters, the last checks the others)."""

from __future__ import annotations

from monitor.finders import identifier

_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3,
         6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


def _valid(value: str) -> bool:
    odd = sum(_ODD[character] for character in value[:15:2])
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in value[1:15:2])
    return chr(65 + (odd + even) % 26) == value[15]


RECOGNIZER = identifier(
    name="it_fiscal_code",
    entity="IT_FISCAL_CODE",
    words=r"(?:codice fiscale|\bc\.?f\.?:|\bcf .{1,2} )",
    form=r"(?i:[A-Z]{6}[ ]?[0-9L-NP-V]{2}[A-EHLMPR-T][0-9L-NP-V]{2}[ ]?[A-Z][0-9L-NP-V]{3}[A-Z])",
    valid=_valid,
    alone=(
        r"[0-9]{2}[a-ehlmpr-t][0-9]{2}[a-z][0-9]{3}[a-z]",
        r"(?i:[A-Z]{6}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z])",
    ),
    lead=6,
    keys={"codicefiscale", "fiscalcode"},
    examples=(
        "«RCCMNL83S18D969H» firmato",
        "codice fiscale: «rccmnl83s18d969h»",
        "il mio CF è «RCCMNL 83S18 D969H»",
    ),
    counterexamples=("RCCMNL83S18D969I", "RCCMNL83X18D969H"),
)
