"""One request, one answer, however ill the other side is; credentials go to one host alone."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import UsageError
from monitor.protocols import PROTOCOLS
from monitor.redrive.client import LARGEST, Reply, Session, Target
from monitor.redrive.requests import Resend, select
from monitor.types import Outcome
from tests.redrive.models import Model, answered, chat, failing, hanging, serving

ASKED = select([chat(1)], PROTOCOLS, limit=1).chosen[0]


@pytest.fixture
def send() -> Iterator[Callable[..., Reply]]:
    """Sends a request, and keeps in `waited` for how long it would have waited."""
    sessions = []

    def send(url: str, resend: Resend = ASKED, *, timeout: float = 5.0, **headers: str) -> Reply:
        send.waited = []  # type: ignore[attr-defined]
        session = Session(
            Target.parse(url, "--against", headers), run="r1", timeout=timeout, now=lambda: 0.0,
            clock=time.monotonic, wait=lambda seconds: bool(send.waited.append(seconds)),  # type: ignore[attr-defined]
        )  # fmt: skip
        sessions.append(session)
        return session.send(resend)

    yield send
    for one in sessions:
        one.close()


def test_an_answer_comes_with_its_times(send: Callable[..., Reply]) -> None:
    """A streamed one in the chunks in which it came; the request says that it is a replay."""
    streamed = select([chat(1, parameters={"stream": True})], PROTOCOLS, limit=1).chosen[0]
    with serving(Model()) as model:
        whole, stream = send(model.url), send(model.url, streamed)
    assert (whole.status, whole.outcome, whole.error) == (200, Outcome.OK, "")
    assert json.loads(whole.body)["usage"]["prompt_tokens"] == 9
    assert len(stream.chunks) > 1
    assert [end for _, end in stream.chunks][-1] == len(stream.body)
    assert stream.body.endswith(b"data: [DONE]\n\n")
    path, headers, _ = model.seen[0]
    assert path == "/v1/chat/completions"
    assert headers["x-monitor-replay"] == "r1"


def test_credentials_go_to_the_target_alone(
    send: Callable[..., Reply], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect is refused and tells nobody; nothing of `.netrc` or of a proxy's setting is added."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hush\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(Model()) as other:
        for status in (301, 307, 308):
            with serving(failing(status, location=f"{other.url}/v1/chat/completions")) as model:
                reply = send(model.url, authorization="Bearer abc")
            assert reply.error == "it redirects, which is not followed"
            assert reply.outcome is Outcome.CLIENT_ERROR
            assert model.seen[0][1]["authorization"] == "Bearer abc"
        assert other.seen == []
        send(other.url)
        assert "authorization" not in other.seen[0][1]


def test_what_is_asked_too_much_is_waited_for(send: Callable[..., Reply]) -> None:
    """A 429 is tried again after its Retry-After, some times; a server's error is not."""
    answers = iter([429, 429, 200])

    def act(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> bool:
        status = next(answers, 200)
        return status == 429 and answered(handler, 429, {}, retry_after="3")

    with serving(Model(act=act)) as model:
        reply = send(model.url)
    assert (reply.status, reply.throttled, send.waited) == (200, 2, [3.0, 3.0])  # type: ignore[attr-defined]
    with serving(failing(429)) as model:
        reply = send(model.url)
    assert (reply.outcome, len(model.seen), send.waited) == (
        Outcome.RATE_LIMITED,
        4,
        [1.0, 2.0, 4.0],
    )  # type: ignore[attr-defined]
    with serving(failing(429, retry_after="86400")) as model:
        assert (send(model.url).status, send.waited) == (429, [])  # type: ignore[attr-defined]
    with serving(failing(503)) as model:
        assert (send(model.url).outcome, len(model.seen)) == (Outcome.SERVER_ERROR, 1)


def test_no_answer_is_an_outcome(send: Callable[..., Reply]) -> None:
    """Silence, a closed port, and a connection that breaks off each have theirs, and no traceback."""
    with serving(hanging(60)) as model:
        began = time.monotonic()
        reply = send(model.url, timeout=0.2)
        assert (reply.outcome, reply.error) == (Outcome.UPSTREAM_TIMEOUT, "no answer in time")
        assert time.monotonic() - began < 45
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert send(url).error == "the connection is refused"

    def hang_up(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> bool:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{")
        handler.close_connection = True
        return True

    with serving(Model(act=hang_up)) as model:
        assert send(model.url).outcome is Outcome.UPSTREAM_BROKEN


def test_a_connection_that_was_closed_meanwhile_is_no_failure() -> None:
    """A server that closes without a word after each answer is asked again on another connection."""

    def close(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> bool:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        handler.close_connection = True
        return True

    with serving(Model(act=close)) as model:
        session = Session(
            Target.parse(model.url, "--against", {}), run="r1", timeout=5.0, now=lambda: 0.0,
            clock=time.monotonic, wait=lambda _: False,
        )  # fmt: skip
        assert [session.send(ASKED).status for _ in range(20)] == [200] * 20
        session.close()


def test_a_trickle_and_a_flood_end(send: Callable[..., Reply]) -> None:
    """An answer has its time as a whole, and no more of it is kept than is compared."""

    def trickle(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> bool:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(20):
            handler.wfile.write(b"1\r\n \r\n")
            time.sleep(0.05)
        return True

    with serving(Model(act=trickle)) as model:
        assert send(model.url, timeout=0.2).outcome is Outcome.UPSTREAM_TIMEOUT

    def slow_head(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> bool:
        for piece in (b"HTTP/1.1 200 OK\r\nx: ", *[b"a"] * 8, b"\r\ncontent-length: 0\r\n\r\n"):
            handler.wfile.write(piece)
            time.sleep(0.05)
        return True

    with serving(Model(act=slow_head)) as model:
        assert send(model.url, timeout=0.2).outcome is Outcome.UPSTREAM_TIMEOUT

    sent = 0

    def endless(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> bool:
        nonlocal sent
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n")
        with contextlib.suppress(OSError):  # the client has gone
            while sent < 200:
                handler.wfile.write(b" " * 1_000_000)
                sent += 1
        return True

    with serving(Model(act=endless)) as model:
        reply = send(model.url)
        assert (len(reply.body), reply.truncated) == (LARGEST, True)
        assert sent < 100

    def flood(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> bool:
        size = LARGEST + (1 << 20)
        handler.wfile.write(
            f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{size:x}\r\n".encode()
        )
        handler.wfile.write(b" " * size + b"\r\n0\r\n\r\n")
        return True

    with serving(Model(act=flood)) as model:
        reply = send(model.url)
        assert (len(reply.body), reply.truncated) == (LARGEST, True)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("127.0.0.1:9000", "is not a URL such as"),
        ("ftp://h/x", "is not a URL such as"),
        ("http://h:99999", "is not a URL such as"),
        ("http://me:hush@h", "has a password in it"),
        ("http://h/?key=hush", "has a query"),
    ],
)
def test_what_is_no_target_is_said(url: str, said: str) -> None:
    """In a sentence without the secret in it."""
    with pytest.raises(UsageError, match=said) as told:
        Target.parse(url, "--against", {})
    assert "hush" not in str(told.value)


def test_a_target_shows_no_credential() -> None:
    """Also where somebody prints it."""
    assert "hush" not in repr(Target.parse("http://h", "--against", {"authorization": "hush"}))
