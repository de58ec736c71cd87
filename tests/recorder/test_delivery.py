"""Delivery: every record once, in order, whatever the store does; the ledger gets a Receipt of each."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.errors import StreamError
from monitor.exchange_numbers import Numbers
from monitor.framing import ProxyState, Reconciliation, RecorderState
from monitor.proxy import ledger as proxy_ledger
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import LedgerSnapshot
from monitor.recorder import delivery as module
from monitor.recorder import spool as spool_module
from monitor.recorder.delivery import Delivery, Item
from monitor.recorder.spool import Spool
from monitor.types import Outcome, Receipt, Record, decode_record
from tests.proxy.test_ledger import ended, sums
from tests.recorder.test_spool import DOCUMENT


def item(name: str, *, redelivered: bool = False) -> Item:
    return Item(decode_record(DOCUMENT % name.encode()), "m", redelivered)


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
    """What the proxy would have counted."""

    def __init__(self) -> None:
        self.state: dict[str, str] = {}
        self.ends: list[str] = []
        self.is_connected = True
        self.reconciled: list[Reconciliation] = []

    async def connected(self) -> bool:
        return self.is_connected

    async def reconcile(self, reconciled: Reconciliation) -> bool:
        self.reconciled.append(reconciled)
        return True

    async def acknowledge(self, receipts: list[Receipt]) -> None:
        for receipt in receipts:
            self.state[receipt.id] = receipt.state
            if receipt.state == "appended":
                self.ends.append(receipt.id)


def found(delivery: Delivery) -> int:
    """How many records an earlier recorder left in the spool."""
    return sum(len(Numbers(first, bits)) for *_, first, bits in delivery.state.records)


def delivery_of(
    store: FakeStore,
    spool: Spool,
    ledger: Ledger,
    log: Callable[[int, str], None] = lambda *_: None,
) -> Delivery:
    return Delivery(
        store,
        spool,
        acknowledge=ledger.acknowledge,
        connected=ledger.connected,
        reconcile=ledger.reconcile,
        log=log,
        clock=lambda: 1000.0,
    )


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
        delivery = delivery_of(store, spool, ledger, lambda *line: lines.append(line))
        await delivery.survey()
        running = asyncio.ensure_future(delivery.run())
        for one in items:
            delivery.offer(one)
        async with asyncio.timeout(60):
            while len(set(ledger.ends)) < (len(items) if wait_for is None else wait_for):
                await asyncio.sleep(0)
            await delivery.close()
            await running

    asyncio.run(story())
    return ledger, lines


STEPS = st.sampled_from(["work", "refuse", "apply and say nothing", "half", "away", "blind"])


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
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
    assert lines[0][0] == logging.WARNING
    assert lines[0][1].startswith("the store is away (")
    assert "spool" in lines[0][1]
    assert lines[1] == (logging.INFO, "the store is back")
    assert ledger.state == {"a": "appended", "b": "appended"}


def test_what_an_earlier_recorder_had_appended_is_acknowledged_and_not_repeated(
    tmp_path: Path,
) -> None:
    """Redelivered after a kill: the stream's tail knows the ids."""
    store = FakeStore()
    store.ids = ["a", "b"]
    redelivered = [
        item("a", redelivered=True),
        item("b", redelivered=True),
        item("c", redelivered=True),
        item("d"),
    ]
    ledger, _ = deliver(store, Spool(tmp_path / "s", 1 << 20), redelivered)
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
        store, Spool(tmp_path / "s", 1 << 20), [item("b", redelivered=True), item("c")], wait_for=3
    )
    assert store.ids == ["a", "b", "c"]
    assert ledger.state == {"a": "appended", "b": "appended", "c": "appended"}
    assert "earlier run" in lines[0][1]


def test_with_no_room_anywhere_records_wait_unacknowledged(tmp_path: Path) -> None:
    """The proxy keeps them, and counts them if it must drop them; that is said once."""
    store = FakeStore(["refuse"] * 1000)
    ledger = Ledger()
    lines: list[str] = []

    async def story() -> None:
        spool = Spool(tmp_path / "s", 0)
        delivery = delivery_of(store, spool, ledger, lambda _, text: lines.append(text))
        running = asyncio.ensure_future(delivery.run())
        delivery.offer(item("a"))
        async with asyncio.timeout(60):
            while len(store.plan) > 990:
                await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await delivery.room(1)
            await delivery.close()
            await running

    asyncio.run(story())
    assert ledger.state == {}
    (said,) = [line for line in lines if "takes no more" in line]
    assert said == (
        "the disk spool takes no more (spool.max_bytes, 0, is reached); records wait in the proxy's "
        "buffer, and what has no room there is lost and counted"
    )


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
def test_a_record_that_is_redelivered_while_it_waits_is_appended_once(
    tmp_path: Path, between: int
) -> None:
    """The proxy's connection broke and came back; both copies stand in the queue."""
    first = [
        item("a", redelivered=True),
        *(item(f"b{n}", redelivered=True) for n in range(between)),
    ]
    store = FakeStore()
    deliver(
        store,
        Spool(tmp_path / "s", 1 << 20),
        [*first, item("a", redelivered=True)],
        wait_for=len(first),
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
        delivery = delivery_of(store, spool, Ledger())
        delivery.offer(Item(item("a").record, "m", redelivered=False, size=1000))
        await delivery.room(100, 1001)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await delivery.room(100, 1000)

    asyncio.run(story())


def test_nothing_is_appended_without_a_connected_proxy(tmp_path: Path) -> None:
    """The proxy is away: what was left in the spool waits for the next one."""
    before = Spool(tmp_path / "s", 1 << 20)
    before.append([item(Ids(1, lambda: 1.0).new()).record])
    store, ledger = FakeStore(), Ledger()
    ledger.is_connected = False

    async def story() -> None:
        delivery = delivery_of(store, Spool(tmp_path / "s", 1 << 20), ledger)
        await delivery.survey()
        assert found(delivery) == 1
        delivery.offer(item("b"))
        await delivery.run()

    asyncio.run(story())
    assert store.ids == []
    assert Spool(tmp_path / "s", 1 << 20)


def test_a_record_of_another_version_in_the_spool_is_lost_and_counted(tmp_path: Path) -> None:
    """By its id, so that the ledger adds up; the others are appended."""
    before = Spool(tmp_path / "s", 1 << 20)
    before.append([item("b").record])
    (path,) = (tmp_path / "s").iterdir()
    document = b'{"id":"a","protocol":"p","operation":"o","outcome":"ok"}'
    path.write_bytes(spool_module._frame(document) + path.read_bytes())
    store = FakeStore()
    ledger, _ = deliver(store, Spool(tmp_path / "s", 1 << 20), [], wait_for=1)
    assert (store.ids, ledger.state) == (["b"], {"a": "lost", "b": "appended"})


class SlowStore(FakeStore):
    """Gives others their turn before and after the deed, and remembers when it was done."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._at: list[float] = []

    async def append(self, records: Sequence[Record]) -> None:
        await asyncio.sleep(0)
        try:
            await super().append(records)
        finally:
            self._at += [self._clock()] * (len(self.ids) - len(self._at))
        await asyncio.sleep(0)

    async def ids_since(self, at: float) -> set[str]:
        await asyncio.sleep(0)
        await super().ids_since(at)
        return {id_ for id_, when in zip(self.ids, self._at, strict=True) if when >= at}


def test_what_was_acknowledged_of_a_spool_is_not_counted_again_by_a_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorder dies between two parts of a segment."""
    monkeypatch.setattr(spool_module, "PART", 4)
    before = Spool(tmp_path / "s", 1 << 20)
    ids = Ids(1, lambda: 1.0)
    before.append([item(ids.new()).record for _ in range(10)])
    store, ledger = SlowStore(lambda: 1000.0), Ledger()

    async def story() -> None:
        delivery = delivery_of(store, Spool(tmp_path / "s", 1 << 20), ledger)
        await delivery.survey()
        running = asyncio.ensure_future(delivery.run())
        while len(ledger.ends) < 4:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        acknowledged = len(ledger.ends)
        assert acknowledged == 4
        successor = delivery_of(store, Spool(tmp_path / "s", 1 << 20), ledger)
        await successor.survey()
        assert found(successor) == 10 - acknowledged

    asyncio.run(story())


class World(RuleBasedStateMachine):
    """A proxy, a recorder and a store; all may fail or die between any two steps of theirs."""

    def __init__(self) -> None:
        super().__init__()
        self._context = mock.patch.multiple(
            module, FIRST_PAUSE=0.0, LONGEST_PAUSE=0.0, LINGER=0.0, BATCH=3
        )
        self._parts = mock.patch.multiple(spool_module, PART=2, FILE_BYTES=2500)
        self._directory = tempfile.TemporaryDirectory()
        for one in (self._context, self._parts):
            one.start()
        self.loop = asyncio.new_event_loop()
        self.now = 100.0
        self.store = SlowStore(lambda: self.now)
        self.proxies = 0
        self.ended = 0
        self.is_exact = True
        self.delivery: Delivery | None = None
        self.proxy(proxy_ledger.Ledger())
        self.start_recorder()

    def proxy(self, ledger: proxy_ledger.Ledger) -> None:
        """A proxy begins."""
        self.proxies += 1
        self.ids = Ids(self.proxies, lambda: self.now)
        self.ledger = ledger
        self.buffer: dict[str, Record] = {}
        self.acknowledged_at = self.next_acknowledged_at = self.now
        self.keep()

    def keep(self) -> None:
        """It writes down what a successor must know."""
        since = min((one.started for one in self.buffer.values()), default=self.now)
        if self.ledger.spooled:
            since = min(since, self.acknowledged_at)
        self.snapshot = self.ledger.snapshot(self.ids.process, since, list(self.buffer), 0)

    def proxy_connected(self) -> None:
        """Proxy and recorder find each other."""
        assert self.delivery is not None
        self.ledger.adopt_spool(self.delivery.state, self.ids.process, self.now)
        self.keep()
        self.delivery.state = RecorderState([], 0)  # as the intake: it is counted once
        self.delivery.proxy_connected(ProxyState(self.ids.process, self.ledger.reconcile_since()))
        for record in self.buffer.values():
            self.delivery.offer(Item(record, "m", redelivered=True))

    async def connected(self) -> bool:
        return True

    async def acknowledge(self, receipts: list[Receipt]) -> None:
        """As the intake sends and the hand-off takes them."""
        await asyncio.sleep(0)
        self.acknowledged_at, self.next_acknowledged_at = self.next_acknowledged_at, self.now
        for receipt in receipts:
            number = self.ids.number(receipt.id)
            if number is None:
                self.ledger.settle_predecessor(receipt)
            elif self.buffer.pop(receipt.id, None) is not None:
                self.ledger.settle(receipt, number)
            else:
                self.ledger.settle_spooled(receipt, number)
        self.keep()

    async def reconcile(self, reconciled: Reconciliation) -> bool:
        await asyncio.sleep(0)
        self.ledger.reconcile(reconciled)
        return True

    @rule()
    def end(self) -> None:
        """An exchange ends."""
        self.now += 1
        self.ended += 1
        id_ = self.ids.new()
        times = b'"started":%d,"duration":0' % self.now
        document = DOCUMENT.replace(b'"started":1,"duration":1', times) % id_.encode()
        self.ledger.hold(ended(id_, Outcome.OK, self.now))
        self.buffer[id_] = decode_record(document)
        self.keep()
        if self.delivery:
            self.delivery.offer(Item(self.buffer[id_], "m", redelivered=False))

    @rule(step=STEPS)
    def store_fails(self, step: str) -> None:
        """Soon."""
        self.store.plan.append(step)

    @rule(count=st.integers(1, 12))
    def go_on(self, count: int) -> None:
        """Everybody does a few steps."""
        for _ in range(count):
            self.now += 0.25
            self.loop.run_until_complete(asyncio.sleep(0))

    @precondition(lambda self: self.delivery is not None)
    @rule()
    def kill_recorder(self) -> None:
        """Between two steps. What it had in memory of a proxy that is no more, nobody hands over
        again."""
        assert self.delivery is not None
        if any(self.ids.number(one.record.id) is None for one in self.delivery._queue):
            self.is_exact = False
        self.running.cancel()
        self.loop.run_until_complete(asyncio.wait([self.running]))
        self.delivery = None

    @precondition(lambda self: self.delivery is None)
    @rule()
    def start_recorder(self) -> None:
        """On the spool that is there."""
        spool = Spool(Path(self._directory.name) / "s", 1 << 20)
        self.delivery = Delivery(
            self.store,
            spool,
            acknowledge=self.acknowledge,
            connected=self.connected,
            reconcile=self.reconcile,
            log=lambda *_: None,
            clock=lambda: self.now,
        )
        self.loop.run_until_complete(self.delivery.survey())
        self.proxy_connected()
        self.running = self.loop.create_task(self.delivery.run())

    @rule(age=st.integers(0, 5))
    def kill_proxy(self, age: int) -> None:
        """What was in its buffer and not with the recorder is gone; another goes on counting."""
        self.keep()
        for _ in range(age):
            self.end()
            self.go_on(2)
        snapshot = msgspec.msgpack.decode(
            msgspec.msgpack.encode(self.snapshot), type=LedgerSnapshot
        )
        if self.delivery is None and self.buffer:
            self.is_exact = False
        self.proxy(proxy_ledger.Ledger())
        self.ledger.resume(snapshot)
        if self.delivery:
            self.proxy_connected()

    @invariant()
    def each_once(self) -> None:
        """At every moment."""
        assert len(self.store.ids) == len(set(self.store.ids))

    @invariant()
    def adds_up(self) -> None:
        """At every moment."""
        exchanges, appended, lost, pending = sums(self.ledger)
        assert exchanges == appended + lost + pending

    def teardown(self) -> None:
        """With a store that works, all comes to its end and all accounts agree."""
        try:
            self.store.plan.clear()
            if self.delivery is None:
                self.start_recorder()
            assert self.delivery is not None
            for _ in range(4000):
                if not (
                    self.buffer
                    or self.delivery._spool
                    or self.delivery._queue
                    or self.delivery._must_reconcile
                ):
                    break
                self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.run_until_complete(self.delivery.close())
            self.loop.run_until_complete(self.running)
            self.ledger.label_unknown(self.ledger.unlabelled())
            exchanges, appended, lost, pending = sums(self.ledger)
            assert (exchanges, pending) == (appended + lost, 0)
            if self.is_exact:
                assert (exchanges, appended) == (self.ended, self.ended)
                assert len(self.store.ids) == self.ended
        finally:
            self.loop.close()
            for one in (self._context, self._parts):
                one.stop()
            self._directory.cleanup()


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
