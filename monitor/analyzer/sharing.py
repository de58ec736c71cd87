"""Analyzers that share the work of an endpoint: those who stand by look, the owner judges.

Who stands by has some of the shards (`Looker`). It reads them ahead of the owner, and leaves what
features see there in the store. The owner folds that in the same order as ever (`Sharing`), and
looks itself at what nobody has looked at yet. It never waits. So whoever is killed, frozen or added
costs time, and changes no number.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from monitor.analysis.lease import LEASE
from monitor.analyzer.attempts import Attempts
from monitor.analyzer.folding import is_sound
from monitor.analyzer.looks import Looking, Piece, Strip, about_of, packed, unpacked
from monitor.interfaces import Feature
from monitor.streams.entries import AHEAD, BEGINNING, Entry, Known, mark_of, moment
from monitor.streams.looks import MEMBER, MOST, Looks
from monitor.streams.redis import RedisStream
from monitor.streams.shards import positions_of
from monitor.turns import give_way

SHARE_EVERY = 2.0
"""Seconds between two looks at who has which shards."""

GIVEN = 8
"""At each of them who has too many gives up one of so many of these."""

ASK_EVERY = 2.0
"""Seconds between two questions whether anybody looks."""

PAGE, FIRST_PAGE = 512, 64
"""Entries of a look, at most; as many fewer as entries are large."""

LEAST = 32
"""Fewer entries are not worth a look: whoever judges reads them as well."""

REPLY_BYTES = 2 << 20
"""What one reply should hold of a shard."""

AT_ONCE = 8
"""Shards that are read at once."""

SKIPPED = 256
"""Entries that are left to an owner who has caught up while more wait, about."""

ALL = 256
"""Looks of all shards that should stand in the store, at most: some 10 MB."""

KEPT = 2
"""Looks of a shard that the owner has at hand before it asks for more, and that there may be of
each of many shards."""

TOGETHER = 4096
"""Entries that the owner takes unread at a time, about: it must say every now and then that it is
alive."""


class Sharing:
    """What others have seen, for who owns the endpoint; `used` counts the Records. `clock` is in
    seconds."""

    def __init__(
        self, features: Sequence[Feature], looks: Looks, *, clock: Callable[[], float]
    ) -> None:
        self._about = about_of(features)
        self._looks = looks
        self._clock = clock
        self.used = 0
        self._asked = -math.inf
        self._is_on = False
        self._pieces: dict[str, deque[Piece]] = {}
        self._here: dict[str, tuple[int, int]] = {}
        self._connected = 0

    def forget(self) -> None:
        """Use nothing of what is at hand: it may be of another store."""
        self._pieces.clear()
        self._here.clear()

    async def next(
        self, stream: RedisStream, position: str, attempts: Attempts, now: float, *,
        block: float, needs_records: bool,
    ) -> tuple[str, list[Entry], dict[str, Strip]]:  # fmt: skip
        """What comes next in the stream, and what was seen of it, at Unix time `now`."""
        strips = await self.strips(position, stream.keys, attempts, now)
        known = {} if needs_records else known_of(strips, len(stream.keys))
        after, entries = await stream.next(position, block=block, known=known)
        if not is_sound(strips, entries):
            self.forget()
            strips = {}
            if known:
                after, entries = await stream.next(position, block=block)
        return after, entries, strips

    async def strips(
        self, position: str, keys: Sequence[str], attempts: Attempts, now: float
    ) -> dict[str, Strip]:
        """What was seen behind a position, by the key of a shard; or raise StreamError. Nothing
        of a shard with an entry that has to be tried by itself. While nobody looks this asks the
        store every now and then, and costs nothing else."""
        if self._about and self._clock() - self._asked >= ASK_EVERY:
            self._is_on = await self._looks.are_there()
            self._asked = self._clock()
        if not self._is_on:
            self.forget()
            return {}
        if self._looks.connected != self._connected:
            self.forget()
            self._connected = self._looks.connected
        here = {
            key: place.id
            for key, place in zip(keys, positions_of(position, len(keys)), strict=True)
        }
        behind = {}
        for key, place in here.items():
            pieces = self._pieces.setdefault(key, deque())
            at = moment(place.encode())
            if at < self._here.get(key, at):
                pieces.clear()
            self._here[key] = at
            while pieces and pieces[0].ids[-1] <= at:
                pieces.popleft()
            if len(pieces) < KEPT:
                behind[key] = "{}-{}".format(*pieces[-1].ids[-1]) if pieces else place
        await self._take(here, behind, now)
        if attempts.is_careful(position):
            return {}
        found = {
            key: _strip(place, self._pieces[key])
            for key, place in here.items()
            if key not in attempts.suspect
        }
        return {key: strip for key, strip in found.items() if strip.pieces}

    async def _take(self, here: Mapping[str, str], behind: Mapping[str, str], now: float) -> None:
        """Have more at hand, of those shards of which it is asked what ends `behind` places."""
        for key, looks in (await self._looks.take(here, behind, self._about)).items():
            for last, data in looks:
                give_way()
                await asyncio.sleep(0)  # for the lease
                piece = unpacked(data, self._about)
                if piece is None or piece.is_ahead(now):
                    continue
                if b"%d-%d" % piece.ids[-1] == last:
                    self._pieces[key].append(piece)


def known_of(strips: Mapping[str, Strip], shards: int) -> dict[str, Known]:
    """Return which entries need not be read, by the key of a shard of so many: an even share of
    those that are taken at a time."""
    return {key: strip.known(max(LEAST, TOGETHER // shards)) for key, strip in strips.items()}


def _strip(place: str, pieces: Iterable[Piece]) -> Strip:
    strip = Strip(place)
    for piece in pieces:
        if not strip.add(piece):
            break
    return strip


class Looker:
    """An analyzer that stands by, by `name`, and looks at the `shards` that it has. It closes the
    `stream` in the end."""

    def __init__(
        self,
        stream: RedisStream,
        features: Sequence[Feature],
        name: str,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.shards: set[int] = set()
        self._features = features
        self._about = about_of(features)
        self._stream = stream
        self._looks = stream.looks
        self._name = name
        self._clock = clock
        self._shared = -math.inf
        self._beats: dict[str, tuple[str, float]] = {}
        self._beat = 0
        self._most = MOST
        self._shards: dict[int, _Shard] = {}

    async def turn(self, now: float) -> bool:
        """Look at what comes next of each shard, at Unix time `now`; whether more is there already.
        Or raise StreamError."""
        if not self._about:
            return False
        if self._clock() - self._shared >= SHARE_EVERY:
            await self._share()
            self._shared = self._clock()
        keys = {self._looks.key(one): shard for one, shard in self._shards.items()}
        judged = await self._looks.judged([*keys])
        due = [
            key
            for key, (place, about) in judged.items()
            if about == self._about and keys[key].has_room(place, self._most)
        ]
        for first in range(0, len(due), AT_ONCE):
            some = {key: (keys[key].place, keys[key].count) for key in due[first : first + AT_ONCE]}
            for key, found in (await self._looks.behind(some)).items():
                await self._look(key, keys[key], found, now)
        return any(keys[key].has_more for key in due)

    async def _look(
        self, key: str, shard: _Shard, found: list[tuple[bytes, list[bytes]]], now: float
    ) -> None:
        """Look at entries of a shard, and leave what is seen."""
        if entries := shard.due(key, found):
            look = self._seen(shard, entries, now)
            if look is not None and await self._looks.put(key, entries[-1].id, look, self._most):
                shard.left.append(moment(entries[-1].id.encode()))
            shard.place = entries[-1].id
        await asyncio.sleep(0)  # somebody may ask this process meanwhile

    def _seen(self, shard: _Shard, entries: Sequence[Entry], now: float) -> bytes | None:
        """What features see in entries, as it is left in the store; None where it is unusual."""
        looking = Looking(self._features)
        for entry in entries:
            give_way()
            record, is_ahead = entry.read(now)
            # A clock that is ahead of this one is for the owner's to judge by.
            if record is None or is_ahead or entry.at > now + AHEAD:
                return None
            try:
                looking.add(record)
            except Exception:  # noqa: BLE001  the owner will say it
                return None
        ids, marks = zip(*((one.id, mark_of(one.fields)) for one in entries), strict=True)
        look = looking.done(self._about, shard.place, ids, marks)
        return None if look is None else packed(look)

    async def leave(self) -> None:
        """Let others have the shards at once; or raise StreamError."""
        if self._beat:
            fields = [f"{MEMBER}{self._name}", *map(str, self.shards)]
            self._forget()
            await self._looks.enter({}, fields)

    async def close(self) -> None:
        """Close the connections to the store."""
        await self._stream.close()

    def _forget(self) -> None:
        self.shards, self._shards, self._beat = set(), {}, 0

    async def _share(self) -> None:
        """See who else looks, and have an even share of the shards: give up some of too many, take
        of those that nobody has. None where the owner could not use what is seen here."""
        judged = await self._looks.judged([self._looks.key(0)])
        if any(about != self._about for _, about in judged.values()):  # of another version
            await self.leave()
            return
        fields = await self._looks.members()
        await self._stream.widen()
        count, now = len(self._stream.keys), self._clock()
        self._most = max(KEPT + 1, min(MOST, ALL // count))
        me = f"{MEMBER}{self._name}"
        beats = {one: beat for one, beat in fields.items() if one.startswith(MEMBER)}
        for one, beat in beats.items():
            if one not in self._beats or self._beats[one][0] != beat:
                self._beats[one] = beat, now
        self._beats = {one: seen for one, seen in self._beats.items() if one in beats}
        dead = [one for one in beats if one != me and now - self._beats[one][1] >= LEASE]
        live = {me, *beats} - set(dead)
        taken = {
            shard: owner
            for shard, owner in fields.items()
            if not shard.startswith(MEMBER) and f"{MEMBER}{owner}" in live
        }
        mine = [one for one, owner in taken.items() if owner == self._name]
        free = [one for one in map(str, range(count)) if one not in taken]
        share = math.ceil(count / len(live))
        new = free[: max(0, share - len(mine))]
        given = mine[: math.ceil(max(0, len(mine) - share) / GIVEN)]
        self._beat += 1
        entries: dict[str, str | int] = {me: self._beat, **dict.fromkeys(new, self._name)}
        await self._looks.enter(entries, [*given, *dead])
        self.shards = {int(one) for one in (*mine, *new) if one not in given and one.isdecimal()}
        self._shards = {one: self._shards.get(one) or _Shard() for one in self.shards}


class _Shard:
    """How far somebody who looks is in a shard, and whether it `has_more`. `left` are the last ids
    of the looks that stand before the owner."""

    def __init__(self) -> None:
        self.place = BEGINNING
        self.count = FIRST_PAGE
        self.has_more = False
        self.left: deque[tuple[int, int]] = deque()
        self._skips = 0

    def has_room(self, judged: str, most: int) -> bool:
        """Whether another look may be left, of so many that are kept, with the owner at that
        place."""
        at = moment(judged.encode())
        while self.left and self.left[0] <= at:
            self.left.popleft()
        if at > moment(self.place.encode()):
            self.place, self._skips = judged, SKIPPED
        self.has_more = len(self.left) < most - 1  # one may be half judged
        return self.has_more

    def due(self, key: str, found: Sequence[tuple[bytes, list[bytes]]]) -> list[Entry]:
        """What is to be looked at now of what stands behind the place."""
        self.has_more = is_full = len(found) >= self.count
        if found:
            largest = max(sum(map(len, fields)) for _, fields in found)
            self.count = max(1, min(REPLY_BYTES // max(largest, 1), 2 * self.count, PAGE))
        if is_full and self._skips > 0:  # the owner, who has caught up, reads these meanwhile
            self._skips -= len(found)
            self.place = found[-1][0].decode()
            return []
        self._skips = 0
        if not is_full and len(found) < LEAST:
            return []
        return [Entry(key, one.decode(), fields) for one, fields in found]
