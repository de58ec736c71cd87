"""Each Record's outcome is folded once, when it is due, with what feedback had said by then."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.analysis.join import items
from monitor.analysis.join.items import Item
from monitor.analysis.join.join import PER_NAME, PIECE, Join
from monitor.analysis.join.predictions import PredictionReader
from monitor.analysis.quality.answers import read
from monitor.rows import Row
from monitor.texts import numbered
from monitor.types import Part, Record
from tests.analysis.join.exchanges import BEGIN, item, record

WAIT = 100.0
ORDERS = int(os.environ.get("FAULT_ORDERS", "8"))
"""Histories of duplicates, early and late feedback and kills that are tried."""


def join(wait: float = WAIT, room: int = 10_000, horizons: Sequence[float] = ()) -> Join:
    return Join(PredictionReader(), wait=wait, room=room, horizons=horizons)


def tell(one: Join, event: Record | Item) -> list[Row]:
    if isinstance(event, Record):
        return one.add(event)
    one.say(event)
    return []


def fold(events: list[Any], until: float = math.inf) -> tuple[Join, list[Row]]:
    """All events at once, then what is due."""
    one = join()
    rows = []
    for event in events:
        rows += tell(one, event)
    return one, rows + list(one.advance(until))


def label(row: Row) -> object:
    assert row.truth is not None
    return row.truth.label


def test_a_record_is_due_once_after_its_time_and_never_before() -> None:
    """The Row comes when the time of the record is over, with the label that came before."""
    one = join()
    assert one.add(record("r")) == []
    one.say(item(1.0, id="r", label="0"))
    assert list(one.advance(BEGIN + WAIT)) == []
    (row,) = one.advance(BEGIN + WAIT + 1)
    assert row.truth is not None
    assert (row.at, row.truth.prediction, row.truth.label, row.weight) == (BEGIN, "1", "0", 1.0)
    assert row.segments == {"population": "a"}
    assert list(one.advance(math.inf)) == []


@pytest.mark.parametrize("name", [
    {"id": "r"}, {"trace_id": "a" * 32}, {"response_id": "chatcmpl-1"}, {"business": {"order": "7"}},
])  # fmt: skip
def test_each_name_of_an_exchange_names_it(name: dict[str, Any]) -> None:
    """Id, trace id, response id and business key lead to the same record, before it and after."""
    seen = record("r", trace_id="a" * 32, response_id="chatcmpl-1", business={"order": "7"})
    for events in ([seen, item(label="0", **name)], [item(label="0", **name), seen]):
        _, (row,) = fold(events)
        assert label(row) == "0"
    _, (row,) = fold([seen, item(label="0", business={"customer": "7"})])
    assert label(row) is None


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_comes_after_its_time_does_not_count(is_killed: bool) -> None:
    """Feedback of the second after is unmatched, however early it says to have been known: at once
    where it names the id, when it has waited where others may have its name, or after a restart."""
    one = join()
    one.add(record("r", trace_id="a" * 32))
    rows = list(one.advance(BEGIN + WAIT + 1))
    assert [label(row) for row in rows] == [None]
    if is_killed:
        store, one = one.state(), join()
        one.restore({name: kept for name, kept in store.items() if kept})
    one.say(item(WAIT + 1, "1", id="r", label="0", at=1.0))
    one.say(item(WAIT + 1, "2", trace_id="a" * 32, label="0", at=1.0))
    assert one.ledger.waiting["label"] == 1 + is_killed
    assert list(one.advance(BEGIN + 2 * WAIT + 2)) == []
    assert one.ledger.final["label"] == {"joined": 0, "unmatched": 2, "duplicate": 0}


def test_what_was_sent_again_has_no_outcome() -> None:
    """`monitor redrive` through a sidecar is no traffic, so no experiment counts it."""
    one = join()
    assert one.add(msgspec.structs.replace(record("r"), lineage={"replay": "r1"})) == []
    assert list(one.advance(math.inf)) == []
    assert one.ledger.records["left_out"] == 1


def test_names_of_nobody_wait_and_are_unmatched_then() -> None:
    """An item without a record waits as long as a record does."""
    one, _ = fold([item(id="nobody", rating=3.0)], until=BEGIN + WAIT)
    assert (one.ledger.waiting["rating"], one.ledger.said) == (1, 1)
    list(one.advance(BEGIN + WAIT + 1))
    assert (one.ledger.waiting["rating"], one.ledger.final["rating"]["unmatched"]) == (0, 1)
    assert one.ledger.said == 1


def test_the_largest_time_and_key_holds_in_any_order() -> None:
    """Corrections of a label: what became known last is the truth, then the larger key."""
    said = [
        item(3.0, id="r", label="a", at=5.0, key="1"),
        item(2.0, id="r", label="b", at=9.0, key="2"),
        item(1.0, id="r", label="c", at=9.0, key="3"),
        item(4.0, id="r", label="d", at=9.0, key="1x"),
    ]
    for seed in range(20):
        events = [*said, record("r")]
        Random(seed).shuffle(events)
        _, (row,) = fold(events)
        assert label(row) == "c"


def test_a_key_counts_once() -> None:
    """The second item with a key is a duplicate, before and after its record."""
    same = item(1.0, id="r", event="sold", value=4.0, key="k")
    for events in ([same, same, record("r"), same], [record("r"), same, same, same]):
        one, (row,) = fold(events)
        assert row.truth is not None
        assert row.truth.events == {"sold": 4.0}
        assert one.ledger.final["event"] == {"joined": 1, "unmatched": 0, "duplicate": 2}


def test_what_is_said_stands_in_the_truth() -> None:
    """Events, rating, attributes and verdicts come together in one Truth."""
    _, (row,) = fold([
        record("r"),
        item(id="r", event="click", entry="1"),
        item(id="r", event="revenue", value=12.5, entry="2"),
        item(id="r", rating=2.0, entry="3"),
        item(id="r", attributes={"sex": "f"}, entry="4"),
        item(id="r", attributes={"age": "40"}, entry="5"),
        item(id="r", verdict={"reviewer": "kim", "passed": True}, entry="6"),
    ])  # fmt: skip
    truth = row.truth
    assert truth is not None
    assert truth.events == {"click": 1.0, "passed": 1.0, "revenue": 12.5}
    assert (truth.rating, truth.attributes) == (2.0, {"age": "40", "sex": "f"})
    assert truth.label == truth.prediction == "1"


def test_protected_attributes_are_gone_when_their_record_was_due() -> None:
    """They are in the Row alone, and in no checkpoint from then on; until the last record of a name
    they stay. A key that comes again is still a duplicate."""
    one = join()
    one.add(record("r", trace_id="b" * 32))
    one.add(record("s", 50.0, trace_id="b" * 32))
    said = item(60.0, trace_id="b" * 32, attributes={"sex": "female"}, key="k")
    one.say(said)
    store: dict[str, bytes] = {}
    for until, is_kept in ((0.0, True), (WAIT + 1, True), (WAIT + 51, False)):
        for row in one.advance(BEGIN + until):
            assert row.truth is not None
            assert row.truth.attributes == {"sex": "female"}
        store |= one.state()
        pieces = [zlib.decompress(kept) for name, kept in store.items() if name != "head" and kept]
        assert (b"female" in b"".join(pieces)) is is_kept
    one.say(said)
    assert one.ledger.final["attributes"] == {"joined": 1, "unmatched": 0, "duplicate": 1}


def test_a_corrected_text_is_the_truth_unless_it_is_labelled() -> None:
    """A label goes before a correction, which goes before a verdict."""
    corrected = item(id="r", correction="right", entry="1")
    judged = item(id="r", verdict={"reviewer": "kim", "passed": False, "label": "x"}, entry="2")
    _, (row,) = fold([record("r"), corrected, judged])
    assert row.truth is not None
    assert (row.truth.label, row.truth.correction) == (None, "right")
    _, (row,) = fold([record("r"), corrected, judged, item(id="r", label="0", entry="3")])
    assert label(row) == "0"


def test_what_is_known_early_changes_nothing() -> None:
    """Rows of what somebody has spoken of, the last first where there are many; when they are due
    they come as if nobody had looked."""
    one, other = join(), join()
    for number in range(20):
        for each in (one, other):
            each.add(record(f"r{number}"))
            if number % 2:
                each.say(item(1.0, id=f"r{number}", label=str(number), entry=f"e{number}"))
    one.say(item(2.0, id="nobody", label="x", entry="n"))
    other.say(item(2.0, id="nobody", label="x", entry="n"))
    assert sorted(map(str, map(label, one.early(100)))) == sorted(map(str, range(1, 20, 2)))
    assert set(map(label, one.early(4))) <= {"19", "17", "15", "13"}
    assert one.state() == other.state()
    assert list(one.advance(math.inf)) == list(other.advance(math.inf))
    assert list(one.early(100)) == []
    assert one.ledger.final == other.ledger.final


def test_a_record_that_comes_after_it_was_due_is_folded_at_once() -> None:
    """What a spool held back has its Row without what was unmatched by then."""
    one = join()
    one.say(item(1.0, id="r", label="0"))
    list(one.advance(BEGIN + WAIT + 1))
    (row,) = one.add(record("r"))
    assert label(row) == "0"
    assert one.ledger.said == 1


def test_several_records_of_one_name_are_all_spoken_of() -> None:
    """A trace of two calls: what is said of the trace is said of both, and joined once."""
    one, rows = fold([
        record("r", trace_id="b" * 32), item(1.0, trace_id="b" * 32, label="0"),
        record("s", 2.0, trace_id="b" * 32), record("t", 2 * WAIT, trace_id="b" * 32),
    ])  # fmt: skip
    assert [label(row) for row in rows] == ["0", "0", None]
    assert one.ledger.final["label"]["joined"] == 1


def test_a_time_of_no_world_is_left_out() -> None:
    """A record that ends in the year 5000 or never takes no room for ever."""
    one = join()
    for ended in (1e12, math.inf, -math.inf, math.nan):
        assert one.add(record("r", ended)) == []
    assert (len(one), one.ledger.records) == (0, {"due": 0, "left_out": 4})


# --- live, replay and restart ------------------------------------------------------------------


def history(seed: int, count: int = 300) -> list[tuple[float, Record | Item]]:
    """Records and feedback at the times at which they come: duplicates, early and late ones."""
    random = Random(seed)
    events: list[tuple[float, Record | Item]] = []
    for number in range(count):
        ended = random.uniform(0, 400)
        names = {"id": f"r{number}", "trace_id": f"{number // 2:032x}"}
        seen = record(
            f"r{number}", ended, trace_id=names["trace_id"],
            segments={"population": random.choice("ab")},
        )  # fmt: skip
        events.append((ended + random.expovariate(1), seen))
        for turn in range(random.randrange(4)):
            came = max(0.0, ended + random.choice([-20, 5, 30, WAIT, WAIT + 40]) * random.random())
            said = random.choice([{"label": random.choice("01")}, {"rating": 3.0}, {"event": "x"}])
            named = dict([random.choice(list(names.items()))])
            one = item(came, f"{number}/{turn}", key=f"{number}/{turn}", **named, **said)
            events.append((came, one))
            if random.random() < 0.2:
                events.append((came + 1, one))
    for number in range(20):
        came = random.uniform(0, 400)
        events.append((came, item(came, f"x{number}", id=f"nobody{number}", label="1")))
    return sorted(events, key=lambda one: one[0])


def live(
    events: list[tuple[float, Record | Item]],
    seed: int,
    kills: int = 0,
    *,
    horizons: Sequence[float] = (),
) -> tuple[Join, list[Row]]:
    """One event after the other, and every now and then what is due. A killed process goes on from
    its last checkpoint, and what it read and folded after that is read and folded once more."""
    random = Random(seed)
    one, at = join(horizons=horizons), 0
    rows: list[Row] = []
    store: dict[str, bytes] = {}
    saved = 0, 0
    while at < len(events):
        come, event = events[at]
        rows += tell(one, event)
        at += 1
        if random.random() < 0.3:
            rows += one.advance(BEGIN + come)
        if random.random() < 0.05:
            store = {name: kept for name, kept in {**store, **one.state()}.items() if kept}
            saved = at, len(rows)
        if kills and random.random() < 0.02:
            kills -= 1
            one = join(horizons=horizons)
            one.restore(store)
            at, rows = saved[0], rows[: saved[1]]
    return one, rows + list(one.advance(math.inf))


@pytest.mark.parametrize("seed", range(ORDERS))
def test_live_and_replayed_and_killed_give_the_same_rows_in_the_same_order(seed: int) -> None:
    """The Rows depend on records and on when feedback came, on nothing else, to the bit."""
    events = history(seed)
    one, rows = live(events, seed)
    again, others = live(events, seed + 100, kills=6)
    assert rows == others
    assert one.ledger.saved() == again.ledger.saved()
    assert len(rows) == 300
    assert sum(one.ledger.waiting.values()) == 0
    shuffled = [event for _, event in events]
    Random(seed).shuffle(shuffled)
    assert fold(shuffled)[1] == rows


@pytest.mark.parametrize("seed", range(ORDERS))
def test_a_horizon_counts_what_came_by_then_whenever_it_is_looked_at(seed: int) -> None:
    """Each record has a Row more for each horizon, with the feedback that came so soon, live, killed
    and replayed; the Rows of what is due are the same as without."""
    events, horizons = history(seed), (8.0, 40.0)
    _, rows = live(events, seed, horizons=horizons)
    _, others = live(events, seed + 100, kills=6, horizons=horizons)
    assert [row for row in rows if is_due(row)] == live(events, seed)[1]
    within = [row for row in rows if not is_due(row)]
    assert len(within) == 600
    assert sorted(map(repr, within)) == sorted(repr(row) for row in others if not is_due(row))
    said = {one.key: one for _, one in events if isinstance(one, Item)}.values()
    for row in within:
        assert row.truth is not None
        names = next(names_of(one) for _, one in events if isinstance(one, Record)
                     and one.started + one.duration == row.at)  # fmt: skip
        known = items.known([
            one for one in said if names.intersection(one.names) and one.came is not None
            and -WAIT / 2 <= one.came - row.at <= row.truth.horizon
        ], "1")  # fmt: skip
        assert (row.truth.label, row.truth.rating, row.truth.events) == (
            known.label, known.rating, known.events
        )  # fmt: skip


def names_of(one: Record) -> set[int]:
    return {items.digest("id", one.id), items.digest("trace_id", one.trace_id or "")}


def is_due(row: Row) -> bool:
    return row.truth is not None and row.truth.is_due


def test_at_a_horizon_that_is_over_a_record_is_counted_at_once() -> None:
    """With what had been said by then: one that comes late, or after all of its time."""
    one = join(horizons=[10.0])
    one.say(item(5.0, "a", id="r", label="0"))
    one.say(item(20.0, "b", id="r", label="1"))
    assert list(one.advance(BEGIN + 30)) == []
    (row,) = one.add(record("r"))
    assert (row.truth and row.truth.horizon, is_due(row), label(row)) == (10.0, False, "0")
    assert [label(row) for row in one.advance(math.inf)] == ["1"]
    assert [is_due(row) for row in one.add(record("late"))] == [False, True]


def test_what_was_folded_at_a_horizon_is_not_folded_again_after_a_restart() -> None:
    """A checkpoint says up to when; a horizon that is new begins with what is to come."""
    one = join(horizons=[10.0])
    one.add(record("r"))
    one.add(record("s", 15.0))
    assert [row.at - BEGIN for row in one.advance(BEGIN + 20)] == [0.0]
    again = join(horizons=[10.0, 12.0])
    again.restore(one.state())
    rows = [row for row in again.advance(BEGIN + 50) if row.truth]
    assert [(row.at - BEGIN, row.truth and row.truth.horizon) for row in rows] == [
        (15.0, 10.0), (15.0, 12.0)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_the_ledger_is_right_at_every_moment(seed: int) -> None:
    """Every item has one final result, or waits, whenever somebody looks."""
    one, said = join(), 0
    for come, event in history(seed):
        said += isinstance(event, Item)
        tell(one, event)
        list(one.advance(BEGIN + come))
        assert one.ledger.said == said


def test_a_checkpoint_writes_what_is_new_and_forgets_what_is_due() -> None:
    """Pieces that are full are not written again, and are removed when all in them was due."""
    one = join()
    for number in range(3 * PIECE):
        one.add(record(f"r{number}", number / 100))
    assert set(one.state()) == {"0", "1", "2", "head"}
    assert set(one.state()) == {"head"}
    one.add(record("new", 10))
    assert set(one.state()) == {"3", "head"}
    list(one.advance(BEGIN + WAIT + PIECE / 100 + 1))
    assert one.state()["0"] == b""


def test_early_feedback_that_is_joined_is_written_again() -> None:
    """The mark that it waits is in its piece, which is old by then."""
    one = join()
    one.say(item(id="r", label="0"))
    store = one.state()
    one.add(record("r"))
    store |= one.state()
    again = join()
    again.restore(store)
    assert again.ledger.final["label"]["joined"] == 1
    assert [label(row) for row in again.advance(math.inf)] == ["0"]
    assert again.ledger.said == 1


def test_more_records_than_there_is_room_for_are_an_even_share_with_its_weight() -> None:
    """A half, then a quarter: what is kept stands for the rest."""
    one = join(room=500)
    for number in range(8000):
        assert one.add(record(f"r{number}", number / 100)) == []
        assert len(one) <= 500
    rows = list(one.advance(math.inf))
    assert {row.weight for row in rows} == {32.0}
    assert sum(row.weight for row in rows) == pytest.approx(8000, rel=0.2)
    assert sum(one.ledger.records.values()) == 8000


def test_when_traffic_falls_all_records_are_kept_again() -> None:
    """The share grows back once what came in the last `wait` has room."""
    one = join(room=100)
    for number in range(1000):
        one.add(record(f"r{number}", number / 100))
    list(one.advance(BEGIN + 2 * WAIT))
    for number in range(60):
        one.add(record(f"s{number}", 3 * WAIT + number))
    assert {row.weight for row in one.advance(math.inf)} == {1.0}


def test_a_share_that_is_killed_goes_on_with_the_same_records() -> None:
    """Weights and the records left out are those of a process that was not killed."""
    one, again = join(room=200), join(room=200)
    store: dict[str, bytes] = {}
    for number in range(3000):
        seen = record(f"r{number}", number / 50)
        one.add(seen)
        again.add(seen)
        if number % 101 == 0:
            store |= again.state()
            again = join(room=200)
            again.restore({name: kept for name, kept in store.items() if kept})
    assert list(one.advance(math.inf)) == list(again.advance(math.inf))
    assert one.ledger.saved() == again.ledger.saved()


def test_what_waits_is_bounded() -> None:
    """Beyond the room for those that wait, those that have waited longest are unmatched."""
    one = join(room=50)
    for number in range(200):
        one.say(item(id=f"nobody{number}", label="1", entry=f"{number}"))
    assert (one.ledger.waiting["label"], one.ledger.final["label"]["unmatched"]) == (50, 150)
    one.add(record("nobody199"))
    one.add(record("nobody10"))
    assert sorted(map(str, map(label, one.advance(math.inf)))) == ["1", "None"]
    assert one.ledger.said == 200


def test_what_is_kept_of_one_name_and_in_all_is_bounded() -> None:
    """What is beyond is unmatched: of one exchange, and of all."""
    one = join(room=50)
    for number in range(300):
        one.add(record(f"r{number}", number * 10 * WAIT))
        one.say(item(number * 10 * WAIT, f"{number}", id=f"r{number}", label="1"))
    assert one.ledger.final["label"] == {"joined": 200, "unmatched": 100, "duplicate": 0}
    two = join()
    two.add(record("r"))
    for number in range(100):
        two.say(item(1.0, f"{number}", id="r", event=f"{number}"))
    assert two.ledger.final["event"] == {"joined": PER_NAME, "unmatched": 36, "duplicate": 0}


def test_another_wait_folds_nothing_twice() -> None:
    """After a restart with a longer wait only what was not due has the longer one."""
    one = join()
    one.add(record("r"))
    one.add(record("s", 50))
    assert len(list(one.advance(BEGIN + WAIT + 1))) == 1
    again = join(wait=10 * WAIT)
    again.restore(one.state())
    (row,) = again.advance(math.inf)
    assert row.at == BEGIN + 50


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 300), st.integers(0, 3)), max_size=30))
@settings(max_examples=50)
def test_no_order_of_arrival_changes_what_is_known(said: list[tuple[int, float, int]]) -> None:
    """Any feedback, forwards and backwards, before and after its records."""
    records = [record(f"r{number}", 20.0 * number) for number in range(6)]
    items = [
        item(came, f"{place}", id=f"r{number}", label=str(value), at=came)
        for place, (number, came, value) in enumerate(said)
    ]
    one, rows = fold([*records, *items])
    two, others = fold([*reversed(items), *reversed(records)])
    assert rows == others
    assert one.ledger.final == two.ledger.final


def test_what_experiments_count_by_is_kept_as_a_number() -> None:
    """A business key or a dimension; an exchange that has neither has no unit."""
    units = ("order", "population", "nobody", "trace_id")
    one = Join(PredictionReader(), wait=WAIT, units=units)
    one.add(record("r", business={"order": "o-17"}, trace_id="4b" * 16))
    again = Join(PredictionReader(), wait=WAIT, units=units)
    again.restore(one.state())
    for joined in (one, again):
        (row,) = joined.advance(math.inf)
        assert row.truth is not None
        assert row.truth.units == {
            "order": numbered("o-17"), "population": numbered("a"), "trace_id": numbered("4b" * 16),
        }  # fmt: skip


def test_a_score_outside_0_to_1_is_counted_as_one() -> None:
    """It is no number of anything, also after a restart; the row's label counts all the same."""
    one, again = join(), join()
    one.add(record("r", outputs=[Part(text='{"label": "1", "probability": 1.7}')]))
    one.say(item(1.0, id="r", label="1"))
    again.restore(one.state())
    for joined in (one, again):
        (row,) = joined.advance(math.inf)
        assert row.truth is not None
        assert isinstance(row.truth.score, float)
        assert math.isnan(row.truth.score)
        answered, troubles = read(row.truth, "1")
        assert answered is not None
        assert (answered.scores, troubles) == ({}, ["score"])
