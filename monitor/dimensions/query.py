"""A field of a request's query → text."""

from __future__ import annotations

from urllib.parse import unquote_plus

from monitor.interfaces import Origin, Reader
from monitor.types import Call

MAX_FIELDS = 100


def reader(name: str) -> Reader:
    """The value of the first field of that name, percent-decoded."""
    if not name:
        raise ValueError("is empty; give the name of a field, as cohort")

    def read(call: Call) -> str | None:
        if not call.query:
            return None
        for field in call.query.split("&", MAX_FIELDS)[:MAX_FIELDS]:
            key, _, value = field.partition("=")
            if unquote_plus(key) == name:
                return unquote_plus(value).strip() or None
        return None

    return read


def words(name: str) -> str:
    """Where the value stands, for a person."""
    return f"{name} in the query"


ORIGIN = Origin("query", reader, words)
