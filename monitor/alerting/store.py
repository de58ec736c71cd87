"""Silences, and what was told whom ↔ the store, so that a restart tells nothing twice.

The hash `monitor:{ENDPOINT}:silences` holds them by id; `monitor:{ENDPOINT}:notifier:NAME` is the
state of one notifier, which is forgotten a month after it was last saved.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import msgspec

from monitor.alerting.alerts import Followed
from monitor.alerting.outbox import Group
from monitor.alerting.silences import KEPT, MOST, Silence
from monitor.errors import StreamError, UsageError
from monitor.streams.clients import RedisError, client_for, words

REMEMBERED = 30 * 86400
"""Seconds for which the state of a notifier that is gone is kept: sidecars come and go."""


class State(msgspec.Struct):
    """All that a notifier's successor needs: what fires, and by receiver what it was told."""

    alerts: list[Followed] = []
    receivers: dict[str, dict[str, Group]] = {}


class AlertStore:
    """The keys of one endpoint. Every method raises StreamError where the store does not answer."""

    def __init__(self, url: str, endpoint: str, *, timeout: float = 5.0) -> None:
        self._prefix = f"monitor:{{{endpoint}}}:"
        self._client = client_for(url, self._prefix, timeout)

    async def silences(self, clock: float) -> list[Silence]:
        """Return all of them, the last to end first, but for those that ended long ago."""
        with _telling("silences cannot be read"):
            stored = await self._client.hvals(self._silences)
        found = []
        for document in stored:
            with contextlib.suppress(msgspec.MsgspecError):
                found.append(msgspec.json.decode(document, type=Silence))
        found = [one for one in found if one.ends > clock - KEPT]
        return sorted(found, key=lambda one: (-one.ends, one.id))

    async def silence(self, silence: Silence) -> None:
        """Keep a silence, in the place of the one with its id; raises UsageError where there are
        too many. Those that ended long ago go."""
        with _telling("the silence cannot be kept"):
            stored = await self._client.hgetall(self._silences)
            old = [key for key, document in stored.items() if _is_old(document, silence.updated)]
            if len(stored) - len(old) >= MOST and silence.id.encode() not in stored:
                raise UsageError(f"there are {MOST:,} silences already; let some end")
            async with self._client.pipeline(transaction=True) as both:
                if old:
                    both.hdel(self._silences, *old)
                both.hset(self._silences, silence.id, msgspec.json.encode(silence))
                await both.execute()

    async def expire(self, name: str, clock: float) -> bool:
        """End a silence now; whether there was one that had not ended."""
        for one in await self.silences(clock):
            if one.id == name and one.ends > clock:
                await self.silence(msgspec.structs.replace(one, ends=clock, updated=clock))
                return True
        return False

    async def load(self, name: str) -> State:
        """Return what the notifier `name` saved; nothing where that is damaged or not there."""
        with _telling("what was told cannot be read"):
            stored = await self._client.get(f"{self._prefix}notifier:{name}")
        try:
            return msgspec.json.decode(stored or b"{}", type=State)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return State()

    async def save(self, name: str, state: bytes) -> None:
        """Keep a State, as JSON."""
        with _telling("what was told cannot be kept"):
            await self._client.set(f"{self._prefix}notifier:{name}", state, ex=REMEMBERED)

    async def close(self) -> None:
        """Close the connection to the store."""
        await self._client.aclose()

    @property
    def _silences(self) -> str:
        return f"{self._prefix}silences"


def _is_old(document: bytes | str, clock: float) -> bool:
    try:
        return msgspec.json.decode(document, type=Silence).ends <= clock - KEPT
    except msgspec.MsgspecError:
        return True


@contextlib.contextmanager
def _telling(what: str) -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise StreamError(f"{what}: {words(error)}") from None
