"""Record → one Observation a value of its tensors: a model's inputs, predictions and scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from monitor import shapes
from monitor.interfaces import Feature, Values
from monitor.openings import talks
from monitor.texts import LONGEST, REMEMBERED, observe_string
from monitor.types import Observation, Part, Record


def observe(record: Record) -> list[Observation]:
    """Every value of every tensor, named as the tensor; `name[i]` when a row has several.

    Rows of a batch are separate observations. An output named like an input, or a tensor named
    like another feature, becomes `input.name` or `output.name`. Strings are categories, dates and
    times in ISO 8601 are seconds; of a text (more than 64 characters) one word is observed, as a
    hashed cell, and the length as `name.length`. A wide tensor is one vector a row.
    """
    found: list[Observation] = []
    for part in record.inputs:
        data = part.data
        if data:
            name = part.name or "input"
            name = f"input.{name}" if is_taken(name) else name
            shape = part.shape
            if len(data) == 1 and part.datatype in _NUMBERS and (not shape or len(shape) == 1):
                found.append(Observation(name, "numeric", data[0]))  # most are
            else:
                _observe(found, name, part, record.id)
    inputs = {part.name for part in record.inputs if part.name} if record.outputs else ()
    for part in record.outputs:
        if part.data:
            name = part.name or "output"
            clash = name in inputs or is_taken(name)
            _observe(found, f"output.{name}" if clash else name, part, record.id)
    return found


_OF_EITHER_SIDE = (
    "columns", "kind", "language", "ngrams", "text_length", "tokens", "unknown_words", "variety",
    "words",
)  # fmt: skip

TAKEN = frozenset(f"{side}_{name}" for side in ("input", "output") for name in _OF_EITHER_SIDE) | {
    "confidence", "duration", "finish_reason", "outcome", "status", "time_per_output_token",
    "time_to_first_token",
}  # fmt: skip
"""Names of other features, which a tensor may not take."""


def is_taken(name: str) -> bool:
    """Whether a tensor may not have this name: another feature has it, or begins with it.

    >>> is_taken("status"), is_taken("check.refusal"), is_taken("checks"), is_taken("age")
    (True, True, False, False)
    """
    return name in TAKEN or (name[:5] == "check" and name[5:6] in ("", "."))


_NUMERIC = ("FP", "INT", "UINT", "BF")

_NUMBERS = frozenset(("FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64"))
"""Data types that are common; others are numeric as well."""


def _observe(found: list[Observation], name: str, part: Part, seed: str) -> None:
    """Add what one tensor, which has values, says under a name."""
    data, datatype = part.data or [], part.datatype or ""
    columns = shapes.columns(part.shape)
    if columns > shapes.COLUMNS:
        found += (Observation(name, "vector", vector) for vector in shapes.vectors(part))
        return
    rows = min(len(data) // columns, shapes.ROWS)
    names = [name] if columns == 1 else _numbered(name, columns)
    if datatype in _NUMBERS or datatype.startswith(_NUMERIC):
        values = zip(names * rows, data, strict=False)  # no more than whole rows, and ROWS
        found += [Observation(name, "numeric", value) for name, value in values]
    else:
        for index in range(rows * columns):
            found += _value(names[index % columns], data[index], datatype, f"{seed}{index}")


def _numbered(name: str, columns: int) -> list[str]:
    make = _remembered if len(name) <= LONGEST else _remembered.__wrapped__
    return make(name, columns)


@lru_cache(maxsize=REMEMBERED)
def _remembered(name: str, columns: int) -> list[str]:
    return [f"{name}[{column}]" for column in range(columns)]


def _value(name: str, value: Any, datatype: str, seed: str) -> Iterator[Observation]:
    if datatype == "BOOL":
        yield Observation(name, "boolean", bool(value) if value in (0, 1) else value)
    elif isinstance(value, str):
        yield from observe_string(name, value, seed)
    elif isinstance(value, bool):
        yield Observation(name, "boolean", value)
    elif isinstance(value, int | float):
        yield Observation(name, "numeric", value)
    else:
        yield Observation(name, "categorical", value)


def observe_many(records: Sequence[Record]) -> list[Values] | None:
    """Nothing of Records of texts alone."""
    return None if talks(records).hold_data else []


FEATURE = Feature("tensors", observe, observe_many)
