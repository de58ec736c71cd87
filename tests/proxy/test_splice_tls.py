"""Splices over TLS on real sockets: the same bytes and endings, as far as TLS can tell them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.proxy import tls
from monitor.proxy.side import Side
from tests.chances import SEEDED
from tests.proxy.test_splice import GET, OK, PATIENCE, everything, proxied, reset, run, until

PAIRS: dict[str, Any] = {}
"""A certificate for all examples of a search."""


def test_over_tls_large_bodies_arrive_whole(authority: Any) -> None:
    """Both ways, and a clean end is a clean end."""
    big = bytes(range(256)) * 20_000
    request = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(big) + big

    async def story() -> None:
        async with proxied(pair=authority().issue("one")) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(request)
            assert await far_reader.readexactly(len(request)) == request
            far_writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + big)
            far_writer.close()
            assert await everything(reader) == b"HTTP/1.1 200 OK\r\n\r\n" + big
            assert await proxy.outcomes() == ["ok"]
            writer.close()

    run(story())


def test_over_tls_a_client_that_is_gone_closes_the_upstream(authority: Any) -> None:
    """At once, with or without a word of farewell."""

    async def story(pair: Any, how: str) -> None:
        async with proxied(pair=pair) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            reset(writer) if how == "reset" else writer.close()
            with contextlib.suppress(ConnectionResetError):
                assert await everything(far_reader) == b""
            assert await proxy.outcomes() == ["client_gone"]
            await until(lambda: len(proxy.listener) == 0)
            far_writer.close()
            del reader

    pair = authority().issue("one")
    run(story(pair, "close"))
    run(story(pair, "reset"))


def test_over_tls_a_truncated_answer_does_not_look_complete(authority: Any) -> None:
    """An upstream that breaks off is not one that ends."""

    async def story(pair: Any) -> None:
        async with proxied(pair=pair) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(b"HTTP/1.1 200 OK\r\n\r\npart")
            await asyncio.wait_for(reader.readuntil(b"part"), PATIENCE)
            reset(far_writer)
            with pytest.raises(ConnectionResetError):
                await everything(reader)
            assert await proxy.outcomes() == ["upstream_broken"]
            writer.close()

    run(story(authority().issue("one")))


def test_over_tls_an_end_without_a_word_breaks_nothing_between_exchanges(authority: Any) -> None:
    """Many servers close kept-alive connections so; the client reads an end, not an error."""

    async def story(pair: Any) -> None:
        async with proxied(pair=pair) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(OK)
            assert await reader.readexactly(len(OK)) == OK
            far_writer.transport.abort()
            assert await everything(reader) == b""
            assert await proxy.outcomes() == ["ok"]
            writer.close()

    run(story(authority().issue("one")))


@given(st.lists(st.binary(min_size=1, max_size=40_000), max_size=6), SEEDED)
@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_over_tls_bytes_out_are_bytes_in(
    runner: asyncio.Runner, authority: Any, said: list[bytes], chance: random.Random
) -> None:
    """Records of TLS are cut anew on the way, what is in them is not; both ways at once."""
    pair = PAIRS.get("one") or PAIRS.setdefault("one", authority().issue("one"))
    answered = [bytes(reversed(piece)) for piece in said]
    chance.shuffle(answered)

    async def say(writer: asyncio.StreamWriter, what: list[bytes]) -> None:
        for piece in what:
            writer.write(piece)
            await writer.drain()

    async def story() -> None:
        async with proxied(pair=pair) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            await asyncio.gather(say(writer, said), say(far_writer, answered))
            up, down = b"".join(said), b"".join(answered)
            assert await asyncio.wait_for(far_reader.readexactly(len(up)), PATIENCE) == up
            assert await asyncio.wait_for(reader.readexactly(len(down)), PATIENCE) == down
            writer.close()
            far_writer.close()

    runner.run(story())


def test_who_fails_the_handshake_is_forgotten(authority: Any) -> None:
    """Plain bytes at a TLS port, and a client that leaves at once."""

    async def story(pair: Any) -> None:
        async with proxied(pair=pair) as proxy:
            for said in (GET, b"", b"\x16\x03\x01"):
                reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
                writer.write(said)
                writer.write_eof()
                with contextlib.suppress(ConnectionResetError):
                    await everything(reader)
                writer.close()
            await until(lambda: proxy.listener.accepted == 3 and len(proxy.listener) == 0)
            assert not proxy.exchanges

    run(story(authority().issue("one")))


def test_an_endpoint_that_refuses_our_certificate_is_told_once(authority: Any) -> None:
    """TLS 1.3 says so behind the handshake, when the connection seems to be there."""
    lines: list[str] = []
    inside = authority()
    context = tls.server_context(*inside.issue("one"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(inside.ca)
    ours = tls.client_context(inside.ca, "", "", ())

    endpoint = socket.create_server(("127.0.0.1", 0))
    to = endpoint.getsockname()

    def refuse() -> None:  # asyncio's server closes the connection without a word
        with contextlib.suppress(OSError):
            while True:
                connection, _ = endpoint.accept()
                with contextlib.suppress(ssl.SSLError), connection:
                    context.wrap_socket(connection, server_side=True)

    async def story() -> None:
        async def dial(side: Side) -> None:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: side, *to, ssl=ours, server_hostname=to[0])

        async with proxied(dial=dial, log=lines.append) as proxy:
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
                with contextlib.suppress(ConnectionResetError):
                    assert await everything(reader) == b""
                writer.close()
            await until(lambda: len(proxy.listener) == 0)

    thread = threading.Thread(target=refuse, daemon=True)
    thread.start()
    run(story())
    endpoint.shutdown(socket.SHUT_RDWR)
    endpoint.close()
    thread.join()
    (line,) = lines
    assert line.startswith("upstream: TLS: the endpoint ended a connection: ")
    assert line.endswith("alert certificate required")
