"""The intake: nothing that a proxy wrote is lost with it, and Fates reach it or its successor."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop

from monitor.framing import Accounted, Handover, Holdings, Meeting, Reading, Told, Unpacker, pack
from monitor.recorder.intake import Intake
from monitor.types import Exchange, Fate, Message, Outcome

Play = Callable[[Callable[["World"], Awaitable[None]]], None]


def handover(*ids: str) -> bytes:
    request = Message(b"GET / HTTP/1.1\r\n\r\n")
    return pack(Handover([Exchange(id_, 1.0, 0.1, request, None, [], Outcome.OK) for id_ in ids]))


HOLDINGS = Holdings([("before", "p", "o", "ok", 0, b"\x02")], 1)


class World:
    """An intake and what it gave."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.got: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.met: list[str] = []
        self.intake = Intake(path, self.take)
        self.intake.listen(HOLDINGS, lambda meeting: self.met.append(meeting.process))

    async def take(self, handovers: list[Handover]) -> None:
        await self.gate.wait()
        self.got += [one.id for each in handovers for one in each.exchanges]

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

    async def meet(self, process: str) -> Holdings:
        """Hear what is held, and say that it is written down."""
        held = await self.told()
        assert isinstance(held, Holdings)
        await self.write(pack(Handover([], meeting=Meeting(process, []))))
        return held

    async def write(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.connection, data)

    async def told(self) -> Any:
        """The next that it is told: news, or the ids of Fates."""
        while not self._told:
            data = await asyncio.get_running_loop().sock_recv(self.connection, 65536)
            assert data
            self._told += self._unpacker.feed(data)
        one = self._told.pop(0)
        return [fate.id for fate in one] if isinstance(one, list) else one


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
    """Those of before it came too, but none before it has written down what is held; the next one
    knows of that already."""

    async def story(world: World) -> None:
        early = asyncio.ensure_future(world.intake.reply([Fate("a", "appended", "", "p", "o")]))
        await asyncio.sleep(0.01)
        assert not early.done()
        proxy = await world.proxy()
        assert await proxy.told() == HOLDINGS
        await asyncio.sleep(0.01)
        assert not early.done()
        other = await world.proxy()
        assert await other.meet("dies early") == HOLDINGS
        assert await other.told() == ["a"]
        await early
        other.connection.close()
        proxy.connection.close()
        proxy = await world.proxy()
        assert await proxy.meet("next") == Holdings([], 0)
        await until(lambda: world.met == ["next"])
        await world.intake.reply([Fate("b", "lost"), Fate("c", "spooled")])
        assert await proxy.told() == ["b", "c"]
        assert await world.intake.tell(Accounted([("before", 0, b"")]))
        assert await world.intake.tell(Reading("d"))
        assert await proxy.told() == Accounted([("before", 0, b"")])
        assert await proxy.told() == Reading("d")
        proxy.connection.close()

    play(story)


def test_what_a_dead_proxy_had_written_is_read_to_its_end(play: Play) -> None:
    """It cannot be told any more; its successor is, and accounts are closed when all is read."""

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.meet("first")
        await world.intake.reply([Fate("told", "appended")])
        await until(lambda: world.met == ["first"])
        world.gate.clear()
        for number in range(200):
            await first.write(handover(f"{number}"))
        first.connection.close()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await world.intake.reply([Fate("x", "appended")])
        waiting = asyncio.ensure_future(world.intake.reply([Fate("y", "lost", "unreadable")]))
        second = await world.proxy()
        await second.meet("second")
        assert await second.told() == ["x", "y"]
        await waiting
        await asyncio.sleep(0.01)
        assert world.met == ["first"]
        world.gate.set()
        await until(lambda: world.met == ["first", "second"])
        assert world.got == [str(number) for number in range(200)]
        await second.write(handover("later"))
        await until(lambda: world.got[-1] == "later")
        second.connection.close()

    play(story)


def test_a_successor_does_not_wait_for_its_predecessor(play: Play) -> None:
    """What the dead one wrote cannot be taken in: there is no room, because nobody is told."""

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.meet("first")
        world.gate.clear()
        await first.write(handover("a"))
        first.connection.close()
        second = await world.proxy()
        await second.meet("second")
        await world.intake.reply([Fate("x", "appended")])
        assert await second.told() == ["x"]
        assert world.got == []
        world.gate.set()
        await until(lambda: world.got == ["a"])
        second.connection.close()

    play(story)


def test_bytes_that_are_no_handover_end_the_connection_alone(play: Play) -> None:
    """The proxy comes again."""

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.meet("first")
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
        await proxy.meet("it")
        await until(lambda: world.met)
        world.intake.stop()
        await asyncio.sleep(0.01)
        assert await world.intake.attended()
        await world.intake.reply([Fate("a", "appended")])
        assert await proxy.told() == ["a"]
        proxy.connection.close()
        await world.intake.reply([Fate("b", "appended")])
        assert not await world.intake.attended()

    play(story)
