"""Somebody's file of feedback → Statements: JSON lines, CSV or Parquet, an item a line or row."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from monitor import packing
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.feedback import FeedbackError, Statement, convert, read
from monitor.interfaces import Head, Table
from monitor.sources.csv import open_csv
from monitor.sources.parquet import claims as is_parquet
from monitor.sources.parquet import open_parquet

HEAD = 1 << 12
LONGEST = 1 << 20
"""Bytes of a line."""

PARTS = ("business", "attributes", "verdict")
"""Keys that hold an object: a column of them is called `business.order`."""
_ITSELF = ("label", "rating", "value", "at", "verdict.passed", "verdict.label")
"""Keys whose values may be other than texts."""


class Said(NamedTuple):
    """A Statement and where it stands: `FILE:LINE`, or `FILE: row N` of a Parquet file."""

    statement: Statement
    place: str


def statements(path: Path, damage: Damage, *, id_column: str = "") -> Iterator[Said]:
    """Yield what a file says, in order; a column called `id_column` holds the `id` of records.

    An item without a `key` gets one of its line and content: read again, also after lines were
    added, it counts once. What cannot be read is told to `damage` with its place. Raises
    SourceError, which names the file, where nothing of it can be read or a column is none of the
    keys.
    """
    head = _head(path)
    if is_parquet(head):
        yield from _rows(open_parquet(path), damage, id_column)
    elif head.text.startswith(b"["):
        raise SourceError(f"{path}: is a JSON list; write an object a line")
    elif head.is_lines:
        if id_column:
            raise SourceError(f"{path}: is JSON, which has no columns for --id-column")
        yield from _lines(path, damage)
    else:
        yield from _rows(open_csv(path), damage, id_column)


def _head(path: Path) -> Head:
    try:
        with packing.opened(path) as file:
            return Head(path, packing.beginning(file, HEAD))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {packing.why(error).lower()}") from None


def _lines(path: Path, damage: Damage) -> Iterator[Said]:
    number = 0
    try:
        with packing.opened(path) as file:
            while line := file.readline(LONGEST + 1):
                number += 1
                place = f"{path}:{number}"
                if len(line) > LONGEST:
                    damage.rows(path, place, f"is longer than {LONGEST:,} bytes")
                    while line and not line.endswith(b"\n"):
                        line = file.readline(LONGEST)
                    continue
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if not line.strip():
                    continue
                try:
                    found = read(line)
                except FeedbackError as error:
                    damage.rows(path, place, str(error))
                else:
                    yield Said(_keyed(found, number, line.strip()), place)
    except OSError as error:
        damage.ends(path, f"{path}:{number + 1}", packing.why(error))


def _rows(table: Table, damage: Damage, id_column: str) -> Iterator[Said]:
    names = [name for name in table.names if name]
    keys = ["id" if name == id_column else name for name in names]
    if id_column and id_column not in names:
        raise SourceError(
            f"{table.path}: has no column {id_column!r} (--id-column); it has {_listed(names)}"
        )
    places = [_place(key, table.path) for key in keys]
    for number, values in table.rows(names, damage):
        tree: dict[str, Any] = {}
        for (key, part), value in zip(places, values, strict=True):
            if value is None or value == "" or value != value:  # noqa: PLR0124  not a number
                continue
            if part:
                tree.setdefault(key, {})[part] = _cell(f"{key}.{part}", value)
            else:
                tree[key] = _cell(key, value)
        place = table.place(number)
        try:
            found = convert(tree)
        except FeedbackError as error:
            damage.rows(table.path, place, str(error))
        else:
            yield Said(_keyed(found, number, repr(tree).encode("utf-8", "replace")), place)


def _place(key: str, path: Path) -> tuple[str, str]:
    """(key of an item, key inside of it) of a column."""
    outer, _, inner = key.partition(".")
    known = outer in Statement.__struct_fields__ and (outer in PARTS) == bool(inner)
    if not known:
        keys = [one for one in Statement.__struct_fields__ if one not in PARTS]
        keys += [f"{one}.NAME" for one in PARTS[:2]] + ["verdict.reviewer", "verdict.passed"]
        raise SourceError(
            f"{path}: column {key!r} is none of the keys of an item; these are {_listed(keys)} "
            "(--id-column names the one that holds ids)"
        )
    return outer, inner


def _cell(key: str, value: Any) -> Any:
    """A cell as an item may have it: ids that are numbers become texts, times get the zone UTC."""
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    if isinstance(value, int) and not isinstance(value, bool) and key not in _ITSELF:
        return str(value)
    return value


def _keyed(said: Statement, number: int, content: bytes) -> Statement:
    if said.key is not None:
        return said
    digest = hashlib.blake2b(b"%d " % number + content, digest_size=16).hexdigest()
    return msgspec.structs.replace(said, key=digest)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:30]) + (", …" if len(names) > 30 else "")
