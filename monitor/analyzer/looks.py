"""Records → what features see in them, as one analyzer leaves it to another → a Block of rows.

What may not be told like this (`analysis.observed`) is no Look, and is read Record by Record by who
judges. So is what is damaged, of another version, or not of the very entries that are due: a Look
is checked before it is used, because anybody who may write to the store can have written it.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
import numpy as np

import monitor
from monitor.analysis.lineage import facts_of
from monitor.analysis.observed import (
    EXACT,
    FEATURES_OF_A_PIECE,
    KNOWN,
    SOME,
    Seen,
    Sight,
    coded,
    order_of,
)
from monitor.interfaces import Feature
from monitor.streams.entries import AHEAD, MARK, TRUSTED, Known, moment
from monitor.tables.blocks import NUMBER, Block, Column, Flags, Ints, Labels, Numbers
from monitor.types import ABSENT, Observation, Record

FORM = 2
"""The form of a Look; another one is not read."""

MOST_BYTES = 2 << 20
"""A Look that is larger, before it is compressed, is not left."""

DIMENSIONS, FACTS = 32, 64
"""So many dimensions and facts of a Record are usual."""

PLAIN = (str, bytes, float, int, bool, type(None))
"""Types of values that are the same when they have been written and read."""

TYPES: dict[str, tuple[type, ...]] = {
    "numeric": (str, float, int, bool, type(None)),
    "categorical": (str, bool, type(None)),
    "boolean": (str, float, int, bool, type(None)),
    "vector": (type(None),),
    "words": (bytes, type(None)),
}
"""Of which types the values of a kind may be in a look; of other kinds there is none."""


class Look(msgspec.Struct, frozen=True, array_like=True):
    """What was seen in the entries of a shard that follow the entry `after`, in order.

    `about` says by whom (`about_of`); `ids` are pairs of numbers, `marks` those of the entries
    (`mark_of`), one after the other. `at` is when the Records ended,
    `accepted` a byte each. Of each dimension, and of `facts`, it is said which of the different
    values they have; `edge_cases` say of each whether they are of it, a byte each.
    """

    about: str
    after: str
    ids: bytes
    marks: bytes
    at: bytes
    accepted: bytes
    segments: list[tuple[str, bytes, list[str]]]
    edge_cases: list[tuple[str, bytes]]
    facts: bytes
    stated: list[dict[str, str]]
    columns: list[Seen]


_decode = msgspec.msgpack.Decoder(Look).decode


def about_of(features: Sequence[Feature]) -> str:
    """Return what two analyzers must have in common so that one can use what the other sees; empty
    where that cannot be told, since a feature is somebody's own or remembers something."""
    if any(one not in KNOWN for one in features):
        return ""
    said = f"{FORM} {monitor.__version__} {[one.name for one in features]}"
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


class Looking:
    """Gathers what features see in Records, which are forgotten at once."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._sight = Sight(features)
        self._some: list[Record] = []
        self._at = array("d")
        self._accepted = bytearray()
        self._segments: list[dict[str, str]] = []
        self._cases: list[tuple[str, ...]] = []
        self._facts: list[tuple[tuple[str, str], ...]] = []

    def add(self, record: Record) -> None:
        """Look at one that comes after those before."""
        self._at.append(record.started + record.duration)
        self._accepted.append(record.is_accepted)
        self._segments.append(record.segments)
        self._cases.append(tuple(record.edge_cases))
        self._facts.append(tuple(facts_of(record).items()))
        self._some.append(record)
        if len(self._some) == SOME:
            self._sight.add(self._some)
            self._some = []

    def done(
        self, about: str, after: str, ids: Sequence[str], marks: Sequence[bytes]
    ) -> Look | None:
        """What was seen in all of them; None where something is unusual."""
        self._sight.add(self._some)
        self._some = []
        columns = self._sight.columns()
        names = order_of(dict.fromkeys(map(tuple, self._segments)))
        cases = order_of(dict.fromkeys(self._cases))
        if columns is None or names is None or cases is None:
            return None
        if not all(type(value) in PLAIN for seen in columns for _, value in seen.rest):
            return None
        if len(names) > DIMENSIONS or any(len(some) > FACTS for some in set(self._facts)):
            return None
        numbers = array("Q")
        for id_ in ids:
            numbers.extend(moment(id_.encode()))
        facts, stated = coded(self._facts)
        return Look(
            about, after, numbers.tobytes(), b"".join(marks), self._at.tobytes(),
            bytes(self._accepted),
            [
                (name, *coded([some.get(name, ABSENT) for some in self._segments]))
                for name in names
            ],
            [(name, bytes(name in some for some in self._cases)) for name in cases],
            facts, [dict(one) for one in stated], columns,
        )  # fmt: skip


def packed(look: Look) -> bytes | None:
    """Return a Look as it is left in the store; None where it cannot be, or is too large."""
    try:
        data = msgspec.msgpack.encode(look)
    except (OverflowError, UnicodeEncodeError, TypeError):
        return None
    return zlib.compress(data, 1) if len(data) <= MOST_BYTES else None


class Piece(NamedTuple):
    """Entries that follow the entry `after` of a shard, by `ids` and `marks`, and what was seen in
    them."""

    after: tuple[int, int]
    ids: list[tuple[int, int]]
    marks: list[bytes]
    block: Block
    facts: list[int]
    stated: list[dict[str, str]]

    def behind(self, place: tuple[int, int]) -> Piece:
        """Those of them that come behind a place."""
        first = bisect_right(self.ids, place)
        if not first:
            return self
        block = self.block.between(first, len(self.ids))
        facts = self.facts[first:]
        return Piece(place, self.ids[first:], self.marks[first:], block, facts, self.stated)

    def is_ahead(self, now: float) -> bool:
        """Whether at Unix time `now` one is of the future: `Entry.read` is for who judges."""
        at = np.array([milliseconds for milliseconds, _ in self.ids], dtype=np.float64) / 1000
        return bool(at[-1] > now + TRUSTED or (self.block.at > at + AHEAD).any())


def unpacked(data: bytes, about: str) -> Piece | None:
    """Return what a Look says; None where it is damaged, or says it of something else."""
    try:
        unzip = zlib.decompressobj()
        plain = unzip.decompress(data, MOST_BYTES)
        look = _decode(plain)
        if any(len(some) > FACTS for some in look.stated):
            return None
        if not unzip.eof or look.about != about:
            return None
        numbers = array("Q", look.ids).tolist()
        ids = list(zip(numbers[::2], numbers[1::2], strict=True))
        after, block = moment(look.after.encode()), block_of(look)
        facts = _codes(look.facts, len(ids), len(look.stated))
        marks = [look.marks[at : at + MARK] for at in range(0, len(look.marks), MARK)]
    except Exception:  # noqa: BLE001  whatever a look leads to that somebody has made up
        return None
    rising = all(one < two for one, two in zip((after, *ids), ids, strict=False))
    if not ids or not rising or not len(ids) == len(block) == len(look.marks) / MARK:
        return None
    return Piece(after, ids, marks, block, facts.tolist(), look.stated)


def block_of(look: Look) -> Block:
    """Return what was seen as rows; raises ValueError where it does not fit together."""
    at = np.frombuffer(look.at)
    count = len(at)
    columns = [_column(seen, count) for seen in look.columns]
    segments = {
        name: Labels(_codes(codes, count, len(values)), values)
        for name, codes, values in look.segments
    }
    cases = {name: _flags(flags, count) for name, flags in look.edge_cases}
    names = {column.feature for column in columns}
    if len(names) < len(columns) or len(segments) < len(look.segments):
        raise ValueError
    if len(names) > FEATURES_OF_A_PIECE or len(segments) > DIMENSIONS:
        raise ValueError
    if not np.isfinite(at).all() or len(cases) < len(look.edge_cases):
        raise ValueError
    taken = _flags(look.accepted, count)
    return Block(at, segments, columns, None if taken.all() else taken, cases)


def _column(seen: Seen, count: int) -> Column:
    rows = np.frombuffer(seen.rows, dtype=np.intp) if seen.rows else None
    if rows is not None:
        count, most = len(rows), count
        if rows[0] < 0 or rows[-1] >= most or not (rows[1:] > rows[:-1]).all():
            raise ValueError
    numbers: Numbers = np.frombuffer(seen.numbers)
    if seen.code == "q":
        numbers = numbers.view(np.int64)
        if ((numbers < -EXACT) | (numbers > EXACT)).any():
            raise ValueError
    codes = np.full(count, NUMBER)
    if seen.codes:
        codes = _codes(seen.codes, count, len(seen.rest), least=NUMBER)
    if seen.code not in ("d", "q") or len(numbers) != count or not np.isfinite(numbers).all():
        raise ValueError
    if not all(type(value) in TYPES.get(kind, ()) for kind, value in seen.rest):
        raise ValueError
    if any(type(value) is bytes and len(value) % 2 for _, value in seen.rest):  # of words
        raise ValueError
    rest = [Observation(seen.feature, kind, value) for kind, value in seen.rest]
    return Column(seen.feature, codes, rest, numbers, rows)


def _codes(data: bytes, count: int, most: int, *, least: int = 0) -> Ints:
    codes = np.frombuffer(data, dtype=np.intp)
    if len(codes) != count or (count and not (least <= codes.min() and codes.max() < most)):
        raise ValueError
    return codes


def _flags(data: bytes, count: int) -> Flags:
    flags = np.frombuffer(data, dtype=np.uint8)
    if len(flags) != count or (count and flags.max() > 1):
        raise ValueError
    return flags.astype(np.bool_)


class Strip:
    """What was seen of the entries that follow a place of a shard, none left out."""

    def __init__(self, place: str) -> None:
        self._end = moment(place.encode())
        self.pieces: list[Piece] = []

    def add(self, piece: Piece) -> bool:
        """Go on with a piece that has what follows; whether it does."""
        if not piece.after <= self._end < piece.ids[-1]:
            return False
        self.pieces.append(piece.behind(self._end))
        self._end = piece.ids[-1]
        return True

    @cached_property
    def ids(self) -> list[bytes]:
        """The ids of the entries that were looked at, in order."""
        return [b"%d-%d" % id_ for piece in self.pieces for id_ in piece.ids]

    @cached_property
    def marks(self) -> list[bytes]:
        """The marks (`entries.mark_of`) of the entries that have one, in order."""
        return [mark for piece in self.pieces for mark in piece.marks]

    def known(self, most: int) -> Known:
        """The first entries, so many at most, with the mark of the last one of each piece: pieces
        may have been looked at before another primary took over, and behind that."""
        ids, ends, end = self.ids[:most], [], 0
        for piece in self.pieces:
            if end < len(ids):
                end = min(end + len(piece.ids), len(ids))
                ends.append(end - 1)
        return Known(ids, {ids[at]: self.marks[at] for at in ends})

    def said(self, count: int) -> tuple[list[float], list[dict[str, str] | None]]:
        """When the first so many ended, and what they say of what served them; None of those that
        were not accepted."""
        at: list[float] = []
        facts: list[dict[str, str] | None] = []
        for piece in self.pieces:
            taken, block = piece.block.accepted, piece.block
            accepted = [True] * len(block) if taken is None else taken.tolist()
            at += block.at.tolist()
            facts += [
                piece.stated[code] if is_so else None
                for code, is_so in zip(piece.facts, accepted, strict=True)
            ]
        return at[:count], facts[:count]

    def blocks(self, count: int) -> list[Block]:
        """What was seen of the first so many."""
        found = []
        for piece in self.pieces:
            if count > 0:
                found.append(piece.block.between(0, count))
            count -= len(piece.ids)
        return found


def interleaved(blocks: Sequence[Block], order: Ints) -> Block | None:
    """Return the rows of several blocks as one: `order` says which row of all, one block after the
    other, comes first, second, and so on. None where their columns have no order in common, or are
    numbers of several kinds."""
    if len(blocks) == 1:
        return blocks[0]
    starts = np.cumsum([0, *map(len, blocks)])
    dimensions = order_of(dict.fromkeys(tuple(one.segments) for one in blocks))
    cases = order_of(dict.fromkeys(tuple(one.edge_cases) for one in blocks))
    names = order_of(
        dict.fromkeys(tuple([column.feature for column in one.columns]) for one in blocks)
    )
    if dimensions is None or cases is None or names is None:
        return None
    places = np.empty(len(order), dtype=np.intp)
    places[order] = np.arange(len(order))
    columns: list[Column] = []
    for name, parts in _by_name(blocks, names).items():
        column = _joined(name, parts, starts, places)
        if column is None:
            return None
        columns.append(column)
    segments = {
        name: _labels([one.segments.get(name) for one in blocks], blocks, order)
        for name in dimensions
    }
    taken = _gathered([one.accepted for one in blocks], blocks, order, missing=True)
    return Block(
        np.concatenate([one.at for one in blocks])[order],
        segments,
        columns,
        None if taken.all() else taken,
        {
            name: _gathered([one.edge_cases.get(name) for one in blocks], blocks, order)
            for name in cases
        },
    )


def _by_name(blocks: Sequence[Block], names: Sequence[str]) -> dict[str, list[tuple[int, Column]]]:
    found: dict[str, list[tuple[int, Column]]] = {name: [] for name in names}
    for place, block in enumerate(blocks):
        for column in block.columns:
            found[column.feature].append((place, column))
    return found


def _joined(
    name: str, parts: Sequence[tuple[int, Column]], starts: Ints, places: Ints
) -> Column | None:
    """A feature's column of several blocks."""
    seen: dict[Any, int] = {}
    rest: list[Observation] = []
    codes, rows, numbers = [], [], []
    kinds = set()
    for place, column in parts:
        assert column.numbers is not None  # noqa: S101  for the type checker
        mine = []
        for one in column.seen:
            code = seen.setdefault((one.kind, type(one.value), one.value), len(rest))
            if code == len(rest):
                rest.append(one)
            mine.append(code)
        if mine:
            codes.append(np.array([*mine, NUMBER], dtype=np.intp)[column.codes])
        else:
            codes.append(column.codes)
        if len(column.seen) == 0 or (column.codes == NUMBER).any():
            kinds.add(column.numbers.dtype)
        rows.append(places[column.places + starts[place]])
        numbers.append(column.numbers)
    if len(kinds) > 1:
        return None
    kind = kinds.pop() if kinds else np.dtype(np.float64)
    where = np.concatenate(rows)
    sort = np.argsort(where)
    where = where[sort]
    return Column(
        name,
        np.concatenate(codes)[sort],
        rest,
        np.concatenate([one.astype(kind, copy=False) for one in numbers])[sort],
        None if len(where) == len(places) else where,
    )


def _labels(found: Sequence[Labels | None], blocks: Sequence[Block], order: Ints) -> Labels:
    places: dict[str, int] = {}
    codes = []
    for labels, block in zip(found, blocks, strict=True):
        if labels is None:
            codes.append(np.full(len(block), places.setdefault(ABSENT, len(places))))
            continue
        mine = [places.setdefault(value, len(places)) for value in labels.values]
        codes.append(np.array(mine, dtype=np.intp)[labels.codes])
    return Labels(np.concatenate(codes)[order], list(places))


def _gathered(
    found: Sequence[Flags | None], blocks: Sequence[Block], order: Ints, *, missing: bool = False
) -> Flags:
    flags = [
        np.full(len(block), missing) if one is None else one
        for one, block in zip(found, blocks, strict=True)
    ]
    return np.concatenate(flags)[order]
