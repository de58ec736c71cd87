"""`limits.connections` and the limit on file descriptors → the connections that a proxy serves."""

from __future__ import annotations

import resource
import sys

USUAL = 10_000
"""Connections of clients at a time where the settings say nothing."""
SPARE = 64
"""File descriptors for other things than connections: sockets to other roles, files, libraries."""


def descriptors() -> int:
    """Return how many file descriptors a process may have, once it raises its soft limit."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def served(wanted: int | None, available: int) -> int:
    """Return how many connections a proxy serves at a time with so many file descriptors,
    of which each takes two.

    >>> served(None, 2**20), served(None, 1024), served(500, 1024), served(400, 1024)
    (10000, 480, 480, 400)
    """
    most = max(1, (available - SPARE) // 2)
    return min(USUAL if wanted is None else wanted, most)


def shortage(wanted: int | None, available: int) -> str:
    """Return one sentence if more connections were asked for than can be served, else nothing."""
    if wanted is None or (most := served(wanted, available)) == wanted:
        return ""
    return (
        f"limits.connections: {wanted} connections need {2 * wanted + SPARE} file descriptors, and "
        f"each proxy may have {available} (ulimit -n): it serves at most {most} at a time"
    )
