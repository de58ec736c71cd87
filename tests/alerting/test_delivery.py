"""A delivery ends in time, and says what became of it, whatever answers."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.alerting.delivery import Courier
from monitor.notifications import Request
from monitor.supervision.ports import free_port
from tests.conftest import Authority

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def answering(
    reply: Callable[[socket.socket], None], context: ssl.SSLContext | None = None
) -> Generator[tuple[str, list[bytes]]]:
    """A server that does with a connection what it is told; its URL, and what it was sent."""
    heard: list[bytes] = []
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not over.is_set():
            try:
                spoken, _ = listener.accept()
                spoken.settimeout(30)
                if context:
                    spoken = context.wrap_socket(spoken, server_side=True)
                with spoken:
                    data = b""
                    while not data.endswith(b"{}") and (piece := spoken.recv(65536)):
                        data += piece
                    heard.append(data)
                    reply(spoken)
            except OSError:
                continue

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        scheme = "https" if context else "http"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/hook", heard
        over.set()
        thread.join()


def says(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def send(url: str, timeout: float = 30.0, secret: str = "", clock: float = 0.0):  # type: ignore[no-untyped-def]
    return Courier(version="1", timeout=timeout).send(
        Request(url, b"{}", {"X-Own": "yes"}), secret=secret, clock=clock
    )


def test_what_is_taken_was_signed() -> None:
    """Over the body, by the secret."""
    with answering(says(OK)) as (url, heard):
        assert send(url, secret="s").is_taken
    head, _, body = heard[0].partition(b"\r\n\r\n")
    sign = hmac.new(b"s", body, hashlib.sha256).hexdigest()
    assert f"X-Monitor-Signature: sha256={sign}".encode() in head
    for field in (b"Content-Type: application/json", b"X-Own: yes", b"User-Agent: monitor/1"):
        assert field in head


def test_without_a_secret_nothing_is_signed() -> None:
    """Nor is a password taken from elsewhere."""
    with answering(says(OK)) as (url, heard):
        assert send(url).is_taken
    assert b"ignature" not in heard[0]
    assert b"uthorization" not in heard[0]


@pytest.mark.parametrize(("status", "fields", "words", "asked"), [
    ("500 Oops", "", "it answered 500", None),
    ("404 No", "", "it answered 404", None),
    ("429 Slow", "retry-after: 30\r\n", "it answered 429", 30.0),
    ("503 Away", "retry-after: Thu, 01 Jan 1970 00:02:00 GMT\r\n", "it answered 503", 20.0),
    ("302 Found", "location: http://127.0.0.1:9/\r\n", "it answered 302, and redirects are not followed", None),
    ("307 Moved", "location: /elsewhere\r\n", "it answered 307, and redirects are not followed", None),
])  # fmt: skip
def test_what_is_refused_is_said(status: str, fields: str, words: str, asked: float | None) -> None:
    """And for how long the receiver wants to be left alone."""
    with answering(says(f"HTTP/1.1 {status}\r\n{fields}content-length: 0\r\n\r\n".encode())) as (
        url,
        heard,
    ):
        assert send(url, clock=100.0) == (False, words, asked)
    assert len(heard) == 1


def drip(connection: socket.socket) -> None:
    for byte in OK * 50:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


@pytest.mark.parametrize("reply", [lambda _: time.sleep(3), drip], ids=["silent", "slow"])
def test_a_receiver_that_hangs_is_left(reply: Callable[[socket.socket], None]) -> None:
    """In time, also if it answers a byte now and then."""
    with answering(reply) as (url, _):
        begun = time.monotonic()
        answer = send(url, timeout=0.5)
        assert (answer.is_taken, answer.words) == (False, "it did not answer within 0.5 s")
        assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    "garbage", [b"", b"SSH-2.0\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 70000]
)
def test_what_is_no_answer_is_a_failure(garbage: bytes) -> None:
    """Not an exception."""
    with answering(says(garbage)) as (url, _):
        assert not send(url).is_taken


def test_nobody_there_is_said() -> None:
    """In words without the library's."""
    assert send(f"http://127.0.0.1:{free_port()}/").words == "it cannot be reached"
    assert send("http://no.such.host.invalid/").words == "it cannot be reached"


def test_a_certificate_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the authorities of the environment."""
    authority = Authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("server"))
    with answering(says(OK), context) as (url, _):
        assert send(url).words == "its certificate was not accepted"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca))
        assert send(url).is_taken


def test_a_courier_that_is_closed_delivers_nothing() -> None:
    """What is under way is given up."""
    courier = Courier(version="1")
    courier.close()
    with answering(says(OK)) as (url, _):
        assert not courier.send(Request(url, b"{}")).is_taken
