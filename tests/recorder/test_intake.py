"""The intake: nothing that a proxy wrote is lost with it, and Receipts reach it or its successor."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop

from monitor.framing import (
    Batch,
    Processing,
    ProxyState,
    Reconciliation,
    RecorderMessage,
    RecorderState,
    Unpacker,
    pack,
)
from monitor.recorder.intake import Intake
from monitor.types import Exchange, Message, Outcome, Receipt

Play = Callable[[Callable[["World"], Awaitable[None]]], None]


def batch(*ids: str) -> bytes:
    request = Message(b"GET / HTTP/1.1\r\n\r\n")
    return pack(Batch([Exchange(id_, 1.0, 0.1, request, None, [], Outcome.OK) for id_ in ids]))


STATE = RecorderState([("before", "p", "o", "ok", 0, b"\x02")], 1)


class World:
    """An intake and what it gave."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.got: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.introduced: list[str] = []
        self.intake = Intake(path, self.take)
        self.intake.listen(STATE, lambda state: self.introduced.append(state.process))

    async def take(self, batches: list[Batch]) -> None:
        await self.gate.wait()
        self.got += [one.id for each in batches for one in each.exchanges]

    async def proxy(self) -> Proxy:
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, str(self.path))
        return Proxy(connection)


class Proxy:
    """The other end."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._unpacker = Unpacker(cast("type[RecorderMessage]", RecorderMessage))
        self._received: list[Any] = []

    async def introduce(self, process: str) -> RecorderState:
        """Read the state and answer that it is saved."""
        held = await self.received()
        assert isinstance(held, RecorderState)
        await self.write(pack(Batch([], state=ProxyState(process, []))))
        return held

    async def write(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.connection, data)

    async def received(self) -> Any:
        """The next message: as it is, or the ids of Receipts."""
        while not self._received:
            data = await asyncio.get_running_loop().sock_recv(self.connection, 65536)
            assert data
            self._received += self._unpacker.feed(data)
        one = self._received.pop(0)
        return [receipt.id for receipt in one] if isinstance(one, list) else one


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


def test_a_proxy_gets_the_state_and_then_receipts(play: Play) -> None:
    """Those of before it came too, but none before it has written down what is held; the next one
    knows of that already."""

    async def story(world: World) -> None:
        early = asyncio.ensure_future(
            world.intake.acknowledge([Receipt("a", "appended", "", "p", "o")])
        )
        await asyncio.sleep(0.01)
        assert not early.done()
        proxy = await world.proxy()
        assert await proxy.received() == STATE
        await asyncio.sleep(0.01)
        assert not early.done()
        other = await world.proxy()
        assert await other.introduce("dies early") == STATE
        assert await other.received() == ["a"]
        await early
        other.connection.close()
        proxy.connection.close()
        proxy = await world.proxy()
        assert await proxy.introduce("next") == RecorderState([], 0)
        await until(lambda: world.introduced == ["next"])
        await world.intake.acknowledge([Receipt("b", "lost"), Receipt("c", "spooled")])
        assert await proxy.received() == ["b", "c"]
        assert await world.intake.notify(Reconciliation([("before", 0, b"")]))
        assert await world.intake.notify(Processing("d"))
        assert await proxy.received() == Reconciliation([("before", 0, b"")])
        assert await proxy.received() == Processing("d")
        proxy.connection.close()

    play(story)


def test_what_a_dead_proxy_had_written_is_read_to_its_end(play: Play) -> None:
    """Its Receipts go to its successor, whose predecessors are reconciled when all is read."""

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.introduce("first")
        await world.intake.acknowledge([Receipt("before", "appended")])
        await until(lambda: world.introduced == ["first"])
        world.gate.clear()
        for number in range(200):
            await first.write(batch(f"{number}"))
        first.connection.close()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await world.intake.acknowledge([Receipt("x", "appended")])
        waiting = asyncio.ensure_future(
            world.intake.acknowledge([Receipt("y", "lost", "unreadable")])
        )
        second = await world.proxy()
        await second.introduce("second")
        assert await second.received() == ["x", "y"]
        await waiting
        await asyncio.sleep(0.01)
        assert world.introduced == ["first"]
        world.gate.set()
        await until(lambda: world.introduced == ["first", "second"])
        assert world.got == [str(number) for number in range(200)]
        await second.write(batch("later"))
        await until(lambda: world.got[-1] == "later")
        second.connection.close()

    play(story)


def test_a_successor_does_not_wait_for_its_predecessor(play: Play) -> None:
    """What the dead one wrote cannot be taken in: there is no room."""

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.introduce("first")
        world.gate.clear()
        await first.write(batch("a"))
        first.connection.close()
        second = await world.proxy()
        await second.introduce("second")
        await world.intake.acknowledge([Receipt("x", "appended")])
        assert await second.received() == ["x"]
        assert world.got == []
        world.gate.set()
        await until(lambda: world.got == ["a"])
        second.connection.close()

    play(story)


def test_bytes_that_are_no_batch_end_the_connection_alone(play: Play) -> None:
    """The proxy comes again."""

    async def story(world: World) -> None:
        first = await world.proxy()
        await first.introduce("first")
        await first.write(b"\0\0\0\x01?")
        loop = asyncio.get_running_loop()
        assert await loop.sock_recv(first.connection, 1) == b""
        second = await world.proxy()
        await second.received()
        first.connection.close()
        second.connection.close()

    play(story)


def test_a_connected_proxy_gets_its_receipts_after_the_stop_and_no_other_comes(play: Play) -> None:
    """After `stop` no other proxy comes."""

    async def story(world: World) -> None:
        proxy = await world.proxy()
        await proxy.introduce("it")
        await until(lambda: world.introduced)
        world.intake.stop()
        await asyncio.sleep(0.01)
        assert await world.intake.connected()
        await world.intake.acknowledge([Receipt("a", "appended")])
        assert await proxy.received() == ["a"]
        proxy.connection.close()
        await world.intake.acknowledge([Receipt("b", "appended")])
        assert not await world.intake.connected()

    play(story)
