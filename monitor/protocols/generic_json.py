"""Call → Inference for everything else: JSON to watchable columns and texts, text as it is.

A JSON scalar is a tensor of one value under its dotted path; a list of scalars, or a column of a
list of objects, is a tensor; numbers in nested lists keep their shape; a long string is a text. A
null, and a member that only the other rows have, is a value that is missing. Binary bodies give no
parts.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from monitor import bodies, sse
from monitor.chat import arrival
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part

MAX_PARTS = 256
"""What a body holds beyond that many parts is one text."""
LONG_STRING = 64
_MAX_DEPTH = 12

_PLAIN = re.compile(r"[^\W\d][\w -]*")


def claims(call: Call) -> bool:
    """Everything."""
    return True


def read(call: Call) -> Inference:
    """Raises nothing: any bytes are at least a text, or nothing to look at."""
    streamed = sse.is_stream(call.response_headers)
    first = last = 0
    if streamed:
        texts = []
        for event in sse.events(call.response_body):
            texts.append(event.data)
            if event.data != b"[DONE]":
                first, last = first or event.end, event.end
        found = bodies.text(b"\n".join(texts))
        outputs = [Part(role="assistant", text=found)] if found else []
    else:
        outputs = parts(call.response_body, call.response_headers, "assistant")
    return Inference(
        protocol="generic_json",
        operation="predict" if call.method == "POST" else "http",
        model="",
        inputs=parts(call.request_body, call.request_headers, "user"),
        outputs=outputs,
        streamed=streamed,
        first_token=arrival(call, first) if first else None,
        last_token=arrival(call, last) if first else None,
    )


PROTOCOL = Protocol("generic_json", claims, read)


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
    kind = headers.get("content-type", "").lower()
    found = bodies.text(body)
    if kind.startswith("application/x-www-form-urlencoded") and found is not None:
        pairs = parse_qsl(found, keep_blank_values=True, errors="replace")[:MAX_PARTS]
        return [_column(name, [value], role) for name, value in pairs]
    if kind.startswith("multipart/") or found is None:
        return []
    columns = _Columns(role)
    try:
        value = bodies.document(body)
        columns.add("", value, 0)
    except (ParseError, OverflowError):
        return [*columns.parts, Part(role=role, text=found)]
    return [Part(role=role, text=value)] if isinstance(value, str) else columns.parts


class _Columns:
    def __init__(self, role: str) -> None:
        self.parts: list[Part] = []
        self._role = role

    def add(self, path: str, value: Any, depth: int) -> None:
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            for key, one in value.items():
                self.add(_below(path, key), one, depth + 1)
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            self._add_rows(path, value, depth)
        elif isinstance(value, list):
            self._add_list(path, value)
        else:
            self._put(_column(path, [value], self._role))

    def _add_rows(self, path: str, rows: list[dict[str, Any]], depth: int) -> None:
        names = dict.fromkeys(name for row in rows for name in row)
        for name in names:
            values = [row.get(name) for row in rows]
            here = _below(path, name)
            if any(isinstance(one, dict | list) for one in values):
                for one in values:
                    if one is not None:
                        self.add(here, one, depth + 1)
            else:
                self._add_list(here, values)

    def _add_list(self, path: str, values: list[Any]) -> None:
        shape, flat = _rectangle(values)
        if any(isinstance(one, str) and _is_long(one) for one in flat):
            for one in flat:
                if one is not None:
                    self._put(_column(path, [one], self._role))
        elif flat:
            flat = [bodies.dump(one) if isinstance(one, dict | list) else one for one in flat]
            whole = shape if len(flat) == _size(shape) else [len(flat)]
            self._put(Part(name=path, datatype=_datatype(flat), shape=whole, data=flat))

    def _put(self, part: Part) -> None:
        if len(self.parts) >= MAX_PARTS:
            raise OverflowError
        self.parts.append(part)


def _below(path: str, key: str) -> str:
    """The name of a member, as RFC 9535 (JSONPath) writes it; a column of a flat object is itself.

    >>> _below("", "2nd floor"), _below("a", "b"), _below("a", "1.2")
    ('2nd floor', 'a.b', "a['1.2']")
    """
    if not path:
        return key
    return f"{path}.{key}" if _PLAIN.fullmatch(key) else f"{path}['{key}']"


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
    size = 1
    for length in shape:
        size *= length
    return size


def _datatype(values: list[Any]) -> str | None:
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return None
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"
