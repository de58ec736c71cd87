"""A member of the request's `baggage` header (W3C Baggage) → text."""

from __future__ import annotations

from urllib.parse import unquote

from monitor.interfaces import Origin, Reader
from monitor.types import Call

MAX_BYTES = 8192
MAX_MEMBERS = 180
"""What of a header is looked at, as the specification bounds it."""


def reader(name: str) -> Reader:
    """The value of the member of that name, percent-decoded; the last where it comes twice."""
    if not name:
        raise ValueError("is empty; give the name of a member, as region")

    def read(call: Call) -> str | None:
        found = None
        header = call.request_headers.get("baggage", "")[:MAX_BYTES]
        for member in header.split(",", MAX_MEMBERS)[:MAX_MEMBERS]:
            key, equals, value = member.partition(";")[0].partition("=")
            if equals and key.strip() == name:
                found = unquote(value.strip()) or None
        return found

    return read


def words(name: str) -> str:
    """Where the value stands, for a person."""
    return f"{name} in the baggage header"


ORIGIN = Origin("baggage", reader, words)
