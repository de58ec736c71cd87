"""A store and an archive → whether the archive goes on with that store's Records.

A position is of one stream. In the stream of another store what stands before it would be passed
over for ever, and nobody would know. So a store has an identity, each manifest names that of the
store that its position is of, and no archiver goes on with a chain of another one. What the last
manifest of shard 0 says counts for the endpoint: of two stores that begin an archive at the same
time one has all of its shards.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from monitor import logs
from monitor.archive import manifests, reading
from monitor.archive.chain import Chain, Sign
from monitor.archive.manifests import Link
from monitor.errors import ArchiveError
from monitor.streams.entries import AHEAD, BEGINNING, ShardPosition
from monitor.streams.redis import RedisStream

AGAIN = 0.05
"""So much of the silence goes by before all shards are looked at again."""


class Belonging:
    """Sees to it that the chains of an endpoint, in order of their shards, are those of one store.

    A store that `follows` another one takes its chains over; with `silence` it takes those of any
    store that has put no step there for so many seconds: by the times that stand in these, or by
    how long nothing was seen from here, for the clock that they are of may be ahead. So many were
    `ahead`. `aside` does what may wait for a disk; the program `writer` signs with `sign`. `clock`
    tells Unix seconds, `elapsed` seconds that never jump; `new` makes an identity, for a store that
    has none.
    """

    def __init__(
        self,
        stream: RedisStream,
        follows: str,
        *,
        silence: float | None,
        writer: str,
        sign: Sign,
        aside: Callable[..., Awaitable[Any]],
        clock: Callable[[], float],
        elapsed: Callable[[], float],
        new: Callable[[], str],
    ) -> None:
        self.ahead = 0
        self._stream = stream
        self._follows, self._silence = follows, silence
        self._writer = writer
        self._sign = sign
        self._aside = aside
        self._clock, self._elapsed, self._new = clock, elapsed, new
        self._known = ""
        self._seen: dict[int, tuple[str, float]] = {}
        self._latest = 0.0
        self._again = -math.inf

    async def name(self, chain: Chain) -> None:
        """Tell a chain which store this is; raises StreamError."""
        # A store that has lost its identity meanwhile, and nothing else, is the same as before.
        self._known = await self._stream.identity(self._known or self._new())
        chain.store = self._known

    async def see(self, chain: Chain, all_of: Sequence[Chain]) -> None:
        """Go on if an open chain is that of the store; what may be any store's becomes this one's.
        Raises ArchiveError where it is another store's, and StreamError."""
        await self.name(chain)
        if chain.holder == self._known:
            return
        first = all_of[0]
        if chain is not first:
            first.store = self._known
            await self._aside(first.open)  # who has it by now
        if first.holder or len(all_of) > 1:
            await self._take(first, is_first=True)
        if chain is not first:
            await self._has_begun(all_of[: chain.shard])
            await self._take(chain, is_first=False)

    async def _may_follow(self, chain: Chain) -> bool:
        """Whether this store may take the place of the one that has the first chain. Of two stores
        that both follow any one has it as long as it archives."""
        if self._silence is None or chain.head is None:
            return chain.holder == self._follows
        if self._elapsed() < self._again:
            return False
        self._latest = 0.0
        is_silent = self._is_silent(chain, self._silence)
        if is_silent or self._is_ahead(chain.head):
            # Little traffic comes to some shards alone, and the store that archives may have more.
            for number in await self._aside(reading.shards, chain.storage, chain.endpoint):
                if number != chain.shard:
                    one = chain.beside(number)
                    await self._aside(one.open)
                    is_silent = self._is_silent(one, self._silence) and is_silent
            if not is_silent:
                self._again = self._elapsed() + AGAIN * self._silence
        return is_silent

    def _is_silent(self, chain: Chain, silence: float) -> bool:
        """Whether the last step of a chain is so old, or was there for so long."""
        if chain.head is None:
            return True
        is_ahead = self._is_ahead(chain.head)
        now, digest = self._elapsed(), chain.head.digest
        if self._seen.get(chain.shard, ("",))[0] != digest:
            self._seen[chain.shard] = digest, now
            self.ahead += is_ahead
        age = self._clock() - chain.head.manifest.at
        return age >= silence or now - self._seen[chain.shard][1] >= silence

    def _is_ahead(self, head: Link) -> bool:
        """Whether a step is of a time that is still to come by this machine's clock."""
        self._latest = max(self._latest, head.manifest.at)
        return head.manifest.at > self._clock() + AHEAD

    def _waits(self, before: str) -> str:
        """Why a store waits for the silence of the one before."""
        if self._latest > self._clock() + AHEAD:
            return (
                f"the last step of store {before} is of a time that is still to come by this "
                f"machine's clock: one of the two clocks is wrong; this store, {self._known}, goes "
                f"on once it has seen no other step for {self._silence:g} s"
            )
        return (
            f"store {before} has archived lately, and this is store {self._known}; it goes on once "
            f"that one has been silent for {self._silence:g} s"
        )

    async def _take(self, chain: Chain, *, is_first: bool) -> None:
        """Put a step that says whose a chain is from now on, unless it is this store's."""
        while chain.holder != self._known:
            before = chain.holder if chain.is_foreign else ""
            is_next = before and (not is_first or await self._may_follow(chain))
            if before and not is_next and self._silence is not None:
                raise ArchiveError(self._waits(before))
            if is_next:
                await self._aside(chain.finish)
                position = await self._aside(self._position, chain)
                new = chain.succession(at=self._clock(), writer=self._writer, position=position)
            else:
                new = chain.next_manifest(
                    at=self._clock(), writer=self._writer, position=chain.position, tree=chain.tree
                )
            if await self._aside(chain.add, new, self._sign) and before:
                logs.info(
                    f"shard {chain.shard} of the archive goes on with the records of this store, "
                    f"{self._known}, in the place of store {before}"
                )

    def _position(self, chain: Chain) -> str:
        """Where this store is read on: where it was before another one had the chain, or else from
        its beginning. What was missed before stays counted."""
        place = ShardPosition(BEGINNING, 0)
        for one in chain.links():  # as many as there are: they are not kept
            if one.manifest.store == self._known:
                place = ShardPosition.of(one.manifest.position)
        missed = ShardPosition.of(chain.position).missed
        return str(place._replace(missed=max(place.missed, missed)))

    async def _has_begun(self, before: Sequence[Chain]) -> None:
        """Raise ArchiveError unless all shards before one have begun: so one that is missing among
        them was removed, and was not merely empty."""
        for one in before:
            top = manifests.directory(one.endpoint, one.shard)
            if one.head is None and not await self._aside(one.storage.inside, top):
                raise ArchiveError(
                    f"shard {before[-1].shard + 1} is archived once shard {one.shard} is, which "
                    "fails"
                )
