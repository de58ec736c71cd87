"""Columns of a Record → the JSON body that they were read from, by its length on the wire.

A Record has a table's columns and not its form: rows as objects, lists, or members of one object.
Each form that a body may have had is written out; the one that has as many bytes as the request had
is it. What most requests to a path with the same columns were is taken for all of them.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from monitor.redrive.dialects import Left
from monitor.types import Part, Record

TABULAR = frozenset(
    ("kserve_v1", "tensorflow_serving", "torchserve", "seldon", "mlflow", "sagemaker",
     "generic_json")
)  # fmt: skip
"""Dialects whose bodies are columns."""

_SEPARATORS = ((",", ":"), (", ", ": "))


class Layouts:
    """Learns the form of bodies from the Records that are shown to it."""

    def __init__(self) -> None:
        self._votes: dict[tuple[Any, ...], Counter[str]] = {}

    def learn(self, record: Record) -> None:
        """Look which forms a Record's body may have had."""
        size = record.request.bytes
        for name, form in _FORMS.items():
            try:
                document = form(record.inputs)
            except (Left, ValueError, IndexError, TypeError):  # the columns have not this form
                continue
            if any(size - len(text) in (0, 1) for text in _written(document)):
                self._votes.setdefault(_key(record), Counter())[name] += 1

    def body(self, record: Record, parts: Sequence[Part]) -> Any:
        """Return the body of a Record with these parts; raises Left where its form is unknown."""
        votes = self._votes.get(_key(record))
        if not votes:
            raise Left("layout")
        ((name, _),) = votes.most_common(1)
        return _FORMS[name](parts)


def _key(record: Record) -> tuple[Any, ...]:
    path = record.request.path.partition("?")[0]
    return path, record.protocol, *((part.name, len(part.shape or ())) for part in record.inputs)


def _written(document: Any) -> list[bytes]:
    """A document as clients write it: with and without spaces and escapes."""
    found = []
    for separators in _SEPARATORS:
        for ascii_only in (False, True):
            text = json.dumps(document, separators=separators, ensure_ascii=ascii_only)
            found.append(text.encode("utf-8", "surrogatepass"))
    return found


def _columns(parts: Sequence[Part]) -> list[tuple[str, list[int], list[Any]]]:
    if not parts:
        raise Left("no body")
    found = []
    for part in parts:
        if part.name is None or part.data is None or part.shape is None or "[" in part.name:
            raise Left("layout")
        found.append((part.name, part.shape, part.data))
    return found


def _nested(shape: list[int], data: list[Any]) -> Any:
    """Flat values in their shape."""
    if math.prod(shape) != len(data):
        raise Left("layout")
    for size in reversed(shape[1:]):
        data = [data[at : at + size] for at in range(0, len(data), size)] if size else data
    return data


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    *above, name = path.split(".")
    for one in above:
        document = document.setdefault(one, {})
        if not isinstance(document, dict):
            raise Left("layout")
    document[name] = value


def _members(parts: Sequence[Part]) -> Any:
    """One object; a single value is itself."""
    document: dict[str, Any] = {}
    for name, shape, data in _columns(parts):
        _set(document, name, data[0] if shape == [1] else _nested(shape, data))
    return document


def _lists(parts: Sequence[Part]) -> Any:
    """One object in which every value is a list."""
    document: dict[str, Any] = {}
    for name, shape, data in _columns(parts):
        _set(document, name, _nested(shape, data))
    return document


def _rows(parts: Sequence[Part]) -> Any:
    """Lists of objects below the names before the last dot; the others as members."""
    document: dict[str, Any] = {}
    tables: dict[str, list[dict[str, Any]]] = {}
    for name, shape, data in _columns(parts):
        table, dot, column = name.rpartition(".")
        if not dot:
            _set(document, name, data[0] if shape == [1] else _nested(shape, data))
            continue
        rows = tables.setdefault(table, [{} for _ in range(shape[0])])
        values = _nested(shape, data)
        if len(rows) != len(values):
            raise Left("layout")
        for row, value in zip(rows, values, strict=True):
            row[column] = value
    if not tables:
        raise Left("layout")
    for table, rows in tables.items():
        _set(document, table, rows)
    return document


def _bare_rows(parts: Sequence[Part]) -> Any:
    """A list of objects."""
    columns = _columns(parts)
    sizes = {shape[0] for _, shape, _ in columns}
    if len(sizes) != 1:
        raise Left("layout")
    rows: list[dict[str, Any]] = [{} for _ in range(sizes.pop())]
    for name, shape, data in columns:
        for row, value in zip(rows, _nested(shape, data), strict=True):
            _set(row, name, value)
    return rows


def _split(parts: Sequence[Part]) -> tuple[list[str], list[list[Any]]]:
    """Names, and rows of values."""
    columns = _columns(parts)
    if any(len(shape) != 1 or shape != columns[0][1] for _, shape, _ in columns):
        raise Left("layout")
    rows = zip(*(data for _, _, data in columns), strict=True)
    return [name for name, _, _ in columns], [list(row) for row in rows]


def _split_frame(parts: Sequence[Part]) -> Any:
    names, rows = _split(parts)
    return {"dataframe_split": {"columns": names, "data": rows}}


def _split_table(parts: Sequence[Part]) -> Any:
    names, rows = _split(parts)
    return {"columns": names, "data": rows}


def _named_array(parts: Sequence[Part]) -> Any:
    names, rows = _split(parts)
    return {"data": {"names": names, "ndarray": rows}}


def _array(parts: Sequence[Part]) -> Any:
    """Seldon's data without names."""
    (column, *more) = _columns(parts)
    if more or column[0] != "data":
        raise Left("layout")
    return {"data": {"ndarray": _nested(column[1], column[2])}}


_FORMS: dict[str, Callable[[Sequence[Part]], Any]] = {
    "members": _members,
    "lists": _lists,
    "rows": _rows,
    "bare rows": _bare_rows,
    "records": lambda parts: {"dataframe_records": _bare_rows(parts)},
    "instances": lambda parts: {"instances": _bare_rows(parts)},
    "inputs": lambda parts: {"inputs": _lists(parts)},
    "split frame": _split_frame,
    "split": _split_table,
    "named array": _named_array,
    "array": _array,
}
"""The forms of a body, by name."""
