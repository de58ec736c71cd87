"""curl, httpx, h2load and wrk through the whole sidecar: they see what they see without it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.bench.peers import started, wait_for
from tests.end_to_end.conftest import served

PATIENCE = 30


class Echo(BaseHTTPRequestHandler):
    """Says back what it is sent, in the framing that the path asks for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/chunked":
            self._head(("transfer-encoding", "chunked"), ("trailer", "x-sum"))
            if self.command != "HEAD":
                self.wfile.write(b"5;a=b\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n")
        elif self.path == "/gzip":
            window = zlib.compressobj(wbits=31)
            body = window.compress(b"packed " * 1000) + window.flush()
            self._head(("content-encoding", "gzip"), ("content-length", str(len(body))))
            self.wfile.write(body)
        elif self.path == "/hints":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")
            self._whole(b"hinted")
        elif self.path == "/until-close":
            self.close_connection = True
            self._head(("connection", "close"))
            self.wfile.write(b"until the end")
        elif self.path == "/none":
            self.send_response(204)
            self.end_headers()
        else:
            self._whole(f"{self.command} {self.path}".encode())

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._whole(body[::-1])

    def do_PUT(self) -> None:
        self.do_POST()

    def _whole(self, body: bytes) -> None:
        self._head(("content-length", str(len(body))))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, *fields: tuple[str, str]) -> None:
        self.send_response(200)
        for pair in fields:
            self.send_header(*pair)
        self.send_header("Set-Cookie", "a")
        self.send_header("set-cookie", "b")
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Tue, 24 Nov 2026 00:00:00 GMT"  # so that two answers are the same

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def echo(upstream_port: int) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", upstream_port), Echo)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with served(server) as url:
        yield url


@pytest.fixture
def nginx(
    program: Callable[[str], str], tmp_path: Path, upstream_port: int
) -> Iterator[Callable[..., str]]:
    """Starts nginx, which speaks HTTP/1.1 or, with prior knowledge, HTTP/2; its URL."""
    path, running = program("nginx"), []

    def begin(*, http2: bool = False) -> str:
        home = tmp_path / "nginx"
        home.mkdir()
        temporary = "".join(
            f"{kind}_temp_path {home}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (home / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {home}/pid; error_log {home}/log;"
            f"events {{}} http {{ access_log off; {temporary} keepalive_requests 1000000;"
            f"server {{ listen 127.0.0.1:{upstream_port}{' http2' if http2 else ''}; default_type text/plain;"
            "location / { return 200 'hello'; } location /none { return 204; } } }"
        )
        context = started([path, "-c", str(home / "nginx.conf"), "-p", str(home), "-e", "stderr"])
        context.__enter__()
        running.append(context)
        wait_for(upstream_port)
        return f"http://127.0.0.1:{upstream_port}"

    yield begin
    for context in running:
        context.__exit__(None, None, None)


CURL: dict[str, tuple[str, ...]] = {
    "GET": ("{}/a?b=%20c",),
    "three on one connection": ("{}/1", "{}/2", "{}/3"),
    "HEAD": ("-I", "{}/a"),
    "HEAD of chunks": ("-I", "{}/chunked"),
    "204": ("{}/none",),
    "chunks, raw": ("--raw", "{}/chunked"),
    "gzip": ("--compressed", "{}/gzip"),
    "hints": ("{}/hints",),
    "until the end": ("{}/until-close",),
    "HTTP/1.0": ("--http1.0", "{}/a"),
    "an upgrade to h2c that is ignored": ("--http2", "{}/a"),
    "a body": ("-d", "a=b&c=d", "{}/a"),
    "a body that waits for 100-continue": ("-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary", "@{big}", "{}/a"),
    "a body in chunks": ("-H", "Transfer-Encoding: chunked", "--data-binary", "@{big}", "{}/a"),
    "an upload": ("-T", "{big}", "{}/a"),
    "a form with a file": ("-H", "Expect:", "-F", "f=@{big};filename=x", "-F", "g=1", "{}/form"),
}  # fmt: skip


def test_curl_sees_what_it_sees_without_us(
    share: Any, echo: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    """Heads and bodies byte by byte; each request on record, none opaque."""
    curl = program("curl")
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 1000)
    system = share()

    def output(url: str, arguments: tuple[str, ...]) -> bytes:
        filled = [one.replace("{}", url).replace("{big}", str(big)) for one in arguments]
        done = subprocess.run(
            [curl, "-sS", "-i", *filled], capture_output=True, check=False, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr
        return re.sub(rb"--------------------------[0-9A-Za-z]+", b"boundary", done.stdout)

    for name, arguments in CURL.items():
        direct, proxied = output(echo, arguments), output(system.url, arguments)
        if name == "a form with a file":  # its boundary, and so its echo, is another each time
            assert len(proxied) == len(direct), name
        else:
            assert proxied == direct, name
    page = system.settled()
    records = system.records()
    assert len(records) == len(CURL) + 2
    assert {one["outcome"] for one in records} == {"ok"}
    waited = next(one for one in records if one["request"]["bytes"] == 256_000)
    assert waited["response"]["bytes"] == 256_000
    assert page.total("monitor_connections_opaque_total") == 0
    assert page.is_conserved()


def test_bodies_beyond_memory_pass_at_no_cost(share: Any, upstream_port: int) -> None:
    """256 MB up and 256 MB down: the proxy's memory stays, the true sizes are on record."""
    size, piece = 256 << 20, bytes(1 << 20)
    ask = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size

    def say(to: socket.socket, head: bytes) -> None:
        to.sendall(head)
        for _ in range(size // len(piece)):
            to.sendall(piece)

    def hear(of: socket.socket, head: bytes) -> None:
        left = len(head) + size
        while left and (data := of.recv(1 << 20)):
            left -= len(data)
        assert not left

    def model(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            hear(connection, ask)
            say(connection, answer)

    address = "127.0.0.1", upstream_port
    with socket.create_server(address) as listener, ThreadPoolExecutor(1) as pool:
        system = share()
        (pid,) = system.run["pids"]["proxy"]
        before = psutil.Process(pid).memory_info().rss
        serving = pool.submit(model, listener)
        host, port = system.run["listen"].split(":")
        with socket.create_connection((host, int(port)), PATIENCE) as client:
            say(client, ask)
            hear(client, answer)
        serving.result(PATIENCE)
        system.until(system.records)
        after = psutil.Process(pid).memory_info().rss
    (record,) = system.records()
    assert (record["request"]["bytes"], record["response"]["bytes"]) == (size, size)
    assert record["request"]["truncated"]
    assert record["response"]["truncated"]
    assert after - before < 16 << 20


def test_httpx_speaks_http_1_in_the_clear(share: Any, echo: str) -> None:
    """A whole body and one in pieces."""
    system = share()
    with httpx.Client(timeout=PATIENCE) as client:
        assert client.get(f"{system.url}/a").text == "GET /a"
        assert client.post(f"{system.url}/a", content=iter([b"ab", b"c"])).text == "cba"
    assert_all_fine(system, 2)


def test_httpx_speaks_http_2_in_the_clear(share: Any, nginx: Any) -> None:
    """With prior knowledge, many streams on one connection."""
    nginx(http2=True)
    system = share()
    with httpx.Client(http1=False, http2=True, timeout=PATIENCE) as client:
        for _ in range(50):
            answer = client.get(f"{system.url}/x", headers={"x-population": "north"})
            assert (answer.http_version, answer.status_code, answer.text) == (
                "HTTP/2",
                200,
                "hello",
            )
        assert client.get(f"{system.url}/none").status_code == 204
    assert_all_fine(system, 51)
    assert system.records()[0]["segments"]["population"] == "north"
    assert system.records()[-1]["status"] == 204


def assert_all_fine(system: Any, count: int) -> None:
    page = system.settled()
    assert [one["outcome"] for one in system.records()] == ["ok"] * count
    assert page.total("monitor_connections_opaque_total") == 0
    assert page.is_conserved()


def test_h2load_and_curl_over_http2(share: Any, nginx: Any, program: Callable[[str], str]) -> None:
    """Thousands of interleaved streams: every one succeeds and is on record."""
    nginx(http2=True)
    system = share()
    load = [program("h2load"), "-n", "3000", "-c", "8", "-m", "50", system.url + "/x"]
    said = subprocess.run(load, capture_output=True, text=True, check=True, timeout=200).stdout
    assert "3000 succeeded, 0 failed, 0 errored" in said
    curl = [program("curl"), "-sS", "--http2-prior-knowledge", "-w", "%{http_version}", system.url]
    said = subprocess.run(curl, capture_output=True, text=True, check=True, timeout=200).stdout
    assert said == "hello2"
    page = system.settled()
    assert page.total("monitor_exchanges_total", outcome="ok") == 3001
    assert page.total("monitor_records_appended_total") == len(system.records()) == 3001
    assert page.total("monitor_connections_opaque_total") == 0
    assert page.is_conserved()


def test_wrk_and_the_ledger_count_the_same(
    share: Any, nginx: Any, program: Callable[[str], str]
) -> None:
    """What it counts as done is `ok`; what it leaves under way at its end is no more than that."""
    nginx()
    system = share()
    load = [program("wrk"), "-t1", "-c8", "-d60s", "--timeout", "60s", system.url + "/"]
    with subprocess.Popen(load, stdout=subprocess.PIPE, text=True) as running:
        # As fast as it can, until it has had a thousand answers or so.
        system.until(lambda: psutil.Process(running.pid).io_counters().read_chars > 170_000)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=200)
    assert running.returncode == 0
    done = re.search(r"(\d+) requests in", said)
    assert done is not None
    assert int(done[1]) > 500
    assert "Socket errors" not in said
    assert "Non-2xx" not in said
    page = system.settled()
    assert 0 <= page.total("monitor_exchanges_total") - int(done[1]) <= 8
    assert page.total("monitor_exchanges_total", outcome="ok") >= int(done[1])
    assert page.total("monitor_exchanges_lost_total") == 0
    assert page.total("monitor_connections_opaque_total") == 0
    assert page.is_conserved()
