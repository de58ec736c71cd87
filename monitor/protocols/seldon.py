"""Call → Inference for Seldon Core's V1 protocol: names beside rows.

https://docs.seldon.io/projects/seldon-core/en/latest/reference/apis/external-prediction.html
"""

from __future__ import annotations

import re
from typing import Any

from monitor import bodies, columns
from monitor.chat import is_error
from monitor.columns import Columns
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part

_PATH = re.compile(
    r"(?:/seldon(?:/[^/]+)?/(?P<name>[^/]+))?/api/v[0-9]+\.[0-9]+"
    r"/(?:predictions|explain|explanations)/?$"
)


_FAILURES = ("FAILURE", 1)
"""The name of the flag, or its number in `prediction.proto`, which Python's wrapper says."""


def claims(call: Call) -> bool:
    """POSTs to `[/seldon/[NAMESPACE/]NAME]/api/v1.0/predictions` and `/explain`."""
    return call.method == "POST" and _PATH.search(call.path) is not None


def read(call: Call) -> Inference:
    """Columns by their names; the model is the graph's only node, else the deployment's name."""
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of Seldon's")
    document = _object(call.response_body)
    answer = columns.answer(call, lambda _: _has_failed(document))
    path = _below(document, "meta", "requestPath")
    nodes = list(path) if isinstance(path, dict) else []
    return Inference(
        protocol="seldon",
        operation="infer",
        model=nodes[0] if len(nodes) == 1 else match["name"] or "",
        inputs=_parts(_object(call.request_body), call.request_body, "user"),
        outputs=answer.parts
        if answer.failed
        else _parts(document, call.response_body, "assistant"),
        failed=answer.failed,
        incomplete=answer.incomplete,
    )


PROTOCOL = Protocol("seldon", claims, read)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = bodies.document(body)
    except ParseError:
        return {}
    return document if isinstance(document, dict) else {}


def _has_failed(document: dict[str, Any]) -> bool:
    return is_error(document) or _below(document, "status", "status") in _FAILURES


def _below(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _parts(document: dict[str, Any], body: bytes, role: str) -> list[Part]:
    """`data` with its names by column; any other member as it is."""
    data, given = document.get("data"), document.get("jsonData", document.get("strData"))
    if isinstance(given, str):
        return [Part(role=role, text=given)]
    if not isinstance(data, dict):
        return columns.parts(body if given is None else bodies.Document.of(given), {}, role)
    found = columns.Columns(role, columns.room(body))
    try:
        tensor = data.get("tensor")
        names = data.get("names")
        if isinstance(tensor, dict):
            _add_tensor(found, tensor, names if isinstance(names, list) else [])
        elif columns.table(data) == ("names", "ndarray"):
            found.add("", {key: data[key] for key in ("names", "ndarray")})
        else:
            found.add("data", data.get("ndarray", data))
    except (ParseError, OverflowError):
        text = bodies.text(body)
        return [*found.parts, Part(role=role, text=text)] if text else found.parts
    return found.parts


def _add_tensor(found: Columns, tensor: dict[str, Any], names: list[Any]) -> None:
    shape, values = tensor.get("shape"), tensor.get("values")
    if not (isinstance(shape, list) and isinstance(values, list)):
        raise ParseError("the tensor is none")
    width = len(names)
    is_told = all(type(one) is int for one in shape)
    if width and (shape[1:] == [width] or not is_told) and len(values) % width == 0:
        rows = [values[at : at + width] for at in range(0, len(values), width)]
        found.add_rows(names, rows)
    else:
        found.add_tensor("data", [one for one in shape if type(one) is int], values)
