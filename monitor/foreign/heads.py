"""The first bytes of a file → what its first row is like, which tells whose log it is.

A file may be cut at its beginning, and other lines may stand before the rows: what most lines are
says what it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from monitor import packing
from monitor.interfaces import Head

LINES = 20
"""Lines that are looked at for one that is an object."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)
_decode = msgspec.json.Decoder().decode


_TABLES = packing.named(".csv", ".tsv")


def lines(head: Head) -> list[bytes]:
    """The lines that are whole, without those that say nothing: empty ones, and remarks.

    >>> lines(Head(None, b"# by hand\\n\\na\\nb\\nc")), lines(Head(None, b"a"))
    ([b'a', b'b'], [b'a'])
    """
    found = head.text.splitlines(keepends=True)
    whole = [line for line in found if line.endswith((b"\n", b"\r"))] or found
    return [line.strip() for line in whole if line.strip() and not line.startswith(b"#")]


def are_mostly(head: Head, pattern: re.Pattern[str], longest: int) -> bool:
    """Whether the first line fits a pattern, or more than half of those that are whole; of each so
    many bytes are looked at. A table by its name may hold such lines, and is none of them."""
    text = head.text.split(b"\n", 1)[0]
    if pattern.fullmatch(text[:longest].decode("utf-8", "replace").rstrip("\r")):
        return True
    found = [] if head.path.name.endswith(_TABLES) else lines(head)
    fit = [pattern.fullmatch(line[:longest].decode("utf-8", "replace")) for line in found]
    return 2 * sum(one is not None for one in fit) > len(fit)


def text_of(head: Head) -> bytes:
    """The text from its first row on, where most lines are objects and the first is none."""
    text = head.text
    found = lines(head) if text[:1] not in (b"{", b"[") else []
    objects = [line for line in found if line.startswith(b'{"')]
    return b"\n".join(objects) if 2 * len(objects) > len(found) else text


@lru_cache(maxsize=4)
def first(head: Head) -> Mapping[str, Any]:
    """The first row of a file by name: of an object its members, of CSV the names alone.

    Of an object that goes on behind the first bytes only the names are known, of some members also
    the names in them, as `{name: {…}}` or `{name: [{…}]}`; what is not known is None.
    """
    text = text_of(head)
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
