"""The hand-off: every exchange once, or again with a word, within its bound, whatever the recorder does."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from monitor.framing import Accounted, Handover, Holdings, Reading, Unpacker, pack
from monitor.proxy.copies import Budget
from monitor.proxy.handoff import Handoff
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger, Left
from monitor.types import Exchange, Fate, Message, Outcome

PATIENCE = 20.0


def unfolded(handovers: list[Handover]) -> list[tuple[Exchange, bool]]:
    """Exchange by exchange."""
    return [(one, handover.again) for handover in handovers for one in handover.exchanges]


class Recorder:
    """The other end: takes what comes, answers when told to, can leave and come back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.got: list[tuple[Exchange, bool]] = []  # and whether it was handed over again
        self.with_care: list[str] = []
        self.dead: list[tuple[str, float]] = []
        self.holdings = Holdings([], 0)
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

    def answer(self, *fates: Fate) -> None:
        assert self._writer is not None
        self._writer.write(pack(list(fates)))

    def say(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        writer.write(pack(self.holdings))
        unpacker = Unpacker(Handover)
        try:
            while data := await reader.read(65536):
                handovers = unpacker.feed(data)
                self.got += unfolded(handovers)
                self.with_care += [
                    one.id for each in handovers if each.care for one in each.exchanges
                ]
                for each in handovers:
                    if each.meeting is not None:
                        self.dead = each.meeting.dead
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
        self.kept: list[Left] = []
        self.handoff = Handoff(
            str(path), self.budget, self.ledger, self.ids,
            keep=self.kept.append, clock=lambda: self.now,
        )  # fmt: skip

    def end(self, body: bytes = b"{}") -> str:
        """An exchange ends; its id."""
        id_ = self.ids.new()
        request = Message(b"POST / HTTP/1.1\r\n\r\n", body, len(body))
        self.handoff.offer(Exchange(id_, 1.0, 0.1, request, None, [], Outcome.OK))
        assert self.budget.used <= self.budget.bound
        return id_

    def check(self) -> None:
        """exchanges = appended + lost + pending."""
        self.ledger.label(float("inf"))
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


def test_each_exchange_arrives_once_and_its_fate_settles_it(play: Any) -> None:
    """In order, whatever the size; nothing is held afterwards."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        ids = [proxy.end(b"x" * size) for size in (0, 10, 100_000, 400_000, 3)]
        await until(lambda: len(recorder.got) == 5)
        assert [(one.id, again) for one, again in recorder.got] == [(id_, False) for id_ in ids]
        assert [one.request.size for one, _ in recorder.got] == [0, 10, 100_000, 400_000, 3]
        recorder.answer(*(Fate(id_, "appended") for id_ in ids))
        await until(lambda: proxy.ledger.appended == 5)
        assert proxy.budget.used == 0
        proxy.check()
        await proxy.handoff.drain(1.0)

    play(story)


def test_without_a_recorder_exchanges_wait_and_are_handed_over_when_it_comes(play: Any) -> None:
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


def test_what_had_no_fate_is_handed_over_again_and_says_so(play: Any) -> None:
    """A killed recorder loses nothing; what it had answered is not sent again."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        ids = [proxy.end() for _ in range(10)]
        await until(lambda: len(recorder.got) == 10)
        recorder.answer(*(Fate(id_, "appended") for id_ in ids[:4]))
        await until(lambda: proxy.ledger.appended == 4)
        await recorder.stop()
        recorder.got.clear()
        later = proxy.end()
        await recorder.start()
        await until(lambda: len(recorder.got) >= 7)
        newest = proxy.end()
        await until(lambda: len(recorder.got) == 8)
        assert [one.id for one, _ in recorder.got] == [*ids[4:], later, newest]
        assert [again for _, again in recorder.got] == [True] * 6 + [False] * 2
        assert recorder.with_care == ids[4:]
        recorder.answer(*(Fate(one.id, "appended") for one, _ in recorder.got))
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
        await proxy.handoff.drain(0)
        assert lost["shutdown"] == 100 - lost["buffer_full"]
        assert proxy.budget.used == 0
        proxy.check()

    play(story)


def test_a_recorder_that_does_not_read_is_waited_for_by_nobody(play: Any) -> None:
    """Its socket fills, offers go on, and everything arrives when it reads again."""

    async def story(recorder: Recorder, path: Path) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        proxy = Proxy(path, bound=8 << 20)
        frozen, _ = listener.accept()
        frozen.sendall(pack(Holdings([], 0)))
        ids = [proxy.end(b"x" * 20_000) for _ in range(200)]
        await asyncio.sleep(0.05)
        assert proxy.handoff._writing, "the socket is full"
        frozen.setblocking(False)
        unpacker, got = Unpacker(Handover), list[tuple[Exchange, bool]]()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while len(got) < 200:
                got += unfolded(unpacker.feed(await loop.sock_recv(frozen, 1 << 20)))
        assert [(one.id, again) for one, again in got] == [(id_, False) for id_ in ids]
        await loop.sock_sendall(frozen, pack([Fate(id_, "appended") for id_ in ids]))
        await until(lambda: proxy.ledger.appended == 200)
        proxy.handoff.shrink()
        await proxy.handoff.drain(1.0)
        frozen.close()
        listener.close()

    play(story)


def test_fates_that_make_no_sense_change_nothing(play: Any) -> None:
    """Twice, or too late; and bytes that are no Fates end the connection only."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        id_ = proxy.end()
        await until(lambda: len(recorder.got) == 1)
        recorder.answer(Fate(id_, "spooled"), Fate(id_, "spooled"), Fate(id_, "appended"))
        recorder.answer(Fate(id_, "appended"), Fate(id_, "lost", "unreadable"))
        await until(lambda: proxy.ledger.appended == 1)
        second = proxy.end()
        await until(lambda: len(recorder.got) == 2)
        recorder.say(b"\0\0\0\x01?")
        await until(lambda: len(recorder.got) == 3)
        assert (recorder.got[2][0].id, recorder.got[2][1]) == (second, True)
        recorder.answer(Fate(second, "lost", "unreadable"))
        await until(lambda: proxy.ledger.held == 0)
        assert (proxy.ledger.appended, sum(proxy.ledger.lost.values())) == (1, 1)
        assert proxy.budget.used == 0
        proxy.check()
        await proxy.handoff.drain(1.0)

    play(story)


def test_what_earlier_proxies_left_with_the_recorder_is_counted_here(play: Any) -> None:
    """It says what it holds when they meet; Fates of it settle that, and count at their end."""

    async def story(recorder: Recorder, path: Path) -> None:
        before = Ids(2, lambda: 1_600_000_000.0)
        recorder.holdings = Holdings([(before.process, "p", "o", "ok", 0, b"\x0e")], 0)
        await recorder.start()
        proxy = Proxy(path)
        id_ = proxy.end()
        await until(lambda: len(recorder.got) == 1)
        account = proxy.ledger.others[before.process]
        assert len(account.open) == 3
        assert proxy.kept[0].accounts[1][0] == before.process  # before anything is said to it
        assert recorder.dead == [(before.process, proxy.now)]
        proxy.check()
        recorder.answer(Fate(before.new(), "appended"), Fate(id_, "appended"))
        recorder.answer(Fate(before.new(), "lost", "unreadable"))
        await until(lambda: len(account.open) == 1)
        assert (proxy.ledger.appended, proxy.ledger.lost["unreadable"]) == (2, 1)
        recorder.say(pack(Accounted([(before.process, 0, b"\x08")])))
        await until(lambda: not proxy.ledger.others)
        assert proxy.ledger.appended == 3
        proxy.check()
        await proxy.handoff.drain(1.0)

    play(story)


def test_what_is_handed_over_is_written_down_before(play: Any) -> None:
    """By id; what nobody else has by number; and since when the stream may hold it."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        first = proxy.end()
        await until(lambda: recorder.got)
        assert (proxy.kept[-1].sent, proxy.kept[-1].unsent) == ([first], 0)
        assert proxy.kept[-1].accounts == [(proxy.ids.process, 0, 1.1, 0, b"")]
        recorder.answer(Fate(first, "spooled"))
        await until(lambda: proxy.ledger.spooled)
        await recorder.stop()
        proxy.end()
        proxy.now += 10.0
        proxy.handoff.keep()
        assert (proxy.kept[-1].sent, proxy.kept[-1].unsent) == ([], 1)
        assert proxy.kept[-1].accounts == [(proxy.ids.process, 0, proxy.now - 10.0, 0, b"\x02")]
        await proxy.handoff.drain(0.0)

    play(story)


def test_the_last_words_of_a_recorder_are_heard(play: Any) -> None:
    """It told what it had delivered from the spool, and nobody will tell that again."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        first = proxy.end()
        await until(lambda: recorder.got)
        recorder.answer(Fate(first, "spooled"))
        await until(lambda: proxy.ledger.spooled)
        recorder.answer(Fate(first, "appended"))
        assert recorder._writer is not None
        recorder._writer.close()
        await asyncio.sleep(0)
        proxy.end()
        proxy.handoff._flush()
        assert proxy.ledger.appended == 1
        await proxy.handoff.drain(0.0)

    play(story)


async def dies_reading(recorder: Recorder, place: int) -> str:
    """It begins with exchange after exchange, up to a place, and dies there; which that was."""
    await until(lambda: len(recorder.with_care) > place)
    for id_ in recorder.with_care[: place + 1]:
        recorder.say(pack(Reading(id_)))
    await asyncio.sleep(0.05)
    dying = recorder.with_care[place]
    await recorder.stop()
    recorder.with_care.clear()
    await recorder.start()
    return dying


def test_what_two_recorders_die_of_is_handed_over_no_more(play: Any) -> None:
    """The second time it comes first; the others go their way, and are suspected no more once they
    have been read."""

    async def story(recorder: Recorder, path: Path) -> None:
        await recorder.start()
        proxy = Proxy(path)
        ids = [proxy.end() for _ in range(6)]
        await until(lambda: len(recorder.got) == 6)
        await recorder.stop()
        await recorder.start()
        assert await dies_reading(recorder, 2) == ids[2]
        assert await dies_reading(recorder, 0) == ids[2]
        await until(lambda: proxy.ledger.lost["poison"] == 1)
        await until(lambda: len(recorder.with_care) == 3)
        assert recorder.with_care == ids[3:]
        proxy.check()
        recorder.answer(*(Fate(id_, "appended") for id_ in ids if id_ != ids[2]))
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
            recorder.with_care.clear()
            await recorder.start()
            await until(lambda: len(recorder.with_care) == 20)
        died_of = [await dies_reading(recorder, place) for place in (0, 1, 2, 3, 4)]
        assert len(set(died_of)) == 5
        assert proxy.ledger.lost["poison"] == 0
        await until(lambda: recorder.with_care)
        recorder.answer(*(Fate(id_, "appended") for id_ in ids))
        await until(lambda: proxy.ledger.appended == 20)
        await proxy.handoff.drain(1.0)

    play(story)


@pytest.mark.parametrize("seed", range(6))
def test_the_law_holds_through_any_sequence_of_faults(play: Any, seed: int) -> None:
    """Ends, Fates, kills, returns and scrapes in random order; at the end every id has one fate."""
    chance = random.Random(seed)

    async def story(recorder: Recorder, path: Path) -> None:
        proxy = Proxy(path, bound=30_000)
        ended, fates, up = 0, dict[str, str](), False
        for _ in range(150):
            step = chance.random()
            if step < 0.5:
                proxy.end(b"x" * chance.randint(0, 2000))
                ended += 1
            elif step < 0.8 and up and recorder.got and recorder._writer is not None:
                one = recorder.got.pop(chance.randrange(len(recorder.got)))[0].id
                state = fates.setdefault(one, chance.choice(["appended", "appended", "lost"]))
                recorder.answer(Fate(one, state, "unreadable" if state == "lost" else ""))
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
                    recorder.answer(Fate(one, fates.setdefault(one, "appended")))
                await asyncio.sleep(0.005)
        await proxy.handoff.drain(1.0)
        proxy.check()
        assert proxy.budget.used == 0
        states = list(fates.values())
        assert proxy.ledger.appended == states.count("appended")
        assert proxy.ledger.appended + sum(proxy.ledger.lost.values()) == ended

    play(story)
