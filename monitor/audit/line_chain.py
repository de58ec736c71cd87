"""Lines of a log, each of which holds a digest of the one before it → what they prove.

Who changes, moves or takes out a line leaves the next one with a digest of no line. Who cuts off
the end, or writes all of it anew, does not: that is shown by a digest that was kept elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from monitor.audit.proofs import Wrong

PREVIOUS = "previous"
"""The member that holds the digest of the line before; of the first line it is empty."""


class Lines(NamedTuple):
    """How many lines there are, how many of them name the one before, and the digests of all."""

    total: int
    linked: int
    digests: tuple[str, ...]


def digest(line: bytes) -> str:
    """SHA-256 of a line without its end; empty where there is no line.

    >>> digest(b""), digest(b"a\\n")[:8]
    ('', 'ca978112')
    """
    bare = line.rstrip(b"\r\n")
    return sha256(bare).hexdigest() if bare else ""


def check(lines: Iterable[bytes]) -> Lines:
    """What a log proves. Lines of earlier versions name none before them, and stand before all
    that do. Raises Wrong with the first line that is not what it was."""
    before, linked = "", 0
    digests = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise Wrong(f"line {number}: is no line of an audit log")
        said = entry.get(PREVIOUS)
        if said is None and linked:
            raise Wrong(f"line {number}: does not name the line before it, as those before do")
        if said is not None:
            if said != before:
                raise Wrong(f"line {number}: the line before it was changed, moved or taken out")
            linked += 1
        before = digest(line)
        digests.append(before)
    return Lines(len(digests), linked, tuple(digests))
