"""The intake: nothing that a proxy wrote is lost with it, and Fates reach it or its successor."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop

from monitor.app import intake as module
from monitor.app.intake import Intake
from monitor.framing import Handover, Holdings, Told, Unpacker, pack
from monitor.recorder.delivery import Labels
from monitor.types import Exchange, Fate, Message, Outcome

Play = Callable[[Callable[["World"], Awaitable[None]]], None]


def handover(*ids: str) -> bytes:
    request = Message(b"GET / HTTP/1.1\r\n\r\n")
    return pack(Handover([Exchange(id_, 1.0, 0.1, request, None, [], Outcome.OK) for id_ in ids]))


class World:
    """An intake and what it gave."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.got: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.intake = Intake(path, self.take, self.holdings)
        self.intake.listen()

    async def take(self, handovers: list[Handover]) -> None:
        await self.gate.wait()
        self.got += [one.id for each in handovers for one in each.exchanges]

    def holdings(self, untold: Counter[Labels], told: tuple[int, int]) -> Holdings:
        records = [(*labels, count) for labels, count in untold.items()]
        return Holdings(records, told, 0, spool_is_empty=True)

    async def proxy(self) -> Proxy:
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, str(self.path))
        return Proxy(connection)


class Proxy:
    """The other end."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._unpacker = Unpacker(cast("type[Told]", Told))
        self._told: list[Any] = []

    async def write(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.connection, data)

    async def told(self) -> Any:
        """The next that it is told: Holdings, or the ids of Fates."""
        while not self._told:
            data = await asyncio.get_running_loop().sock_recv(self.connection, 65536)
            assert data
            self._told += self._unpacker.feed(data)
        one = self._told.pop(0)
        return one if isinstance(one, Holdings) else [fate.id for fate in one]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    def run(story: Callable[[World], Awaitable[None]]) -> None:
        async def whole() -> None:
            world = World(tmp_path / "r.sock")
            try:
                async with asyncio.timeout(20):
                    await story(world)
            finally:
                world.intake.stop()
                world.intake.close()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(whole())

    return run


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.001)


def test_a_proxy_hears_what_is_held_and_then_fates(play: Play) -> None:
    """Those of before it came too, and they were counted among what is held."""

    async def story(world: World) -> None:
        early = asyncio.ensure_future(world.intake.reply([Fate("a", "appended", "", "p", "o")]))
        await asyncio.sleep(0.01)
        assert not early.done()
        proxy = await world.proxy()
        held = await proxy.told()
        assert held.records == [("", "p", "o", "", 1)]
        assert held.told == (0, 0)
        assert await proxy.told() == ["a"]
        await early
        await world.intake.reply([Fate("b", "lost"), Fate("c", "spooled")])
        assert await proxy.told() == ["b", "c"]
        await world.intake.emptied()
        assert (await proxy.told()).spool_is_empty
        proxy.connection.close()

    play(story)


def test_what_a_dead_proxy_had_written_is_read_to_its_end(play: Play) -> None:
    """It cannot be told any more; its successor is, after it has heard how many the dead one was."""

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.told()
        await world.intake.reply([Fate("told", "appended")])
        world.gate.clear()
        for number in range(200):
            await first.write(handover(f"{number}"))
        first.connection.close()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await world.intake.reply([Fate("x", "appended")])
        waiting = asyncio.ensure_future(world.intake.reply([Fate("y", "lost", "unreadable")]))
        second = await world.proxy()
        await asyncio.sleep(0.01)
        world.gate.set()
        held = await second.told()
        assert world.got == [str(number) for number in range(200)]
        assert held.told == (1, 0)
        assert [count for *_, count in held.records] == [2]
        assert await second.told() == ["x", "y"]
        await waiting
        await second.write(handover("later"))
        await until(lambda: world.got[-1] == "later")
        second.connection.close()

    play(story)


def test_a_successor_does_not_wait_for_ever(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the dead one wrote cannot be taken in: there is no room, because nobody is told."""
    monkeypatch.setattr(module, "LAST_WORDS", 0.02)

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.told()
        world.gate.clear()
        await first.write(handover("a"))
        first.connection.close()
        second = await world.proxy()
        await second.told()
        world.gate.set()
        await until(lambda: world.got == ["a"])
        second.connection.close()

    play(story)


def test_bytes_that_are_no_handover_end_the_connection_alone(play: Play) -> None:
    """The proxy comes again."""

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.told()
        await first.write(b"\0\0\0\x01?")
        loop = asyncio.get_running_loop()
        assert await loop.sock_recv(first.connection, 1) == b""
        second = await world.proxy()
        await second.told()
        first.connection.close()
        second.connection.close()

    play(story)


def test_who_is_there_at_the_end_is_still_told_and_nobody_is_waited_for(play: Play) -> None:
    """After `stop` no other proxy comes."""

    async def story(world: World) -> None:
        proxy = await world.proxy()
        await proxy.told()
        world.intake.stop()
        await asyncio.sleep(0.01)
        assert await world.intake.attended()
        await world.intake.reply([Fate("a", "appended")])
        assert await proxy.told() == ["a"]
        proxy.connection.close()
        await world.intake.reply([Fate("b", "appended")])
        assert not await world.intake.attended()

    play(story)
