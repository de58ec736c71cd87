"""Listener on real sockets: how many are served, who waits, how a drain ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import socket
import struct
from pathlib import Path

import pytest

from monitor.proxy.side import Side
from tests.proxy.test_splice import GET, OK, PATIENCE, everything, proxied, run, until


def test_beyond_the_limit_connections_wait_then_are_refused_and_counted() -> None:
    """`limits.connections`; who still waits when one ends is served."""

    async def story() -> None:
        lines: list[str] = []
        async with proxied(limit=1, connect_timeout=1, log=lines.append) as proxy:
            (_, first), (_, far) = await proxy.pair()
            for refused in (1, 2):
                reader, second = await proxy.client()
                assert await everything(reader) == b"", "refused"
                assert proxy.listener.refused == refused
                second.close()
            (line,) = lines
            assert line.startswith("1 connections are open, the most that `limits.connections` or")
            _, third = await proxy.client()
            first.close()
            await until(lambda: proxy.listener.accepted == 2)
            third.close()
            far.close()

    run(story())


def test_without_a_file_descriptor_clients_wait_and_the_log_says_so_once() -> None:
    """They are served once there is one."""
    lines: list[str] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def story() -> None:
        async with proxied(log=lines.append) as proxy:
            client = socket.socket()
            client.setblocking(False)
            spare: list[int] = []
            most = 1 + max(int(one.name) for one in Path("/dev/fd").iterdir())
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, most + 50), hard))
            try:
                with contextlib.suppress(OSError):
                    while True:
                        spare.append(os.dup(client.fileno()))
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, ("127.0.0.1", proxy.port))
                await until(lambda: lines)
                assert proxy.listener.accepted == 0
            finally:
                for one in spare:
                    os.close(one)
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await until(lambda: proxy.listener.accepted == 1)
            _, far = await asyncio.wait_for(proxy.met.get(), PATIENCE)
            client.close()
            far.close()

    run(story())
    assert lines == ["Too many open files: clients wait to be connected"]


def test_a_drain_lets_what_is_under_way_end_and_closes_the_quiet() -> None:
    """New clients are refused, the kept-alive closed, the stream completed."""

    async def story() -> None:
        async with proxied() as proxy:
            (quiet, quiet_writer), (_, far_quiet) = await proxy.pair()
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            draining = asyncio.ensure_future(proxy.listener.drain(0, PATIENCE))
            assert await everything(quiet) == b""
            await until(lambda: len(proxy.listener) == 1)
            with pytest.raises(ConnectionError):
                await proxy.client()
            far_writer.write(OK)
            assert await everything(reader) == OK
            await draining
            assert await proxy.outcomes() == ["ok"]
            for one in (quiet_writer, far_quiet, writer, far_writer):
                one.close()

    run(story())


def test_a_drain_ends_what_does_not() -> None:
    """At `drain.timeout`, for the client to see."""

    async def story() -> None:
        async with proxied() as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            await proxy.listener.drain(0, 0.1)
            with pytest.raises(ConnectionResetError):
                await everything(reader)
            assert len(await proxy.outcomes()) == 1
            writer.close()
            far_writer.close()

    run(story())


def test_an_endpoint_that_resets_what_it_has_just_accepted_lets_no_client_wait() -> None:
    """The reset is there before the connection is looked at, so that it has no peer any more."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as endpoint:

            async def dial(side: Side) -> None:
                near = socket.create_connection(endpoint.getsockname())
                far, _ = endpoint.accept()
                far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                far.close()
                with pytest.raises(OSError, match="not connected"):
                    near.getpeername()
                near.setblocking(False)
                await loop.create_connection(lambda: side, sock=near)
                near.detach()  # the transport closes it

            async with proxied(dial=dial) as proxy:
                reader, writer = await proxy.client()
                writer.write(GET)
                with pytest.raises(ConnectionResetError):
                    await everything(reader)
                writer.close()
                await until(lambda: not len(proxy.listener))

    run(story())


def test_an_endpoint_that_cannot_be_reached_is_said_once_and_so_is_its_return() -> None:
    """One that comes and goes fills no log: nothing is said of it for a minute."""

    async def story() -> None:
        lines: list[str] = []
        plan = iter((True, True, False, True))
        async with contextlib.AsyncExitStack() as stack:

            async def dial(side: Side) -> None:
                if next(plan):
                    raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
                await asyncio.get_running_loop().create_connection(lambda: side, *there)

            endpoint = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
            stack.callback(endpoint.close)
            there = endpoint.sockets[0].getsockname()
            proxy = await stack.enter_async_context(proxied(dial=dial, log=lines.append))
            for _ in range(4):
                reader, writer = await proxy.client()
                writer.write(GET)
                with contextlib.suppress(ConnectionResetError):
                    await everything(reader)
                writer.close()
        assert lines == [
            "the endpoint cannot be reached: connection refused; clients get 502",
            "the endpoint is reached again",
        ]

    run(story())
