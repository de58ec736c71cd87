"""The state of the analysis ↔ one Redis hash: what was counted, and up to which position.

Position and counts are written by one command, so a restart goes on exactly where the saved counts
end: no record is counted twice or left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import redis.asyncio as redis
from redis.exceptions import RedisError

from monitor.errors import StreamError

POSITION = "position"


class Checkpoint:
    """The hash `monitor:{ENDPOINT}:analysis`; one user at a time."""

    def __init__(self, url: str, endpoint: str, *, timeout: float = 5.0) -> None:
        self._key = f"monitor:{{{endpoint}}}:analysis"
        self._client = redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout
        )

    async def load(self) -> tuple[str, dict[str, bytes]]:
        """(position, state) as last saved, empty where nothing was; or raise StreamError."""
        try:
            stored = await self._client.hgetall(self._key)
        except (RedisError, OSError) as error:
            raise StreamError(f"the checkpoint cannot be read: {type(error).__name__}") from None
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
        try:
            async with self._client.pipeline(transaction=bool(kept and gone)) as both:
                if kept:
                    both.hset(self._key, items=kept)
                if gone:
                    both.hdel(self._key, *gone)
                await both.execute()
        except (RedisError, OSError) as error:
            raise StreamError(f"the checkpoint cannot be saved: {type(error).__name__}") from None

    async def clear(self) -> None:
        """Forget what was saved, or raise StreamError."""
        try:
            await self._client.delete(self._key)
        except (RedisError, OSError) as error:
            raise StreamError(f"the checkpoint cannot be cleared: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close the connection to the store."""
        await self._client.aclose()
