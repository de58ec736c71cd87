"""Edits and ids of answers on real sockets: only what was asked for differs, and the record does not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from monitor.proxy.copies import Budget
from monitor.proxy.edits import Edits
from tests.proxy.test_splice import GET, OK, PATIENCE, everything, proxied, run, until

BOTH = ["::"] if socket.has_dualstack_ipv6() else []
"""Where a client of IPv4 is written as one of IPv6."""


def edited(peer: str) -> Edits:
    return Edits(host=b"api.example.com", peer=peer.encode())


FORWARDED = b"GET / HTTP/1.1\r\nHost: api.example.com\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize("bound", ["127.0.0.1", *BOTH])
def test_an_edited_request_is_recorded_as_the_client_wrote_it(bound: str) -> None:
    """The endpoint sees its own name, and a client of IPv4 as one; requests in one connection are
    each edited."""

    async def story() -> None:
        async with proxied(edits=edited, bound=bound) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            for _ in range(3):
                writer.write(GET)
                assert await far_reader.readexactly(len(FORWARDED)) == FORWARDED
                far_writer.write(OK)
                assert await reader.readexactly(len(OK)) == OK
            assert await proxy.outcomes(3) == ["ok"] * 3
            assert {one.request.head for one in proxy.exchanges} == {GET}
            writer.close()
            far_writer.close()

    run(story())


@pytest.mark.parametrize(
    "bad",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"\x16\x03\x01 not HTTP",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
@pytest.mark.parametrize("early", [False, True])
def test_what_cannot_be_edited_is_a_400_and_goes_nowhere(bad: bytes, early: bool) -> None:
    """Said before or after the upstream connection stands."""

    async def story() -> None:
        async with proxied(edits=edited) as proxy:
            if early:
                reader, writer = await proxy.client()
                writer.write(bad)  # before this loop lets the listener accept
                far_reader, far_writer = await asyncio.wait_for(proxy.met.get(), PATIENCE)
            else:
                (reader, writer), (far_reader, far_writer) = await proxy.pair()
                writer.write(bad)
            assert (await everything(reader)).startswith(b"HTTP/1.1 400 ")
            assert await everything(far_reader) == b""
            assert sum(proxy.listener.opaque.values()) == 1
            writer.close()
            far_writer.close()
            await until(lambda: len(proxy.listener) == 0)

    run(story())


def test_an_answer_that_is_owed_is_never_a_400_of_ours() -> None:
    """A malformed request behind a good one ends the connection for everybody to see."""

    async def story() -> None:
        async with proxied(edits=edited) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(FORWARDED))
            writer.write(b"\r\nbad\r\n\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                await everything(reader)
            writer.close()
            far_writer.close()

    run(story())


def test_an_edited_upgrade_opens_the_way_for_a_websocket_alone() -> None:
    """Its frames pass as they are; HTTP/2 inside the connection does not."""
    ask = GET[:-2] + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    sees = b"GET / HTTP/1.1\r\nHost: api.example.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: %b\r\n\r\n"

    async def story(protocol: bytes) -> None:
        async with proxied(edits=edited) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(ask + b"early")
            assert await asyncio.wait_for(far_reader.readexactly(len(sees)), PATIENCE) == sees
            far_writer.write(switch % protocol)
            await reader.readexactly(len(switch % protocol))
            if protocol == b"websocket":
                writer.write(b" frame")
                assert await far_reader.readexactly(11) == b"early frame"
                writer.write(GET)
                assert await far_reader.readexactly(len(GET)) == GET
            else:
                with contextlib.suppress(ConnectionResetError):
                    assert await everything(far_reader) == b""
            writer.close()
            far_writer.close()

    run(story(b"websocket"))
    run(story(b"h2c"))


# --- ids in answers --------------------------------------------------------------------------


def test_an_answer_bears_the_id_of_its_record() -> None:
    """Each its own, on a kept-alive connection; every other byte is the endpoint's."""

    async def story() -> None:
        async with proxied(names=True) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            for number in range(3):
                writer.write(GET)
                assert await far_reader.readexactly(len(GET)) == GET
                far_writer.write(OK)
                named = OK.replace(b"\r\n\r\n", b"\r\nx-monitor-exchange-id: %d\r\n\r\n" % number)
                assert await reader.readexactly(len(named)) == named
            assert await proxy.outcomes(3) == ["ok"] * 3
            assert [one.id for one in proxy.exchanges] == ["0", "1", "2"]
            assert {one.response and one.response.head for one in proxy.exchanges} == {OK[:-2]}
            writer.close()
            far_writer.close()

    run(story())


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\nA: b\n\n", b"\0\1\2", OK[:-2] + b"hi" + OK])
def test_an_answer_in_doubt_goes_on_as_it_is(answer: bytes) -> None:
    """And so does all that comes after it."""

    async def story() -> None:
        async with proxied(names=True) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            await far_reader.readexactly(len(GET))
            far_writer.write(answer)
            assert await reader.readexactly(len(answer)) == answer
            assert sum(proxy.listener.opaque.values()) == 1
            far_writer.write(OK)
            assert await reader.readexactly(len(OK)) == OK
            writer.close()
            far_writer.close()

    run(story())


def test_an_observer_that_fails_harms_no_answer() -> None:
    """Ids need it to look first; the bytes go on all the same."""

    async def story() -> None:
        async with proxied(names=True) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            (splice,) = proxy.listener._splices

            def fail(data: bytes, at: float) -> None:
                raise RuntimeError

            writer.write(GET)
            await far_reader.readexactly(len(GET))
            splice.observer.upstream = fail  # type: ignore[union-attr, method-assign]
            far_writer.write(OK)
            assert await reader.readexactly(len(OK)) == OK
            assert proxy.listener.opaque == {"observer_failed": 1}
            writer.close()
            far_writer.close()

    run(story())


def test_all_edits_at_once_keep_to_their_sides() -> None:
    """Requests are edited, answers named, and a WebSocket passes behind both."""
    ask = GET[:-2] + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    switch = (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    )

    async def story() -> None:
        async with proxied(edits=edited, names=True) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(GET)
            assert await far_reader.readexactly(len(FORWARDED)) == FORWARDED
            far_writer.write(OK)
            named = OK.replace(b"\r\n\r\n", b"\r\nx-monitor-exchange-id: 0\r\n\r\n")
            assert await reader.readexactly(len(named)) == named
            writer.write(ask)
            assert (await far_reader.readuntil(b"\r\n\r\n")).startswith(
                b"GET / HTTP/1.1\r\nHost: api"
            )
            far_writer.write(switch + b"\x81\x02hi")
            said = await reader.readexactly(len(switch) + 4)
            assert said == switch + b"\x81\x02hi", "an interim answer has no id"
            writer.write(b"\x81\x82\0\0\0\0ho")
            assert await far_reader.readexactly(8) == b"\x81\x82\0\0\0\0ho"
            writer.close()
            far_writer.close()

    run(story())


def test_an_edited_connection_without_room_to_follow_goes_on_unrecorded() -> None:
    """Memory that is used up refuses nobody: requests are edited as before, and not looked at."""

    async def story() -> None:
        budget = Budget(1000)
        budget.limit = 2000
        edited = lambda peer: Edits(host=b"other", peer=b"")  # noqa: E731
        async with proxied(edits=edited, budget=budget) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            for _ in range(2):
                writer.write(GET * 20)
                said = await far_reader.readexactly(
                    20 * len(GET.replace(b"Host: a", b"Host: other"))
                )
                assert said == GET.replace(b"Host: a", b"Host: other") * 20
            assert proxy.listener.opaque == {"buffer_full": 1}
            far_writer.write(OK * 40)
            assert await reader.readexactly(len(OK) * 40) == OK * 40
            writer.close()
            far_writer.close()
        assert budget.used == 0

    run(story())


def test_a_refusal_has_no_place_behind_the_last_word_of_the_endpoint() -> None:
    """It has ended its side; what can then not be edited ends the connection, and nothing of ours
    is written behind the end."""
    faults: list[Any] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: faults.append(what))
        async with proxied(edits=lambda peer: Edits(host=b"other", peer=b"")) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            await far_reader.readuntil(b"\r\n\r\n")
            far_writer.write_eof()
            assert await everything(reader) == b""
            writer.write(b"no chunk\r\n")
            await until(lambda: len(proxy.listener) == 0)
            writer.close()
            far_writer.close()

    run(story())
    assert not faults


def test_what_waits_for_an_upgrade_goes_on_before_the_clients_end() -> None:
    """The client has half-closed behind it; the endpoint declines, and has all of it, then the end."""

    async def story() -> None:
        async with proxied(edits=lambda peer: Edits(host=b"other", peer=b"")) as proxy:
            (reader, writer), (far_reader, far_writer) = await proxy.pair()
            ask = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n"
            writer.write(ask + GET)
            writer.write_eof()
            await far_reader.readuntil(b"\r\n\r\n")
            far_writer.write(OK)
            assert await everything(far_reader) == GET.replace(b"Host: a", b"Host: other")
            far_writer.write(OK)
            assert await reader.readexactly(2 * len(OK)) == 2 * OK
            writer.close()
            far_writer.close()
            assert await proxy.outcomes(2) == ["ok", "ok"]

    run(story())
