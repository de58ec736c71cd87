"""What else a store knows of an endpoint: prints of keys, templates, and logs of what was read.

The hash `monitor:{ENDPOINT:keys}` holds the fingerprints of the replicas' keys,
`monitor:{ENDPOINT}:templates` the templates that recorders share. The streams
`monitor:{ENDPOINT}:access` and `monitor:{ENDPOINT}:decisions` are the logs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

LOOKED_THROUGH, SCANNED = 100_000, 1000
"""Keys of a store that are looked through for streams, and how many at a time."""
TEMPLATES = 2048
"""Prompt templates that recorders share, at most."""
DECIDED = 100_000
"""Decisions, and readings of them, that are remembered, at least."""
READ = 1_000_000
"""Readings of records' content that are remembered, at least, whoever writes them down: at the 50 a
second that a token may ask for nobody can push out in five hours what they have read before."""


class Notes:
    """Those of one endpoint. `call` sends a command and returns its answer, `page` some entries of
    a stream that a command asks for, `keys` the keys like a pattern; all raise StreamError."""

    def __init__(
        self,
        endpoint: str,
        call: Callable[..., Awaitable[Any]],
        page: Callable[..., Awaitable[list[Any]]],
        keys: Callable[..., Awaitable[list[bytes]]],
    ) -> None:
        self._call = call
        self._page = page
        self._keys = keys
        self._fingerprints = f"monitor:{{{endpoint}:keys}}"
        self._access = f"monitor:{{{endpoint}}}:access"
        self._decisions = f"monitor:{{{endpoint}}}:decisions"
        self._templates = f"monitor:{{{endpoint}}}:templates"

    async def log_access(self, who: str, what: str, record: str, at: float) -> None:
        """Write down that somebody was given the content of a record at Unix time `at`; or raise
        StreamError."""
        document = msgspec.json.encode({"at": at, "who": who, "what": what, "record": record})
        entry = "XADD", self._access, "MAXLEN", "~", READ, "*", "v", "1", "access"
        await self._call(*entry, document)

    async def log_decisions(self, documents: Sequence[bytes]) -> None:
        """Write down what was decided, or who read it; or raise StreamError."""
        for document in documents:
            entry = "XADD", self._decisions, "MAXLEN", "~", DECIDED, "*", "v", "1", "decision"
            await self._call(*entry, document)

    async def decisions(self, before: str = "") -> list[tuple[str, bytes]]:
        """(its place, document) of some entries of the log before a place, the newest first; none
        at its end; or raise StreamError."""
        page = await self._page("XREVRANGE", self._decisions, f"({before}" if before else "+", "-")
        return [(entry.decode(), b"".join(fields[3:4])) for entry, fields in page]

    async def endpoints(self) -> set[str]:
        """Return the names of endpoints with a stream among `LOOKED_THROUGH` keys of the store."""
        found = await self._keys("monitor:{*}:records", most=LOOKED_THROUGH, at_once=SCANNED)
        tags = [
            key.decode("utf-8", "replace")[len("monitor:{") : -len("}:records")] for key in found
        ]
        return {tag.rpartition(":")[0] for tag in tags}

    async def fingerprints(self) -> dict[str, str]:
        """Key id → fingerprint of the keys that replicas of this endpoint have used."""
        flat = await self._call("HGETALL", self._fingerprints)
        texts = [item.decode("utf-8", "replace") for item in flat]
        return dict(zip(texts[::2], texts[1::2], strict=True))

    async def add_fingerprints(self, new: Mapping[str, str]) -> None:
        """Write those down whose key ids nobody has written yet."""
        for key_id, fingerprint in new.items():
            await self._call("HSETNX", self._fingerprints, key_id, fingerprint)

    async def templates(self) -> dict[str, bytes]:
        """Id → document of the prompt templates that the recorders of this endpoint have found.

        Not more than a store holds that only recorders write to; none where it holds more.
        """
        if await self._call("HLEN", self._templates) > 2 * TEMPLATES:
            return {}
        flat = await self._call("HGETALL", self._templates)
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return {name.decode("utf-8", "replace"): document for name, document in pairs}

    async def add_templates(self, new: Mapping[str, bytes], changed: Mapping[str, bytes]) -> None:
        """Write down those whose ids nobody has written yet, while there is room, and what has
        `changed` of the others."""
        room = TEMPLATES - await self._call("HLEN", self._templates)
        for name, one in list(new.items())[: max(0, room)]:
            await self._call("HSETNX", self._templates, name, one)
        for name, one in changed.items():
            await self._call("HSET", self._templates, name, one)
