"""The request's `traceparent` and `tracestate` → the trace that it belongs to.

W3C Trace Context (https://www.w3.org/TR/trace-context/). What is not valid is as good as absent.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_MEMBER = r"[a-z0-9][a-z0-9_*/@-]{0,255}=[!-+\--<>-~ ]{0,255}[!-+\--<>-~]"
_TRACESTATE = re.compile(rf"{_MEMBER}(?:[ \t]*,[ \t]*{_MEMBER}){{0,31}}")
LONGEST_STATE = 512
"""Characters of a `tracestate` that everybody must pass on (§3.3.1.5); a longer one is left out."""


class Parent(NamedTuple):
    """The span of which an exchange is a part; ids in lower-case hex digits."""

    trace_id: str
    span_id: str
    flags: int

    @property
    def is_sampled(self) -> bool:
        """Whether the caller says that it may have recorded its own span."""
        return self.flags & 1 == 1


def read(traceparent: str) -> Parent | None:
    """Return what a `traceparent` header says, None when it is not valid.

    >>> read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").is_sampled
    True
    >>> read("00-00000000000000000000000000000000-b7ad6b7169203331-01")
    """
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    return None if match is None else Parent(match[1], match[2], int(match[3], 16))


def trace_id(traceparent: str) -> str | None:
    """Return the trace id of a `traceparent` header, None when it is not valid."""
    parent = read(traceparent) if traceparent else None
    return None if parent is None else parent.trace_id


def state(tracestate: str) -> str:
    """Return a `tracestate` header if it is valid and not too long, else nothing.

    >>> state("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"), state("Not Valid")
    ('congo=t61rcWkgMzE,rojo=00f067aa0ba902b7', '')
    """
    said = tracestate.strip()
    return said if len(said) <= LONGEST_STATE and _TRACESTATE.fullmatch(said) else ""
