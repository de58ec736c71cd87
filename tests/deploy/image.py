"""The image as it runs: read-only, as any user, bounded in memory, without a store.

`make image-test` collects this file; `make test` does not, since building an image takes minutes and
needs an engine. Containers use the host's network, and ports of the loopback interface.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.demo.page import Page
from monitor.supervision.ports import free_port
from tests.deploy import engine as engines
from tests.deploy.engine import IMAGE, Engine

RESTRICTED = (
    "--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
    "--security-opt", "no-new-privileges",
)  # fmt: skip
ANY_USER = "1000650000:0"
"""A number without a name, as OpenShift gives, in group 0."""
MOST_BYTES = 250e6


@pytest.fixture(scope="module")
def engine() -> Engine:
    """What runs the image, or one line that says why nothing does."""
    found = engines.find()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="module")
def described(engine: Engine) -> dict[str, Any]:
    """The image's own configuration."""
    (found,) = json.loads(engine.run("image", "inspect", IMAGE).stdout)
    return dict(found["Config"])


@pytest.fixture(scope="module")
def inside(engine: Engine) -> Callable[[str], str]:
    """What a shell in the image prints, as any user."""

    def run(script: str) -> str:
        command = ("run", "--rm", *RESTRICTED, "--user", ANY_USER, "--entrypoint", "sh", IMAGE)
        return engine.run(*command, "-c", script).stdout

    return run


class Model(BaseHTTPRequestHandler):
    """A model that answers any chat alike."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        choice = {"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
        body = json.dumps({"model": "small", "choices": [{"index": 0, **choice}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what is wrong."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """The URL of a model."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Container:
    """A running container of ours, its two addresses and its volume."""

    def __init__(self, engine: Engine, name: str, listen: int, admin: int) -> None:
        self._engine, self._name = engine, name
        self.url, self.admin = f"http://127.0.0.1:{listen}", f"http://127.0.0.1:{admin}"

    def wait(self) -> None:
        """Until it is ready."""

        def is_ready() -> bool:
            with urllib.request.urlopen(f"{self.admin}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)

        self.until(is_ready)

    def until(self, holds: Callable[[], Any], seconds: float = 90) -> None:
        """Wait for what comes true, or fail with the container's log."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if holds():
                    return
            time.sleep(0.2)
        pytest.fail(self.log())

    def ask(self, size: int = 10) -> int:
        """The status of a chat."""
        message = {"role": "user", "content": "write to ada@example.org " + "word " * (size // 5)}
        request = urllib.request.Request(
            f"{self.url}/v1/chat/completions",
            json.dumps({"model": "small", "messages": [message]}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)

    def page(self) -> Page:
        """What a scrape shows."""
        return Page.read(f"{self.admin}/metrics")

    def log(self) -> str:
        """All lines so far."""
        done = self._engine.run("logs", self._name, may_fail=True)
        return done.stdout + done.stderr

    def stop(self) -> dict[str, Any]:
        """SIGTERM, and its state when it has ended; SIGKILL after 60 s."""
        self._engine.run("stop", "--time", "60", self._name)
        (found,) = json.loads(self._engine.run("container", "inspect", self._name).stdout)
        return dict(found["State"])

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run something else within it."""
        return self._engine.run("exec", self._name, *command, may_fail=True)


Start = Callable[..., Container]


@pytest.fixture
def start(engine: Engine) -> Generator[Start]:
    """Starts containers on a volume of this test, and removes all of it."""
    names: list[str] = []
    volume = f"monitor-test-{secrets.token_hex(6)}"
    engine.run("volume", "create", volume)

    def started(role: str, *options: str, engine_options: tuple[str, ...] = ()) -> Container:
        listen, admin = free_port(), free_port()
        names.append(f"monitor-test-{secrets.token_hex(6)}")
        engine.run(
            "run", "--detach", "--name", names[-1], *RESTRICTED, *engine.nameless,
            "--user", ANY_USER,
            "--volume", f"{volume}:/data", *engine_options, IMAGE, role, "--endpoint", "bot",
            "--listen", f"127.0.0.1:{listen}", "--admin", f"127.0.0.1:{admin}", *options,
        )  # fmt: skip
        container = Container(engine, names[-1], listen, admin)
        container.wait()
        return container

    yield started
    for name in names:
        engine.run("rm", "--force", "--volumes", name, may_fail=True)
    engine.run("volume", "rm", "--force", volume, may_fail=True)


def test_it_says_what_it_is(described: dict[str, Any]) -> None:
    """Labels of the OCI; a user by number in group 0; no HEALTHCHECK, since probes ask from outside."""
    labels = {name.rpartition(".")[2] for name in described["Labels"] if "opencontainers" in name}
    assert labels >= {"title", "description", "licenses", "version", "revision"}
    assert described["User"] == "10001:0"
    assert not described.get("Healthcheck")


def test_it_is_small_and_cannot_build_anything(inside: Callable[[str], str]) -> None:
    """No compiler and no installer; what only replay and the demo need is not there."""
    size = int(inside("du -sb /opt/monitor | cut -f1"))
    assert size <= MOST_BYTES
    tools = "gcc cc c++ make ld"
    assert inside(f"for one in {tools}; do command -v $one || true; done") == ""
    absent = "pip pandas pyarrow evidently sklearn scipy pytest"
    found = inside(
        f"cd /opt/monitor/lib/python3*/site-packages && ls -d {absent} 2>/dev/null; true"
    )
    assert found == ""


def test_nothing_in_it_can_be_written_to_but_two_places(inside: Callable[[str], str]) -> None:
    """Files of the image by root alone, and none makes somebody else of who runs it; /data by
    group 0."""
    assert inside("find /opt/monitor ! -type l -perm /6022; find /opt/monitor ! -user 0") == ""
    assert inside("touch /data/x /tmp/x && echo both") == "both\n"


def test_the_bill_of_materials_lists_what_is_installed(inside: Callable[[str], str]) -> None:
    """Each distribution with its version, in CycloneDX."""
    script = "from importlib.metadata import distributions as d; print([(x.name, x.version) for x in d()])"
    installed = yaml.safe_load(inside(f"python -c '{script}'").replace("(", "[").replace(")", "]"))
    bill = json.loads(inside("cat /opt/monitor/sbom.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    listed = {(one["name"].lower(), one["version"]) for one in bill["components"]}
    assert {(name.lower(), version) for name, version in installed} == listed


def test_without_a_store_a_sidecar_serves_stops_and_goes_on_where_it_was(
    start: Start, upstream: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    """A store that is away costs no request: records wait on the volume. SIGTERM drains, exit 0; the
    next container on the volume delivers what the first left there, each once."""
    port = free_port()
    options = ("--upstream", upstream, "--redis", f"redis://127.0.0.1:{port}/0")
    limited = ("--memory", "256m")
    first = start("sidecar", *options, engine_options=limited)
    assert [first.ask() for _ in range(20)] == [200] * 20
    first.until(lambda: first.page().total("monitor_records_pending", place="spool") == 20)
    assert first.page().is_conserved()
    began = time.monotonic()
    state = first.stop()
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False), first.log()
    assert time.monotonic() - began < 47
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    store = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        second = start("sidecar", *options, engine_options=limited)
        second.until(lambda: second.page().total("monitor_records_appended_total") == 20)
        assert second.ask() == 200
        second.until(lambda: second.page().total("monitor_records_appended_total") == 21)
        assert second.page().is_conserved()
        assert second.stop()["ExitCode"] == 0
    finally:
        store.terminate()
        store.wait()


def test_large_bodies_fit_into_the_limit(start: Start, upstream: str) -> None:
    """Bodies of 1 MB on eight connections, while the store is away, in the 512 MiB of the manifests:
    nothing is killed, every request is answered, every exchange is accounted for."""
    container = start(
        "sidecar", "--upstream", upstream, "--redis", "redis://127.0.0.1:1/0",
        engine_options=("--memory", "512m"),
    )  # fmt: skip
    with ThreadPoolExecutor(8) as clients:
        assert set(clients.map(container.ask, [1_000_000] * 200)) == {200}
    container.until(lambda: container.page().total("monitor_exchanges_total") == 200)
    assert container.page().is_conserved()
    assert container.page().total("monitor_exchanges_lost_total", reason="proxy_died") == 0
    state = container.stop()
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False), container.log()


def test_every_role_is_in_it(start: Start, upstream: str) -> None:
    """`run` has them all, with the embedded store. Commands work under an account without a name."""
    container = start("run", "--upstream", upstream, engine_options=("--memory", "1g"))
    assert [container.ask() for _ in range(5)] == [200] * 5
    container.until(lambda: container.page().total("monitor_records_analyzed_total") == 5)
    for command in (["review", "stats"], ["records", "list"], ["keys", "list"]):
        done = container.execute("monitor", *command)
        assert "defect" not in done.stderr
        assert done.returncode == 0, done.stderr
    assert container.stop()["ExitCode"] == 0


def test_a_key_that_the_group_may_read_is_accepted(
    start: Start, upstream: str, tmp_path: Path, engine: Engine
) -> None:
    """As a Secret is mounted where the Pod has no fsGroup: of root and group 0, mode 0440."""
    key = engine.run("run", "--rm", "--entrypoint", "sh", "--user", ANY_USER, IMAGE, "-c",
        "monitor keys rotate --data /tmp/k >/dev/null && cat /tmp/k/privacy.key").stdout  # fmt: skip
    file = tmp_path / "privacy.key"
    file.write_text(key)
    file.chmod(0o440)
    container = start(
        "sidecar", "--upstream", upstream, "--redis", "redis://127.0.0.1:1/0",
        engine_options=(
            "--volume", f"{file}:/etc/monitor-key/privacy.key:ro",
            "--env", "MONITOR_PRIVACY_KEY_FILE=/etc/monitor-key/privacy.key",
        ),
    )  # fmt: skip
    assert container.ask() == 200
    assert container.stop()["ExitCode"] == 0


def test_the_injector_answers(start: Start, authority: Any) -> None:
    """It admits what it is asked about, over TLS, on the same read-only image."""
    signer = authority()
    certificate, key = signer.issue("injector")
    Path(key).chmod(0o644)
    mounts = ("--volume", f"{certificate}:/tls/tls.crt:ro", "--volume", f"{key}:/tls/tls.key:ro")
    files = ("--env", "MONITOR_TLS_CERT=/tls/tls.crt", "--env", "MONITOR_TLS_KEY=/tls/tls.key")
    container = start("injector", engine_options=(*mounts, *files))
    review = {
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": "1", "namespace": "models", "operation": "CREATE", "object": {}},
    }  # fmt: skip
    request = urllib.request.Request(
        f"{container.url.replace('http', 'https')}/mutate",
        json.dumps(review).encode(),
        {"content-type": "application/json"},
    )
    trusted = ssl.create_default_context(cafile=signer.ca)
    with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:
        assert json.load(answer)["response"]["allowed"] is True
    assert container.stop()["ExitCode"] == 0
