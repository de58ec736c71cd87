"""TLS in both directions, with real certificates, servers and clients."""

from __future__ import annotations

import hashlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest


class Model(BaseHTTPRequestHandler):
    """Answers every request with its body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def secure_model() -> Iterator[Callable[[ssl.SSLContext], str]]:
    """Starts https models; their URLs."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def begin(context: ssl.SSLContext) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
        server.daemon_threads = True
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        servers.append((server, thread))
        return f"https://127.0.0.1:{server.server_address[1]}"

    yield begin
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def secure_grpc(authority: Any) -> Iterator[tuple[Any, str]]:
    """A gRPC server that speaks TLS; its authority and address."""
    one = authority("grpc")
    cert, key = one.issue("server")
    server = grpc.server(ThreadPoolExecutor(2))

    def plain(message: bytes) -> bytes:
        return message

    def answer(request: bytes, context: Any) -> bytes:
        return b"answer to " + request

    handlers = {"Unary": grpc.unary_unary_rpc_method_handler(answer, plain, plain)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Model", handlers),))
    pair = Path(key).read_bytes(), Path(cert).read_bytes()
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    yield one, f"https://127.0.0.1:{port}"
    server.stop(None).wait()


def server_side(cert: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def sidecar(url: str, store: str) -> tuple[str, ...]:
    """What starts no analyzer: TLS is none of its business, and to start it takes as long as a
    recorder and a proxy."""
    return "sidecar", "--upstream", url, "--redis", store, "--listen", "127.0.0.1:0"


def secure(system: Any) -> str:
    return f"https://{system.run['listen']}"


def test_https_in_and_out(start: Any, authority: Any, secure_model: Any, store: str) -> None:
    """Verified both ways, with a client certificate; the shown one changes under way."""
    inside, outside = authority("inside"), authority("outside")
    context = server_side(*inside.issue("model"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(inside.ca)
    url = secure_model(context)
    cert, key = outside.issue("sidecar")
    client_cert, client_key = inside.issue("client")
    system = start(
        *sidecar(url, store),
        tls={
            "cert": cert, "key": key, "ca": inside.ca,
            "client_cert": client_cert, "client_key": client_key,
        },
    )  # fmt: skip
    verify = ssl.create_default_context(cafile=outside.ca)
    with httpx.Client(http2=True, verify=verify, timeout=20) as client:
        for size in (3, 500_000):
            answer = client.post(secure(system) + "/x", content=b"x" * size)
            assert (answer.status_code, len(answer.content)) == (200, size)
            assert answer.http_version == "HTTP/1.1", "the upstream speaks nothing newer"
    with pytest.raises(httpx.HTTPError):
        httpx.post(secure(system), content=b"x", timeout=20)  # nobody's authority
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"http://{system.run['listen']}", content=b"x", timeout=20)

    second = authority("second")
    for new, old in zip(second.issue("sidecar"), (cert, key), strict=True):
        shutil.copy(new, old)
    verify = ssl.create_default_context(cafile=second.ca)
    assert httpx.post(secure(system), content=b"x", verify=verify, timeout=20).status_code == 200

    page = system.settled()
    assert [(one["status"], one["request"]["bytes"]) for one in system.records()] == [
        (200, 3), (200, 500_000), (200, 1),
    ]  # fmt: skip
    assert page.total("monitor_connections_opaque_total") == 0
    assert not system.complaints()
    assert "traffic https://" in system.log()


def test_an_upstream_is_listened_to_while_somebody_vouches_for_it(
    start: Any, authority: Any, secure_model: Any, store: str
) -> None:
    """TLS has no half-close to pass on: for a client that does, the upstream is kept until it has
    answered. Once nobody vouches for it, the client gets a 502, the log says why, once, and not a byte
    of the request goes there."""
    one = authority()
    context = server_side(*one.issue("model"))
    system = start(*sidecar(secure_model(context), store), tls={"ca": one.ca})
    host, port = system.run["listen"].split(":")
    with socket.create_connection((host, int(port)), 20) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        raw.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nhi")
    context.load_cert_chain(*authority("another").issue("model"))
    for _ in range(2):
        assert httpx.post(system.url + "/x", content=b"secret", timeout=20).status_code == 502
    system.until(lambda: len(system.records()) == 3)
    outcomes = [one["outcome"] for one in system.records()]
    assert outcomes == ["ok", "upstream_refused", "upstream_refused"]
    assert system.log().count("its certificate is not accepted: unable to get local issuer") == 1


def test_grpc_over_tls_on_both_sides_or_on_one(
    start: Any, authority: Any, secure_grpc: tuple[Any, str], store: str
) -> None:
    """ALPN is carried through; a client without TLS is listened to first."""
    inside, url = secure_grpc
    outside = authority("outside")
    cert, key = outside.issue("sidecar")
    both = start(
        *sidecar(url, store), name="both", endpoint="both",
        tls={"cert": cert, "key": key, "ca": inside.ca},
    )  # fmt: skip
    one = start(*sidecar(url, store), name="one", endpoint="one", tls={"ca": inside.ca})
    roots = grpc.ssl_channel_credentials(Path(outside.ca).read_bytes())
    channels = (
        grpc.secure_channel(both.run["listen"], roots),
        grpc.insecure_channel(one.run["listen"]),
    )
    for name, system, channel in zip(("both", "one"), (both, one), channels, strict=True):
        with channel:
            assert channel.unary_unary("/test.Model/Unary")(b"x", timeout=20) == b"answer to x"
        system.settled()
        (record,) = system.records(name)
        assert (record["request"]["path"], record["outcome"]) == ("/test.Model/Unary", "ok")
        assert not system.complaints()


def test_the_admin_port_over_tls(start: Any, authority: Any, tmp_path: Path) -> None:
    """Probes, scrapes, API and console with a certificate, that changes under way; a cookie for TLS
    alone; nobody with another authority, and nothing without TLS."""
    first, second = authority("first"), authority("second")
    cert, key = first.issue("admin")
    tokens = tmp_path / "tokens"
    tokens.write_text(f"kim read {hashlib.sha256(b'kim').hexdigest()}\n")
    tokens.chmod(0o600)
    system = start(
        "sidecar", "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--redis",
        "redis://127.0.0.1:1", access={"tokens": str(tokens), "tls": {"cert": cert, "key": key}},
    )  # fmt: skip
    url = f"https://{system.run['admin']}"
    assert f"admin   {url}/metrics" in system.log()
    verify = ssl.create_default_context(cafile=first.ca)
    with httpx.Client(base_url=url, verify=verify, timeout=20) as client:
        assert client.get("/readyz").status_code == 200
        assert "monitor_build_info" in client.get("/metrics").text
        assert client.get("/api/v1/status").status_code == 401
        assert (
            client.get("/api/v1/status", headers={"authorization": "Bearer kim"}).status_code == 200
        )
        signed = client.post("/console/sign-in", data={"token": "kim"})
        assert "; secure" in signed.headers["set-cookie"].lower()
        assert client.get("/console/findings").status_code == 200
        assert "strict-transport-security" not in signed.headers
        for new, old in zip(second.issue("admin"), (cert, key), strict=True):
            shutil.copy(new, old)
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            httpx.get(f"{url}/healthz", verify=verify, timeout=20)
        assert client.get("/healthz").status_code == 200, "what was open goes on"
    verify = ssl.create_default_context(cafile=second.ca)
    assert httpx.get(f"{url}/healthz", verify=verify, timeout=20).status_code == 200
    with pytest.raises(httpx.HTTPError):
        httpx.get(url.replace("https", "http"), timeout=20)
    assert "access.tls.cert was read again" in system.log()
    assert not system.complaints()


@pytest.mark.parametrize("section", ["tls", "access.tls"])
def test_files_that_cannot_work_end_the_start_with_one_line(section: str, tmp_path: Path) -> None:
    """Exit code 2, the key named, no traceback."""
    config = tmp_path / "monitor.yaml"
    files = f"tls: {{cert: {tmp_path}/absent.pem, key: {tmp_path}/absent.key}}"
    config.write_text(f"access: {{{files}}}\n" if section != "tls" else f"{files}\n")
    ended = subprocess.run(
        [
            sys.executable, "-m", "monitor", "run", "--config", str(config), "--data",
            str(tmp_path / "data"), "--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:0",
            "--admin", "127.0.0.1:0",
        ],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert f" {section}.cert: {tmp_path}/absent.pem cannot be read" in line
