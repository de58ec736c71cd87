"""A Comparison → what of a table's columns is otherwise than in the reference."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.replay.comparison import Comparison
from monitor.replay.document import SchemaChange
from monitor.replay.plan import Plan


def changes(plan: Plan, both: Comparison) -> list[SchemaChange]:
    """Columns that are gone, new, or of another kind; none without a reference, or of Records."""
    if not both.current.is_table or not both.has_reference:
        return []
    if plan.versus is not None or plan.parted is not None:
        return []  # both sides are of the same tables
    return sorted(_changes(plan, both), key=lambda one: (one.change, one.column))


def _changes(plan: Plan, both: Comparison) -> Iterator[SchemaChange]:
    types, safe = both.usual.types, both.usual.sanitizer
    for name in both.gone():
        yield SchemaChange(name, "gone")
    known = {*types.expected, *plan.label}
    labels = both.profile.labels if both.profile is not None else ()
    for name in both.current.columns - known:
        if both.looks_at(name) and safe.text(name) not in labels:
            yield SchemaChange(safe.text(name), "new", now=types.of(name).words)
    for name, how in types.unlike(both.current.tables, safe).items():
        if name in known and both.looks_at(name):
            was = types.of(name).words
            yield SchemaChange(safe.text(name), "type", was, how.words)
