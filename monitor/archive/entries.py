"""Entries of the stream → what is archived of them: which are of one hour, and their documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.archive.rows import Kept, Writer
from monitor.audit.merkle import NONCE
from monitor.streams.entries import Entry, ShardPosition, document
from monitor.types import encode_record


def added(
    writer: Writer, entries: Sequence[Entry], now: float, chance: Callable[[int], bytes]
) -> int:
    """Add what is a Record of some entries at Unix time `now`; return how many were. `chance` gives
    so many random bytes."""
    records = [one for entry in entries if (one := kept_of(entry, now)) is not None]
    writer.add(records, chance(NONCE * len(records)))
    return len(records)


def kept_of(entry: Entry, now: float) -> Kept | None:
    """Return what is archived of an entry at Unix time `now`: its document as it stands there, but
    for a time of the future; None for what is no Record."""
    record, is_ahead = entry.read(now)
    if record is None:
        return None
    said = document(entry.fields)
    try:
        said.decode()
    except UnicodeDecodeError:
        return None
    # What a clock said that was ahead has been corrected: who reads it back must see the same.
    return Kept(entry.id, encode_record(record) if is_ahead else said, record)


def position_behind(position: str, last: Entry, left: int) -> str:
    """Return the position behind an entry, where that behind `left` more is known."""
    if not left:
        return position
    place = ShardPosition.of(position)
    number = place.number - left if place.number >= 0 else -1
    return str(place._replace(id=last.id, number=number))


def hour_of(entry: Entry) -> int:
    """Return the hour since 1970 in which an entry was appended: a file has those of one."""
    return int(entry.id.partition("-")[0]) // 3_600_000
