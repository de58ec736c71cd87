"""`make bench`: how long a process that is woken waits for its core, with and without short turns.

Written to TURNS.md. One process stands for the proxy: it sleeps for 3 to 7 ms, works for 0.1 ms,
and so on. Its neighbour has the same core all the time. What `supervision/priority` asks the kernel
for is switched on and off in turn.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import platform
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.supervision import priority

ROUNDS, WAKES = 8, 500
CORE = max(os.sched_getaffinity(0))
OUT = Path(__file__).with_name("TURNS.md")


def recorder(stretch: float) -> None:
    """Work behind all others, and give way after each stretch of so many seconds."""
    asyncio.run(priority.lower(os.getpid()))
    while True:
        until = time.thread_time() + stretch
        while time.thread_time() < until:
            pass
        os.sched_yield()


def endpoint() -> None:
    """Work with the usual priority, as a model does that computes on the same cores."""
    while True:
        pass


NEIGHBOURS: dict[str, Callable[[], None]] = {
    "a recorder at work, that gives way after 0.3 ms": lambda: recorder(0.0003),
    "a recorder in one long call after the other, 3 ms each": lambda: recorder(0.003),
    "a model endpoint at work, with the usual priority": endpoint,
}


def started(work: Callable[[], None]) -> int:
    """Do the work in a session of its own, on the one core."""
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            os.sched_setaffinity(0, {CORE})
            work()
        finally:
            os._exit(0)  # what failed is missed by who reads the pipe
    return pid


def waits(pipe: int) -> None:
    """Write how many milliseconds each of the wakes came too late."""
    late = []
    for _ in range(WAKES):
        due = time.monotonic() + random.uniform(0.003, 0.007)
        time.sleep(max(0.0, due - time.monotonic()))  # it may have lost its core just now
        late.append((time.monotonic() - due) * 1e3)
        until = time.thread_time() + 0.0001
        while time.thread_time() < until:
            pass
    os.write(pipe, json.dumps([statistics.quantiles(late, n=100)[at] for at in (49, 98)]).encode())


def measure(neighbour: Callable[[], None], *, short: bool) -> tuple[float, float]:
    """Milliseconds in the median and at p99."""

    def woken() -> None:
        if short:
            priority.shorten_turns()
        waits(writing)

    reading, writing = os.pipe()
    beside = started(neighbour)
    time.sleep(0.3)  # until it is lowered
    try:
        os.waitpid(started(woken), 0)
        os.close(writing)
        p50, p99 = json.loads(os.read(reading, 1000))
        return p50, p99
    finally:
        os.kill(beside, signal.SIGKILL)
        os.waitpid(beside, 0)
        os.close(reading)


def main() -> int:
    """Measure all in turn and write the page."""
    load = os.getloadavg()[0]
    found: dict[tuple[str, bool], list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for name, neighbour in NEIGHBOURS.items():
            for short in (False, True):
                found.setdefault((name, short), []).append(measure(neighbour, short=short))
    lines = [
        "# Turns of a core",
        "",
        f"Written by `tests/bench/bench_turns.py` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: monitor "
        f"{monitor.__version__}, Linux {platform.release()}, one of {os.cpu_count()} cores, load {load:.1f} at the beginning.",
        "",
        "Milliseconds that a process waits for its core after its sleep has ended (the median of "
        f"{ROUNDS} rounds of {WAKES} wakes; the least to the most), beside one that always works on the same core. "
        f"With short turns it has asked for {priority.TURN * 1e3:.1f} ms at a time, as the proxy does. Linux 6.12 is the first that knows them.",
        "",
        "| beside | p50 | p50, short turns | p99 | p99, short turns |",
        "|---|---|---|---|---|",
    ]
    for name in NEIGHBOURS:
        cells = [
            f"{statistics.median(row):.2f} ({min(row):.2f}–{max(row):.2f})"
            for at in (0, 1)
            for short in (False, True)
            for row in [[values[at] for values in found[name, short]]]
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[-3:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
