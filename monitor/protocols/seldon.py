"""Call → Inference for Seldon Core's V1 protocol: names beside rows.

https://docs.seldon.io/projects/seldon-core/en/latest/reference/apis/external-prediction.html
"""

from __future__ import annotations

import re
from typing import Any

from monitor import bodies
from monitor.chat import error_part, is_error
from monitor.columns import Columns, parts, room
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part

_PATH = re.compile(
    r"(?:/seldon/[^/]+/(?P<name>[^/]+))?/api/v[0-9]+\.[0-9]+/(?:predictions|explanations)/?$"
)


def claims(call: Call) -> bool:
    """POSTs to `[/seldon/NAMESPACE/NAME]/api/v1.0/predictions`."""
    return call.method == "POST" and _PATH.search(call.path) is not None


def read(call: Call) -> Inference:
    """Columns by their names; the model is the graph's only node, else the deployment's name."""
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of Seldon's")
    document = _object(call.response_body)
    failed = is_error(document) or _below(document, "status", "status") == "FAILURE"
    path = _below(document, "meta", "requestPath")
    nodes = list(path) if isinstance(path, dict) else []
    return Inference(
        protocol="seldon",
        operation="infer",
        model=nodes[0] if len(nodes) == 1 else match["name"] or "",
        inputs=_parts(_object(call.request_body), call.request_body, "user"),
        outputs=error_part(call.response_body)
        if failed
        else _parts(document, call.response_body, "assistant"),
        failed=failed,
    )


PROTOCOL = Protocol("seldon", claims, read)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = bodies.document(body)
    except ParseError:
        return {}
    return document if isinstance(document, dict) else {}


def _below(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _parts(document: dict[str, Any], body: bytes, role: str) -> list[Part]:
    """`data.ndarray` or `data.tensor` with names by column; any other member as it is."""
    data, given = document.get("data"), document.get("jsonData", document.get("strData"))
    if isinstance(given, str):
        return [Part(role=role, text=given)]
    columns = Columns(role, room(body))
    try:
        if isinstance(data, dict):
            _add_data(columns, data)
        elif given is not None:
            columns.add("", given)
        else:
            return parts(body, {}, role)
    except (ParseError, OverflowError):
        found = bodies.text(body)
        return [*columns.parts, Part(role=role, text=found)] if found else columns.parts
    return columns.parts


def _add_data(columns: Columns, data: dict[str, Any]) -> None:
    names, rows, tensor = data.get("names"), data.get("ndarray"), data.get("tensor")
    names = names if isinstance(names, list) else []
    if isinstance(tensor, dict):
        shape, values = tensor.get("shape"), tensor.get("values")
        if not (isinstance(shape, list) and isinstance(values, list)):
            raise ParseError("the tensor is none")
        if not names or shape[1:] != [len(names)] or len(values) % len(names):
            columns.add_tensor("data", [one for one in shape if type(one) is int], values)
            return
        rows = [values[at : at + len(names)] for at in range(0, len(values), len(names))]
    if names and isinstance(rows, list) and all(_is_row(row, len(names)) for row in rows):
        columns.add_rows(names, rows)
    else:
        columns.add("data", data if rows is None else rows)


def _is_row(row: Any, width: int) -> bool:
    return isinstance(row, list) and len(row) == width
