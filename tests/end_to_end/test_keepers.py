"""What keeps the processes alive: the pages apart from the traffic, stops that end, starts that fail."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from monitor.conventions import Conventions
from monitor.metrics import BY_NAME
from monitor.supervision.priority import NICE
from tests.exporters.test_otlp import Collector, dribble

PATIENT = {"delay": 40, "timeout": 10}
"""Of `drain`, which the last of those who share it does not wait for."""


def post(system: Any) -> int:
    return httpx.post(f"{system.url}/200", content=b"{}", timeout=30).status_code


def is_answered(system: Any) -> bool:
    try:
        return bool(system.admin("/readyz")[0] == 200)
    except OSError:
        return False


@contextlib.contextmanager
def scraped(system: Any) -> Generator[Counter[int]]:
    """The page is asked for all the time, by several at once; statuses and 0 for no answer."""
    seen: Counter[int] = Counter()
    done = threading.Event()

    def scrape() -> None:
        admin = f"http://{system.run['admin']}/metrics"
        while not done.is_set():
            try:
                seen[httpx.get(admin, timeout=30).status_code] += 1
            except httpx.HTTPError:
                seen[0] += 1
                time.sleep(0.01)

    threads = [threading.Thread(target=scrape) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join()


def assert_apart(system: Any) -> None:
    """What renders pages is in one process, which is the first to go where memory runs out."""
    (pages,) = system.run["pids"]["pages"]
    for pid, is_there in ((pages, True), (system.process.pid, False)):
        loaded = (one.path for one in psutil.Process(pid).memory_maps())
        assert any("pydantic_core" in path for path in loaded) == is_there
    assert int(Path(f"/proc/{pages}/oom_score_adj").read_text()) == 800


def assert_first(system: Any) -> None:
    """The proxy has the priority that the command was started with; all others come after it."""
    usual = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
    policy = os.SCHED_IDLE if usual[1] == os.SCHED_IDLE else os.SCHED_BATCH
    lowered = max(usual[0], NICE), policy
    children = {child.pid for child in psutil.Process(system.process.pid).children()}
    proxies = {system.process.pid, *system.run["pids"]["proxy"]}
    assert len(children) == 5  # proxy, recorder, analyzer, pages, store

    def priorities() -> dict[int, tuple[int, int]]:
        return {
            pid: (os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid))
            for pid in children | proxies
        }

    # Each lowers itself once it is ready.
    system.until(lambda: all(priorities()[pid] == lowered for pid in children - proxies))
    assert all(priorities()[pid] == usual for pid in proxies)


def test_whatever_happens_to_the_pages_the_traffic_and_its_counts_go_on(
    share: Any, model: str
) -> None:
    """Killed, they are back; frozen, they are found out and replaced; nobody else is restarted. A
    SIGHUP, as for a program that reads its settings anew then, ends nobody."""
    system = share(is_new=True, drain=PATIENT)
    for pids in (*system.run["pids"].values(), [system.process.pid]):
        for pid in pids:
            os.kill(pid, signal.SIGHUP)
    system.until(lambda: "SIGHUP: goes on; settings are read at a start alone" in system.log())
    for _ in range(10):
        assert post(system) == 200
    before = system.settled()
    assert_apart(system)
    assert_first(system)
    others = {role: pids for role, pids in system.run["pids"].items() if role != "pages"}
    for number, signal_ in enumerate((signal.SIGKILL, signal.SIGSTOP), 1):
        (pages,) = system.run["pids"]["pages"]
        os.kill(pages, signal_)
        for _ in range(10):
            assert post(system) == 200
        system.until(lambda killed=pages: system.run["pids"]["pages"] not in ([killed], []))
        system.until(lambda: is_answered(system))
        page = system.settled()
        assert page.is_conserved()
        assert page.total("monitor_exchanges_total") == 10 + 10 * number
        assert page.total("monitor_restarts_total", role="pages") == number
        name = "monitor_connections_total"
        assert page.total(name) >= before.total(name) + 10 * number
    assert others == {role: pids for role, pids in system.run["pids"].items() if role != "pages"}
    assert page.total("monitor_restarts_total") == 2
    assert "Traceback" not in system.log()


@contextlib.contextmanager
def slow_collector() -> Generator[tuple[str, threading.Event]]:
    """Answers a byte now and then; its URL, and whether it was asked."""
    asked = threading.Event()

    def accept(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                asked.set()
                threading.Thread(target=dribble, args=(connection, b"", 0.05), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


def test_nobody_who_is_slow_holds_a_stop(start: Any, model: str) -> None:
    """Clients that never read, on either port, a collector that never ends its answer, and a recorder
    that stands still: a proxy gives it up before it would be killed itself."""
    with contextlib.ExitStack() as stack:
        url, asked = stack.enter_context(slow_collector())
        system = start(
            "run", "--upstream", model, "--listen", "127.0.0.1:0",
            drain={"timeout": 1}, otlp={"endpoint": url, "interval": 1},
        )  # fmt: skip
        for where, path in (("admin", b"/metrics"), ("listen", b"/200")) * 5:
            host, _, port = system.run[where].rpartition(":")
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            stack.enter_context(client).connect((host, int(port)))
            request = b"GET %b HTTP/1.1\r\nhost: h\r\n\r\n" % path
            client.setblocking(False)
            client.send(request * 200)  # at once: the model hangs up after its first answer
        assert asked.wait(60)
        os.kill(system.child("recorder"), signal.SIGSTOP)
        assert post(system) == 200
        assert system.stop() == 0
        assert not system.held_up()


def test_a_machine_without_descriptors_or_processes_is_outlived(share: Any, model: str) -> None:
    """While nothing can be started, what is killed stays away; then it comes back by itself."""
    system = share(is_new=True, drain=PATIENT)
    assert post(system) == 200
    assert os.strerror(errno.EMFILE) == "Too many open files"
    pid, soft = system.process.pid, resource.prlimit(system.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, soft[1]))  # no more than it has
    killed = {role: system.run["pids"][role][0] for role in ("recorder", "analyzer", "pages")}
    for each in killed.values():
        os.kill(each, signal.SIGKILL)
    system.until(lambda: system.log().count("cannot be started: Too many open files") == 3)
    for _ in range(5):
        assert post(system) == 200
    resource.prlimit(pid, resource.RLIMIT_NOFILE, soft)
    system.until(lambda: is_answered(system))
    page = system.settled()
    assert page.total("monitor_exchanges_total") == len(system.records()) == 6
    for role, before in killed.items():  # each is tried again at its own time
        system.until(lambda role=role, old=before: system.run["pids"][role] not in ([old], []))


@pytest.fixture(scope="module")
def collector() -> Generator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture
def telling(collector: Collector, share: Any) -> Any:
    """Two workers, and a collector that is telling of them each second."""
    return share(workers=2, drain={"timeout": 2}, otlp={"endpoint": collector.url, "interval": 1})


def test_a_collector_is_told_what_prometheus_is(
    model: str, telling: Any, collector: Collector
) -> None:
    """Two workers, one of each killed: every counter and histogram has equal sums on both ways."""
    for role in ("recorder", "proxy"):
        for _ in range(20):
            assert post(telling) == 200
        telling.settled()
        killed = telling.run["pids"][role][0]
        os.kill(killed, signal.SIGKILL)
        telling.until(
            lambda role=role, killed=killed: (
                killed not in telling.run["pids"][role] and len(telling.run["pids"][role]) == 2
            )
        )
    for _ in range(20):
        assert post(telling) == 200
    telling.settled()
    # The analyzer reads about once a second.
    telling.until(lambda: telling.page().total("monitor_records_analyzed_total") == 60)
    assert telling.page().total("monitor_exchanges_total") == 60
    counted = len(collector.requests)
    telling.until(lambda: len(collector.requests) >= counted + 2)
    # Spans are sent, and counted, a moment after their exchanges.
    telling.until(lambda: not list(differences(telling.page(), collector.metrics())))
    durations = collector.metrics()["gen_ai.client.inference.duration"].histogram.data_points
    assert sum(point.count for point in durations) == 60


def test_pages_asked_for_all_the_time_disturb_no_stop(model: str, telling: Any) -> None:
    """Nobody ends in a traceback, and none has to be killed."""
    with scraped(telling) as seen:
        for _ in range(20):
            assert post(telling) == 200
        assert telling.stop() == 0
    assert seen[200]
    for wrong in ("Traceback", "Error at", "ERROR", "has not answered"):
        assert wrong not in telling.log(), telling.log()
    assert not telling.held_up()


def differences(page: Any, told: dict[str, Any]) -> Generator[tuple[str, float, float]]:
    """Sums of counters and histograms that the page and the collector do not have in common."""
    moving = {"monitor_exports_total", "monitor_process_cpu_seconds_total"}
    for name, metric in BY_NAME.items():
        named = Conventions().metric(name)
        found = told.get(named.name if named else name)
        if found is None or metric.kind == "gauge" or name in moving:
            continue
        if metric.kind == "counter":
            sums = [(name, sum(one.as_int or one.as_double for one in found.sum.data_points))]
        else:
            points = found.histogram.data_points
            sums = [
                (f"{name}_count", sum(one.count for one in points)),
                (f"{name}_sum", sum(one.sum for one in points)),
            ]
        for series, sent in sums:
            if page.total(series) != pytest.approx(sent):
                yield series, page.total(series), sent


def test_processes_without_descriptors_come_back_by_themselves(share: Any, model: str) -> None:
    """The recorder can take no new proxy, the pages no scrape; then they can, and all is there."""
    system = share(is_new=True, drain=PATIENT)
    assert post(system) == 200
    system.settled()
    before = system.run["pids"]
    limits = {}
    for role in ("recorder", "analyzer", "pages"):
        (pid,) = before[role]
        limits[pid] = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[pid][1]))
    os.kill(before["proxy"][0], signal.SIGKILL)
    system.until(lambda: system.run["pids"]["proxy"] not in (before["proxy"], []))
    for _ in range(5):
        assert post(system) == 200
    with pytest.raises(OSError, match="timed out"):
        scrape_briefly(system)
    for pid, limit in limits.items():
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
    system.until(lambda: system.page().total("monitor_exchanges_total") == 6)
    assert system.settled().is_conserved()
    assert len(system.records()) == 6
    now = system.run["pids"]
    assert {**now, "proxy": []} == {**before, "proxy": []}
    assert "Traceback" not in system.log()


def scrape_briefly(system: Any) -> None:
    """A scrape that gives up soon."""
    host, _, port = system.run["admin"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=1) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nhost: h\r\n\r\n")
        client.recv(1)


def descriptors(pid: int, bound: int) -> None:
    """No new file descriptor of a process may be as great as this; -1 for what it may have had."""
    _soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard if bound < 0 else bound, hard))


def cpu(pid: int) -> float:
    """Seconds of a core that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux alone has prlimit")
def test_a_process_without_file_descriptors_comes_back(share: Any, model: str) -> None:
    """Proxy and recorder have none left, and the other dies meanwhile: once there are some again,
    all goes on, and nothing has spun while it waited."""
    system = share(is_new=True, drain=PATIENT)
    host, port = system.run["listen"].split(":")
    ask = b"POST /200 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    for starved, killed in (("proxy", "recorder"), ("recorder", "proxy")):
        (pid,) = system.run["pids"][starved]
        (other,) = system.run["pids"][killed]
        descriptors(pid, 3)
        used, at = cpu(pid), time.monotonic()
        with contextlib.ExitStack() as stack:
            if starved == "proxy":
                for _ in range(8):
                    one = socket.create_connection((host, int(port)), 30)
                    stack.enter_context(one).sendall(ask)
            os.kill(other, signal.SIGKILL)
            system.until(lambda role=killed, old=other: old not in system.run["pids"][role])
            time.sleep(max(0.0, 1.5 - (time.monotonic() - at)))
            spent = (cpu(pid) - used) / (time.monotonic() - at)
            assert spent < 0.5, f"{spent:.2f} of a core for waiting"
            descriptors(pid, -1)
        system.until(lambda: system.admin("/readyz")[0] == 200)
        for _ in range(3):
            assert httpx.post(f"{system.url}/200", content=b"x", timeout=30).status_code == 200
        page = system.settled()
        assert page.is_conserved()
        assert system.run["pids"][starved] == [pid], "the same process"


def test_a_second_signal_ends_everything_at_once(share: Any, model: str) -> None:
    """Whatever the drain waits for; the exit code and a line say that it was no good end."""
    system = share(is_new=True, drain=PATIENT)
    assert post(system) == 200
    processes = psutil.Process(system.process.pid).children(recursive=True)
    system.process.send_signal(signal.SIGTERM)
    system.until(lambda: "draining" in system.log())
    time.sleep(0.2)
    assert system.process.poll() is None
    system.process.send_signal(signal.SIGTERM)
    assert system.process.wait(30) == 128 + signal.SIGTERM  # a drain would take 40 s or more
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
    assert "SIGTERM again: killing all processes" in system.log()
    assert not (system.data / "run.json").exists()
    assert "Traceback" not in system.log()
