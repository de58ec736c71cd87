"""The admin port's connections: bounds, deadlines and TLS that no stranger can use up."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop

from monitor.api import access, door
from monitor.api.access import Guard, Tokens
from monitor.api.door import Door
from monitor.proxy.tls import H1, Certificate
from tests.api.test_access import line, pages

ASK = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
Ask = Callable[..., Awaitable[bytes]]


class Port:
    """A door on a free port of this machine, and clients of any loopback address."""

    def __init__(self, app: Any, context: Callable[[], ssl.SSLContext] | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self.door = Door(self._listener, self._server, context)
        self._clients: list[socket.socket] = []

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Port]:
        self._server.config.load()
        serving = asyncio.ensure_future(self._server._serve([]))
        self.door.open()
        try:
            yield self
        finally:
            self.door.close()
            for one in self._clients:
                one.close()
            self._server.should_exit = True
            await serving

    async def client(self, source: str = "127.0.0.1", said: bytes = b"") -> socket.socket:
        """A connection from `source` that says something, and waits."""
        one = socket.socket()
        one.bind((source, 0))
        one.setblocking(False)
        self._clients.append(one)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(one, self.address)
        if said:
            await loop.sock_sendall(one, said)
        return one

    async def ask(self, source: str = "127.0.0.1", said: bytes = ASK) -> bytes:
        """The first bytes of an answer; empty where the connection was closed."""
        return await heard(await self.client(source, said))

    async def filled(self, count: int) -> None:
        while len(self.door) < count:
            await asyncio.sleep(0.001)


async def heard(one: socket.socket) -> bytes:
    try:
        return await asyncio.get_running_loop().sock_recv(one, 1000)
    except ConnectionResetError:
        return b""


def run(story: Awaitable[None]) -> None:
    uvloop.run(asyncio.wait_for(story, 20))


@pytest.mark.parametrize(
    "said",
    [b"", b"GET /", b"POST /console/sign-in HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n"],
)
def test_who_opens_many_connections_pushes_out_only_itself(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent, with half a head, with a form that does not end: others are answered, and keep the
    connections that they have."""
    monkeypatch.setattr(door, "MOST", 8)

    async def story() -> None:
        async with Port(_reading).opened() as port:
            other = await port.client("127.0.0.3")
            crowd = [await port.client("127.0.0.2", said) for _ in range(20)]
            await port.filled(8)
            assert (await port.ask("127.0.0.1")).startswith(b"HTTP/1.1 200")
            await asyncio.get_running_loop().sock_sendall(other, ASK)
            assert (await heard(other)).startswith(b"HTTP/1.1 200")
            assert await heard(crowd[0]) == b""
            assert len(port.door) <= 8

    run(story())


async def _reading(scope: Any, receive: Any, send: Any) -> None:
    while scope["method"] == "POST" and (await receive()).get("more_body"):
        pass
    await pages(scope, receive, send)


def test_where_all_are_at_work_a_newcomer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who is being answered loses that for it; once there is an answer, there is room."""
    monkeypatch.setattr(door, "MOST", 2)
    go = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await pages(scope, receive, send)

    async def story() -> None:
        async with Port(slow).opened() as port:
            asked = [asyncio.ensure_future(port.ask(f"127.0.0.{one}")) for one in (1, 2)]
            await port.filled(2)
            while sum(not place.is_waiting() for place in port.door._places) < 2:
                await asyncio.sleep(0.001)
            assert await port.ask("127.0.0.3") == b""
            go.set()
            assert all(one.startswith(b"HTTP/1.1 200") for one in await asyncio.gather(*asked))
            assert (await port.ask("127.0.0.3")).startswith(b"HTTP/1.1 200")

    run(story())


@pytest.mark.parametrize(
    ("said", "bound"),
    [
        (b"", "HEAD"), (b"GET /heal", "HEAD"), (ASK + b"GET /heal", "EXCHANGE"),
        (b"POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n", "EXCHANGE"),
        (ASK + b"\r\n", "EXCHANGE"),
    ],
)  # fmt: skip
def test_who_makes_the_port_wait_is_left(
    said: bytes, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a first byte, the rest of a head, a body, or after an answer."""
    monkeypatch.setattr(door, bound, 0.05)

    async def story() -> None:
        async with Port(_reading).opened() as port:
            one = await port.client(said=said)
            while await heard(one):
                pass
            while len(port.door):
                await asyncio.sleep(0.001)

    run(story())


def test_handshakes_are_bounded_in_time_and_number(
    authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that never begins ends; and however many have begun, others shake hands."""
    one = authority()
    cert = Certificate(*one.issue("server"), lambda *_: None, "access.tls")
    monkeypatch.setattr(door, "MOST", 8)
    monkeypatch.setattr(door, "HANDSHAKE", 0.3)
    trusting = ssl.create_default_context(cafile=one.ca)

    async def secure(port: Port) -> bytes:
        reader, writer = await asyncio.open_connection(*port.address, ssl=trusting)
        writer.write(ASK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        answer = await reader.read()
        writer.close()
        return answer

    async def story() -> None:
        async with Port(pages, lambda: cert.context((H1,))).opened() as port:
            for said in (b"", b"\x16\x03\x01\x02\x00\x01"):
                crowd = [await port.client("127.0.0.2", said) for _ in range(20)]
                await port.filled(8)
                assert (await secure(port)).startswith(b"HTTP/1.1 200")
                assert await heard(crowd[-1]) == b""
            while len(port.door):
                await asyncio.sleep(0.001)
            assert await port.ask() == b""  # plain HTTP on a port with TLS

    run(story())


def test_a_new_certificate_ends_no_connection(authority: Any) -> None:
    """What is open goes on; who comes later is shown the new one; TLS 1.1 is refused."""
    one = authority()
    cert, key = one.issue("server")
    shown = Certificate(cert, key, lambda *_: None, "access.tls")
    trusting = ssl.create_default_context(cafile=one.ca)

    async def story() -> None:
        async with Port(pages, lambda: shown.context((H1,))).opened() as port:

            async def connected() -> tuple[Any, Any, bytes]:
                reader, writer = await asyncio.open_connection(*port.address, ssl=trusting)
                seen = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                return reader, writer, seen

            reader, writer, first = await connected()
            for old, new in zip((cert, key), one.issue("new"), strict=True):
                Path(old).write_bytes(Path(new).read_bytes())
            *_, other, second = await connected()
            assert first != second
            writer.write(ASK)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()
            other.close()
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            with pytest.warns(DeprecationWarning, match="TLSv1"):
                old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            old.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.raises(OSError):  # noqa: PT011  which one depends on the loop
                await asyncio.open_connection(*port.address, ssl=old)

    run(story())


def test_a_client_that_keeps_its_connection_holds_up_no_stop(
    authority: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Also with TLS, where the end of a connection has two sides: nothing is told as cancelled."""
    one = authority()
    cert = Certificate(*one.issue("server"), lambda *_: None, "access.tls")
    trusting = ssl.create_default_context(cafile=one.ca)

    def asked(port: Port) -> ssl.SSLSocket:
        plain = socket.create_connection(port.address)
        kept = trusting.wrap_socket(plain, server_hostname=port.address[0])
        kept.sendall(ASK)
        assert kept.recv(1000).startswith(b"HTTP/1.1 200")
        return kept

    async def story() -> None:
        async with Port(pages, lambda: cert.context((H1,))).opened() as port:
            kept = await asyncio.to_thread(asked, port)
        kept.close()

    run(story())
    assert [one.getMessage() for one in caplog.records] == []


def test_forms_that_do_not_end_keep_nobody_from_signing_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many addresses begin one, as long as they like: a form that comes whole is taken."""
    file = tmp_path / "tokens"
    file.write_text(line("kim", "read", "s2"))
    file.chmod(0o600)
    head = b"POST /console/sign-in HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n"

    async def story() -> None:
        guard = Guard(_reading, tokens=Tokens(file, print), is_exposed=True, clock=float)
        async with Port(guard).opened() as port:
            many = access.STRANGERS_AT_ONCE * 2
            idle = [
                await port.client(f"127.0.0.{2 + one % 2}", head + b"tok") for one in range(many)
            ]
            await port.filled(many)
            assert (await port.ask(said=head + b"token=123")).startswith(b"HTTP/1.1 200")
            await asyncio.get_running_loop().sock_sendall(idle[0], b"en=123")
            assert (await heard(idle[0])).startswith(b"HTTP/1.1 200")
            monkeypatch.setattr(access, "BODY_PATIENCE", 0.05)
            assert (await port.ask(said=head)).startswith(b"HTTP/1.1 408")

    run(story())


def test_a_client_that_leaves_in_the_middle_of_an_answer_is_no_defect() -> None:
    """It asked for two pages at once: of these the server tells the last that the client is gone, and
    writes the first."""

    async def story() -> None:
        asked, go = asyncio.Event(), asyncio.Event()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            asked.set()
            await go.wait()
            try:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                while len(port.door):
                    await asyncio.sleep(0.001)
                await send({"type": "http.response.body", "body": b"x" * 9})
            except Exception as error:
                done.set_exception(error)
                raise
            if not done.done():
                done.set_result(None)

        port = Port(answer)
        async with port.opened():
            client = await port.client(said=ASK * 2)
            await asked.wait()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            go.set()
            await done

    run(story())
