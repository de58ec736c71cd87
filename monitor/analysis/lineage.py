"""Lineage of Records → what serves that has changed: from which values, to which, since when.

Beside the facts of `lineage` these are the model, by the name in the Record, and the key of the
pseudonyms. Clients choose among models, so one is in service only once it is asked for regularly.

Both versions answer while one is rolled out. That is one change, from the first record of the new
value to the last one of the old; its shares say how far it is.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from monitor.findings import NAMED, Change, shown
from monitor.readable import rounded
from monitor.types import Measurement, Record

FACTS, VALUES, CHANGES = 50, 20, 50
"""Facts that are followed, values of each that are told apart, and changes that are remembered."""
LONGEST = 200
"""Characters of a value."""
MODEL, KEY = "model", "key"
"""Facts that stand in a Record by themselves."""
REGULAR, AMONG, COMING = 20, 400, 64
"""A model comes into service with so many records among so many; what comes among the first ones of
all is no change. So many names at a time are counted until they have; then the rarest gives way."""
OTHER = "other"
"""Stands for all values beyond those."""
ROLLOUT = 3600.0
"""Seconds after its beginning from which on what else comes is a change of its own."""
GONE, UNSEEN = 600.0, 100
"""A value has gone once it has not come for so many seconds and so many records. One that comes
with 5 % of the records stays away that long once in 170 times."""
SWEEP_EVERY = GONE / 10
"""Seconds between two looks for what has gone."""
RECENT = 300.0
"""Seconds over which shares are taken, and as many before."""


class _Seen(msgspec.Struct):
    """A value in service: when it came last, after how many records of its fact, and how often
    lately."""

    last: float
    place: int
    now: int = 0
    before: int = 0


class _Coming(msgspec.Struct):
    """A name that is not in service yet: when it came first, after how many records of its fact,
    and how often since."""

    since: float
    place: int
    count: int = 0


class _Fact(msgspec.Struct):
    """What is in service by one fact. `period` is the number of the one that shares are counted
    in, `swept` when it was last looked for what has gone; `coming` is not in service yet."""

    values: dict[str, _Seen] = {}
    records: int = 0
    newest: float = 0.0
    period: int = 0
    swept: float = 0.0
    coming: dict[str, _Coming] = {}


class _State(msgspec.Struct):
    facts: dict[str, _Fact] = {}
    changes: list[Change] = []


class Lineage:
    """Follows the facts of accepted records, all or those named by `facts`; at most 20 values of
    each are told apart, whatever clients state."""

    def __init__(self, facts: Collection[str] | None = None) -> None:
        self._only = facts
        self._facts: dict[str, _Fact] = {}
        self._changes: list[Change] = []

    def add(self, record: Record) -> None:
        """Count one record. What an endpoint did not accept may state anything."""
        if not record.is_accepted:
            return
        self.add_facts(facts_of(record), record.started + record.duration)

    def add_facts(self, facts: Mapping[str, str], at: float) -> None:
        """Count the facts of an accepted record that ended at `at` (Unix seconds)."""
        if not math.isfinite(at):
            return
        for name, value in facts.items():
            if not value:
                continue
            fact = self._facts.get(name)
            if fact is None:
                if len(self._facts) >= FACTS or not (self._only is None or name in self._only):
                    continue
                fact = self._facts[name] = _Fact(newest=at, period=int(at // RECENT), swept=at)
            if at > fact.newest:
                fact.newest = at
                if at >= (fact.period + 1) * RECENT:
                    _next_period(fact, int(at // RECENT))
            seen = fact.values.get(value) or self._come(name, fact, value[:LONGEST], at)
            if seen is None:
                continue
            if at > seen.last:  # noqa: PLR1730  max() would take a fifth of all this
                seen.last = at
            seen.place = fact.records = fact.records + 1
            seen.now += 1
            if len(fact.values) > 1 and fact.newest - fact.swept >= SWEEP_EVERY:
                fact.swept = fact.newest
                self._sweep(name, fact)

    def changes(self) -> list[Change]:
        """What changed, the last first, with the shares of late where it is under way."""
        found: list[Change] = []
        for one in reversed(self._changes):
            is_last = all(other.fact != one.fact for other in found)
            found.append(_told(self._with_shares(one) if is_last else one))
        return found

    def latest(self) -> Iterator[Change]:
        """Yield the last change of each fact."""
        found = {one.fact: one for one in self._changes}
        return (_told(self._with_shares(one)) for one in found.values())

    def measurements(self, endpoint: str) -> list[Measurement]:
        """When each fact changed last, and to what."""
        return [
            Measurement(
                "monitor_lineage_change_timestamp_seconds",
                {"endpoint": endpoint, "fact": one.fact, "value": one.came},
                one.since,
            )
            for one in self.latest()
        ]

    def saved(self) -> bytes:
        """What a later process needs to go on."""
        return msgspec.msgpack.encode(_State(self._facts, self._changes))

    def restore(self, state: bytes) -> None:
        """Go on from what was saved; raises msgspec.DecodeError where it is damaged."""
        found = msgspec.msgpack.decode(state, type=_State)
        self._facts, self._changes = found.facts, found.changes

    # --- one fact --------------------------------------------------------------------------------

    def _come(self, name: str, fact: _Fact, value: str, at: float) -> _Seen | None:
        """A value that is not in service, or is told apart no more; None where it is not yet."""
        if name == MODEL:
            since = _regular(fact, value, at)
            if since is None:
                return None
            at = since
        if value not in fact.values and len(fact.values) >= VALUES:
            value = OTHER
        if value in fact.values:
            return fact.values[value]
        if fact.values and (name != MODEL or fact.records > AMONG):
            place = self._place(name)
            if place is not None and _is_under_way(self._changes[place], at):
                after = [*self._changes[place].after, value][:VALUES]
                self._changes[place] = msgspec.structs.replace(self._changes[place], after=after)
            else:
                self._note(Change(name, list(fact.values), [value], at))
        seen = fact.values[value] = _Seen(at, fact.records)
        return seen

    def _sweep(self, name: str, fact: _Fact) -> None:
        """Let go of values that do not come any more."""
        for value, seen in list(fact.values.items()):
            if fact.newest - seen.last >= GONE and fact.records - seen.place >= UNSEEN:
                del fact.values[value]
                self._gone(name, fact, value, seen.last)

    def _gone(self, name: str, fact: _Fact, value: str, last: float) -> None:
        left = list(fact.values)
        place = self._place(name)
        if place is None or last >= self._changes[place].since + ROLLOUT:
            self._note(Change(name, [*left, value], left, last, until=last))
            return
        change = self._changes[place]
        is_back = value in change.after and not set(left) - set(change.before)
        if change.until is not None or is_back or not set(left) & set(change.before):
            until = max(last, change.until or last)
            self._changes[place] = msgspec.structs.replace(change, after=left, until=until)

    def _place(self, name: str) -> int | None:
        """Where the last change of a fact stands."""
        places = range(len(self._changes) - 1, -1, -1)
        return next((one for one in places if self._changes[one].fact == name), None)

    def _note(self, change: Change) -> None:
        self._changes = [*self._changes, change][-CHANGES:]

    def _with_shares(self, change: Change) -> Change:
        values = self._facts[change.fact].values if change.fact in self._facts else {}
        if change.until is not None:
            return change
        return msgspec.structs.replace(change, shares=_shares(values))


def facts_of(record: Record) -> dict[str, str]:
    """Return what a record says of what served and recorded it, by fact."""
    return {KEY: record.key, MODEL: record.model, **record.lineage}


def _regular(fact: _Fact, value: str, at: float) -> float | None:
    """Since when a model is asked for regularly, None while it is not; the first one is at once."""
    if not fact.values:
        return at
    fact.records += 1
    coming = fact.coming.get(value)
    if coming is None or fact.records - coming.place > AMONG:
        if coming is None and len(fact.coming) >= COMING:
            del fact.coming[min(fact.coming, key=lambda one: fact.coming[one].count)]
        coming = fact.coming[value] = _Coming(at, fact.records)
    coming.count += 1
    if coming.count < REGULAR:
        return None
    del fact.coming[value]
    return coming.since


def _is_under_way(change: Change, at: float) -> bool:
    return change.until is None and at < change.since + ROLLOUT


def _next_period(fact: _Fact, period: int) -> None:
    is_next = period == fact.period + 1
    for seen in fact.values.values():
        seen.before, seen.now = seen.now * is_next, 0
    fact.period = period


def _shares(values: Mapping[str, _Seen]) -> dict[str, float]:
    """The share of each value in the records of the last minutes."""
    whole = sum(one.now + one.before for one in values.values())
    return {name: (one.now + one.before) / whole for name, one in values.items() if whole}


def _told(change: Change) -> Change:
    return msgspec.structs.replace(change, words=words(change))


def words(change: Change) -> str:
    """One sentence for a person.

    >>> words(Change("model_version", ["a"], ["b"], 0.0, shares={"a": 0.75, "b": 0.25}))
    'model_version changed from a to b; lately a answered 75 %, b 25 %'
    >>> words(Change("model_version", ["a"], list("bcdef"), 0.0, shares={"a": 0.5, "e": 0.5}))
    'model_version changed from a to e, b, c and 2 others; lately a answered 50 %, e 50 %'
    >>> words(Change("config", ["a"], ["b"], 0.0, until=9.0))
    'config changed from a to b'
    >>> words(Change("config", ["a"], ["a"], 0.0, until=9.0))
    'config is a again: what came beside it has gone'
    >>> words(Change("config", ["a", "b"], ["b"], 0.0, until=0.0))
    'config changed from a, b to b'
    """
    if change.before == change.after:
        return f"{change.fact} is {_named(change.after)} again: what came beside it has gone"
    share = change.shares
    before, after = (
        _named(sorted(values, key=lambda name: -share.get(name, 0.0)))
        for values in (change.before, change.after)
    )
    said = f"{change.fact} changed from {before} to {after}"
    largest = sorted(filter(share.get, share), key=lambda name: -share[name])
    if len(largest) < 2:
        return said
    told = [(shown(name), share[name]) for name in share if name in largest[:NAMED]]
    if others := largest[NAMED:]:
        told.append((_others(len(others)), sum(share[name] for name in others)))
    said = f"{said}; lately "
    for place, (name, part) in enumerate(told):
        said += f", {name}" if place else f"{name} answered"
        said += f" {rounded(part)}"
    return said


def _named(values: Sequence[str]) -> str:
    """The first few values, and how many others there are."""
    named = ", ".join(map(shown, values[:NAMED]))
    left = len(values) - NAMED
    return f"{named} and {_others(left)}" if left > 0 else named


def _others(count: int) -> str:
    return "1 other" if count == 1 else f"{count} others"
