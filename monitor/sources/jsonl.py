"""JSON objects, one a line or all in a list → Table; what an object holds is `object.field`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from monitor import packing
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.foreign import documents
from monitor.interfaces import Head, Source, Table
from monitor.tables import cells
from monitor.tables.headless import is_headless

COLUMNS = 5000
"""Columns of a table, at most: so many are watched at all."""

_LIST = re.compile(rb"\[\s*[{\[\"]")


def claims(head: Head) -> bool:
    """Whether a file holds JSON, one document a line or all in a list; a log may begin so too,
    where what follows the bracket is no text, list or object."""
    if head.is_lines or _LIST.match(head.text):
        return True
    return head.text.startswith(b"[") and not is_headless(head)


def open_objects(path: Path) -> Table:
    """A file of JSON objects, plain or packed; every name in any of them is a column.

    Raises SourceError naming file and line where it holds no object.
    """
    told: dict[str, bool] = {}
    damage = Damage()
    for _, row in _objects(path, damage):
        for name, value in row.items():
            if value is not None or name not in told:
                told[name] = value is not None
    outer = {name.rpartition(".")[0] for name in told}
    names = [name for name, has_values in told.items() if has_values or name not in outer]
    if not told:
        raise SourceError(damage.first() or f"{path}: is empty")
    place = f"{path}: item " if _is_list(path) else f"{path}:"

    def rows(wanted: Sequence[str], damage: Damage) -> Iterator[tuple[int, Sequence[Any]]]:
        for number, row in _objects(path, damage):
            yield number, [row.get(name) for name in wanted]

    with packing.opened(path) as stream:
        encoding = packing.UTF_16 if packing.is_broad(stream) else ""
    return Table(
        path, names[:COLUMNS], rows, lambda number: f"{place}{number}",
        beyond=max(0, len(names) - COLUMNS), encoding=encoding,
    )  # fmt: skip


def _objects(path: Path, damage: Damage) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number of the line, or of the item, what it holds by dotted name)."""
    if _is_list(path):
        yield from _items(path, damage)
        return
    line = 0
    try:
        with packing.opened(path) as lines:
            for line, text in enumerate(lines, start=1):
                if not text.strip():
                    continue
                found = _decoded(text.removeprefix(b"\xef\xbb\xbf") if line == 1 else text)
                if type(found) is dict:
                    yield line, dict(cells.flat(found, ""))
                else:
                    damage.rows(path, f"{path}:{line}", _WRONG)
    except OSError as error:
        damage.ends(path, f"{path}:{line + 1}", packing.why(error))


_WRONG = "not a JSON object"


def _items(path: Path, damage: Damage) -> Iterator[tuple[int, dict[str, Any]]]:
    found = None
    with suppress(OSError), packing.opened(path) as stream:
        found = _decoded(stream.read().removeprefix(b"\xef\xbb\xbf"))
    if type(found) is not list:  # what can be read of it
        found = (_decoded(text) for _, text in documents.rows(path, damage))
    for number, item in enumerate(found, start=1):
        if type(item) is dict:
            yield number, dict(cells.flat(item, ""))
        else:
            damage.rows(path, f"{path}: item {number}", _WRONG)


def _decoded(text: bytes) -> Any:
    """What a JSON text says, also with the NaN of Python's; None where it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_list(path: Path) -> bool:
    """Whether all of a file is one JSON list."""
    try:
        with packing.opened(path) as stream:
            first: bytes = stream.readline().removeprefix(b"\xef\xbb\xbf").strip()
            while not first and (more := stream.readline()):
                first = more.strip()
            # Lists, one a line, are no objects, whatever stands in them.
            return first.startswith(b"[") and not (stream.readline().strip() and _decoded(first))
    except OSError:
        return False


SOURCE = Source("jsonl", packing.named(".jsonl", ".ndjson"), claims, table=open_objects)
