"""A file of `COLUMN: KIND` → how columns are to be read, whatever their values tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from monitor.errors import UsageError
from monitor.tables.column_types import WORDS, ColumnType, named

LONGEST = 1 << 20
"""Bytes of such a file, at most."""


def read(name: str) -> Mapping[str, ColumnType]:
    """What a file in YAML or JSON says of each column; raises UsageError with one line."""
    try:
        with Path(name).open("rb") as stream:
            content = stream.read(LONGEST + 1)
    except OSError as error:
        raise UsageError(f"--types {name}: cannot be read: {error.strerror}") from None
    if len(content) > LONGEST:
        raise UsageError(f"--types {name}: has more than {LONGEST:,} bytes")
    try:
        said = msgspec.yaml.decode(content, type=dict[str, str])
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise UsageError(
            f"--types {name}: holds no lines of COLUMN: KIND, as `amount: numeric`"
        ) from None
    found = {}
    for column, words in said.items():
        how = named(words)
        if how is None:
            raise UsageError(
                f"--types {name}: column {column!r} cannot be {words!r}; there are "
                f"{'; '.join(WORDS)}"
            )
        found[column] = how
    return found
