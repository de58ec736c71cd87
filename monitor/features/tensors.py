"""Record → one Observation a value of its tensors: a model's inputs, predictions and scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor import shapes
from monitor.interfaces import Feature
from monitor.texts import observe_string
from monitor.types import Observation, Part, Record


def observe(record: Record) -> Iterator[Observation]:
    """Every value of every tensor, named as the tensor; `name[i]` when a row has several.

    Rows of a batch are separate observations. An output named like an input, or a tensor named
    like another feature, becomes `input.name` or `output.name`. Strings are categories, dates and
    times in ISO 8601 are seconds; of a text (more than 64 characters) one word is observed, as a
    hashed cell, and the length as `name.length`. A wide tensor is one vector a row.
    """
    inputs = {part.name for part in record.inputs if part.name}
    for part in record.inputs:
        if part.data is not None:
            name = part.name or "input"
            yield from _tensor(f"input.{name}" if name in TAKEN else name, part, record.id)
    for part in record.outputs:
        if part.data is not None:
            name = part.name or "output"
            clash = name in inputs or name in TAKEN
            yield from _tensor(f"output.{name}" if clash else name, part, record.id)


_OF_EITHER_SIDE = (
    "columns", "kind", "language", "ngrams", "text_length", "tokens", "unknown_words", "variety",
    "words",
)  # fmt: skip

TAKEN = frozenset(f"{side}_{name}" for side in ("input", "output") for name in _OF_EITHER_SIDE) | {
    "confidence", "duration", "finish_reason", "outcome", "status", "time_per_output_token",
    "time_to_first_token",
}  # fmt: skip
"""Names of other features, which a tensor may not take."""


def _tensor(name: str, part: Part, seed: str) -> Iterator[Observation]:
    data = part.data or []
    columns = shapes.columns(part.shape)
    if columns > shapes.COLUMNS:
        for vector in shapes.vectors(part):
            yield Observation(name, "vector", vector)
        return
    rows = min(len(data) // columns, shapes.ROWS)
    names = [name] if columns == 1 else [f"{name}[{column}]" for column in range(columns)]
    datatype = part.datatype or ""
    if datatype.startswith(("FP", "INT", "UINT", "BF")):
        for index in range(rows * columns):
            yield Observation(names[index % columns], "numeric", data[index])
    else:
        for index in range(rows * columns):
            yield from _value(names[index % columns], data[index], datatype, f"{seed}{index}")


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


FEATURE = Feature("tensors", observe)
