"""Listener and splice on real sockets: the same bytes, the same endings, whatever is observed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.proxy import tls
from monitor.proxy.copies import Budget
from monitor.proxy.edits import Edits
from monitor.proxy.http1_fast_path import Http1FastPath
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.listener import Listener
from monitor.proxy.side import Side
from monitor.proxy.splice import Splice
from monitor.types import Exchange

T = TypeVar("T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PATIENCE = 20.0
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@dataclass
class Proxied:
    """A listener before an endpoint; `met` are the endpoint's connections as they come."""

    listener: Listener
    port: int
    met: asyncio.Queue[Streams]
    exchanges: list[Exchange] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    async def client(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls)

    async def pair(self) -> tuple[Streams, Streams]:
        """A client and the endpoint's end of its connection."""
        client = await self.client()
        return client, await asyncio.wait_for(self.met.get(), PATIENCE)

    async def outcomes(self, count: int = 1) -> list[str]:
        await until(lambda: len(self.exchanges) >= count)
        return [one.outcome.value for one in self.exchanges]


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.asynccontextmanager
async def proxied(
    *,
    limit: int = 1000,
    connect_timeout: float = PATIENCE,
    idle_timeout: float = 0,
    edits: Callable[[str], Edits | None] = lambda peer: None,
    names: bool = False,
    build: Callable[..., Http1FastPath] | None = None,
    dial: Callable[[Side], Awaitable[object]] | None = None,
    pair: Any = None,
    budget: Budget | None = None,
    bound: str = "127.0.0.1",
    **how: Any,
) -> AsyncIterator[Proxied]:
    """A listener on a free port, its endpoint, and their end; with `pair` TLS on all connections."""
    server = tls.server_context(*pair) if pair else None

    async def shown() -> ssl.SSLContext | None:
        return server

    loop = asyncio.get_running_loop()
    met: asyncio.Queue[Streams] = asyncio.Queue()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.put_nowait((reader, writer))

    endpoint = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=server)
    to = endpoint.sockets[0].getsockname()
    exchanges: list[Exchange] = []
    ids = itertools.count()

    def observer(splice: Splice) -> Http1FastPath:
        splice.edits = edits(splice.peer)
        if build is not None:
            return build(splice.opaque, decided=splice.decided)
        return Http1FastPath(
            Http1Parser(
                emit=exchanges.append,
                lose=lambda outcome, reason: None,
                opaque=splice.opaque,
                become=lambda kind, upgraded: None,
                new_id=lambda: str(next(ids)),
                started_unix=lambda at: at,
                max_body_bytes=1 << 20,
                budget=budget or Budget(1 << 30),
                decided=splice.decided,
                named=splice.name_answers() if names else None,
            )
        )

    async def reach(side: Side) -> None:
        await loop.create_connection(lambda: side, *to, ssl=_trusting() if pair else None)

    sock = socket.socket(socket.AF_INET6 if ":" in bound else socket.AF_INET)
    sock.bind((bound, 0))
    listener = Listener(
        sock, dial or reach, observer,
        limit=limit, connect_timeout=connect_timeout, idle_timeout=idle_timeout,
        tls=shown if pair else None, **how,
    )  # fmt: skip
    listener.open()
    try:
        yield Proxied(
            listener, sock.getsockname()[1], met, exchanges, _trusting() if pair else None
        )
    finally:
        await listener.drain(0, 0)
        sock.close()
        while not met.empty():
            met.get_nowait()[1].close()
        endpoint.close()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.005)


async def everything(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(), PATIENCE)


def run(story: Coroutine[Any, Any, T]) -> T:
    """As the proxy's process does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(story)


def reset(writer: asyncio.StreamWriter) -> None:
    """End as a crashed peer does."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def write_on(writer: asyncio.StreamWriter) -> None:
    """Until the connection breaks."""
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.001)


pieces = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=200),
        st.sampled_from([
            GET, OK, GET[:20], GET[20:], b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n", b"\x16\x03\x01\x02\x00", bytes(70000),
        ]),
    ),
    max_size=8,
)  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(up=pieces, down=pieces, server_first=st.booleans())
def test_bytes_out_are_bytes_in(
    runner: asyncio.Runner, up: list[bytes], down: list[bytes], server_first: bool
) -> None:
    """HTTP or not, in any pieces, both ways at once; each side's end arrives after its last byte.

    The one exception is stated: a side that ends while nothing is under way ends the connection.
    """

    async def say(writer: asyncio.StreamWriter, what: list[bytes]) -> None:
        for piece in what:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async def story() -> None:
        async with proxied() as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            order = [say(writer, up), say(far_writer, down)]
            if server_first:
                order.reverse()
            await asyncio.gather(*order)
            sent, answered = b"".join(up), b"".join(down)
            assert await asyncio.wait_for(far_reader.readexactly(len(sent)), PATIENCE) == sent
            assert await asyncio.wait_for(reader.readexactly(len(answered)), PATIENCE) == answered
            far_writer.write_eof()
            assert await everything(reader) == b""
            writer.close()
            far_writer.close()

    runner.run(story())


def test_a_half_close_is_passed_on_and_the_answer_still_comes() -> None:
    """As `printf … | nc -N` does."""

    async def story() -> None:
        async with proxied() as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            writer.write_eof()
            assert await everything(far_reader) == GET
            far_writer.write(OK)
            far_writer.close()
            assert await everything(reader) == OK
            writer.close()
            assert await proxy.outcomes() == ["ok"]

    run(story())


def test_a_body_until_close_ends_with_the_connection() -> None:
    """And is complete then."""

    async def story() -> None:
        async with proxied() as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
            far_writer.close()
            assert (await everything(reader)).endswith(b"all of it")
            writer.close()
            assert await proxy.outcomes() == ["ok"]

    run(story())


def test_a_reset_upstream_is_a_reset_downstream() -> None:
    """A truncated answer must never look like the end of one."""

    async def story() -> None:
        async with proxied() as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(b"HTTP/1.1 200 OK\r\n\r\npart")
            await asyncio.wait_for(reader.readuntil(b"part"), PATIENCE)
            reset(far_writer)
            with pytest.raises(ConnectionResetError):
                await everything(reader)
            writer.close()
            assert await proxy.outcomes() == ["upstream_broken"]
            assert proxy.exchanges[0].response is not None
            assert proxy.exchanges[0].response.body == b"part"

    run(story())


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_client_that_is_gone_closes_the_upstream(how: str, begun: bool) -> None:
    """Before the answer's head and in the middle of its body: nobody generates for nobody."""

    async def story() -> None:
        async with proxied() as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            if begun:
                far_writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart")
                await asyncio.wait_for(reader.readuntil(b"part"), PATIENCE)
            if how == "reset":
                reset(writer)
            else:
                writer.close()
            with contextlib.suppress(ConnectionResetError):
                assert await everything(far_reader) == b""
            if how == "close":  # who only half-closed would still read: writing to it tells
                if not begun:
                    far_writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                with contextlib.suppress(ConnectionError):
                    await write_on(far_writer)
            assert await proxy.outcomes() == ["client_gone"]
            await until(lambda: len(proxy.listener) == 0)
            far_writer.close()

    run(story())


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("begun", [False, True])
def test_the_endpoint_knows_within_50_ms_that_its_client_is_gone(how: str, begun: bool) -> None:
    """Best of some tries, because the machine may be busy; as a rule it takes less than 1 ms."""

    async def once(proxy: Proxied) -> float:
        (reader, writer), (far_reader, far_writer) = await proxy.pair()
        writer.write(GET)
        await far_reader.readexactly(len(GET))
        if begun:
            far_writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart")
            await asyncio.wait_for(reader.readuntil(b"part"), PATIENCE)
        clock = asyncio.get_running_loop().time
        start = clock()
        reset(writer) if how == "reset" else writer.close()
        with contextlib.suppress(ConnectionResetError):
            assert await everything(far_reader) == b""
        took = clock() - start
        far_writer.close()
        return took

    async def story() -> None:
        async with proxied() as proxy:
            took = [await once(proxy) for _ in range(5)]
            while min(took) >= 0.05 and len(took) < 50:
                took.append(await once(proxy))
            assert min(took) < 0.05
            assert await proxy.outcomes(len(took)) == ["client_gone"] * len(took)

    run(story())


@pytest.mark.parametrize("begun", [False, True])
def test_a_reset_is_noticed_behind_a_half_close(begun: bool) -> None:
    """Nothing is read from such a client any more, and nothing may be written to it for minutes."""

    async def story() -> None:
        async with proxied() as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            writer.write_eof()
            assert await everything(far_reader) == GET
            if begun:
                far_writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart")
                await asyncio.wait_for(reader.readuntil(b"part"), PATIENCE)
            assert not proxy.exchanges, "a half-close alone is no abort"
            reset(writer)
            assert await proxy.outcomes() == ["client_gone"]
            await until(lambda: len(proxy.listener) == 0)
            with pytest.raises(ConnectionError):
                await write_on(far_writer)
            assert not proxy.listener._hangups._tell

    run(story())


def test_a_reset_is_noticed_while_the_endpoint_is_slow_to_read() -> None:
    """The client's bytes wait, so nothing is read from it."""

    async def story() -> None:
        async with proxied() as proxy:
            (_, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
            await far_reader.readuntil(b"\r\n\r\n")
            far_writer.transport.pause_reading()
            writer.write(bytes(1 << 24))
            (splice,) = proxy.listener._splices
            await until(lambda: splice.upstream.full)
            reset(writer)
            assert await proxy.outcomes() == ["client_gone"]
            await until(lambda: len(proxy.listener) == 0)
            far_writer.close()

    run(story())


def test_an_answer_behind_a_half_close_is_no_hangup() -> None:
    """Both sides end well, however many such clients there are."""

    async def story() -> None:
        async with proxied() as proxy:
            for _ in range(20):
                (reader, writer), (far_reader, far_writer) = await proxy.pair()
                writer.write(GET)
                writer.write_eof()
                assert await everything(far_reader) == GET
                far_writer.write(OK)
                assert await reader.readexactly(len(OK)) == OK
                far_writer.close()
                writer.close()
            assert await proxy.outcomes(20) == ["ok"] * 20
            await until(lambda: len(proxy.listener) == 0)
            assert not proxy.listener._hangups._tell

    run(story())


def test_a_slow_reader_slows_the_writer_and_nothing_piles_up() -> None:
    """Back-pressure goes through: far less than is sent is held between."""

    async def story() -> None:
        async with proxied() as proxy:
            (_, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < 200 << 20:
                    far_writer.write(bytes(1 << 16))
                    sent += 1 << 16
                    await asyncio.wait_for(far_writer.drain(), 1.0)
            assert sent < 100 << 20, "the kernel's buffers are full and the writer waits"
            (splice,) = proxy.listener._splices
            assert splice.downstream.transport is not None
            assert splice.downstream.transport.get_write_buffer_size() < 1 << 20
            writer.close()
            far_writer.close()

    run(story())


def test_an_upstream_that_is_slow_from_the_start_slows_the_client_too() -> None:
    """What was held while it was being connected fills its buffers: the client waits at once."""

    async def story() -> None:
        held = asyncio.Event()
        with socket.create_server(("127.0.0.1", 0)) as silent:  # its backlog answers, nobody reads

            async def dial(side: Side) -> None:
                await held.wait()
                raw = socket.socket()
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                raw.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(raw, silent.getsockname())
                await loop.create_connection(lambda: side, sock=raw)

            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            async with proxied(dial=dial) as proxy:
                _, writer = await proxy.client()
                writer.write(bytes(1 << 20))
                await until(lambda: proxy.listener._splices)
                (splice,) = proxy.listener._splices
                await until(lambda: len(splice._held) >= 1 << 16)
                held.set()
                await until(lambda: splice.upstream.full)
                transport = splice.downstream.transport
                assert transport is not None
                assert not transport.is_reading()
                writer.close()

    run(story())


def test_an_upstream_that_refuses_is_a_502_and_an_outcome() -> None:
    """Once there is a request; who says nothing is told nothing."""

    async def refuse(side: Side) -> None:
        raise ConnectionRefusedError

    async def story() -> None:
        async with proxied(dial=refuse) as proxy:
            reader, writer = await proxy.client()
            writer.write(GET)
            assert (await everything(reader)).startswith(b"HTTP/1.1 502 ")
            writer.close()
            assert await proxy.outcomes() == ["upstream_refused"]

    run(story())


def test_an_upstream_that_does_not_connect_in_time_is_a_504() -> None:
    """`timeouts.connect`."""

    async def hang(side: Side) -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        async with proxied(dial=hang, connect_timeout=0.05) as proxy:
            reader, writer = await proxy.client()
            writer.write(GET)
            assert (await everything(reader)).startswith(b"HTTP/1.1 504 ")
            writer.close()
            assert await proxy.outcomes() == ["upstream_timeout"]

    run(story())


@pytest.mark.parametrize("begun", [False, True])
def test_a_silent_upstream_is_a_timeout(begun: bool) -> None:
    """`timeouts.idle`: a 504 before the answer's head, a reset in its middle."""

    async def story() -> None:
        async with proxied(idle_timeout=0.5) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            if begun:
                far_writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
                await asyncio.wait_for(reader.readuntil(b"part"), PATIENCE)
                with pytest.raises(ConnectionResetError):
                    await everything(reader)
            else:
                assert (await everything(reader)).startswith(b"HTTP/1.1 504 ")
            assert await proxy.outcomes() == ["upstream_timeout"]
            writer.close()
            far_writer.close()

    run(story())


def test_an_endpoint_that_takes_no_more_of_a_request_is_a_timeout() -> None:
    """It owes nothing yet, and the client cannot go on."""

    async def story() -> None:
        async with proxied(idle_timeout=0.5) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            far_reader._transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + bytes(1 << 24))
            assert (await everything(reader)).startswith(b"HTTP/1.1 504 ")
            assert await proxy.outcomes() == ["upstream_timeout"]
            writer.close()
            far_writer.close()

    run(story())


def test_a_client_that_takes_no_more_of_an_answer_is_gone() -> None:
    """The endpoint is not to blame, and is told to stop."""

    async def story() -> None:
        async with proxied(idle_timeout=0.5) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1 << 24))
            with contextlib.suppress(ConnectionResetError):
                assert await everything(far_reader) == b""
            assert await proxy.outcomes() == ["client_gone"]
            writer.close()
            far_writer.close()

    run(story())


def test_idle_connections_outlive_the_idle_timeout() -> None:
    """It runs only while the endpoint owes something."""

    async def story() -> None:
        async with proxied(idle_timeout=0.05) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            await asyncio.sleep(0.3)
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(OK)
            assert await reader.readexactly(len(OK)) == OK
            writer.close()
            far_writer.close()

    run(story())


def test_an_observer_that_fails_harms_nothing() -> None:
    """The connection turns opaque, and is counted as a defect of ours."""

    async def story() -> None:
        async with proxied() as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            (splice,) = proxy.listener._splices

            def fail(data: bytes, at: float) -> None:
                raise RuntimeError

            splice.downstream.observe = fail
            writer.write(GET)
            assert await far_reader.readexactly(len(GET)) == GET
            far_writer.write(OK)
            assert await reader.readexactly(len(OK)) == OK
            assert proxy.listener.opaque == {"observer_failed": 1}
            writer.close()
            far_writer.close()

    run(story())
