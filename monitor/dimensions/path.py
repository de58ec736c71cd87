"""The path of a request → text."""

from __future__ import annotations

from urllib.parse import unquote

from monitor import expressions
from monitor.interfaces import Origin, Reader
from monitor.types import Call


def reader(expression: str) -> Reader:
    """The first group of an expression that is searched for in the decoded path."""
    found = expressions.compiled(expression, needs_group=True)

    def read(call: Call) -> str | None:
        return expressions.first(found, unquote(call.path))

    return read


def words(expression: str) -> str:
    """Where the value stands, for a person."""
    return f"the group in {expression} of the request's path"


ORIGIN = Origin("path", reader, words)
