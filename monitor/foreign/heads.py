"""The first bytes of a file → what its first row is like, which tells whose log it is."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from monitor.interfaces import Head

LINES = 20
"""Lines that are looked at for one that is an object."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)
_decode = msgspec.json.Decoder().decode


@lru_cache(maxsize=4)
def first(head: Head) -> Mapping[str, Any]:
    """The first row of a file by name: of an object its members, of CSV the names alone.

    Of an object that goes on behind the first bytes only the names are known, of some members also
    the names in them, as `{name: {…}}` or `{name: [{…}]}`; what is not known is None.
    """
    text = head.text
    if text[:1] not in (b"{", b"["):
        return dict.fromkeys(_names(text))
    for line in text.splitlines()[:LINES]:
        try:
            found = _decode(line.strip().lstrip(b"[").rstrip(b",]") if text[:1] == b"[" else line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue
        if isinstance(found, dict):
            return found
    return _scanned(text)


def item(head: Head) -> Mapping[str, Any]:
    """The same of a row; of a page of them, as an API answers it in `data`, the first of these.

    >>> item(Head(None, b'{"data": [{"a": 1}, {"b": 2}], "meta": {}}'))
    {'a': 1}
    """
    row = first(head)
    data = row.get("data")
    return data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else row


def items(document: Any) -> list[Any]:
    """The rows of a page as an API answers it in `data`; what is none is a row itself."""
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, list) else [document]


def _names(text: bytes) -> list[str]:
    line = text.splitlines()[0].decode("utf-8", "replace") if text else ""
    try:
        return [name.strip() for name in next(csv.reader([line]))]
    except (csv.Error, StopIteration):
        return []


def _scanned(text: bytes) -> dict[str, Any]:
    """Names in the first object of a text that may be cut anywhere, two deep.

    >>> _scanned(b'[{"a": 1, "b": {"c": [{"d": 2}], "e": "f", "g": ')
    {'a': None, 'b': {'c': None, 'e': None, 'g': None}}
    >>> _scanned(b'{"data": [{"a": 1, "b": {"c": 2}}, {"d')
    {'data': [{'a': None, 'b': None}]}
    """
    found: dict[str, Any] = {}
    path: list[str] = []
    said = ""
    inside = b""  # what each open bracket is
    for match in _TOKEN.finditer(text, text.find(b"{")):
        token = match[0]
        if token in (b"{", b"["):
            inside += token
            path.append(said)
        elif token in (b"}", b"]"):
            inside = inside[:-1]
            path.pop()
            if not inside:
                break
        elif token == b":":
            if inside == b"{":
                found.setdefault(said, None)
            elif inside == b"{{":
                members = found.get(path[1])
                found[path[1]] = {**(members or {}), said: None}
            elif inside == b"{[{":
                items = found.get(path[1]) or [{}]
                found[path[1]] = [{**items[0], said: None}]
        elif token != b",":
            said = token[1:-1].decode("utf-8", "replace")
    return found
