"""Records and Items → Rows: each Record's outcome once, at a moment that the Record fixes.

A Record is due `wait` seconds after it ended. Then its Row is made, with what feedback had said by
then, and never again. An item speaks of every Record that it names and that ended at most `wait`
seconds before it came, or half as many after. So it does not matter which of them came first, and
bad news that travels fast is no news until its Record is due. Were labels counted as they come, a
perfect model would raise an alarm in every run, since errors are reported sooner than successes.

What is remembered of a Record (`stubs`) and of an item is kept under one number each. It is saved
in pieces of so many numbers, of which only those are written again in which something is new.
"""

from __future__ import annotations

import heapq
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from monitor.analysis.join import items, ledger, share, stubs
from monitor.analysis.join.items import Item
from monitor.analysis.join.predictions import PredictionReader
from monitor.analysis.join.stubs import Stub
from monitor.rows import Row
from monitor.turns import give_way, in_turns
from monitor.types import Measurement, Record

PIECE = 256
"""Numbers of a piece."""
PIECES_AT_ONCE = 64
"""Pieces that are written again in one go because something in them is gone."""
STUB, ITEM, WAITS = "s", "i", "w"
"""What a number stands for: a Record, an item, an item that waits for its Record."""
HEAD = "head"
"""The entry with all that is no piece."""
ROOM = 200_000
"""Records that are remembered; a large one counts as several."""
ITEMS = 4
"""Items that are kept for each Record that may be remembered."""
PER_NAME = 64
"""Items that are kept of one name."""


class Head(msgspec.Struct, frozen=True):
    """All that is saved beside the pieces."""

    wait: float
    due: int
    number: int
    width: float
    share: share.Saved
    ledger: ledger.Saved


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A number in a piece, and what is kept under it."""

    number: int
    what: str
    packed: msgspec.Raw


class Join:
    """Remembers Records until they are due, and what is said of them.

    `wait` is seconds. `room` is how many Records are remembered: of more, an even share
    (`share`). Of items that wait there are as many, and four times as many in all. Time is what
    `advance` is told. `dimensions` are the segments of a Row, None means all that a Record has.
    With `is_detailed` its truth has what only slices look at, and every Record has a Row at once,
    too: with what is known when it has ended, and `Truth.is_due` False. For each of `horizons`,
    seconds less than `wait`, there is one more with what had come so long after it ended.
    """

    def __init__(
        self,
        reader: PredictionReader,
        *,
        wait: float,
        room: int = ROOM,
        dimensions: Sequence[str] | None = None,
        units: Sequence[str] = (),
        is_detailed: bool = False,
        horizons: Sequence[float] = (),
    ) -> None:
        self._is_detailed = is_detailed
        self.ledger = ledger.Ledger()
        self.late = 0  # items that came when the Record that they name had been counted
        self._reader = reader
        self._wait = wait
        self._room = room
        self._dimensions = None if dimensions is None else frozenset(dimensions)
        self._units = tuple(units)
        self._share = share.Share(wait, room)
        self._due = -(1 << 60)  # what was due before this second is folded
        self._number = 0
        self._stubs: dict[int, bytes] = {}
        self._items: dict[int, bytes] = {}
        self._waiting: dict[int, None] = {}  # in the order in which they came
        self._records: dict[int, int | set[int]] = {}  # by name: numbers of stubs
        self._said: dict[int, list[int]] = {}  # by name: numbers of items
        self._keys: dict[int, int] = {}  # by key: the item's number
        self._past: dict[int, None] = {}  # ids of Records that were due, the newest last
        self._seconds: dict[int, list[int]] = {}  # numbers by the second in which they are due
        # By horizon the same of those that are to have a Row before they are due.
        self._before: dict[float, dict[int, list[int]]] = {one: {} for one in sorted(horizons)}
        self._order: list[int] = []  # a heap of all these seconds
        self._alive: dict[int, int] = {}  # by piece: how many numbers of it are in use
        self._changed: set[int] = set()
        self._thinned: dict[int, None] = {}
        self._gone: set[int] = set()

    # --- what comes ---------------------------------------------------------------------------

    def add(self, record: Record) -> list[Row]:
        """Remember a Record; return the Rows that it has at once, which are its outcome's where it
        comes after that was due."""
        if record.is_redriven:
            self.ledger.records["left_out"] += 1
            return []
        stub = stubs.stub_of(
            record, self._reader, self._share.level, self._units, is_detailed=self._is_detailed
        )
        if self._dimensions is not None and not self._dimensions.issuperset(stub.segments):
            wanted = {n: v for n, v in stub.segments.items() if n in self._dimensions}
            stub = msgspec.structs.replace(stub, segments=wanted)
        ended = stub.ended
        if not math.isfinite(ended) or abs(ended) > 1e11:
            self.ledger.records["left_out"] += 1
            return []
        at_once = [stubs.row_at_once(stub)] if self._is_detailed else []
        second = math.floor(ended + self._wait)
        if second < self._due:
            self.ledger.records["due"] += 1
            known = self._match(stub)
            rows = [self._row_within(stub, known, 0, horizon) for horizon in self._before]
            return [*at_once, *rows, self._row(stub, known, 0)]
        packed = stubs.encode(stub)
        name = stub.names[0]
        places = 1 + len(packed) // stubs.UNIT
        if self._share.add(name, ended, places, self._number):
            self._thin()
        if not self._share.keeps(name):
            self.ledger.records["left_out"] += 1
            return at_once
        if self._share.level != stub.level:
            packed = stubs.encode(msgspec.structs.replace(stub, level=self._share.level))
        number = self._next(second)
        self._stubs[number] = packed
        self._know(number, stub.names)
        known = self._match(stub)
        halvings = self._share.halvings(self._share.level, number) if self._before else 0
        return [*at_once, *(
            self._row_within(stub, known, halvings, horizon)
            for horizon in self._wait_for(number, ended)
        )]  # fmt: skip

    def say(self, item: Item) -> None:
        """Take what was said of an exchange."""
        ends = self.ledger
        kind = item.kind
        key = items.digest("key", item.key)
        before = self._keys.get(key)
        if before is not None:
            ends.end(kind, "duplicate")
            self._replace(before, item)
            return
        if item.came is not None and math.floor(item.came + self._wait) < self._due:
            ends.end(kind, "unmatched")  # long ago: whatever it names is due
            return
        stub = self._named(item)
        is_left_out = stub is None and item.by_id and not self._share.keeps(item.names[0])
        if is_left_out or self._is_full(item):
            ends.end(kind, "unmatched")
            return
        came = math.inf if item.came is None else item.came
        number = self._next(math.floor(came + self._wait) if came < math.inf else 1 << 60)
        self._items[number] = items.encode(item)
        self._keys[key] = number
        for name in item.names:
            self._said.setdefault(name, []).append(number)
        if stub is None and item.by_id and item.names[0] in self._past:
            ends.end(kind, "unmatched")  # after a restart it waits for that, in vain
            self.late += 1
        elif stub is None:
            self._waiting[number] = None
            ends.waiting[kind] += 1
            if len(self._waiting) > self._room:  # who has waited longest has the least hope
                self._expire(next(iter(self._waiting)))
        else:
            ends.joined(kind, item.at - stub.ended)

    def advance(self, until: float) -> Iterator[Row]:
        """Yield the Rows of what was due before the second of `until` (Unix), in the order in which
        it was; no item that came by then may come after this."""
        end = 1 << 61 if until == math.inf else math.floor(until)
        while self._order and self._order[0] < end:
            second = heapq.heappop(self._order)
            self._due = max(self._due, second + 1)
            for horizon, seconds in self._before.items():
                for number, stub in self._in_order(seconds.pop(second, ())):
                    halvings = self._share.halvings(stub.level, number)
                    yield self._row_within(stub, self._said_of(stub), halvings, horizon)
            yield from self._fold(self._seconds.pop(second, []))
        self._due = max(self._due, min(end, 1 << 60))

    def early(self, most: int) -> Iterator[Row]:
        """Yield what is known so far of Records that are not due, of which one of the last `most`
        items speaks, as Rows. It changes nothing: they are folded when they are due."""
        seen: set[int] = set()
        for number in list(islice(reversed(self._items), most)):
            item = items.decode(self._items[number])
            for name in item.names:
                numbers = self._records.get(name, ())
                seen.update(numbers if isinstance(numbers, set) else
                            (numbers,) if isinstance(numbers, int) else ())  # fmt: skip
            if len(seen) >= most:
                break
        for number in sorted(seen):
            give_way()
            stub = stubs.decode(self._stubs[number])
            said = self._said_of(stub)
            if said:
                yield self._row(stub, said, self._share.halvings(stub.level, number))

    # --- how it is found ----------------------------------------------------------------------

    def _match(self, stub: Stub) -> dict[int, Item]:
        """What was said of a Record so far, by number; what has waited for it does so no more."""
        found = self._said_of(stub)
        for number, item in found.items():
            if number in self._waiting:
                del self._waiting[number]
                self._changed.add(number // PIECE)
                self.ledger.waiting[item.kind] -= 1
                self.ledger.joined(item.kind, item.at - stub.ended)
        return found

    def _said_of(self, stub: Stub) -> dict[int, Item]:
        """What was said of a Record so far, by number."""
        found: dict[int, Item] = {}
        for name in stub.names:
            for number in self._said.get(name, ()):
                if number not in found:
                    item = items.decode(self._items[number])
                    if self._speaks(item, stub):
                        found[number] = item
        return found

    def _speaks(self, item: Item, stub: Stub) -> bool:
        """Whether an item came in time for a Record, or so little before it that it still waits
        for it when the Record has come a while after it ended."""
        if item.came is None:
            return True
        return -self._wait / 2 <= item.came - stub.ended <= self._wait

    def _named(self, item: Item) -> Stub | None:
        """A Record that an item speaks of, the first of several."""
        for name in item.names:
            numbers = self._records.get(name, ())
            for number in sorted(numbers) if isinstance(numbers, set) else (numbers,):
                if isinstance(number, int):
                    stub = stubs.decode(self._stubs[number])
                    if self._speaks(item, stub):
                        return stub
        return None

    def _is_full(self, item: Item) -> bool:
        """Whether there is no room for an item, in all or under one of its names."""
        is_many = any(len(self._said.get(name, ())) >= PER_NAME for name in item.names)
        return is_many or len(self._items) >= ITEMS * self._room

    def _replace(self, number: int, item: Item) -> None:
        """Of two items with one key that speak of one exchange the first that came counts."""
        held = items.decode(self._items[number])
        if (held.kind, held.names) == (item.kind, item.names) and _first(item) < _first(held):
            self._items[number] = items.encode(item)
            self._changed.add(number // PIECE)

    def _row(self, stub: Stub, said: Mapping[int, Item], halvings: int) -> Row:
        known = items.known(list(said.values()), stub.prediction)
        return stubs.row_of(stub, known, halvings)

    def _row_within(
        self, stub: Stub, said: Mapping[int, Item], halvings: int, horizon: float
    ) -> Row:
        """What was known of a Record `horizon` seconds after it ended."""
        by_then = {
            number: item for number, item in said.items()
            if item.came is None or item.came - stub.ended <= horizon
        }  # fmt: skip
        return stubs.before_due(self._row(stub, by_then, halvings), horizon)

    def _forget_attributes(self, said: Mapping[int, Item]) -> None:
        """Forget protected attributes once no Record is left of which they were said."""
        for number, item in said.items():
            if item.kind == "attributes" and self._last_of(item) is None:
                self._items[number] = items.encode(msgspec.structs.replace(item, value=None))
                self._changed.add(number // PIECE)

    # --- what is due --------------------------------------------------------------------------

    def _fold(self, numbers: list[int]) -> Iterator[Row]:
        """The Rows of what is due in one second, in the order of their times and digests."""
        for number, stub in self._in_order(numbers):
            halvings = self._share.halvings(stub.level, number)
            said = self._match(stub)
            row = self._row(stub, said, halvings)
            self._forget_stub(number, stub)
            self._forget_attributes(said)
            self._past[stub.names[0]] = None
            if len(self._past) > self._room:
                del self._past[next(iter(self._past))]
            self.ledger.records["due"] += 1
            yield row
        for number in in_turns(numbers):
            if number in self._items:
                self._expire(number)

    def _in_order(self, numbers: Iterable[int]) -> Iterator[tuple[int, Stub]]:
        """The Records among what has these numbers, in the order of their times and digests."""
        found = [(n, stubs.decode(self._stubs[n])) for n in numbers if n in self._stubs]
        found.sort(key=lambda one: (one[1].ended, one[1].names[0]))
        for number, stub in found:
            give_way()
            yield number, stub

    def _expire(self, number: int) -> None:
        """An item waits no more, and is forgotten once no Record is left that it speaks of."""
        item = items.decode(self._items[number])
        if number in self._waiting:
            del self._waiting[number]
            self.ledger.waiting[item.kind] -= 1
            self.ledger.end(item.kind, "unmatched")
        elif (later := self._last_of(item)) is not None:
            self._put(number, later)
            return
        del self._items[number]
        self._keys.pop(items.digest("key", item.key), None)
        for name in item.names:
            left = [one for one in self._said.get(name, ()) if one != number]
            if left:
                self._said[name] = left
            else:
                self._said.pop(name, None)
        self._drop(number)

    def _last_of(self, item: Item) -> int | None:
        """The second in which the last Record is due that bears a name of an item."""
        last = None
        for name in item.names:
            numbers = self._records.get(name, ())
            for number in numbers if isinstance(numbers, set) else (numbers,):
                if isinstance(number, int):
                    ended = stubs.decode(self._stubs[number]).ended
                    second = max(math.floor(ended + self._wait), self._due)
                    last = second if last is None else max(last, second)
        return last

    # --- what is kept -------------------------------------------------------------------------

    def _next(self, second: int) -> int:
        number = self._number
        self._number += 1
        self._put(number, second)
        self._alive[number // PIECE] = self._alive.get(number // PIECE, 0) + 1
        self._changed.add(number // PIECE)
        return number

    def _put(self, number: int, second: int) -> None:
        self._note(self._seconds, max(second, self._due), number)

    def _note(self, seconds: dict[int, list[int]], second: int, number: int) -> None:
        numbers = seconds.get(second)
        if numbers is None:
            seconds[second] = [number]
            heapq.heappush(self._order, second)  # where it stands already, it comes twice
        else:
            numbers.append(number)

    def _wait_for(self, number: int, ended: float) -> list[float]:
        """Have a Record get its Row at each horizon; return those that are over."""
        over = []
        for horizon, seconds in self._before.items():
            second = math.floor(ended + horizon)
            if second < self._due:
                over.append(horizon)
            else:
                self._note(seconds, second, number)
        return over

    def _know(self, number: int, names: Sequence[int]) -> None:
        for name in names:
            known = self._records.get(name)
            if known is None:
                self._records[name] = number
            elif isinstance(known, set):
                known.add(number)
            elif known != number:
                self._records[name] = {known, number}

    def _forget_stub(self, number: int, stub: Stub) -> None:
        del self._stubs[number]
        for name in stub.names:
            known = self._records.get(name)
            if isinstance(known, set):
                known.discard(number)
            if not known or known == number:
                self._records.pop(name, None)
        self._drop(number)

    def _drop(self, number: int) -> None:
        piece = number // PIECE
        self._alive[piece] -= 1
        if not self._alive[piece]:
            del self._alive[piece]
            self._changed.discard(piece)
            self._thinned.pop(piece, None)
            self._gone.add(piece)

    def _thin(self) -> None:
        """Leave out what is not of the smaller share any more."""
        for number in in_turns(list(self._stubs)):
            stub = stubs.decode(self._stubs[number])
            if not self._share.keeps(stub.names[0]):
                self._forget_stub(number, stub)
                self.ledger.records["left_out"] += 1
        self._thinned = dict.fromkeys(self._alive)

    # --- at rest ------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Records that are remembered."""
        return len(self._stubs)

    def state(self) -> dict[str, bytes]:
        """Entries that have changed since the last call; empty ones are to be removed."""
        oldest = min(self._alive, default=self._number // PIECE) * PIECE
        self._share.forget(oldest)
        for piece in list(islice(self._thinned, PIECES_AT_ONCE)):
            self._changed.add(piece)
            del self._thinned[piece]
        entries = {str(piece): b"" for piece in self._gone}
        for piece in in_turns(sorted(self._changed)):
            entries[str(piece)] = self._packed(piece)
        self._changed, self._gone = set(), set()
        head = Head(
            self._wait, self._due, self._number, self._share.width, self._share.saved(),
            self.ledger.saved(),
        )  # fmt: skip
        return {**entries, HEAD: msgspec.msgpack.encode(head)}

    def _packed(self, piece: int) -> bytes:
        kept = []
        for number in range(piece * PIECE, (piece + 1) * PIECE):
            if (stub := self._stubs.get(number)) is not None:
                kept.append(Kept(number, STUB, msgspec.Raw(stub)))
            elif (item := self._items.get(number)) is not None:
                what = WAITS if number in self._waiting else ITEM
                kept.append(Kept(number, what, msgspec.Raw(item)))
        return zlib.compress(msgspec.msgpack.encode(kept), 1)

    def restore(self, state: Mapping[str, bytes]) -> None:
        """Go on from all entries that `state` gave; raises msgspec.DecodeError or zlib.error where
        one is damaged."""
        if HEAD not in state:
            return
        head = msgspec.msgpack.decode(state[HEAD], type=Head)
        self._due, self._number = head.due, head.number
        self._share.restore(head.share, head.width)
        self.ledger.restore(head.ledger)
        said: list[tuple[Kept, Item]] = []
        for name, piece in in_turns(state.items()):
            if name == HEAD:
                continue
            packed = zlib.decompress(piece)
            for one in in_turns(msgspec.msgpack.decode(packed, type=list[Kept])):
                if one.what == STUB:
                    self._restore_stub(one.number, bytes(one.packed), head.wait)
                else:
                    said.append((one, items.decode(one.packed)))
        for one, item in in_turns(sorted(said, key=lambda each: each[0].number)):
            self._restore_item(one, item, head.wait)
        saved = {int(name) for name in state if name != HEAD}
        self._gone = saved - self._alive.keys()

    def _restore_stub(self, number: int, packed: bytes, wait: float) -> None:
        """A Record that was due already, or is not of the share, is left out again."""
        stub = stubs.decode(packed)
        if math.floor(stub.ended + wait) < self._due:
            return
        if share.zeros(stub.names[0]) < self._share.halvings(stub.level, number):
            return
        self._stubs[number] = packed
        self._know(number, stub.names)
        self._keep(number, math.floor(stub.ended + self._wait))
        self._wait_for(number, stub.ended)  # what is over had its Row

    def _restore_item(self, one: Kept, item: Item, wait: float) -> None:
        """An item whose time is over was forgotten, unless a Record is left that it speaks of."""
        came = math.inf if item.came is None else item.came
        second = 1 << 60 if came == math.inf else math.floor(came + wait)
        if second < self._due:
            if one.what == WAITS or (later := self._last_of(item)) is None:
                return
            second = later
        elif came < math.inf:
            second = math.floor(came + self._wait)
        self._items[one.number] = items.encode(item)
        self._keys[items.digest("key", item.key)] = one.number
        for name in item.names:
            self._said.setdefault(name, []).append(one.number)
        if one.what == WAITS:
            self._waiting[one.number] = None
            self.ledger.waiting[item.kind] += 1
        self._keep(one.number, second)

    def _keep(self, number: int, second: int) -> None:
        self._put(number, second)
        self._alive[number // PIECE] = self._alive.get(number // PIECE, 0) + 1

    # --- what is told -------------------------------------------------------------------------

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """What became of feedback and Records, as samples of the catalogue's metrics."""
        yield from self.ledger.measurements(endpoint)
        own = {"endpoint": endpoint}
        yield Measurement("monitor_outcome_records_waiting", own, len(self._stubs))
        share = math.ldexp(1.0, -self._share.level)
        yield Measurement("monitor_outcome_share_ratio", own, share)


def _first(item: Item) -> tuple[float, tuple[float, str, str]]:
    return -math.inf if item.came is None else item.came, item.rank
