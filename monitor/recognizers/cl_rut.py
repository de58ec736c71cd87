"""Chilean RUT numbers (Registro Civil: modulus 11, 10 is K): with stops, or beside the word."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import identifier


def _valid(number: str) -> bool:
    body = number[:-1][::-1]
    return (
        "0K987654321"[weighted(body, (2, 3, 4, 5, 6, 7, 2, 3, 4)[: len(body)]) % 11] == number[-1]
    )


RECOGNIZER = identifier(
    name="cl_rut",
    entity="CL_RUT",
    words=r"\brut\b",
    form=r"\d{1,2}\.?\d{3}\.?\d{3}-?[\dKk]",
    valid=_valid,
    alone=(r"\b[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9k]", r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]"),
    keys={"rut", "rutnumber"},
    examples=("RUT: «12.531.909-2»", "rut «125319092» y «12.531.909-2»"),
    counterexamples=("12.531.909-3", "125319092 pesos", "in a rut 3 times"),
)
