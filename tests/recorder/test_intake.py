"""The intake: nothing that a proxy wrote is lost with it, and Receipts reach it or its successor."""

from __future__ import annotations

import asyncio
import socket
import time
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
from monitor.recorder import intake as module
from monitor.recorder.intake import Intake
from monitor.types import Exchange, Message, Outcome, Receipt

Play = Callable[[Callable[["World"], Awaitable[None]]], None]


def batch(*ids: str, **how: bool) -> bytes:
    request = Message(b"GET / HTTP/1.1\r\n\r\n")
    exchanges = [Exchange(id_, 1.0, 0.1, request, None, [], Outcome.OK) for id_ in ids]
    return pack(Batch(exchanges, **how))


STATE = RecorderState([("before", "p", "o", "ok", 0, b"\x02")], 1)


class World:
    """An intake and what it gave."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.got: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.introduced: list[str] = []
        self.taken: list[int] = []  # exchanges at a time
        self.intake = Intake(path, self.take, plenty=20_000)
        self.intake.listen(STATE, lambda state: self.introduced.append(state.process))

    async def take(self, batches: list[Batch]) -> None:
        await self.gate.wait()
        new = [one.id for each in batches for one in each.exchanges]
        self.got += new
        self.taken += [len(new)] if new else []

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
                async with asyncio.timeout(60):
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


def test_what_comes_shortly_after_what_was_taken_is_taken_together(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after a silence is not held up."""
    monkeypatch.setattr(module, "GATHER", 1.0)

    async def story(world: World) -> None:
        proxy = await world.proxy()
        await proxy.introduce("it")
        await asyncio.sleep(1.1)
        began = time.monotonic()
        await proxy.write(batch("a"))
        await until(lambda: world.got)
        for each in "bcd":
            await proxy.write(batch(each))
            await asyncio.sleep(0.005)
        await until(lambda: len(world.got) == 4)
        assert time.monotonic() - began > 0.99  # the loop counts whole milliseconds
        assert world.taken == [1, 3]
        proxy.connection.close()

    play(story)


@pytest.mark.parametrize(
    "last", [batch(awaited=True), batch("z", redelivered=True), batch(*("long" * 999 for _ in "z" * 9)), b""],
    ids=["awaited", "redelivered", "plenty", "the end"],
)  # fmt: skip
def test_what_is_gathered_is_taken_at_once_where_that_matters(
    play: Play, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    """Somebody waits for Receipts; an earlier recorder had it; it is much; the proxy has died, with
    Receipts that it had not read."""
    monkeypatch.setattr(module, "GATHER", 1000.0)

    async def story(world: World) -> None:
        proxy = await world.proxy()
        await proxy.introduce("it")
        await until(lambda: world.introduced)
        await world.intake.acknowledge([Receipt("unread", "appended")])
        for each in "abc":
            await proxy.write(batch(each))
            await asyncio.sleep(0.01)
        assert world.got == []
        if last:
            await proxy.write(last)
        else:
            proxy.connection.close()
        await until(lambda: world.got[:3] == ["a", "b", "c"])
        assert len(world.taken) == 1
        proxy.connection.close()

    play(story)
