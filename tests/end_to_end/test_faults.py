"""Faults under load: what clients saw, what the ledger says and what the stream holds agree."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import redis


class Load:
    """Clients that send numbered requests until told to stop; every answer must be right."""

    def __init__(self, url: str, clients: int = 4) -> None:
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(clients)]
        self._lock = threading.Lock()
        self.sent = 0
        self.wrong: list[object] = []

    def _send(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30) as client:
            while not self._stop.is_set():
                try:
                    answer = client.post("/200", content=b'{"text": "' + b"x" * 500 + b'"}')
                except httpx.HTTPError as error:
                    self.wrong.append(error)
                    continue
                with self._lock:
                    self.sent += 1
                if answer.status_code != 200:
                    self.wrong.append(answer.status_code)

    @contextmanager
    def running(self) -> Generator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def check(system: Any, load: Load) -> tuple[int, int]:
    """All accounts agree; returns how many were appended and lost."""
    page = system.settled()
    ids = [record["id"] for record in system.records()]
    appended = int(page.total("monitor_records_appended_total"))
    lost = int(page.total("monitor_exchanges_lost_total"))
    assert not load.wrong
    assert page.total("monitor_exchanges_total") == load.sent == appended + lost
    assert len(ids) == len(set(ids)) == appended
    assert "Traceback" not in system.log()
    return appended, lost


def progress(system: Any, load: Load, more: int) -> None:
    """Let `more` requests go by; the law holds at every scrape meanwhile."""
    target = load.sent + more
    system.until(lambda: system.page().is_conserved() and load.sent >= target)


def test_a_frozen_recorder_is_waited_for_by_nobody(start: Any, model: str) -> None:
    """Requests go on, exchanges wait in the buffer, and all arrive when it thaws."""
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0")
    load = Load(system.url)
    with load.running():
        progress(system, load, 200)
        recorder = system.run["pids"]["recorder"][0]
        os.kill(recorder, signal.SIGSTOP)
        try:
            progress(system, load, 600)
            waiting = {"place": "buffer"}
            system.until(lambda: system.page().total("monitor_records_pending", **waiting) >= 400)
        finally:
            os.kill(recorder, signal.SIGCONT)
        progress(system, load, 100)
    assert check(system, load)[1] == 0


def test_a_full_buffer_drops_whole_exchanges_and_counts_them(start: Any, model: str) -> None:
    """With room for a hundred or so, the rest is lost for a stated reason; clients see nothing."""
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0", capture={"buffer_bytes": 200_000}
    )
    load = Load(system.url)
    with load.running():
        recorder = system.run["pids"]["recorder"][0]
        os.kill(recorder, signal.SIGSTOP)
        try:
            progress(system, load, 800)
        finally:
            os.kill(recorder, signal.SIGCONT)
    appended, lost = check(system, load)
    assert lost > 100
    assert appended > 0
    assert system.page().total("monitor_exchanges_lost_total", reason="buffer_full") == lost


def test_a_frozen_store_costs_nothing_but_time(start: Any, model: str) -> None:
    """The embedded store stops for longer than a command may take, then goes on."""
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0")
    load = Load(system.url)
    with load.running():
        progress(system, load, 200)
        store = store_process(system)
        store.suspend()
        try:
            progress(system, load, 400)
            system.until(lambda: system.page().total("monitor_store_up") == 0)
            progress(system, load, 200)
        finally:
            store.resume()
        system.until(lambda: system.page().total("monitor_store_up") == 1)
        progress(system, load, 100)
    assert check(system, load)[1] == 0


def test_a_killed_store_comes_back_with_everything(start: Any, model: str) -> None:
    """The embedded store is started again on its append-only file; appends go on after it."""
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0")
    load = Load(system.url)
    with load.running():
        progress(system, load, 200)
        # What the store had answered is on disk once this says so.
        with redis.Redis.from_url(system.run["redis"]) as client:
            client.execute_command("WAITAOF", 1, 0, 2000)
        store_process(system).kill()
        progress(system, load, 300)
        system.until(lambda: system.page().total("monitor_store_up") == 1)
        progress(system, load, 100)
    page = system.settled()
    assert not load.wrong
    assert page.total("monitor_exchanges_total") == load.sent
    assert page.is_conserved()


def test_a_killed_proxy_is_replaced_and_the_port_never_closes(start: Any, model: str) -> None:
    """Connections on it break; new ones wait in the socket's queue, none is refused."""
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0")
    before = system.run["pids"]["proxy"]
    assert httpx.post(system.url + "/200", content=b"{}").status_code == 200
    os.kill(before[0], signal.SIGKILL)
    assert httpx.post(system.url + "/200", content=b"{}", timeout=20).status_code == 200
    system.until(lambda: system.run["pids"]["proxy"] not in (before, []))
    assert system.settled().is_conserved()


def test_children_do_not_outlive_a_killed_supervisor(start: Any, model: str) -> None:
    """SIGKILL on the parent leaves no orphans behind."""
    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0")
    children = psutil.Process(system.process.pid).children(recursive=True)
    system.process.kill()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def store_process(system: Any) -> psutil.Process:
    """The embedded Valkey among the supervisor's children."""
    children = psutil.Process(system.process.pid).children(recursive=True)
    (store,) = (child for child in children if "valkey" in child.name())
    return store
