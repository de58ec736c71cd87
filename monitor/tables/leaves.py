"""A schema of Arrow → its columns, those inside a struct too; a batch → their arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Leaf = tuple[str, ...]
"""Where a column stands: its name, or those of the structs that it is in, and its own."""


def leaves(schema: Any) -> tuple[list[Leaf], list[Leaf]]:
    """(where each column stands, where those are that cannot be looked at: maps and unions)."""
    import pyarrow as pa

    found: list[Leaf] = []
    left: list[Leaf] = []

    def visit(field: Any, path: Leaf) -> None:
        if pa.types.is_struct(field.type) and field.type.num_fields:
            for place in range(field.type.num_fields):
                inner = field.type.field(place)
                visit(inner, (*path, inner.name))
        elif pa.types.is_map(field.type) or pa.types.is_union(field.type):
            left.append(path)
        else:
            found.append(path)

    for field in schema:
        visit(field, (field.name,))
    return found, left


def named(found: Sequence[Leaf]) -> list[str]:
    """What columns are called, those inside a struct as `struct.field`.

    >>> named([("x",), ("s", "y")])
    ['x', 's.y']
    """
    return [".".join(leaf) for leaf in found]


def leaf(batch: Any, path: Leaf) -> Any:
    """A column of a batch, or a field of one: null where what it stands in is."""
    column = batch.column(path[0])
    for name in path[1:]:
        place = column.type.get_field_index(name)
        column = column.flatten()[place]
    return column


def damage() -> tuple[type[Exception], ...]:
    """What is raised where a file is damaged, or holds what Python's own types do not."""
    import pyarrow as pa

    return OSError, ValueError, OverflowError, pa.ArrowException


def is_out_of_reach(error: BaseException) -> bool:
    """Whether a part of a file could not be got at all, where that raised one of `damage`: nobody
    knows then what stands there.

    >>> is_out_of_reach(ValueError("a page is no page")), is_out_of_reach(OSError(5, "ends early"))
    (False, True)
    """
    return isinstance(error, OSError) and bool(error.strerror)


def reason(error: BaseException) -> str:
    """The first sentence of what pyarrow says, or why a file cannot be read.

    >>> reason(ValueError("There is no footer. Perhaps it is damaged."))
    'There is no footer'
    """
    said = error.strerror if isinstance(error, OSError) else ""
    line = ((said or str(error)).splitlines() or [type(error).__name__])[0]
    return line.partition(". ")[0][:200].rstrip(". ")


def wrong(error: BaseException) -> str:
    """What is to be said of a part of a file, where that raised one of `damage`.

    >>> wrong(ValueError("a page is no page")), wrong(OSError(5, "ends early"))
    ('is damaged: a page is no page', 'cannot be read: ends early')
    """
    how = "cannot be read" if is_out_of_reach(error) else "is damaged"
    return f"{how}: {reason(error)}"
