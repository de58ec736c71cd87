"""Spanish numbers of foreigners (NIE: X, Y or Z, seven digits, letter by modulus 23)."""

from __future__ import annotations

from monitor.finders import identifier


def _valid(value: str) -> bool:
    digits = value[:-1].translate({88: "0", 89: "1", 90: "2"})
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == value[-1]


RECOGNIZER = identifier(
    name="es_nie",
    entity="ES_NIE",
    words=r"(?:\bnie\b|identidad de extranjer)",
    form=r"(?i:[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z])",
    valid=_valid,
    keys={"nie"},
    examples=("NIE: «X-2482300-W»", "número de identidad de extranjero «x2482300w»"),
    counterexamples=("code X2482300W", "NIE X2482300A"),
)
