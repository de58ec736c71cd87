"""Who analyzes an endpoint: one of any number of analyzers, by a lease in the store with a fence.

Archivers choose one of them in the same way, under another name (`role`). The hash
`monitor:{ENDPOINT}:analyzer` holds `owner` (a name), `epoch` (how often it was claimed)
and `beat` (how often the owner has written). Whoever owns it writes in transactions that the store
refuses once somebody else has claimed it: WATCH, a look, MULTI, EXEC. So an owner that was frozen,
and wakes up, writes nothing any more, whatever it still believes. Correctness never rests on a
clock: `LEASE` only bounds how soon others try.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any, NoReturn

from monitor.errors import LeaseError, StreamError
from monitor.streams.clients import RedisError, WatchError, client_for, words

LEASE = 7.0
"""Seconds without a beat, by the clock of who waits, after which the lease may be claimed."""
RENEW_EVERY = 1.0
"""Seconds between two beats of an owner that writes nothing else."""
HUNG = 60.0
"""Seconds that an owner may be busy with one thing; then it beats no more."""
TURN = 0.005
"""Seconds between two looks whether another transaction of this lease is done."""
LEAST_PAUSE = 0.02
"""Seconds between two looks of who waits, at least."""

SURE = 3.0
"""Seconds for which an owner that has heard so need not ask again whether it is one."""

Fill = Callable[[Any], object]
"""Adds commands to a transaction."""


class Lease:
    """The lease of one endpoint as the analyzer `name` sees it.

    Names differ between analyzers that run at the same time. One that comes again under its name
    follows itself (`is_again`), and need not wait. There is a lease for each `role`. `clock`
    is in seconds, and never jumps. `owner` is the name of who had it at the last look. `went_back`
    where the store has lost what this analyzer wrote last: a replica took over that did not have it
    yet. `was_gone` where another one has it because the store had lost it.
    """

    def __init__(
        self,
        url: str,
        endpoint: str,
        name: str,
        *,
        clock: Callable[[], float],
        role: str = "analyzer",
        timeout: float = 5.0,
    ) -> None:
        self.owner = ""
        self.is_again = False
        self.went_back = self.was_gone = False
        self._key = f"monitor:{{{endpoint}}}:{role}"
        self._connect = partial(client_for, url, self._key, timeout)
        self._client = self._connect()
        self._name = name.encode()
        self._clock = clock
        self._epoch = 0
        self._beat = 0
        self._renewed: float | None = None
        self._seen: list[bytes | None] = []
        self._since = 0.0
        self._alive = 0.0
        self._turn = threading.Lock()

    @property
    def is_held(self) -> bool:
        """Whether this analyzer owns the endpoint, as far as it has heard."""
        return self._epoch > 0

    @property
    def age(self) -> float:
        """Seconds since the store last said that this analyzer owns the endpoint; infinite once it
        has said that another does."""
        return 0.0 if self._renewed is None else self._clock() - self._renewed

    def pause(self, most: float) -> float:
        """Return the seconds until it is to be looked at again: `most`, or fewer where it may be
        claimed before."""
        left = self._since + LEASE - self._clock() if self._seen else most
        return min(most, max(LEAST_PAUSE, left))

    async def claim(self) -> bool:
        """Try to own the endpoint; whether that is so now; or raise StreamError."""
        async with self._alone(), self._transaction(self._client) as both:
            try:
                began = self._clock()
                await both.watch(self._key)
                seen = await both.hmget(self._key, ["owner", "epoch", "beat"])
                self.owner = (seen[0] or b"").decode(errors="replace")
                if seen != self._seen:
                    self._seen, self._since = seen, self._clock()
                is_free = seen[0] in (None, self._name) or self._clock() - self._since >= LEASE
                if not is_free:
                    return False
                both.multi()
                both.hset(self._key, "owner", self._name)
                both.hincrby(self._key, "epoch", 1)
                both.hincrby(self._key, "beat", 1)
                _, self._epoch, self._beat = await both.execute()
            except WatchError:
                return False
            except (RedisError, OSError) as error:
                self._seen = []  # who could not look has not seen that nobody beats
                raise StreamError(f"the lease {self._key} cannot be read: {words(error)}") from None
            self._renewed, self._seen = began, []
            self.is_again = seen[0] == self._name and not self.went_back
            self.went_back = False
            return True

    async def commit(self, fill: Fill, client: Any = None) -> None:
        """Do all that `fill` adds, at once, if this analyzer still owns the endpoint, or raise
        LeaseError. Raises StreamError too; then it may have been done.

        A store that has lost the lease has no other owner: it is written there anew. One that has
        lost some of what was written knows less than this analyzer believes it has saved: it
        `went_back`, and has to be read again. Another thread does it by a `client` of its own.
        """
        try:
            async with self._alone():
                while not await self._committed(fill, client or self._client):
                    pass  # somebody wrote meanwhile; the next look says who
        except (RedisError, OSError) as error:
            raise StreamError(f"the checkpoint cannot be saved: {words(error)}") from None

    async def _committed(self, fill: Fill, client: Any) -> bool:
        if not self._epoch:  # the first that was refused has said why
            raise LeaseError(self.owner)
        ours = [self._name, str(self._epoch).encode()]
        async with self._transaction(client) as both:
            began = self._clock()
            await both.watch(self._key)
            *found, beat = await both.hmget(self._key, ["owner", "epoch", "beat"])
            is_behind = found[0] == ours[0] and (
                (int(found[1] or 0), int(beat or 0)) < (self._epoch, self._beat)
            )
            if is_behind or found not in (ours, [None, None]):
                self.went_back = is_behind
                counted = found[1] or b""  # from 1 again
                is_again = counted.isdigit() and int(counted) <= self._epoch
                self.was_gone = found[0] not in (None, ours[0]) and is_again
                self.forget()
                self.owner = (found[0] or b"").decode(errors="replace")
                raise LeaseError(self.owner)
            both.multi()
            if found != ours:
                both.hset(self._key, items=["owner", ours[0], "epoch", ours[1]])
            both.hincrby(self._key, "beat", 1)
            fill(both)
            try:
                done = await both.execute()
            except WatchError:
                return False
            self._beat = int(done[found != ours])
            self._renewed = began
            return True

    async def renew(self) -> None:
        """Say that this analyzer is alive; or raise as `commit` does."""
        await self.commit(lambda _: None)

    async def confirm(self) -> None:
        """Renew it unless the store has said lately that this analyzer owns the endpoint; or raise
        as `commit` does."""
        if self.age > SURE:
            await self.renew()

    async def keep(self) -> NoReturn:
        """Renew it every now and then while this analyzer owns the endpoint, until cancelled: it
        may lose it and claim it again meanwhile.

        A thread does that. What is folded at a time may take a busy machine longer than the lease:
        others would take it over, and be as busy with the same. It is not renewed for who has been
        about one thing for `HUNG` seconds.
        """
        self._alive = self._clock()
        ended = threading.Event()
        work = partial(asyncio.run, self._beating(ended))
        threading.Thread(target=work, name="lease", daemon=True).start()
        try:
            while True:
                await asyncio.sleep(RENEW_EVERY)
                self._alive = self._clock()
        finally:
            ended.set()

    async def _beating(self, ended: threading.Event) -> None:
        """Renew it from this thread, which has nothing else to do."""
        client = self._connect()
        try:
            while not ended.wait(RENEW_EVERY):
                if self.is_held and self._clock() - self._alive < HUNG:
                    with contextlib.suppress(StreamError, LeaseError):
                        await self.commit(lambda _: None, client)
        finally:
            await client.aclose()

    async def release(self) -> None:
        """Let another analyzer have the endpoint at once; or raise as `commit` does."""
        await self.commit(lambda both: both.hdel(self._key, "owner"))
        self.forget()

    async def close(self) -> None:
        """Close the connections to the store."""
        await self._client.aclose()

    def _transaction(self, client: Any) -> Any:
        # Without decode_responses the client gives bytes, whatever its types say.
        return client.pipeline()

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        """No other transaction of this lease is under way meanwhile, in whichever thread."""
        while not self._turn.acquire(blocking=False):  # noqa: ASYNC110  a thread has no Event of a loop
            await asyncio.sleep(TURN)
        try:
            yield
        finally:
            self._turn.release()

    def forget(self) -> None:
        """Hold the lease no more, without telling the store."""
        self._epoch, self._renewed = 0, -math.inf
