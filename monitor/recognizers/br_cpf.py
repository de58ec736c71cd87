"""Brazilian CPF numbers (Receita Federal: eleven digits, two of them check the others)."""

from __future__ import annotations

from monitor.checkdigits import weighted
from monitor.finders import grouped, identifier


def _valid(digits: str) -> bool:
    if digits == digits[0] * 11:
        return False
    first = weighted(digits, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(digits, range(11, 1, -1)) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}"


RECOGNIZER = identifier(
    name="br_cpf",
    entity="BR_CPF",
    words=r"\bcpf",
    form=grouped(3, 3, 3, 2),
    valid=_valid,
    alone=(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", r"\d{3}\.\d{3}\.\d{3}-\d\d"),
    keys={"cpf", "cpfnumber"},
    examples=("«390.533.447-05» pagou", "CPF: «39053344705»"),
    counterexamples=("390.533.447-06 and 111.111.111-11", "pedido 39053344705"),
)
