"""Delivery: every record once, in order, whatever the store does; Fates tell the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import delivery as module
from monitor.delivery import Delivery, Item
from monitor.errors import StreamError
from monitor.streams.spool import Spool
from monitor.types import Fate, Record, decode_record
from tests.streams.test_spool import DOCUMENT


def item(name: str, *, again: bool = False) -> Item:
    return Item(decode_record(DOCUMENT % name.encode()), "m", again)


class FakeStore:
    """A store in memory that does what `plan` says, one step for each append, then works."""

    def __init__(self, plan: Sequence[str] = ()) -> None:
        self.plan = list(plan)
        self.ids: list[str] = []
        self.asked = 0
        self.since: list[float] = []

    async def append(self, records: Sequence[Record]) -> None:
        step = self.plan.pop(0) if self.plan else "work"
        if step == "refuse":
            raise StreamError("refused")
        if step == "apply and say nothing":
            self.ids += [one.id for one in records]
            raise StreamError("no answer", ambiguous=True)
        if step == "half":
            self.ids += [one.id for one in records[: len(records) // 2]]
            raise StreamError("no answer", ambiguous=True)
        self.ids += [one.id for one in records]

    async def ids_since(self, at: float) -> set[str]:
        self.asked += 1
        self.since.append(at)
        if self.plan and self.plan[0] == "blind":
            self.plan.pop(0)
            raise StreamError("refused")
        return set(self.ids)

    async def ping(self) -> None:
        if self.plan and self.plan[0] == "away":
            self.plan.pop(0)
            raise StreamError("refused")


class Ledger:
    """What the proxy would have been told."""

    def __init__(self) -> None:
        self.state: dict[str, str] = {}
        self.ends: list[str] = []

    async def reply(self, fates: list[Fate]) -> None:
        for fate in fates:
            self.state[fate.id] = fate.state
            if fate.state == "appended":
                self.ends.append(fate.id)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LINGER", 0.0)
    monkeypatch.setattr(module, "BATCH", 4)


def deliver(
    store: FakeStore, spool: Spool, items: Sequence[Item], *, wait_for: int | None = None
) -> tuple[Ledger, list[str]]:
    ledger, lines = Ledger(), []

    async def story() -> None:
        delivery = Delivery(
            store, spool, reply=ledger.reply, log=lines.append, clock=lambda: 1000.0
        )
        running = asyncio.ensure_future(delivery.run())
        for one in items:
            delivery.offer(one)
        async with asyncio.timeout(20):
            while len(set(ledger.ends)) < (len(items) if wait_for is None else wait_for):
                await asyncio.sleep(0)
            await delivery.close()
            await running

    asyncio.run(story())
    return ledger, lines


STEPS = st.sampled_from(["work", "refuse", "apply and say nothing", "half", "away", "blind"])


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEPS, max_size=12), st.integers(1, 20))
def test_whatever_the_store_does_every_record_is_in_it_once(
    tmp_path_factory: pytest.TempPathFactory, plan: list[str], count: int
) -> None:
    """Refusals, silence after the deed, half a batch: once each, in order, and acknowledged."""
    store = FakeStore(plan)
    spool = Spool(tmp_path_factory.mktemp("spool") / "s", 1 << 20)
    names = [f"{number:03}" for number in range(count)]
    ledger, _ = deliver(store, spool, [item(name) for name in names])
    assert store.ids == names
    assert set(ledger.state.values()) == {"appended"}
    assert not spool


def test_while_the_store_is_away_records_are_spooled_and_said_so(tmp_path: Path) -> None:
    """One line when it goes, one when it is back."""
    store = FakeStore(["refuse", "away", "away"])
    ledger, lines = deliver(store, Spool(tmp_path / "s", 1 << 20), [item("a"), item("b")])
    assert store.ids == ["a", "b"]
    assert len(lines) == 2
    assert "spool" in lines[0]
    assert lines[1] == "the store is back"
    assert ledger.state == {"a": "appended", "b": "appended"}


def test_what_an_earlier_recorder_had_appended_is_acknowledged_and_not_repeated(
    tmp_path: Path,
) -> None:
    """Handed over again after a kill: the stream's tail knows the ids."""
    store = FakeStore()
    store.ids = ["a", "b"]
    again = [item("a", again=True), item("b", again=True), item("c", again=True), item("d")]
    ledger, _ = deliver(store, Spool(tmp_path / "s", 1 << 20), again)
    assert store.ids == ["a", "b", "c", "d"]
    assert len(ledger.ends) == 4
    assert store.asked == 1


def test_new_traffic_asks_the_stream_nothing(tmp_path: Path) -> None:
    """The look into the past is for doubtful records only."""
    store = FakeStore()
    deliver(store, Spool(tmp_path / "s", 1 << 20), [item(str(n)) for n in range(10)])
    assert store.asked == 0


def test_what_an_earlier_recorder_had_spooled_is_not_spooled_twice(tmp_path: Path) -> None:
    """Its successor finds it on disk, acknowledges it, and delivers it once."""
    before = Spool(tmp_path / "s", 1 << 20)
    before.append([item("a").record, item("b").record])
    store = FakeStore(["away"])
    ledger, lines = deliver(
        store, Spool(tmp_path / "s", 1 << 20), [item("b", again=True), item("c")], wait_for=3
    )
    assert store.ids == ["a", "b", "c"]
    assert ledger.state == {"a": "appended", "b": "appended", "c": "appended"}
    assert "earlier run" in lines[0]


def test_with_no_room_anywhere_records_wait_unacknowledged(tmp_path: Path) -> None:
    """The proxy keeps them, and counts them if it must drop them."""
    store = FakeStore(["refuse"] * 1000)
    ledger = Ledger()

    async def story() -> None:
        spool = Spool(tmp_path / "s", 0)
        delivery = Delivery(
            store, spool, reply=ledger.reply, log=lambda _: None, clock=lambda: 1000.0
        )
        running = asyncio.ensure_future(delivery.run())
        delivery.offer(item("a"))
        async with asyncio.timeout(20):
            while len(store.plan) > 990:
                await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await delivery.room(1)
            await delivery.close()
            await running

    asyncio.run(story())
    assert ledger.state == {}


def test_what_waits_in_the_spool_is_not_looked_for_in_the_stream(tmp_path: Path) -> None:
    """Nobody tried to append it; the stream's tail of a whole outage stays unread."""
    before = Spool(tmp_path / "s", 1 << 20)
    before.append([item(str(n)).record for n in range(9)])
    store = FakeStore(["away"])
    deliver(store, Spool(tmp_path / "s", 1 << 20), [], wait_for=9)
    assert store.ids == [str(n) for n in range(9)]
    assert store.asked == 0


def test_a_recorder_killed_while_it_empties_the_spool_has_a_successor_that_goes_on(
    tmp_path: Path,
) -> None:
    """What had been appended is recognised, back to when the first one had begun and no further."""
    killed = Spool(tmp_path / "s", 1 << 20)
    killed.append([item(str(n)).record for n in range(9)])
    killed.oldest(990.0)
    store = FakeStore()
    store.ids = [str(n) for n in range(6)]
    ledger, _ = deliver(store, Spool(tmp_path / "s", 1 << 20), [], wait_for=9)
    assert store.ids == [str(n) for n in range(9)]
    assert len(ledger.ends) == 9
    assert store.since == [990.0]


@pytest.mark.parametrize("between", [0, 2, 5])
def test_a_record_that_is_handed_over_twice_while_it_waits_is_appended_once(
    tmp_path: Path, between: int
) -> None:
    """The proxy's connection broke and came back; both copies stand in the queue."""
    first = [item("a", again=True), *(item(f"b{n}", again=True) for n in range(between))]
    store = FakeStore()
    deliver(
        store, Spool(tmp_path / "s", 1 << 20), [*first, item("a", again=True)], wait_for=len(first)
    )
    assert sorted(store.ids) == sorted({one.record.id for one in first})


def test_one_doubtful_batch_does_not_make_the_whole_outage_doubtful(tmp_path: Path) -> None:
    """It has a segment of its own; what comes later shares one, and is not looked for."""
    store = FakeStore(["apply and say nothing", *["away"] * 5])
    deliver(store, Spool(tmp_path / "s", 1 << 20), [item(f"{n:02}") for n in range(30)])
    assert store.ids == [f"{n:02}" for n in range(30)]
    assert store.asked == 1


def test_there_is_no_room_beyond_so_many_bytes(tmp_path: Path) -> None:
    """A few large records fill the queue as many small ones do."""
    store = FakeStore(["refuse"] * 1000)

    async def story() -> None:
        spool = Spool(tmp_path / "s", 0)
        delivery = Delivery(
            store, spool, reply=Ledger().reply, log=lambda _: None, clock=lambda: 1000.0
        )
        delivery.offer(Item(item("a").record, "m", again=False, size=1000))
        await delivery.room(100, 1001)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await delivery.room(100, 1000)

    asyncio.run(story())
