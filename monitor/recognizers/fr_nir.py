"""French social security numbers (INSEE NIR: thirteen digits and a key modulus 97)."""

from __future__ import annotations

from monitor.finders import identifier


def _valid(value: str) -> bool:
    number = int(value[:13].replace("2A", "19").replace("2B", "18"))
    return int(value[13:]) == 97 - number % 97


RECOGNIZER = identifier(
    name="fr_nir",
    entity="FR_NIR",
    words=r"(?:\bnir\b|s.curit. sociale|num.ro de s.cu)",
    form=r"[12][ .-]?\d\d[ .-]?(?:0[1-9]|1[0-2]|[2-9]\d)[ .-]?(?:\d\d|2[ABab])[ .-]?\d{3}[ .-]?\d{3}[ .-]?\d\d",
    valid=_valid,
    alone=(
        r"\b[12][ .-][0-9]{2}[ .-][0-9]{2}[ .-][0-9][0-9ab][ .-][0-9]{3}[ .-]",
        r"[12][ .-]\d\d[ .-](?:0[1-9]|1[0-2]|[2-9]\d)[ .-](?:\d\d|2[ABab])[ .-]\d{3}[ .-]\d{3}[ .-]\d\d",
    ),
    keys={"nir", "numerosecuritesociale"},
    examples=("«2 95 10 99 126 111 93» née à l'étranger", "NIR : «295109912611193»"),
    counterexamples=("2 95 10 99 126 111 94", "295109912611194"),
)
