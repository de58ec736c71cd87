"""Records → a Look → rows: the same rows, or none; and rows of several shards in one order."""

from __future__ import annotations

import random
import zlib

import msgspec
import numpy as np
import pytest

from monitor.analysis.guard import guarded
from monitor.analysis.lineage import facts_of
from monitor.analysis.rows import row_of, segments_of, values
from monitor.analyzer.looks import (
    DIMENSIONS,
    FACTS,
    FORM,
    Look,
    Looking,
    Piece,
    Strip,
    about_of,
    interleaved,
    packed,
    unpacked,
)
from monitor.features import FEATURES, MORE
from monitor.interfaces import Feature
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.types import Outcome, Part, Record
from tests.replay.some_records import record

ABOUT = about_of(FEATURES)


def varied(number: int) -> Record:
    """Chats and tensors; refused, sampled, oversampled, re-driven ones, and of edge cases."""
    chance = random.Random(number)
    some: dict[str, object] = {
        "segments": {"population": chance.choice("abc"), "template": chance.choice(["x", "none"])},
        "edge_cases": chance.choice([[], [], ["empty"], ["empty", "long"], ["long"]]),
        "lineage": chance.choice([{}, {"config": "1"}, {"config": "2", "adapter": "x"}]),
        "started": 1.7e9 + number + chance.random(),
    }
    kind = chance.randrange(6)
    if kind == 0:
        some |= {"outcome": Outcome.SERVER_ERROR, "status": 500}
    elif kind == 1:
        some |= {"sampled": 0.5, "oversampled": chance.random() < 0.5}
    elif kind == 2:
        some |= {
            "inputs": [Part(name="x", datatype="FP64", shape=[1], data=[chance.random()])],
            "outputs": [],
        }
    elif kind == 3:
        some |= {"lineage": {"replay": "r"}}
    elif kind == 4:
        some |= {"segments": {"population": "a"}}
    return record(number, **some)


def look(records: list[Record], first: int = 1) -> Look | None:
    looking = Looking(FEATURES)
    for one in records:
        looking.add(one)
    return looking.done(
        ABOUT,
        f"{first - 1}-0",
        [f"{first + place}-0" for place in range(len(records))],
        [b"%8d" % (first + place) for place in range(len(records))],
    )


def piece(records: list[Record], first: int = 1) -> Piece:
    seen = look(records, first)
    assert seen is not None
    data = packed(seen)
    assert data is not None
    found = unpacked(data, ABOUT)
    assert found is not None
    return found


def told(row: Row) -> tuple[object, ...]:
    """All that a monitor of drift asks of a row."""
    return row.at, list(segments_of(row, None)), values(row), row.accepted


@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_of_a_look_is_what_was_seen(seed: int) -> None:
    """Row by row, with what each says of what served it."""
    records = [varied(1000 * seed + number) for number in range(60)]
    found = piece(records, 5)
    assert (found.after, found.ids) == ((4, 0), [(5 + place, 0) for place in range(60)])
    assert [*map(told, found.block.rows())] == [told(row_of(FEATURES, one)) for one in records]
    assert [found.stated[code] for code in found.facts] == [facts_of(one) for one in records]
    rest = found.behind((30, 0))
    assert [*map(told, rest.block.rows())] == [told(row_of(FEATURES, one)) for one in records[26:]]


@pytest.mark.parametrize(
    "unusual",
    [
        record(1, inputs=[Part(name="x", datatype="FP64", shape=[2], data=[0.5, 1.5])]),
        record(1, inputs=[Part(name="x", datatype="BYTES", shape=[1], data=["2024-02-29"])]),
        record(1, segments={"template": "x", "population": "a"}),
        record(1, edge_cases=["long", "empty"]),
    ],
    ids=["a batch", "a date", "dimensions in another order", "edge cases in another order"],
)  # fmt: skip
def test_what_is_unusual_is_no_look(unusual: Record) -> None:
    """Its whole piece is left to who judges."""
    usual = record(0, segments={"population": "a", "template": "x"}, edge_cases=["empty", "long"])
    assert look([usual]) is not None
    assert look([usual, unusual]) is None


def test_a_damaged_look_is_none() -> None:
    """Whichever byte is another one, and wherever it is cut."""
    data = packed(look([varied(number) for number in range(5)]))  # type: ignore[arg-type]
    assert data is not None
    rows = [told(row_of(FEATURES, varied(number))) for number in range(5)]
    chance = random.Random(7)
    for place in range(0, len(data), 3):
        spoiled = bytearray(data)
        spoiled[place] ^= 1 << chance.randrange(8)
        found = unpacked(bytes(spoiled), ABOUT)
        # Some bits of the packing say nothing.
        assert found is None or [*map(told, found.block.rows())] == rows
        assert unpacked(data[:place], ABOUT) is None
    assert unpacked(data, "another version") is None


@pytest.mark.parametrize(
    "change",
    [
        {"ids": b"x"}, {"ids": b""}, {"ids": bytes(80)}, {"at": bytes(8)}, {"accepted": b"\x02" * 5},
        {"accepted": b"\x01"}, {"facts": np.full(5, 99).tobytes()}, {"after": "9-0"}, {"after": "x"},
        {"segments": [("population", np.full(5, 9).tobytes(), ["a"])]},
        {"segments": [("a", bytes(40), ["a"]), ("a", bytes(40), ["a"])]},
        {"edge_cases": [("long", b"\x01")]}, {"marks": bytes(39)}, {"marks": bytes(32)},
        {"at": np.array([1.7e9, 1.7e9, np.nan, 1.7e9, 1.7e9]).tobytes()}, {"at": np.full(5, np.inf).tobytes()},
        {"segments": [(f"d{number}", bytes(40), ["a"]) for number in range(DIMENSIONS + 1)]},
        {"stated": [{f"f{number}": "x" for number in range(FACTS + 1)}]},
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_none(change: dict[str, object]) -> None:
    """Although it is written as it should be: anybody may have written it."""
    seen = look([varied(number) for number in range(5)])
    assert seen is not None
    data = packed(msgspec.structs.replace(seen, **change))
    assert data is not None
    assert unpacked(data, ABOUT) is None


@pytest.mark.parametrize(
    "change",
    [
        {"numbers": bytes(16)}, {"code": "d", "numbers": np.full(5, np.nan).tobytes()}, {"code": "d", "codes": bytes(8)},
        {"codes": np.full(5, 3).tobytes()}, {"rows": np.array([0, 0, 1, 2, 3]).tobytes()},
        {"rows": np.array([0, 1, 2, 3, 5]).tobytes()}, {"numbers": b"x"},
        {"code": "x"}, {"code": "q", "numbers": np.full(5, 1 << 60).tobytes()}, {"rest": [("bogus", "a")]},
        {"rest": [("numeric", [1])]}, {"rest": [("categorical", {"a": 1})]}, {"rest": [("categorical", 1)]},
        {"rest": [("words", b"abc")]}, {"rest": [(["numeric"], "a")]}, {"rest": [("duration", 1.0)]},
    ],
)  # fmt: skip
def test_a_column_that_does_not_fit_is_none(change: dict[str, object]) -> None:
    """Places beyond the rows, values beyond those that are named, numbers that are none."""
    seen = look([record(number, started=1.7e9) for number in range(5)])
    assert seen is not None
    columns = [seen.columns[0]._replace(**change), *seen.columns[1:]]  # type: ignore[arg-type]
    data = packed(msgspec.structs.replace(seen, columns=columns))
    assert data is not None
    assert unpacked(data, ABOUT) is None


def test_what_unpacks_to_too_much_is_none() -> None:
    """However little of it stands in the store."""
    assert unpacked(zlib.compress(bytes(64 << 20)), ABOUT) is None


def test_who_looks_with_other_features_says_so() -> None:
    """Somebody's own features, which may remember what they saw, are told by nobody."""
    assert FORM == 2
    assert about_of(FEATURES) == about_of(FEATURES) != about_of((*FEATURES, MORE[1]))
    own = Feature("own", lambda _: ())
    assert about_of((*FEATURES, guarded("own", own))) == ""


def test_a_strip_is_what_follows_a_place_and_leaves_nothing_out() -> None:
    """It may begin within a piece, and pieces may overlap; where one is missing it ends."""
    records = [record(number, started=1.7e9 + number) for number in range(12)]
    strip = Strip("2-0")
    assert not strip.add(piece(records[3:5], 4)), "the entry 3-0 is missing"
    assert strip.add(piece(records[:5]))
    assert not strip.add(piece(records[1:4], 2)), "nothing new"
    assert strip.add(piece(records[3:8], 4))
    assert not strip.add(piece(records[9:], 10))
    assert strip.ids == [b"%d-0" % number for number in range(3, 9)]
    assert [row.at for block in strip.blocks(4) for row in block.rows()] == [
        one.started + one.duration for one in records[2:6]
    ]
    at, facts = strip.said(2)
    assert (len(at), facts) == (2, [facts_of(one) for one in records[2:4]])


@pytest.mark.parametrize("seed", range(6))
def test_interleaved_blocks_are_the_rows_in_that_order(seed: int) -> None:
    """Of any number of shards, some of which have other features, dimensions, edge cases."""
    chance = random.Random(seed)
    shards = [[varied(chance.randrange(10**6)) for _ in range(chance.randrange(1, 30))]
              for _ in range(chance.randrange(1, 5))]  # fmt: skip
    blocks = [piece(one).block for one in shards]
    order = list(range(sum(map(len, blocks))))
    if len(blocks) > 1:
        chance.shuffle(order)
    rows = [row_of(FEATURES, one) for shard in shards for one in shard]
    whole = interleaved(blocks, np.array(order))
    assert isinstance(whole, Block)
    assert [*map(told, whole.rows())] == [told(rows[place]) for place in order]


def test_numbers_of_several_kinds_are_not_put_into_one_column() -> None:
    """Integers are no floats: such blocks are taken apart into their rows."""
    blocks = [
        piece([record(1, inputs=[Part(name="x", datatype="FP64", shape=[1], data=[value])])]).block
        for value in (1, 1.5)
    ]
    assert interleaved(blocks, np.array([1, 0])) is None
