"""Lines of a log, each of which holds a digest of the one before it → what they prove.

Who changes, moves or takes out a line leaves the next one with a digest of no line. Who cuts off
the end, or writes all of it anew, does not: that is shown by a digest that was kept elsewhere.
Lines that crashes cut name nothing, so the next whole one names them together with the whole one
before them: else that one could go, and a crash be blamed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

from monitor.audit.proofs import Wrong

PREVIOUS = "previous"
"""The member that holds the digest of what is before; of the first line it is empty."""


class Lines(NamedTuple):
    """How many lines there are, how many of them name what is before, the digests of all, which
    of them are incomplete, counted from 1, and how many at the beginning nothing proves."""

    total: int
    linked: int
    digests: tuple[str, ...]
    cut: tuple[int, ...] = ()
    unproved: int = 0


def digest(*lines: bytes) -> str:
    """SHA-256 of lines without the end of the last; empty where there is none.

    >>> digest(), digest(b"a\\n")[:8], digest(b"a\\n", b"b") == digest(b"a\\r\\n", b"b\\n")
    ('', 'ca978112', True)
    """
    bare = b"\n".join(line.rstrip(b"\r\n") for line in lines)
    return sha256(bare).hexdigest() if bare else ""


def is_whole(line: bytes) -> bool:
    """Tell a line of a log from what a crash left of one. The next line names the last whole one
    and all that is after it."""
    return _entry(line) is not None


def check(lines: Iterable[bytes]) -> Lines:
    """What a log proves. A line is incomplete where it is no whole one, and the next whole one
    names it; there may be no next one. Raises Wrong with the first line that does not name what is
    before it.

    Earlier versions wrote less. At first lines named nothing: such stand before all that do. In
    the morning of 2026-11-30 the line after a crash named what was left, and not the whole line
    before it. What is before these may have been written anew, and is no violation.
    """
    linked, proved = 0, 1  # from which line on the others prove it
    digests: list[str] = []
    cut: list[int] = []
    open_: list[bytes] = []  # the last whole line, and what crashes left after it
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        digests.append(digest(line))
        if entry is None:
            cut.append(number)
            open_.append(line)
            continue
        said = entry.get(PREVIOUS)
        if said is None:
            if linked:
                raise Wrong(f"line {number}: does not name what is before it, as a line does")
            proved = number
        else:
            if said != digest(*open_):
                if not (cut[-1:] == [number - 1] and said and said == digests[-2]):
                    since = f" from {number - len(open_)} on" if len(open_) > 1 else ""
                    what = f"the line before it{since} was changed, moved or taken out"
                    raise Wrong(f"line {number}: {what}")
                proved = number - 1
            linked += 1
        open_ = [line]
    unproved = proved - 1 if linked else len(digests)
    return Lines(len(digests), linked, tuple(digests), tuple(cut), unproved)


def _entry(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where it is no whole line of a log."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
