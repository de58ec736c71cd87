"""JSON Patch: the operations that an injection needs (RFC 6902), made and applied."""

from __future__ import annotations

import copy
from typing import Any

Operation = dict[str, Any]
"""`op` (`add` or `replace`), `path`, `value`."""


def add(path: str, value: Any) -> Operation:
    """Return an operation that adds a member, or an element before the one that is there."""
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: Any) -> Operation:
    """Return an operation that puts another value where there is one."""
    return {"op": "replace", "path": path, "value": value}


def escaped(key: str) -> str:
    """Return a key as a JSON pointer writes it (RFC 6901).

    >>> escaped("monitor.dev/status~")
    'monitor.dev~1status~0'
    """
    return key.replace("~", "~0").replace("/", "~1")


def applied(document: Any, patch: list[Operation]) -> Any:
    """Return the document with a patch applied; the given one stays as it is.

    Raises KeyError or IndexError where a path leads nowhere.

    >>> applied({"a": [1]}, [add("/a/-", 2), replace("/a/0", 0), add("/b", {})])
    {'a': [0, 2], 'b': {}}
    """
    document = copy.deepcopy(document)
    for operation in patch:
        *way, last = [
            step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]
        ]
        place = document
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        value = copy.deepcopy(operation["value"])
        if isinstance(place, list):
            if operation["op"] == "replace":
                place[int(last)] = value
            else:
                place.insert(len(place) if last == "-" else int(last), value)
        elif operation["op"] == "replace" and last not in place:
            raise KeyError(operation["path"])
        else:
            place[last] = value
    return document
