"""The state of the analysis ↔ one Redis hash: what was counted, and up to which position.

Position and counts are written at once, so a restart goes on exactly where the saved counts end: no
record is counted twice or left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitor.analysis.lease import Lease
from monitor.errors import StreamError
from monitor.streams.clients import RedisError, client_for, words

POSITION = "position"


class Checkpoint:
    """The hash `monitor:{ENDPOINT}:analysis`.

    With a `lease` only who owns it writes, and others get LeaseError.
    """

    def __init__(
        self, url: str, endpoint: str, *, lease: Lease | None = None, timeout: float = 5.0
    ) -> None:
        self._key = f"monitor:{{{endpoint}}}:analysis"
        self._client = client_for(url, self._key, timeout)
        self._lease = lease

    async def load(self) -> tuple[str, dict[str, bytes]]:
        """(position, state) as last saved, empty where nothing was; or raise StreamError."""
        try:
            stored = await self._client.hgetall(self._key)
        except (RedisError, OSError) as error:
            raise StreamError(
                f"the checkpoint {self._key} cannot be read: {words(error)}"
            ) from None
        # Without decode_responses the client gives bytes, whatever its types say.
        state = {bytes(name).decode(errors="replace"): bytes(kept) for name, kept in stored.items()}  # type: ignore[arg-type]
        return state.pop(POSITION, b"").decode(errors="replace"), state

    async def save(self, position: str, changes: Mapping[str, bytes]) -> None:
        """Write what changed together with the position, or raise StreamError.

        What has become empty is removed.
        """
        await self.write({POSITION: position.encode(), **changes})

    async def write(self, changes: Mapping[str, bytes]) -> None:
        """Write fields, all at once, and remove those that are empty; or raise StreamError."""
        kept: list[str | bytes] = []
        for name, entry in changes.items():
            kept += (name, entry) if entry else ()
        gone = [name for name, entry in changes.items() if not entry]

        def fill(both: Any) -> None:
            if kept:
                both.hset(self._key, items=kept)
            if gone:
                both.hdel(self._key, *gone)

        await self._commit(fill, "saved")

    async def clear(self) -> None:
        """Forget what was saved, or raise StreamError."""
        await self._commit(lambda both: both.delete(self._key), "cleared")

    async def _commit(self, fill: Callable[[Any], object], done: str) -> None:
        if self._lease is not None:
            await self._lease.commit(fill)
            return
        try:
            async with self._client.pipeline() as both:
                fill(both)
                await both.execute()
        except (RedisError, OSError) as error:
            raise StreamError(f"the checkpoint cannot be {done}: {words(error)}") from None

    async def close(self) -> None:
        """Close the connections to the store, those of the lease too."""
        await self._client.aclose()
        if self._lease is not None:
            await self._lease.close()
