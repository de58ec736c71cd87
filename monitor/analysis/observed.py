"""Records → what features see in them, feature by feature, for a Block.

A piece of a file with anything unusual in it gives None, and is read Record by Record instead:

| unusual is | because |
|---|---|
| a line that is no Record | its number is told |
| a Record that stands for several exchanges | they are added up one by one |
| several values of one feature in a Record | they fill one watch, one after the other |
| a moment, a duration, a category that is a number | it is counted by its kind |
| Records that name the same features in another order | who comes first has the last place |
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from monitor.analysis.rows import is_observed
from monitor.features import FEATURES, MORE, latency
from monitor.interfaces import Feature
from monitor.openings import talks
from monitor.tables.blocks import NUMBER
from monitor.types import Record

EXACT = 1 << 53
"""Integers up to here are floats without loss."""

SOME = 64
"""Records that are looked at together."""

FEATURES_OF_A_PIECE, ORDERS = 1024, 128
"""So many features in so many orders are usual: each check of an answer may be skipped."""

KNOWN = tuple(one for one in (*FEATURES, *MORE) if one is not latency.FEATURE)
"""Features that every process has, that remember nothing, and that see no durations."""

COMMON_DIMENSIONS = ("model", "operation", "protocol", "outcome", "endpoint")
"""Fields of a Record that are dimensions too."""

_COUNTED_BY_KIND = {"datetime", "duration"}


class Wanted(NamedTuple):
    """What is to be seen: features by their places in KNOWN, dimensions, and when Records began,
    from `start` until before `end` (Unix seconds)."""

    features: tuple[int, ...]
    dimensions: tuple[str, ...]
    start: float
    end: float


class Seen(NamedTuple):
    """The values of one feature as `tables.blocks.Column` has them, as bytes of arrays.

    `numbers` are doubles or 64-bit integers, by the `code` of `array`. Without `codes` all are
    numbers, without `rows` every row has one. `rest` is kind and value of what is no plain number.
    """

    feature: str
    code: str
    numbers: bytes
    codes: bytes
    rest: list[tuple[Any, Any]]
    rows: bytes


class Looked(NamedTuple):
    """What was seen in a piece of so many `records` and `lines`, in the order of these.

    `at` is when they ended, `accepted` a byte each; `labels` say of each dimension which of the
    different values they have. On so many of them a part `failed`, by its kind and name.
    """

    records: int
    lines: int
    at: bytes
    accepted: bytes
    labels: dict[str, tuple[bytes, list[str]]]
    columns: list[Seen]
    failed: Mapping[tuple[str, str], int] = {}


def segment(record: Record, dimension: str) -> str:
    """A Record's value of a dimension: one of its segments, or a field that is one too."""
    value = record.segments.get(dimension)
    if value is None and dimension in COMMON_DIMENSIONS:
        value = str(getattr(record, dimension))
    return value or "none"


def look_at(found: Iterable[Record], lines: int, wanted: Wanted) -> Looked | None:
    """What is seen in Records that stood in so many lines; None where it is unusual."""
    records, at, accepted = 0, array("d"), bytearray()
    labels: dict[str, list[str]] = {name: [] for name in wanted.dimensions}
    sight = Sight([KNOWN[place] for place in wanted.features])

    def note(some: Sequence[Record]) -> None:
        at.extend([record.started + record.duration for record in some])
        accepted.extend([record.is_accepted for record in some])
        for name, values in labels.items():
            values += [segment(record, name) for record in some]
        sight.add(some)

    some: list[Record] = []
    for record in found:
        records += 1
        if not wanted.start <= record.started < wanted.end:
            continue
        if record.sampled != 1:
            return None
        some.append(record)
        if len(some) == SOME:
            note(some)
            some = []
    note(some)
    columns = sight.columns()
    if columns is None:
        return None
    labelled = {name: coded(values) for name, values in labels.items()}
    return Looked(records, lines, at.tobytes(), bytes(accepted), labelled, columns)


class _Values(NamedTuple):
    """The values of a feature; of one kind, or each of a kind of its own."""

    feature: str
    kinds: str | list[str]
    rows: list[int]
    values: list[Any]


_Said = tuple[tuple[str, ...], tuple[str, ...]]
"""The names of features, and the kind of each."""


class _Alike:
    """The values of Records with the same features of the same kinds, in the same order."""

    __slots__ = ("rows", "values")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.values: list[list[Any]] = []


class Sight:
    """What features see in Records, which come some at a time and are forgotten at once: to go over
    all of them again would take longer than to read them."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._features = features
        self._is_said = any(feature.observe_said is not None for feature in features)
        self._questions: list[str] = []
        self._answers: list[str] = []
        self._rows: list[int] = []
        self._total = 0
        self._many: list[dict[str, _Values]] = [{} for _ in features]
        self._singly: list[dict[_Said, _Alike]] = [{} for _ in features]

    def add(self, records: Sequence[Record]) -> None:
        """Look at Records that come after those before."""
        rows = [row for row, one in enumerate(records, self._total) if is_observed(one)]
        self._total += len(records)
        if len(rows) < len(records):
            records = [one for one in records if is_observed(one)]
        self._rows += rows
        if self._is_said:
            said = talks(records)
            self._questions += said.questions
            self._answers += said.answers
        for feature, many, singly in zip(self._features, self._many, self._singly, strict=True):
            if feature.observe_said is not None:
                continue
            seen = feature.observe_many(records)
            if seen is None:
                _look_singly(feature, records, rows, singly)
                continue
            for name, kind, places, values in seen:
                known = many.get(name)
                if known is None:
                    known = many[name] = _Values(name, kind, [], [])
                known.rows.extend(_of(rows, places))
                known.values.extend(values)

    def columns(self) -> list[Seen] | None:
        """What they have seen, in the order of the features; None where it is unusual."""
        found: list[_Values] = []
        for feature, many, singly in zip(self._features, self._many, self._singly, strict=True):
            if feature.observe_said is not None:
                said = feature.observe_said(self._questions, self._answers)
                rows = self._rows
                found += (
                    _Values(one.feature, one.kind, _of(rows, one.places), one.values)
                    for one in said
                )
                continue
            each = _in_order(singly)
            if each is None:
                return None
            found += (*many.values(), *each)
        columns = []
        for name, kinds, rows, values in found:
            if not rows:
                continue
            there = b"" if len(rows) == self._total else array("q", rows).tobytes()
            column = None if len(set(rows)) < len(rows) else _column(name, kinds, values, there)
            if column is None:
                return None
            columns.append(column)
        names = {column.feature for column in columns}
        return columns if len(names) == len(columns) else None


def _of(rows: list[int], places: Sequence[int]) -> list[int]:
    """The rows at these places, which nearly always are all of them."""
    return rows if places == range(len(rows)) else [rows[place] for place in places]


def _look_singly(
    feature: Feature, records: Sequence[Record], rows: Sequence[int], alike: dict[_Said, _Alike]
) -> None:
    """Add what a feature sees in one Record after the other to what is `alike`."""
    for row, record in zip(rows, records, strict=True):
        seen = list(feature.observe(record))
        said = tuple([one.feature for one in seen]), tuple([one.kind for one in seen])
        some = alike.get(said)
        if some is None:
            some = alike[said] = _Alike()
        some.rows.append(row)
        some.values.append([one.value for one in seen])


def _in_order(alike: Mapping[_Said, _Alike]) -> list[_Values] | None:
    """What a feature saw in one Record after the other, by name."""
    order = order_of([names for names, _ in alike])
    if order is None or any(not _COUNTED_BY_KIND.isdisjoint(kinds) for _, kinds in alike):
        return None
    found: dict[str, tuple[list[int], list[str], list[Any]]] = {
        name: ([], [], []) for name in order
    }
    for said, some in alike.items():
        for name, kind, same in zip(*said, zip(*some.values, strict=True), strict=True):
            rows, kinds, values = found[name]
            rows += some.rows
            kinds += [kind] * len(same)
            values += same
    for rows, kinds, values in found.values():
        if len(alike) > 1:
            places = sorted(range(len(rows)), key=rows.__getitem__)
            kinds[:], values[:] = [kinds[at] for at in places], [values[at] for at in places]
            rows.sort()
    return [_Values(name, kinds, rows, values) for name, (rows, kinds, values) in found.items()]


def order_of(alike: Iterable[tuple[str, ...]]) -> list[str] | None:
    """Return all names in an order that is that of each of `alike`; None where there is none."""
    before: dict[str, dict[str, None]] = {}
    for number, names in enumerate(alike):
        if len(set(names)) < len(names):
            return None
        for name, last in zip(names, ("", *names), strict=False):
            before.setdefault(name, {}).update({last: None} if last else {})
        if len(before) > FEATURES_OF_A_PIECE or number >= ORDERS:
            return None
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError:
        return None


def _column(
    name: str, kinds: str | Sequence[str], values: Sequence[Any], rows: bytes
) -> Seen | None:
    types = set(map(type, values))
    known = {kinds} if isinstance(kinds, str) else set(kinds)
    if known == {"numeric"}:
        if types == {float} and math.isfinite(sum(values)):
            return Seen(name, "d", array("d", values).tobytes(), b"", [], rows)
        if types == {int} and min(values) >= -EXACT and max(values) <= EXACT:
            return Seen(name, "q", array("q", values).tobytes(), b"", [], rows)
    elif len(known) == 1 and (types in ({str}, {bytes})):
        said, different = coded(values)
        kind = known.pop()
        return Seen(
            name, "d", bytes(8 * len(values)), said, [(kind, one) for one in different], rows
        )
    elif "categorical" in known and not types.isdisjoint((int, float)):
        return None
    kinds = [kinds] * len(values) if isinstance(kinds, str) else kinds
    numbers, codes = array("d"), array("q")
    places: dict[tuple[str, type, Any], int] = {}
    rest: list[tuple[Any, Any]] = []
    for kind, value in zip(kinds, values, strict=True):
        if kind == "numeric" and type(value) is float and value - value == 0.0:  # finite
            codes.append(NUMBER)
            numbers.append(value)
            continue
        try:
            code = places.setdefault((kind, type(value), value), len(rest))
        except TypeError:  # a list, an object: each is its own
            code = len(rest)
        if code == len(rest):
            rest.append((kind, value))
        codes.append(code)
        numbers.append(0.0)
    return Seen(name, "d", numbers.tobytes(), codes.tobytes(), rest, rows)


def coded(values: Sequence[Any]) -> tuple[bytes, list[Any]]:
    """Return which of the different values each is, and these, each where it came first."""
    different = list(dict.fromkeys(values))
    places = {value: place for place, value in enumerate(different)}
    return array("q", map(places.__getitem__, values)).tobytes(), different
