"""Orders of faults on real processes and a real store: nothing pending, and the stream is what counts.

`FAULT_SEEDS=50` tries so many seeded orders instead of one; `app/test_fault_orders.py` tries
thousands in simulated time.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import redis

from monitor.supervision.embedded_store import binary
from monitor.supervision.ports import free_port
from tests.end_to_end.test_faults import progress, under_load

SEEDS = int(os.environ.get("FAULT_SEEDS", "1"))


class Store:
    """A server that has on disk whatever it has answered, and can be killed and started again."""

    def __init__(self, directory: Path, port: int) -> None:
        self.port = port
        self._command = [str(binary()), "--port", str(port), "--bind", "127.0.0.1", "--dir"]
        self._command += [str(directory), "--appendonly", "yes", "--appendfsync", "always"]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


@pytest.fixture
def server(tmp_path: Path) -> Generator[Store]:
    """A store on a disk of its own."""
    (tmp_path / "redis").mkdir()
    store = Store(tmp_path / "redis", free_port())
    try:
        yield store
    finally:
        store.kill()


def do(system: Any, store: Store, action: str) -> None:
    """One fault; one of a process that is not there just then is none."""
    what, whom = action.split()
    if whom == "store":
        getattr(store, what)()
        return
    number = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP, "thaw": signal.SIGCONT}[what]
    for pid in system.run["pids"][whom][:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def check(system: Any, store: Store) -> Any:
    """Wait until nothing is pending, and compare; returns the page."""
    system.until(lambda: system.page().total("monitor_store_up") >= 1)
    page = system.settled()
    with redis.Redis(port=store.port) as client:
        entries: Any = client.xrange("monitor:{default:0}:records")
    ids = {fields[b"record"][:50] for _, fields in entries}
    assert len(ids) == len(entries) == page.total("monitor_records_appended_total")
    assert page.is_conserved()
    return page


def play(
    start: Any, fast: str, store: Store, steps: list[tuple[str, float]], **settings: Any
) -> tuple[Any, int]:
    """Do it under load; the page at the end, and how many requests there were."""
    url = f"redis://127.0.0.1:{store.port}/0"
    where = "--upstream", fast, "--redis", url, "--listen", "127.0.0.1:0"
    system = start("sidecar", *where, **settings)  # no fault is one of an analyzer
    with under_load(system, clients=2, pause=0.01) as load:
        progress(system, load, 100)
        for action, pause in steps:
            do(system, store, action)
            time.sleep(pause)
        for action in ("thaw store", "start store", "thaw recorder", "thaw proxy"):
            do(system, store, action)
        progress(system, load, 20)
    page = check(system, store)
    return page, len(load.seen)


def test_what_died_uncounted_with_proxy_and_recorder_is_counted_by_the_stream(
    start: Any, fast: str, server: Store
) -> None:
    """Without a spool: frozen recorder, frozen store, then all of them killed."""
    steps = [
        ("freeze recorder", 0.2), ("freeze store", 0.5), ("kill proxy", 0.3), ("kill recorder", 0.3),
        ("kill store", 0.3), ("start store", 0.5),
    ]  # fmt: skip
    play(start, fast, server, steps, spool={"max_bytes": 0})


def test_a_recorder_killed_while_it_empties_the_spool_leaves_nothing_pending(
    start: Any, fast: str, server: Store
) -> None:
    """Twice, as the store comes back; nothing is lost."""
    steps = [
        ("freeze store", 0.5), ("thaw store", 0.1), ("kill store", 1.0), ("start store", 0.1),
        ("kill recorder", 1.5), ("kill recorder", 0.5),
    ]  # fmt: skip
    page, seen = play(start, fast, server, steps)
    assert page.total("monitor_exchanges_lost_total") == 0
    assert page.total("monitor_exchanges_total") == seen


ACTIONS = [
    *("kill recorder", "freeze recorder", "thaw recorder", "kill proxy", "freeze proxy"),
    *("thaw proxy", "kill store", "start store", "freeze store", "thaw store"),
]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_order_of_faults_settles(start: Any, fast: str, server: Store, seed: int) -> None:
    """As drawn by the seed, with or without a spool, one or two workers."""
    chance = random.Random(seed)
    steps = [
        (chance.choice(ACTIONS), chance.choice([0.0, 0.1, 0.4]))
        for _ in range(chance.randint(4, 8))
    ]
    settings = {
        "spool": {"max_bytes": chance.choice([0, 1 << 26])},
        "workers": chance.choice([1, 2]),
    }
    play(start, fast, server, steps, **settings)
