"""Verdicts as they change → the log of decisions in the store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import suppress

from monitor import decisions
from monitor.errors import ParseError
from monitor.findings import ExperimentEffect
from monitor.streams.redis import RedisStream
from monitor.turns import give_way


class DecisionLog:
    """The log of an endpoint, which the analyzer writes. `declared` has digests of what experiments
    are declared to be, by their names. Methods raise StreamError."""

    def __init__(self, declared: Mapping[str, str], stream: RedisStream) -> None:
        self._stream = stream
        self._declared = declared
        self._last: dict[decisions.Which, str] | None = None

    async def note(self, found: Iterable[ExperimentEffect], at: float) -> None:
        """Write down each verdict that is not the last one written; `at` is Unix seconds.

        What the log says is read once: so a restart says nothing twice.
        """
        if self._last is None:
            self._last = await self._read()
        for one in decisions.changed(found, self._last, self._declared, at):
            await self._stream.notes.log_decisions([decisions.encode(one)])
            self._last[one.which] = one.verdict

    def forget(self) -> None:
        """Read anew what the log says: another analyzer may have written meanwhile."""
        self._last = None

    async def _read(self) -> dict[decisions.Which, str]:
        last: dict[decisions.Which, str] = {}
        async for _, one in entries(self._stream):
            if isinstance(one, decisions.Decision):
                last.setdefault(one.which, one.verdict)
        return last


async def entries(
    stream: RedisStream, before: str = ""
) -> AsyncGenerator[tuple[str, decisions.Entry | None]]:
    """Yield (its place, entry) of the log before a place, the newest first; None for what is no
    entry of ours."""
    place = before
    while page := await stream.notes.decisions(place):
        for one, document in page:
            give_way()
            entry = None
            with suppress(ParseError):
                entry = decisions.decode(document)
            yield one, entry
        place = page[-1][0]
