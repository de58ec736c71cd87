"""Entries of a stream → Records and Feedback, and where a reader of the stream stands."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from monitor import feedback
from monitor.feedback import Statement
from monitor.types import Record, decode_record

AHEAD = 60.0
"""Seconds that a proxy's clock may be ahead of the store's. A record that says to have ended later
than that after it was appended counts as ended when it was appended."""

TRUSTED = 86400.0
"""Seconds that a store's clock may be ahead of ours."""

LARGEST = (1 << 64) - 1
"""The largest number in an entry's id, which is two of them; the smallest id is 0-1."""

MARK = 8
"""Bytes of the mark of an entry."""

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading an entry raises that another writer made; RecursionError where it is nested deep."""


class _Id(msgspec.Struct):
    id: str


_decode_id = msgspec.json.Decoder(_Id).decode


class Entry(msgspec.Struct, frozen=True):
    """An entry as it stands in a stream: not read yet, for nobody knows who wrote it."""

    key: str
    id: str
    fields: list[bytes]

    @property
    def at(self) -> float:
        """When it was appended, in Unix time by the store's clock."""
        return int(self.id.partition("-")[0]) / 1000

    def record(self, now: float = math.inf) -> Record | None:
        """The Record in it; None for what is no record of this version. See `read`."""
        return self.read(now)[0]

    def read(self, now: float = math.inf) -> tuple[Record | None, bool]:
        """The same, and whether its time was corrected because it was of the future.

        An entry's id may be of the future too, where another writer chose it: more than
        `TRUSTED` seconds after `now` (Unix) it says nothing.
        """
        if not self._is_version_1:
            return None, False
        try:
            record = decode_record(document(self.fields))
        except _UNREADABLE:
            return None, False
        at = self.at if self.at <= now + TRUSTED else now
        if record.started + record.duration <= at + AHEAD:
            return record, False
        return msgspec.structs.replace(record, started=at - record.duration), True

    def feedback(self) -> Statement | None:
        """The Feedback in it, or the Statement of somebody who has pseudonymized nothing, and of
        which privacy must make Feedback before any of it is kept; None for what is neither."""
        return feedback.stored(document(self.fields, b"feedback")) if self._is_version_1 else None

    @property
    def _is_version_1(self) -> bool:
        fields = dict(zip(self.fields[::2], self.fields[1::2], strict=False))
        return fields.get(b"v", b"1") == b"1"


def mark_of(fields: Sequence[bytes]) -> bytes:
    """Return by what an entry is told from another one that has, in another store, the same id."""
    return hashlib.blake2b(b"\0".join(fields), digest_size=MARK).digest()


class Known(NamedTuple):
    """The `ids` of entries that follow a place, none left out, and the `marks` of some of them, the
    last one among these, by id.

    Where one of these stands with the same mark, all before it stand as they were: what a primary
    lacks that took over is the end, and behind that it has other entries.
    """

    ids: Sequence[bytes]
    marks: Mapping[bytes, bytes]

    def stand(self, replies: Sequence[Any]) -> bool:
        """Whether those with a mark are what XRANGE found of each."""
        return bool(self.ids) and self.ids[-1] in self.marks and all(
            isinstance(found, list) and len(found) == 1 and found[0][0] == id_
            and mark_of(found[0][1]) == mark
            for (id_, mark), found in zip(self.marks.items(), replies, strict=True)
        )  # fmt: skip


BEGINNING = "0-0"
"""The place before all entries."""

ERASED = b"erased"
"""Beside what XINFO STREAM says: how many entries behind a place `monitor erase` has deleted."""


class ShardPosition(NamedTuple):
    """Where a reader stands in a shard: behind the entry `id`, the `number`-th that the stream ever
    had (-1: not known), after `missed` that were trimmed before they were read.

    A position is the places in all shards, as text, joined with commas.
    """

    id: str = BEGINNING
    number: int = -1
    missed: int = 0

    @classmethod
    def of(cls, text: str) -> ShardPosition:
        """Return the place that `str` wrote down as this text."""
        id_, *counts = text.split("/")
        number, missed = map(int, counts) if len(counts) == 2 else (-1, 0)
        return cls(id_ or BEGINNING, number, missed)

    def __str__(self) -> str:
        return f"{self.id}/{self.number}/{self.missed}" if self.number >= 0 else self.id

    def seen(self, about: dict[bytes, Any]) -> ShardPosition:
        """With what XINFO STREAM says before what stands behind is read, and with how many entries
        behind this place were `erased` on request: nobody lost them.

        A stream that ends before this place lost records when another store took over; from its end
        on there is something to read again.
        """
        added, first = about.get(b"entries-added"), about.get(b"first-entry")
        last = about[b"last-generated-id"]
        if moment(last) < moment(self.id.encode()):
            return ShardPosition(last.decode(), -1 if added is None else added, self.missed)
        if added is None:
            return self  # Redis 6
        trimmed = added - about[b"length"] - about.get(ERASED, 0)
        if self.id.encode() == last:
            return self._replace(number=added)
        if added < self.number:  # another stream under that name
            return self._replace(number=trimmed)
        is_gap = first is None or moment(first[0]) > moment(self.id.encode())
        if not is_gap:
            return self
        gap = trimmed - self.number if self.number >= 0 else 0
        return self._replace(number=trimmed, missed=self.missed + max(0, gap))

    def is_followed_by(self, ids: Sequence[bytes], about: dict[bytes, Any]) -> bool:
        """Whether all of these entries, which followed this place, are still there by what XINFO
        STREAM says: none trimmed, none erased. Of Redis 6, which does not say it, none is. What was
        lost with a primary is told by `Known.stand`."""
        first, last = about.get(b"first-entry"), about[b"last-generated-id"]
        added, deleted = about.get(b"entries-added"), about.get(b"max-deleted-entry-id")
        return (
            first is not None
            and added is not None
            and deleted is not None
            and added - max(self.number, 0) >= len(ids)
            and moment(deleted) < moment(ids[0])
            and moment(first[0]) <= moment(ids[0])
            and moment(ids[-1]) <= moment(last)
        )

    def waiting(self, about: dict[bytes, Any]) -> int:
        """How many entries stand behind this place by what XINFO STREAM says: all that are there,
        where nobody knows how many came before it."""
        place = self.seen(about) if about else self
        if not about or place.id.encode() == about[b"last-generated-id"]:
            return 0
        length = int(about[b"length"])
        if place.number < 0:
            return length
        return int(min(length, about[b"entries-added"] - place.number - about.get(ERASED, 0)))

    def moved(self, id_: str, count: int) -> ShardPosition:
        """Behind `count` more entries, the last of which is this one."""
        return self._replace(id=id_, number=self.number + count if self.number >= 0 else -1)


def missed(position: str) -> int:
    """How many records were trimmed before they were read up to a position, as far as is known.

    Exact for Redis 7 and Valkey where nobody but `monitor erase` deletes entries from the middle of
    a stream.

    >>> missed("1700000000000-5/120/20,1700000001000-0/7/0"), missed("1700000000000-5"), missed("")
    (20, 0, 0)
    """
    return sum(ShardPosition.of(one).missed for one in position.split(","))


def went_back(before: str, after: str) -> list[int]:
    """Return the shards in which a position stands before another that was read up to.

    >>> went_back("1700000000000-5/120/20,1700000001000-0/7/0", "1699999999999-9,1700000001000-0")
    [0]
    """
    stood, stands = (map(ShardPosition.of, one.split(",")) for one in (before, after))
    return [
        shard
        for shard, (old, new) in enumerate(zip(stood, stands, strict=False))
        if moment(new.id.encode()) < moment(old.id.encode())
    ]


def time_of(position: str) -> float:
    """The store's Unix time up to which a position has read, infinite for the beginning.

    >>> time_of("1700000000000-5,1700000001000-0"), time_of("")
    (1700000001.0, inf)
    """
    starts = [one.partition("-")[0] for one in position.split(",")]
    moments = [int(start) / 1000 for start in starts if start.isdecimal() and start.isascii()]
    return max(moments, default=0.0) or math.inf


def moment(id_: bytes) -> tuple[int, int]:
    """When an entry was appended, by its id: Unix time in milliseconds, and a number within one."""
    milliseconds, _, number = id_.partition(b"-")
    return int(milliseconds), int(number)


def sortable(id_: str) -> str:
    """Return an entry's id as the set of those that were erased has it, in the order of the stream.

    >>> sortable("1700000000000-5")
    '00000001700000000000-00000000000000000005'
    """
    milliseconds, number = moment(id_.encode())
    return f"{milliseconds:020}-{number:020}"


def document(fields: list[bytes], of: bytes = b"record") -> bytes:
    """Return the JSON document of the Record in an entry's fields, or of what else the stream is
    `of`; empty where there is none."""
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        if name == of:
            return value
    return b""


def record_id(fields: list[bytes]) -> str | None:
    """Return the id of the Record in an entry's fields; None for what is no record."""
    try:
        return _decode_id(document(fields)).id
    except _UNREADABLE:
        return None


def started_by(id_: str) -> float | None:
    """Return Unix seconds from which on to look for a record with this UUIDv7 (RFC 9562); None for
    another id.

    >>> started_by("018bcfe5-6800-7def-9abd-e20000000002"), started_by("r-1")
    (1699999900.0, None)
    """
    text = id_.replace("-", "")
    try:
        number = int(text, 16)
    except ValueError:
        return None
    if len(text) != 32 or text[12] != "7":
        return None
    return (number >> 80) / 1000 - 100  # clocks differ, and an id may be made a little later
