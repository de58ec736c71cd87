"""Bytes of any body → parts: columns where there are some, texts where there are none.

A JSON scalar is a tensor of one value under its dotted path; a list of scalars, or a column of a
list of objects, is a tensor; numbers in nested lists keep their shape; a long string is a text. A
null, and a member that only the other rows have, is a value that is missing. CSV and JSON lines
are tables. Binary bodies give no parts.

What is read is bounded by the body: names and rows multiply, and paths repeat. A body beyond that,
or with more than MAX_PARTS columns, is one text.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from monitor import bodies
from monitor.chat import error_part, is_success, says_error
from monitor.errors import ParseError
from monitor.framings import json_array, ndjson, sse
from monitor.types import Call, Inference, Part

MAX_PARTS = 256
"""What a body holds beyond that many parts is one text."""
LONG_STRING = 64
EXPANSION, ALLOWANCE = 8, 1024
"""What is read of a body takes at most so many times its bytes on record, and so many more."""
CODED_EXPANSION, CODED_ALLOWANCE = 32, 16384
"""The same in bytes as they crossed the wire, for a body with a content coding. gzip makes JSON 4
to 15 times smaller, so this takes nothing from real clients, and a bomb stays small on record."""
_MAX_DEPTH = 12
_TABLES = ("text/csv", "application/csv", "text/tab-separated-values")
_NAMES, _ROWS = ("columns", "names", "feature_names"), ("data", "ndarray", "rows", "values")
_FRAME, _CELL = 32, 2
"""Bytes on record that a part takes at least, and a value in it."""

_PLAIN = re.compile(r"[^\W\d][\w -]*")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(
    r"-?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+|[0-9]{1,15}(?=[eE]))(?:[eE][+-]?[0-9]+)?"
)
_LINES = re.compile(r"(?:\s*(?:\w{1,8}:)?(?:\{.*\}|\[.*\]|\".*\")[ \r]*(?:\n|\Z)){2}")
"""Two lines of JSON, which may have a kind before it: a stream whose type does not say so."""
_MISSING = frozenset(("", "na", "nan", "null", "none"))


def room(body: bytes) -> int:
    """Bytes that the parts of a body may take on record."""
    return EXPANSION * len(body) + ALLOWANCE


def record_room(body: bytes, captured: bytes) -> int:
    """Return how many bytes a Record may hold of a body that crossed the wire as `captured`."""
    if len(captured) >= len(body):  # as nearly always: there is no content coding
        return room(body)
    return min(room(body), CODED_EXPANSION * len(captured) + CODED_ALLOWANCE)


class Piece(str):
    """A text that came in pieces, one a line, or one of them: a stream of no dialect that is known.

    The mark is on the object: `monitor.privacy.pieces` looks for values that its edges cut.
    """

    __slots__ = ()


class Answer(NamedTuple):
    """What a whole response says; `failed` and `incomplete` as in `types.Inference`."""

    parts: list[Part]
    failed: bool
    incomplete: bool


def answer(call: Call, is_error: Callable[[bytes], bool] = says_error) -> Answer:
    """The response of a dialect that does not stream."""
    body = call.response_body
    if is_error(body):
        return Answer(error_part(body), failed=True, incomplete=False)
    found = parts(body, call.response_headers, "assistant")
    if found and found[-1].text is not None and _LINES.match(found[-1].text):
        found[-1:] = in_pieces(found[-1:])
    is_text = bool(found) and found[-1].text is not None and is_success(call)
    is_cut = is_text and not call.response_truncated and "json" in _kind(call.response_headers)
    return Answer(found, failed=False, incomplete=is_cut and json_array.is_cut(body))


def prediction(call: Call, protocol: str, model: str) -> Inference:
    """What columns in and columns out mean: an exchange of a dialect that does not stream."""
    found = answer(call)
    return Inference(
        protocol=protocol,
        operation="infer",
        model=model,
        inputs=parts(call.request_body, call.request_headers, "user"),
        outputs=found.parts,
        failed=found.failed,
        incomplete=found.incomplete,
    )


def spoken(call: Call) -> list[Part]:
    """What a response says that is of no dialect: its columns, or the text of its events."""
    if not sse.is_stream(call.response_headers):
        return parts(call.response_body, call.response_headers, "assistant")
    found = bodies.text(b"\n".join(event.data for event in sse.events(call.response_body)))
    return [Part(role="assistant", text=Piece(found))] if found else []


def in_pieces(parts: list[Part]) -> list[Part]:
    """The same parts of a stream, of whose texts and columns each may go on in the next."""
    return [
        part
        if part.text is None and part.datatype != "BYTES"
        else msgspec.structs.replace(
            part,
            text=None if part.text is None else Piece(part.text),
            data=part.data and [Piece(one) if type(one) is str else one for one in part.data],
        )
        for part in parts
    ]


def _kind(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").lstrip().lower()


def parts(body: bytes, headers: dict[str, str], role: str) -> list[Part]:
    """The parts of any body.

    >>> [(part.name, part.data) for part in parts(b'{"age": 41, "plan": "pro"}', {}, "user")]
    [('age', [41]), ('plan', ['pro'])]
    >>> columns = parts(b'{"rows": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}', {}, "user")
    >>> [(part.name, part.shape, part.data) for part in columns]
    [('rows.a', [2], [1, 2]), ('rows.b', [2], ['x', 'y'])]
    >>> [(part.name, part.data) for part in parts(b'[{"a": 1}, {"a": null, "b": 2}]', {}, "user")]
    [('a', [1, None]), ('b', [None, 2])]
    """
    if not body:
        return []
    kind = _kind(headers)
    found = bodies.text(body)
    if kind.startswith("application/x-www-form-urlencoded") and found is not None:
        pairs = parse_qsl(found, keep_blank_values=True, errors="replace")[:MAX_PARTS]
        return [_column(name, [value], role) for name, value in pairs]
    if kind.startswith("multipart/") or found is None:
        return []
    columns = Columns(role, room(body))
    try:
        if kind.startswith(_TABLES):
            columns.add_table(found, kind)
            return columns.parts
        is_lines = kind != "application/json" and ndjson.is_lines(headers)  # nearly always JSON
        value = _lines(body) if is_lines else bodies.document(body)
        columns.add("", value)
    except (ParseError, OverflowError):
        return [*columns.parts, Part(role=role, text=found)]
    return [Part(role=role, text=value)] if isinstance(value, str) else columns.parts


def _lines(body: bytes) -> Any:
    """The rows of a body that holds one a line; one line is a body like any other."""
    rows = [bodies.document(line.data) for line in ndjson.lines(body)]
    return rows[0] if len(rows) == 1 else rows


class Columns:
    """The parts of one body; raises OverflowError beyond MAX_PARTS of them, or `room` bytes."""

    def __init__(self, role: str, room: int) -> None:
        self.parts: list[Part] = []
        self._role = role
        self._room = room

    def add(self, path: str, value: Any, depth: int = 0) -> None:
        """What a JSON value holds, under a path."""
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            named = table(value) if len(value) > 1 else None
            for key, one in value.items():
                if named is None or key not in named:
                    self.add(self._below(path, key) if path else key, one, depth + 1)
            if named is not None:
                names, rows = (value[key] for key in named)
                self.add_rows([self._below(path, str(name)) for name in names], rows)
        elif depth < _MAX_DEPTH and isinstance(value, list) and _is_rows(value):
            self._add_rows(path, value, depth)
        elif isinstance(value, list):
            self._add_list(path, value)
        else:
            self._put(_column(path, [value], self._role))

    def _add_rows(self, path: str, rows: list[dict[str, Any]], depth: int) -> None:
        names = dict.fromkeys(name for row in rows for name in row)
        self._spend(_CELL * len(names) * len(rows))
        for name in names:
            values = [row.get(name) for row in rows]
            here = self._below(path, name)
            if any(isinstance(one, dict | list) for one in values):
                for one in values:
                    if one is not None:
                        self.add(here, one, depth + 1)
            else:
                self._add_list(here, values)

    def add_table(self, text: str, kind: str) -> None:
        """CSV, with or without a line of names; columns without are named by their place from 0.

        `kind` is its media type, whose parameter may tell (RFC 4180). Raises ParseError where the
        lines are no rows of one width.
        """
        separator = "\t" if "tab-separated" in kind else ","
        try:
            lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            rows = [row for row in lines if row]
        except csv.Error:
            raise ParseError("the body is not CSV") from None
        if len({len(row) for row in rows}) != 1:
            raise ParseError("the rows of the body have different lengths")
        table = [[_cell(one) for one in row] for row in rows]
        names: Sequence[Any] = range(len(rows[0]))
        if "header=present" in kind or ("header=absent" not in kind and _is_header(table)):
            names, table = rows[0], table[1:]
        self.add_rows(names, table)

    def add_rows(self, names: Sequence[Any], rows: list[list[Any]]) -> None:
        """Rows of one width, a column for each name; numbers of very many are one tensor."""
        if len(names) > MAX_PARTS:
            self._add_list("data", rows)
            return
        for place, name in enumerate(names):
            self._add_list(str(name), [row[place] for row in rows])

    def add_tensor(self, path: str, shape: list[int], values: list[Any]) -> None:
        """Flat values in row-major order, of that shape or else of none."""
        flat = [bodies.dump(one) if isinstance(one, dict | list) else one for one in values]
        whole = shape if len(flat) == _size(shape) else [len(flat)]
        self._put(Part(name=path, datatype=_datatype(flat), shape=whole, data=flat))

    def _add_list(self, path: str, values: list[Any]) -> None:
        shape, flat = _rectangle(values)
        if any(isinstance(one, str) and _is_long(one) for one in flat):
            for one in flat:
                if one is not None:
                    self._put(_column(path, [one], self._role))
        elif flat:
            self.add_tensor(path, shape, flat)

    def _put(self, part: Part) -> None:
        self._room -= _FRAME + len(part.name or "")
        if self._room < 0 or len(self.parts) >= MAX_PARTS:
            raise OverflowError
        self.parts.append(part)

    def _below(self, path: str, key: str) -> str:
        """The name of a member, as RFC 9535 (JSONPath) writes it; a flat object's is its key.

        >>> columns = Columns("user", 100)
        >>> [columns._below(*each) for each in (("", "2nd floor"), ("a", "b"), ("a", "1.2"))]
        ['2nd floor', 'a.b', "a['1.2']"]
        """
        if not path:
            return key
        self._spend(len(path))
        return f"{path}.{key}" if _PLAIN.fullmatch(key) else f"{path}['{key}']"

    def _spend(self, count: int) -> None:
        self._room -= count
        if self._room < 0:
            raise OverflowError


def table(value: dict[str, Any]) -> tuple[str, str] | None:
    """The members of an object that are the names of columns and their rows, if it has such.

    >>> table({"columns": ["a", "b"], "index": [0], "data": [[1, 2]]})
    ('columns', 'data')
    """
    for name_key in _NAMES:
        names = value.get(name_key)
        if not (isinstance(names, list) and names and all(map(_is_name, names))):
            continue
        for key in _ROWS:
            rows = value.get(key)
            if isinstance(rows, list) and rows and all(_is_row(row, len(names)) for row in rows):
                return name_key, key
    return None


def _is_name(value: Any) -> bool:
    """Whether a value may name a column; one of a table may have none."""
    return value is None or isinstance(value, str | int | float)


def _is_row(row: Any, width: int) -> bool:
    """Whether a value is a list of so many."""
    return isinstance(row, list) and len(row) == width


def _is_rows(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(one, dict) for one in values)


def _cell(text: str) -> Any:
    """A cell of a CSV as JSON has it: a number, a text, or None.

    What may be a telephone number or a card stays as it was written.

    >>> [_cell(text) for text in ("7", " 0.30", "-1e3", "007", "+49170", "basic", "", "1" * 19)]
    [7, 0.3, -1000.0, '007', '+49170', 'basic', None, '1111111111111111111']
    """
    text = text.strip()
    if text.lower() in _MISSING:
        return None
    if len(text) < 19 and _WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


def _is_header(table: list[list[Any]]) -> bool:
    """Whether the first row of a table names its columns: texts, all different, above a number."""
    first = table[0]
    if not all(isinstance(one, str) for one in first) or len(set(first)) < len(first):
        return False
    return any(isinstance(one, int | float) for row in table[1:] for one in row)


def _column(name: str, values: list[Any], role: str) -> Part:
    value = values[0]
    if isinstance(value, dict | list):
        value = bodies.dump(value)
    if isinstance(value, str) and _is_long(value):
        return Part(role=role, text=value)
    return Part(name=name, datatype=_datatype([value]), shape=[1], data=[value])


def _is_long(value: str) -> bool:
    """Whether a string is a text rather than a category."""
    return len(value) > LONG_STRING or value.count(" ") > 3 or "\n" in value


def _rectangle(values: list[Any]) -> tuple[list[int], list[Any]]:
    """Shape and flat values of nested lists of equal lengths; ragged ones stay as they are."""
    shape = [len(values)]
    while values and all(isinstance(one, list) for one in values) and len(shape) < _MAX_DEPTH:
        lengths = {len(one) for one in values}
        if len(lengths) != 1:
            break
        shape.append(lengths.pop())
        values = [item for one in values for item in one]
    return shape, values


def _size(shape: list[int]) -> int:
    return math.prod(shape) if len(shape) <= _MAX_DEPTH else -1


def _datatype(values: list[Any]) -> str | None:
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return None
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"
