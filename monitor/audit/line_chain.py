"""Lines of a log, each of which holds a digest of the one before it → what they prove.

Who changes, moves or takes out a line leaves the next one with a digest of no line. Who cuts off
the end, or writes all of it anew, does not: that is shown by a digest that was kept elsewhere. A
line that a crash cut is part of the chain as it is: the next one names what there is of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

from monitor.audit.proofs import Wrong

PREVIOUS = "previous"
"""The member that holds the digest of the line before; of the first line it is empty."""


class Lines(NamedTuple):
    """How many lines there are, how many of them name the one before, the digests of all, and
    which of them are incomplete, counted from 1."""

    total: int
    linked: int
    digests: tuple[str, ...]
    cut: tuple[int, ...] = ()


def digest(line: bytes) -> str:
    """SHA-256 of a line without its end; empty where there is no line.

    >>> digest(b""), digest(b"a\\n")[:8]
    ('', 'ca978112')
    """
    bare = line.rstrip(b"\r\n")
    return sha256(bare).hexdigest() if bare else ""


def check(lines: Iterable[bytes]) -> Lines:
    """What a log proves. Lines of earlier versions name none before them, and stand before all
    that do. A line is incomplete where it is the last and nothing ends it, or where the one after
    it names what there is of it. Raises Wrong with the first line that is not what it was."""
    before, linked = "", 0
    digests = []
    cut: list[int] = []
    line = b""
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        said = None if entry is None else entry.get(PREVIOUS)
        if cut[-1:] == [number - 1] and said != before:
            raise Wrong(f"line {number - 1}: is no line of an audit log")
        if entry is None:
            cut.append(number)
        elif said is None and linked:
            raise Wrong(f"line {number}: does not name the line before it, as those before do")
        elif said is not None:
            if said != before:
                raise Wrong(f"line {number}: the line before it was changed, moved or taken out")
            linked += 1
        before = digest(line)
        digests.append(before)
    if cut[-1:] == [len(digests)] and line.endswith(b"\n"):
        raise Wrong(f"line {len(digests)}: is no line of an audit log")
    return Lines(len(digests), linked, tuple(digests), tuple(cut))


def _entry(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where it is no whole line of a log."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
