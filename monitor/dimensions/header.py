"""A request header → text."""

from __future__ import annotations

from monitor.interfaces import Origin, Reader
from monitor.types import Call


def reader(names: str | list[str]) -> Reader:
    """The value of the first of the headers that a request has."""
    wanted = [name.lower() for name in ([names] if isinstance(names, str) else names)]

    def read(call: Call) -> str | None:
        for name in wanted:
            if value := call.request_headers.get(name, "").strip():
                return value
        return None

    return read


def words(names: str | list[str]) -> str:
    """Where the value stands, for a person."""
    listed = [names] if isinstance(names, str) else names
    return f"the request header {', else '.join(listed)}"


ORIGIN = Origin("header", reader, words)
