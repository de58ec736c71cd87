"""Records → what the last answer to an equal request came down to: a bounded memory of digests."""

from __future__ import annotations

from monitor.recorder.repeats import MOST, asked
from monitor.types import Record


class Agreements:
    """What was answered lately, as digests under a `key` that nobody else has."""

    def __init__(self, key: bytes, most: int = MOST) -> None:
        self._key = key
        self._most = most
        self._gists: dict[bytes, str] = {}

    def before(self, record: Record, gist: str) -> str:
        """Remember what an answer comes down to, if it does; return what the last one to an equal
        request came down to. Empty where none is remembered."""
        if not record.inputs or not gist:
            return ""
        digest = asked(record, self._key)
        before = self._gists.pop(digest, "")
        if not before and len(self._gists) >= self._most:
            del self._gists[next(iter(self._gists))]
        self._gists[digest] = gist
        return before
