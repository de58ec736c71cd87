"""Every state of a connection has an end: who is silent in it loses it, who is slow does not."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from monitor.proxy import splice as splice_module
from monitor.proxy import tls
from monitor.proxy.copies import Budget
from monitor.proxy.frames import CONTINUATION, HEADERS, SETTINGS, frame
from monitor.proxy.http1_fast_path import Http1FastPath
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.http2 import PREFACE, Http2
from monitor.proxy.observer import Observer, Upgraded
from monitor.proxy.side import Side
from monitor.proxy.websocket import WebSocket
from monitor.types import Exchange
from tests.proxy.test_splice import GET, OK, PATIENCE, Proxied, Streams, proxied, run, until

SHORT = 0.5
BOTH = ["::"] if socket.has_dualstack_ipv6() else []
"""Where a client of IPv4 is written as one of IPv6."""
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
BEGUN = PREFACE + frame(SETTINGS, 0, 0, b"")


class Seen:
    """Observers of all protocols, and what they said."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.budget = Budget(1 << 30)
        self._ids = itertools.count()

    def __call__(self, opaque: Callable[[str], None], **more: Any) -> Http1FastPath:
        shared: dict[str, Any] = {
            "emit": self.exchanges.append,
            "lose": lambda outcome, reason: None,
            "opaque": opaque,
            "max_body_bytes": 1 << 20,
            "budget": self.budget,
        }
        common = {
            **shared, "new_id": lambda: str(next(self._ids)), "started_unix": lambda at: at,
        }  # fmt: skip

        def become(kind: str, upgraded: Upgraded | None) -> Observer | None:
            return WebSocket(upgraded, **shared) if upgraded else Http2(**common)

        return Http1FastPath(Http1Parser(become=become, **common, **more))


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that still comes; a reset is an end too."""
    said = b""
    try:
        while piece := await asyncio.wait_for(reader.read(65536), PATIENCE):
            said += piece
    except ConnectionError:
        pass
    return said


Story = Callable[[Proxied, Streams, Streams], Coroutine[Any, Any, None]]


def story(then: Story, **limits: Any) -> Seen:
    """A client and its endpoint, until both have seen the end."""
    seen = Seen()

    async def whole() -> None:
        async with proxied(build=seen, **limits) as proxy:
            client, endpoint = await proxy.pair()
            await then(proxy, client, endpoint)
            assert await ended(client[0]) == b""
            await ended(endpoint[0])
            await until(lambda: len(proxy.listener) == 0)
            client[1].close()
            endpoint[1].close()

    run(whole())
    assert seen.budget.used == 0
    return seen


def outcomes(seen: Seen) -> list[str]:
    return [one.outcome.value for one in seen.exchanges]


async def drip(writer: asyncio.StreamWriter, data: bytes, every: float = 0.05) -> None:
    """A byte now and then, for as long as somebody listens."""
    for byte in data:
        if writer.transport.is_closing():
            return
        writer.write(bytes((byte,)))
        await asyncio.sleep(every)


# --- before and within a head --------------------------------------------------------------------


def test_a_client_that_never_speaks() -> None:
    """It is closed, and its upstream connection with it; there was no exchange."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        pass

    assert story(then, head_timeout=SHORT).exchanges == []


def test_a_client_that_drips_a_head() -> None:
    """However often a byte comes, the head has an end in time."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        client[1].write(GET[:-2])
        await drip(client[1], b"A: " + b"a" * 1000)

    assert story(then, head_timeout=SHORT).exchanges == []


@pytest.mark.parametrize(
    "begun",
    [
        BEGUN + frame(HEADERS, 0, 1, b"\x82"),
        BEGUN + frame(HEADERS, 0, 1, b"\x82") + frame(CONTINUATION, 0, 1, b"\x86"),
        BEGUN + frame(HEADERS, 5, 1, b"\x82" * 100)[:-1],
        BEGUN + frame(HEADERS, 5, 1, b"\x82")[:5],
        BEGUN[:20],
    ],
)
def test_an_http2_client_that_does_not_end_a_head(begun: bytes) -> None:
    """The preface, a frame's head, a header block over several frames."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        endpoint[1].write(frame(SETTINGS, 0, 0, b""))
        client[1].write(begun)
        assert await client[0].readexactly(9)

    assert story(then, head_timeout=SHORT).exchanges == []


def test_a_client_that_is_waited_for_before_anything_is_dialled() -> None:
    """As with an upstream that knows HTTP/2 too: nobody knows what to dial."""

    async def whole() -> None:
        async with proxied(head_timeout=SHORT, before_dial=lambda one: one.first(3)) as proxy:
            reader, writer = await proxy.client()
            writer.write(b"P")
            assert await ended(reader) == b""
            await until(lambda: len(proxy.listener) == 0)
            assert proxy.met.empty()
            writer.close()

    run(whole())


@pytest.mark.parametrize("shakes_hands", [False, True])
def test_over_tls_a_client_that_never_speaks(authority: Any, shakes_hands: bool) -> None:
    """Before the handshake, and after it."""

    async def whole(pair: Any) -> None:
        async with proxied(pair=pair, head_timeout=SHORT) as proxy:
            if shakes_hands:
                reader, writer = await proxy.client()
            else:
                reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            assert await ended(reader) == b""
            await until(lambda: len(proxy.listener) == 0)
            writer.close()

    run(whole(authority("states").issue("server")))


def test_a_head_in_time_is_no_matter_how_slow() -> None:
    """Slower than the limit between exchanges and in bodies, never within a head."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        for number in range(2):
            await asyncio.sleep(1.5 * SHORT if number else 0)
            client[1].write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
            await drip(client[1], b"1234", SHORT / 3)
            await endpoint[0].readuntil(b"1234")
            await drip(endpoint[1], OK[:4], SHORT / 3)
            endpoint[1].write(OK[4:])
            assert await client[0].readexactly(len(OK)) == OK
        client[1].close()

    assert outcomes(story(then, head_timeout=SHORT)) == ["ok"] * 2


# --- silence -------------------------------------------------------------------------------------


def test_a_connection_that_is_kept_alive() -> None:
    """Closed in both directions once nobody has said anything for so long."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        client[1].write(GET)
        await endpoint[0].readexactly(len(GET))
        endpoint[1].write(OK)
        assert await client[0].readexactly(len(OK)) == OK

    assert outcomes(story(then, idle_timeout=SHORT, silence_timeout=2 * SHORT)) == ["ok"]


def test_a_client_that_stops_within_a_body() -> None:
    """The endpoint owes nothing yet: it is the client that is gone."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        client[1].write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n1234")

    seen = story(then, idle_timeout=SHORT, silence_timeout=2 * SHORT)
    assert outcomes(seen) == ["client_gone"]


def test_an_upgrade_that_is_not_answered() -> None:
    """The endpoint owes an answer, whatever the client says meanwhile."""

    async def whole() -> None:
        seen = Seen()
        async with proxied(build=seen, idle_timeout=SHORT) as proxy:
            (reader, writer), endpoint = await proxy.pair()
            writer.write(UPGRADE + b"early")
            assert (await ended(reader)).startswith(b"HTTP/1.1 504 ")
            writer.close()
            endpoint[1].close()
        assert outcomes(seen) == ["upstream_timeout"]

    run(whole())


def test_a_websocket_nobody_says_anything_on() -> None:
    """It may be silent for longer than the endpoint may owe an answer, and not for ever."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        client[1].write(UPGRADE)
        await endpoint[0].readexactly(len(UPGRADE))
        endpoint[1].write(SWITCHED)
        await client[0].readexactly(len(SWITCHED))
        await asyncio.sleep(2 * SHORT)
        endpoint[1].write(b"\x81\x02hi")
        assert await client[0].readexactly(4) == b"\x81\x02hi"

    seen = story(then, idle_timeout=SHORT, silence_timeout=4 * SHORT)
    assert outcomes(seen) == ["client_gone"]
    response = seen.exchanges[0].response
    assert response is not None
    assert b"hi" in response.body


@pytest.mark.parametrize("half_closed", [False, True])
def test_a_connection_that_is_not_followed(half_closed: bool) -> None:
    """Opaque, whole or half-closed: the same end."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        client[1].write(b"\0\1\2\3")
        assert await endpoint[0].readexactly(4) == b"\0\1\2\3"
        if half_closed:
            client[1].write_eof()

    assert story(then, idle_timeout=SHORT, silence_timeout=2 * SHORT).exchanges == []


def test_without_an_idle_timeout_silence_has_no_end() -> None:
    """`timeouts.idle: 0` is never, for both."""

    async def whole() -> None:
        async with proxied(idle_timeout=0, silence_timeout=0.05) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            await asyncio.sleep(2 * SHORT)
            far_writer.write(OK)
            assert await reader.readexactly(len(OK)) == OK
            writer.close()
            far_writer.close()

    run(whole())


def test_an_event_stream_may_pause() -> None:
    """Longer than any head may take, and than a kept-alive connection may be silent were it less
    than what the endpoint may owe."""

    async def then(proxy: Proxied, client: Streams, endpoint: Streams) -> None:
        client[1].write(GET)
        await endpoint[0].readexactly(len(GET))
        endpoint[1].write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await client[0].readuntil(b"\r\n\r\n")
        for _ in range(2):
            await asyncio.sleep(2 * SHORT)
            endpoint[1].write(b"2\r\nhi\r\n")
            assert await client[0].readuntil(b"hi\r\n")
        endpoint[1].write(b"0\r\n\r\n")
        await client[0].readuntil(b"0\r\n\r\n")
        client[1].close()

    seen = story(then, head_timeout=SHORT, idle_timeout=8 * SHORT, silence_timeout=SHORT)
    assert outcomes(seen) == ["ok"]


# --- endings -------------------------------------------------------------------------------------


def test_a_client_that_does_not_take_the_end_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint has closed; what waits for a client that reads nothing waits no longer."""
    monkeypatch.setattr(splice_module, "LINGER", 0.1)

    async def whole() -> None:
        async with proxied(idle_timeout=SHORT) as proxy:
            (_, writer), (far_reader, far_writer) = await proxy.pair()
            writer.transport.pause_reading()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1 << 20))
            far_writer.write_eof()
            await until(lambda: len(proxy.listener) == 0)
            assert await proxy.outcomes() == ["ok"], "to its end, as far as the endpoint is meant"
            far_writer.close()
            writer.transport.abort()

    run(whole())


def test_who_is_refused_and_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no upstream, and no request that could be told so."""
    monkeypatch.setattr(splice_module, "LINGER", 0.1)

    async def refuse(side: Side) -> None:
        raise ConnectionRefusedError

    async def whole() -> None:
        async with proxied(dial=refuse) as proxy:
            reader, writer = await proxy.client()
            assert await ended(reader) == b""
            await until(lambda: len(proxy.listener) == 0)
            writer.close()

    run(whole())


def test_an_upstream_that_is_asked_for_its_protocol_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has so long; then clients are offered HTTP/1.1, and are not kept waiting for the next."""
    monkeypatch.setattr(tls, "ASK_PATIENCE", SHORT)

    async def whole() -> None:
        with socket.create_server(("127.0.0.1", 0)) as hung:
            upstream = tls.Upstream(
                *hung.getsockname(),
                ca="",
                client_cert="",
                client_key="",
                log=lambda level, text: None,
            )
            asked = await asyncio.wait_for(
                asyncio.gather(*(upstream.protocols() for _ in range(20))), 4 * SHORT
            )
            assert asked == [(tls.H1,)] * 20

    run(whole())


# --- what cannot be dialled ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [OverflowError("port must be 0-65535."), UnicodeError("x"), ValueError()]
)
def test_an_upstream_that_cannot_be_used_is_a_502_and_one_line(error: Exception) -> None:
    """Whatever the libraries raise for it."""
    said: list[str] = []

    async def dial(side: Side) -> None:
        raise error

    async def whole() -> None:
        async with proxied(dial=dial, log=said.append) as proxy:
            for _ in range(3):
                reader, writer = await proxy.client()
                writer.write(GET)
                assert (await ended(reader)).startswith(b"HTTP/1.1 502 ")
                writer.close()
            assert await proxy.outcomes(3) == ["upstream_refused"] * 3
        assert len(said) == 1

    run(whole())


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0", *BOTH])
def test_an_upstream_that_is_this_proxy_is_refused(bound: str) -> None:
    """Once round at most: else one request would take all file descriptors."""
    said: list[str] = []

    async def whole() -> None:
        port = 0

        async def dial(side: Side) -> None:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: side, "127.0.0.1", port)

        async with proxied(dial=dial, log=said.append, bound=bound) as proxy:
            port = proxy.port
            reader, writer = await proxy.client()
            writer.write(GET)
            assert (await ended(reader)).startswith(b"HTTP/1.1 502 ")
            writer.close()
            assert await proxy.outcomes() == ["upstream_refused"]
            await until(lambda: len(proxy.listener) == 0)
            assert proxy.listener.accepted <= 2
        assert said == ["upstream: is the address that this proxy listens on; clients get 502"]

    run(whole())
