"""Limits and timeouts of a whole sidecar: who is refused, what it is told, and what is on record."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

PATIENCE = 30
LIMITS: dict[str, Any] = {
    "limits": {"connections": 2},
    "timeouts": {"connect": 3, "idle": 5},
}
"""What all tests here can have: who waits for nothing, and comes alone, meets none of them."""


@contextlib.contextmanager
def silent(port: int, *, begins: bool = False) -> Iterator[None]:
    """An endpoint that takes a request and says nothing, or no more than the beginning."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])
                    if begins:
                        held[-1].recv(65536)
                        held[-1].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart")

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for one in held:
        one.close()


def outcome(system: Any) -> tuple[str, int, bool]:
    """Of the one record there is, and whether the ledger agrees with it."""
    page = system.settled()
    (record,) = system.records()
    counted = page.total("monitor_exchanges_total", outcome=record["outcome"])
    return record["outcome"], record["status"], counted == 1 and page.is_conserved()


@pytest.mark.parametrize("begins", [False, True])
def test_a_client_that_leaves(share: Any, upstream_port: int, begins: bool) -> None:
    """The endpoint knows within 50 ms (best of three, or more where the machine is busy), before it
    has answered and within an answer."""
    took: list[float] = []
    end = time.monotonic() + PATIENCE
    with socket.create_server(("127.0.0.1", upstream_port)) as listener:
        system = share(**LIMITS)
        host, port = system.run["listen"].split(":")
        while len(took) < 3 or (min(took) >= 0.05 and time.monotonic() < end):
            client = socket.create_connection((host, int(port)), PATIENCE)
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            endpoint, _address = listener.accept()
            endpoint.settimeout(PATIENCE)
            said = b""
            while not said.endswith(b"\r\n\r\nhi"):
                said += endpoint.recv(65536)
            if begins:
                endpoint.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart")
                while not client.recv(65536).endswith(b"part"):
                    pass
            at = time.monotonic()
            client.close()
            with contextlib.suppress(ConnectionResetError):
                assert endpoint.recv(1) == b""
            took.append(time.monotonic() - at)
            endpoint.close()
    assert min(took) < 0.05
    page = system.settled()
    records = system.records()
    assert [one["outcome"] for one in records] == ["client_gone"] * len(took)
    assert [one["request"]["bytes"] for one in records] == [2] * len(took)
    assert [one["response"]["bytes"] for one in records] == [4 if begins else 0] * len(took)
    assert page.is_conserved()


def test_an_answer_that_cannot_be_followed(share: Any, upstream_port: int) -> None:
    """It passes as it is; the exchange is lost by name, and the ledger adds up."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nhi\r\n0\r\n\r\n"
    with socket.create_server(("127.0.0.1", upstream_port)) as listener:
        system = share(**LIMITS)
        host, port = system.run["listen"].split(":")
        with socket.create_connection((host, int(port)), PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            endpoint, _address = listener.accept()
            with endpoint:
                endpoint.recv(65536)
                endpoint.sendall(answer)
            assert b"".join(iter(lambda: client.recv(65536), b"")) == answer
    page = system.settled()
    assert not system.records()
    assert page.total("monitor_connections_opaque_total", reason="malformed_chunk") == 1
    assert page.total("monitor_exchanges_lost_total", reason="opaque") == 1
    assert page.total("monitor_exchanges_total", outcome="ok") == 1
    assert page.is_conserved()


def test_nobody_listens(share: Any) -> None:
    """A 502 at once."""
    system = share(**LIMITS)
    assert httpx.post(system.url, content=b"x", timeout=PATIENCE).status_code == 502
    assert outcome(system) == ("upstream_refused", 502, True)


def test_an_endpoint_that_cannot_be_reached_in_time(share: Any, upstream_port: int) -> None:
    """`timeouts.connect`: its backlog is full, so that the kernel does not answer either."""
    address = "127.0.0.1", upstream_port
    with socket.create_server(address, backlog=0), contextlib.ExitStack() as stack:
        for _ in range(4):  # the kernel takes one or two
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(address)
        system = share(**LIMITS)
        at = time.monotonic()
        assert httpx.post(system.url, content=b"x", timeout=PATIENCE).status_code == 504
        assert time.monotonic() - at > LIMITS["timeouts"]["connect"] - 0.1
        assert outcome(system) == ("upstream_timeout", 504, True)


def test_an_endpoint_that_falls_silent(share: Any, upstream_port: int) -> None:
    """`timeouts.idle`: a 504 before the answer, an error within it; never a clean end."""
    with silent(upstream_port):
        system = share(**LIMITS)
        assert httpx.post(system.url, content=b"x", timeout=PATIENCE).status_code == 504
        assert outcome(system) == ("upstream_timeout", 504, True)
    with silent(upstream_port, begins=True):
        system = share(**LIMITS)
        with pytest.raises(httpx.HTTPError):
            httpx.post(system.url, content=b"x", timeout=PATIENCE)
        assert outcome(system) == ("upstream_timeout", 200, True)


def test_more_connections_than_are_served_at_a_time(share: Any, model: str) -> None:
    """They wait, are served when there is room, refused when there is none for long; all counted."""
    system = share(**LIMITS)
    host, port = system.run["listen"].split(":")

    def client() -> socket.socket:
        return socket.create_connection((host, int(port)), PATIENCE)

    ask = b"POST /200 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    with client() as first, client() as second:
        for one in (first, second):
            one.sendall(ask)
            assert one.recv(65536).startswith(b"HTTP/1.1 200 ")
        with client() as third:
            third.sendall(ask)
            with contextlib.suppress(ConnectionResetError):
                assert third.recv(65536) == b"", "refused"
        with client() as fourth:
            fourth.sendall(ask)
            first.close()
            assert fourth.recv(65536).startswith(b"HTTP/1.1 200 "), "served once there was room"
    page = system.settled()
    assert page.total("monitor_connections_refused_total") == 1
    assert page.total("monitor_exchanges_total", outcome="ok") == 3
    assert len(system.records()) == 3
    assert page.is_conserved()
