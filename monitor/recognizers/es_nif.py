"""Spanish DNI and personal NIF numbers (Real Decreto 1553/2005: letter by modulus 23)."""

from __future__ import annotations

from monitor.finders import identifier


def _valid(value: str) -> bool:
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(value[:-1]) % 23] == value[-1]


RECOGNIZER = identifier(
    name="es_nif",
    entity="ES_NIF",
    words=r"(?:\bdni\b|\bnif\b|documento nacional)",
    form=r"(?i:\d\d?\.?\d{3}\.?\d{3}[ -]?[A-HJ-NP-TV-Z])",
    valid=_valid,
    keys={"dni", "nif"},
    examples=("DNI «54362315K»", "nif «54.362.315-k»; NIF «54362315-K»"),
    counterexamples=("code 54362315K", "DNI 54362315L"),
)
