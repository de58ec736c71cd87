"""The hand-off: every exchange once, or marked as redelivered, within its bound, whatever the recorder does."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from monitor.framing import Batch, Processing, Reconciliation, RecorderState, Unpacker, pack
from monitor.proxy.copies import Budget
from monitor.proxy.handoff import TURN, Handoff
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger, LedgerSnapshot
from monitor.types import Exchange, Message, Outcome, Receipt

PATIENCE = 20.0


def unfolded(batches: list[Batch]) -> list[tuple[Exchange, bool]]:
    """Exchange by exchange."""
    return [(one, batch.redelivered) for batch in batches for one in batch.exchanges]


class Recorder:
    """The other end: takes what comes, answers when a test says so, can leave and come back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.got: list[tuple[Exchange, bool]] = []  # and whether it was redelivered
        self.suspects: list[str] = []
        self.awaited: list[int] = []  # how many exchanges had come when it was said
        self.predecessors: list[tuple[str, float]] = []
        self.state = RecorderState([], 0)
        self.reads = True

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
        self._path.unlink(missing_ok=True)

    def answer(self, *receipts: Receipt) -> None:
        assert self._writer is not None
        self._writer.write(pack(list(receipts)))

    def say(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        writer.write(pack(self.state))
        unpacker = Unpacker(Batch)
        try:
            while data := await reader.read(65536):
                batches = unpacker.feed(data)
                self.got += unfolded(batches)
                self.suspects += [
                    one.id for each in batches if each.suspect for one in each.exchanges
                ]
                for each in batches:
                    if each.awaited:
                        self.awaited.append(len(self.got))
                    if each.state is not None:
                        self.predecessors = each.state.predecessors
        except ConnectionError:
            pass
        finally:
            writer.close()


class Proxy:
    """A hand-off with what stands behind it."""

    def __init__(self, path: Path, bound: int = 1 << 20) -> None:
        self.budget = Budget(bound)
        self.ledger = Ledger()
        self.ids = Ids(1, lambda: 1_700_000_000.0)
        self.now = 1_700_000_000.0
        self.saved: list[LedgerSnapshot] = []
        self.unseen = 0
        self.handoff = Handoff(
            str(path), self.budget, self.ledger, self.ids,
            save=self.saved.append, clock=lambda: self.now, gather=self.gather,
        )  # fmt: skip

    def gather(self, most: int) -> bool:
        """The observers offer what they had not yet, one by one where nobody waits."""
        for _ in range(min(most, 1, self.unseen) or self.unseen):
            self.unseen -= 1
            self.end()
        return self.unseen > 0

    def end(self, body: bytes = b"{}", at: float = 1.0) -> str:
        """An exchange ends, dated `at`; its id."""
        id_ = self.ids.new()
        request = Message(b"POST / HTTP/1.1\r\n\r\n", body, len(body))
        self.handoff.offer(Exchange(id_, at, 0.1, request, None, [], Outcome.OK))
        assert self.budget.used <= self.budget.bound
        return id_

    def check(self) -> None:
        """exchanges = appended + lost + pending."""
        self.ledger.label_unknown(self.ledger.unlabelled())
        found = self.ledger.measurements("e")

        def total(*names: str) -> float:
            return sum(one.value for one in found if one.name in names)

        assert total("monitor_exchanges_total") == total(
            "monitor_records_appended_total",
            "monitor_exchanges_lost_total",
            "monitor_records_pending",
        )


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], None]:
    """Runs a story with a recorder and the path of its socket."""

    def run(story: Callable[[Recorder, Path], Awaitable[None]]) -> None:
        async def whole() -> None:
            recorder = Recorder(tmp_path / "r.sock")
            try:
                await story(recorder, tmp_path / "r.sock")
            finally:
                await recorder.stop()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(whole())

    return run


def test_each_exchange_arrives_once_and_its_receipt_settles_it(play: Any) -> None:
    """In order, whatever the size; nothing is held afterwards."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        ids = [proxy.end(b"x" * size) for size in (0, 10, 100_000, 400_000, 3)]
        await until(lambda: len(recorder.got) == 5)
        assert [(one.id, redelivered) for one, redelivered in recorder.got] == [
            (id_, False) for id_ in ids
        ]
        assert [one.request.size for one, _ in recorder.got] == [0, 10, 100_000, 400_000, 3]
        recorder.answer(*(Receipt(id_, "appended") for id_ in ids))
        await until(lambda: proxy.ledger.appended == 5)
        assert proxy.budget.used == 0
        proxy.check()
        await proxy.handoff.drain(1.0)

    play(story)


def test_without_a_recorder_exchanges_wait_and_are_sent_when_it_comes(play: Any) -> None:
    """As at the start, when the proxy is there first."""

    async def story(recorder: Recorder, path: Path) -> None:
        proxy = Proxy(path)
        ids = [proxy.end() for _ in range(50)]
        proxy.check()
        await recorder.start()
        await until(lambda: len(recorder.got) == 50)
        assert [one.id for one, _ in recorder.got] == ids
        await proxy.handoff.drain(0)

    play(story)


def test_what_had_no_receipt_is_redelivered_and_marked_so(play: Any) -> None:
    """A killed recorder loses nothing; what it had answered is not sent again."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        ids = [proxy.end() for _ in range(10)]
        await until(lambda: len(recorder.got) == 10)
        recorder.answer(*(Receipt(id_, "appended") for id_ in ids[:4]))
        await until(lambda: proxy.ledger.appended == 4)
        await recorder.stop()
        recorder.got.clear()
        later = proxy.end()
        await recorder.start()
        await until(lambda: len(recorder.got) >= 7)
        newest = proxy.end()
        await until(lambda: len(recorder.got) == 8)
        assert [one.id for one, _ in recorder.got] == [*ids[4:], later, newest]
        assert [redelivered for _, redelivered in recorder.got] == [True] * 6 + [False] * 2
        assert recorder.suspects == ids[4:]
        recorder.answer(*(Receipt(one.id, "appended") for one, _ in recorder.got))
        await until(lambda: proxy.ledger.appended == 12)
        assert proxy.budget.used == 0
        await proxy.handoff.drain(1.0)
        proxy.check()

    play(story)


def test_a_full_buffer_loses_whole_exchanges_for_a_stated_reason(play: Any) -> None:
    """One that could never fit is `too_large`; the bound is never passed."""

    async def story(_recorder: Recorder, path: Path) -> None:
        proxy = Proxy(path, bound=10_000)
        for _ in range(100):
            proxy.end(b"x" * 500)
            proxy.check()
        proxy.end(b"x" * 10_000)
        lost = proxy.ledger.lost
        assert lost["too_large"] == 1
        assert lost["buffer_full"] + proxy.ledger.held == 100
        assert proxy.ledger.held >= 8
        assert await proxy.handoff.drain(0) == lost["shutdown"] == 100 - lost["buffer_full"]
        assert proxy.budget.used == 0
        proxy.check()

    play(story)


def test_nothing_waits_for_a_recorder_that_does_not_read(play: Any) -> None:
    """Its socket fills, offers go on, and everything arrives when it reads again."""

    async def story(recorder: Recorder, path: Path) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        proxy = Proxy(path, bound=8 << 20)
        frozen, _ = listener.accept()
        frozen.sendall(pack(RecorderState([], 0)))
        ids = [proxy.end(b"x" * 20_000) for _ in range(200)]
        await until(lambda: proxy.handoff._writing)  # the socket is full
        frozen.setblocking(False)
        unpacker, got = Unpacker(Batch), list[tuple[Exchange, bool]]()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while len(got) < 200:
                got += unfolded(unpacker.feed(await loop.sock_recv(frozen, 1 << 20)))
        assert [(one.id, redelivered) for one, redelivered in got] == [(id_, False) for id_ in ids]
        await loop.sock_sendall(frozen, pack([Receipt(id_, "appended") for id_ in ids]))
        await until(lambda: proxy.ledger.appended == 200)
        proxy.handoff.shrink()
        await proxy.handoff.drain(1.0)
        frozen.close()
        listener.close()

    play(story)


def test_after_an_outage_the_table_shrinks_around_what_is_left(play: Any) -> None:
    """Traffic goes on, so that the buffer is hardly ever empty; nothing in it is lost."""

    async def story(recorder: Recorder, path: Path) -> None:
        proxy = Proxy(path, bound=8 << 20)
        ids = [proxy.end() for _ in range(5000)]
        before = sys.getsizeof(proxy.handoff._buffer)
        await recorder.start()
        await until(lambda: len(recorder.got) == 5000)
        recorder.say(pack([Receipt(id_, "appended") for id_ in ids[:-10]]))
        await until(lambda: proxy.ledger.appended == 4990)
        assert sys.getsizeof(proxy.handoff._buffer) == before
        proxy.handoff.shrink()
        assert sys.getsizeof(proxy.handoff._buffer) < before / 50
        recorder.say(pack([Receipt(id_, "appended") for id_ in ids[-10:]]))
        await until(lambda: proxy.ledger.appended == 5000)
        assert proxy.budget.used == 0
        proxy.check()
        await proxy.handoff.drain(0.0)

    play(story)


def test_receipts_that_make_no_sense_change_nothing(play: Any) -> None:
    """Twice, or too late; and bytes that are no Receipts end the connection only."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        id_ = proxy.end()
        await until(lambda: len(recorder.got) == 1)
        recorder.answer(Receipt(id_, "spooled"), Receipt(id_, "spooled"), Receipt(id_, "appended"))
        recorder.answer(Receipt(id_, "appended"), Receipt(id_, "lost", "unreadable"))
        await until(lambda: proxy.ledger.appended == 1)
        second = proxy.end()
        await until(lambda: len(recorder.got) == 2)
        recorder.say(b"\0\0\0\x01?")
        await until(lambda: len(recorder.got) == 3)
        assert (recorder.got[2][0].id, recorder.got[2][1]) == (second, True)
        recorder.answer(Receipt(second, "lost", "unreadable"))
        await until(lambda: proxy.ledger.held == 0)
        assert (proxy.ledger.appended, sum(proxy.ledger.lost.values())) == (1, 1)
        assert proxy.budget.used == 0
        proxy.check()
        await proxy.handoff.drain(1.0)

    play(story)


def test_what_earlier_proxies_left_with_the_recorder_is_counted_here(play: Any) -> None:
    """It says what it holds when they meet; Receipts of it settle that, and count at their end."""

    async def story(recorder: Recorder, path: Path) -> None:
        before = Ids(2, lambda: 1_600_000_000.0)
        recorder.state = RecorderState([(before.process, "p", "o", "ok", 0, b"\x0e")], 0)
        await recorder.start()
        proxy = Proxy(path)
        id_ = proxy.end()
        await until(lambda: len(recorder.got) == 1)
        account = proxy.ledger.predecessors[before.process]
        assert len(account.outstanding) == 3
        assert proxy.saved[0].accounts[1][0] == before.process  # before anything is said to it
        assert recorder.predecessors == [(before.process, proxy.now)]
        proxy.check()
        recorder.answer(Receipt(before.new(), "appended"), Receipt(id_, "appended"))
        recorder.answer(Receipt(before.new(), "lost", "unreadable"))
        await until(lambda: len(account.outstanding) == 1)
        assert (proxy.ledger.appended, proxy.ledger.lost["unreadable"]) == (2, 1)
        recorder.say(pack(Reconciliation([(before.process, 0, b"\x08")])))
        await until(lambda: not proxy.ledger.predecessors)
        assert proxy.ledger.appended == 3
        proxy.check()
        await proxy.handoff.drain(1.0)

    play(story)


def test_what_is_sent_is_in_the_snapshot_before(play: Any) -> None:
    """By id; what nobody else has by number; and since when the stream may hold it."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        first = proxy.end()
        await until(lambda: recorder.got)
        assert (proxy.saved[-1].sent, proxy.saved[-1].unsent) == ([first], 0)
        assert proxy.saved[-1].accounts == [(proxy.ids.process, 0, 1.1, 0, b"")]
        recorder.answer(Receipt(first, "spooled"))
        await until(lambda: proxy.ledger.spooled)
        await recorder.stop()
        proxy.end()
        proxy.now += 10.0
        proxy.handoff.save_snapshot()
        assert (proxy.saved[-1].sent, proxy.saved[-1].unsent) == ([], 1)
        assert proxy.saved[-1].accounts == [(proxy.ids.process, 0, proxy.now - 10.0, 0, b"\x02")]
        await proxy.handoff.drain(0.0)

    play(story)


def test_a_scrape_labels_what_had_arrived_before_it_whatever_the_clock_says(play: Any) -> None:
    """The clock was set back between two exchanges; what arrives while it waits is for the next."""

    async def story(_recorder: Recorder, path: Path) -> None:
        proxy = Proxy(path)
        proxy.end(at=2_000_000_000.0)
        proxy.end(at=1_000_000_000.0)
        scrape = asyncio.ensure_future(proxy.handoff.label(0.05))
        await asyncio.sleep(0)
        later = proxy.end(at=1_000_000_000.0)
        await scrape
        assert proxy.ledger.unlabelled() == [later]
        counted = [
            (one.labels["model"], one.value)
            for one in proxy.ledger.measurements("e")
            if one.name == "monitor_exchanges_total"
        ]
        assert counted == [("unknown", 2)]
        await proxy.handoff.drain(0.0)
        proxy.check()

    play(story)


def test_a_scrape_in_an_outage_lets_the_traffic_go_first(play: Any) -> None:
    """Of thousands without a Receipt some are labelled at a time, and all before it is answered."""

    async def story(_recorder: Recorder, path: Path) -> None:
        proxy = Proxy(path, bound=64 << 20)
        for _ in range(3 * TURN + 1):
            proxy.end()
        scrape = asyncio.ensure_future(proxy.handoff.label(0.0))
        left = []
        while not scrape.done():
            await asyncio.sleep(0)
            left.append(len(proxy.ledger.unlabelled()))
        assert left[:4] == [2 * TURN + 1, TURN + 1, 1, 0]
        await proxy.handoff.drain(0.0)
        proxy.check()

    play(story)


def test_the_recorder_is_told_when_somebody_waits_for_receipts(play: Any) -> None:
    """A scrape, or the end; with the last exchange, or alone where all have been sent. Nobody waits
    where nothing is buffered."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path, bound=8 << 20)
        await proxy.handoff.label(PATIENCE)
        ids = [proxy.end() for _ in range(3)]
        await until(lambda: len(recorder.got) == 3)
        assert recorder.awaited == []
        scrape = asyncio.ensure_future(proxy.handoff.label(PATIENCE))
        await until(lambda: recorder.awaited == [3])
        recorder.answer(*(Receipt(id_, "appended") for id_ in ids))
        await scrape
        ids = [proxy.end(b"x" * 20_000) for _ in range(40)]
        drain = asyncio.ensure_future(proxy.handoff.drain(PATIENCE))
        await until(lambda: recorder.awaited == [3, 43])
        recorder.answer(*(Receipt(id_, "appended") for id_ in ids))
        await drain

    play(story)


def test_what_observers_have_not_offered_yet_is_gathered_first(play: Any) -> None:
    """At the next beat, recorder or not; for a scrape; and at the end."""

    async def story(recorder: Recorder, path: Path) -> None:
        proxy = Proxy(path)
        proxy.unseen = 2
        proxy.handoff.expect()
        await until(lambda: proxy.ledger.held == 2)
        await recorder.start()
        for count, leave in ((3, proxy.handoff.label), (4, proxy.handoff.drain)):
            proxy.unseen = 1
            leaving = asyncio.ensure_future(leave(PATIENCE))
            await until(lambda count=count: recorder.awaited[-1:] == [count])  # type: ignore[misc]
            recorder.answer(*(Receipt(one.id, "appended") for one, _ in recorder.got))
            await leaving
        assert proxy.ledger.appended == 4

    play(story)


def test_a_scrape_waits_no_longer_than_its_labels(play: Any) -> None:
    """Receipts in any order end the wait."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        ids = [proxy.end() for _ in range(3)]
        await until(lambda: len(recorder.got) == 3)
        scrape = asyncio.ensure_future(proxy.handoff.label(PATIENCE))
        recorder.answer(*(Receipt(id_, "appended") for id_ in reversed(ids[1:])))
        await until(lambda: proxy.ledger.appended == 2)
        assert not scrape.done()
        recorder.answer(Receipt(ids[0], "appended"))
        async with asyncio.timeout(PATIENCE / 2):
            await scrape
        await proxy.handoff.drain(1.0)

    play(story)


def test_what_a_recorder_sent_before_it_ended_is_read(play: Any) -> None:
    """It acknowledged what it had delivered from the spool, and no recorder will again."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        first = proxy.end()
        await until(lambda: recorder.got)
        recorder.answer(Receipt(first, "spooled"))
        await until(lambda: proxy.ledger.spooled)
        recorder.answer(Receipt(first, "appended"))
        assert recorder._writer is not None
        recorder._writer.close()
        await asyncio.sleep(0)
        proxy.end()
        proxy.handoff._flush()
        assert proxy.ledger.appended == 1
        await proxy.handoff.drain(0.0)

    play(story)


async def dies_reading(recorder: Recorder, proxy: Proxy, place: int) -> str:
    """It begins with exchange after exchange, up to a place, and dies there; which that was."""
    await until(lambda: len(recorder.suspects) > place)
    for id_ in recorder.suspects[: place + 1]:
        recorder.say(pack(Processing(id_)))
    dying = recorder.suspects[place]
    await until(lambda: proxy.handoff._processing == dying)
    await recorder.stop()
    recorder.suspects.clear()
    await recorder.start()
    return dying


def test_what_two_recorders_die_of_is_delivered_no_more(play: Any) -> None:
    """The second time it comes first; the others go their way, and are suspected no more once they
    have been read."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        ids = [proxy.end() for _ in range(6)]
        await until(lambda: len(recorder.got) == 6)
        await recorder.stop()
        await recorder.start()
        assert await dies_reading(recorder, proxy, 2) == ids[2]
        assert await dies_reading(recorder, proxy, 0) == ids[2]
        await until(lambda: proxy.ledger.lost["poison"] == 1)
        await until(lambda: len(recorder.suspects) == 3)
        assert recorder.suspects == ids[3:]
        proxy.check()
        recorder.answer(*(Receipt(id_, "appended") for id_ in ids if id_ != ids[2]))
        await until(lambda: proxy.ledger.appended == 5)
        assert proxy.budget.used == 0
        await proxy.handoff.drain(1.0)

    play(story)


def test_a_recorder_that_is_killed_again_and_again_makes_no_poison(play: Any) -> None:
    """It dies while it reads, each time another exchange, or none."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        ids = [proxy.end() for _ in range(20)]
        await until(lambda: len(recorder.got) == 20)
        for _ in range(3):
            await recorder.stop()
            recorder.suspects.clear()
            await recorder.start()
            await until(lambda: len(recorder.suspects) == 20)
        died_of = [await dies_reading(recorder, proxy, place) for place in (0, 1, 2, 3, 4)]
        assert len(set(died_of)) == 5
        assert proxy.ledger.lost["poison"] == 0
        await until(lambda: recorder.suspects)
        recorder.answer(*(Receipt(id_, "appended") for id_ in ids))
        await until(lambda: proxy.ledger.appended == 20)
        await proxy.handoff.drain(1.0)

    play(story)


@pytest.mark.parametrize("seed", range(6))
def test_the_law_holds_through_any_sequence_of_faults(play: Any, seed: int) -> None:
    """Ends, Receipts, kills, returns and scrapes in random order; at the end every id has one end."""
    chance = random.Random(seed)

    async def story(recorder: Recorder, path: Path) -> None:
        proxy = Proxy(path, bound=30_000)
        ended, receipts, up = 0, dict[str, str](), False
        for _ in range(150):
            step = chance.random()
            if step < 0.5:
                proxy.end(b"x" * chance.randint(0, 2000))
                ended += 1
            elif step < 0.8 and up and recorder.got and recorder._writer is not None:
                one = recorder.got.pop(chance.randrange(len(recorder.got)))[0].id
                state = receipts.setdefault(one, chance.choice(["appended", "appended", "lost"]))
                recorder.answer(Receipt(one, state, "unreadable" if state == "lost" else ""))
            elif step < 0.85:
                await (recorder.stop() if up else recorder.start())
                up = not up
            await asyncio.sleep(chance.choice([0, 0, 0.003]))
            proxy.check()
        if not up:
            await recorder.start()
        async with asyncio.timeout(PATIENCE):
            while proxy.ledger.held:
                while recorder.got and recorder._writer is not None:
                    one = recorder.got.pop()[0].id
                    recorder.answer(Receipt(one, receipts.setdefault(one, "appended")))
                await asyncio.sleep(0.005)
        await proxy.handoff.drain(1.0)
        proxy.check()
        assert proxy.budget.used == 0
        states = list(receipts.values())
        assert proxy.ledger.appended == states.count("appended")
        assert proxy.ledger.appended + sum(proxy.ledger.lost.values()) == ended

    play(story)
