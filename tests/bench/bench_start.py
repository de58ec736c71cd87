"""`make bench`: from the start of the process to the first connection and to the first answer, and
what all its processes have taken once the first scrape is answered.

Written to START.md. A client asks from the beginning, every millisecond, as a load balancer that
has been told too early would.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from monitor.supervision.ports import free_port

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from tests.bench import peers

RUNS = 15
OUT = Path(__file__).with_name("START.md")


def measure(upstream: int, directory: Path) -> tuple[float, float, float, float, float]:
    """Seconds to the first connection, to the first answer through it and to the first scrape, and
    of all processes together the CPU seconds by then and the memory that they take, MB."""
    run = directory / "run.json"
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "monitor", "run", "--data", str(directory),
            "--upstream", f"http://127.0.0.1:{upstream}",
            "--listen", f"127.0.0.1:{port}", "--admin", "127.0.0.1:0",
        ],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while True:
            with contextlib.suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", port))
                break
            if process.poll() is not None or time.perf_counter() > began + 20:
                raise RuntimeError("monitor did not start")
            time.sleep(0.001)
        connected = time.perf_counter() - began
        with connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: model\r\n\r\n")
            connection.settimeout(20)
            if not connection.recv(1):
                raise RuntimeError("no answer came")
            answered = time.perf_counter() - began
        while not run.exists():
            time.sleep(0.01)
        admin = json.loads(run.read_text("utf-8"))["admin"]
        with urllib.request.urlopen(f"http://{admin}/metrics", timeout=20) as page:
            page.read()
        scraped = time.perf_counter() - began
        ours = psutil.Process(process.pid)
        all_of_them = [ours, *ours.children(recursive=True)]
        cpu = sum(peers.cpu_seconds(one.pid) for one in all_of_them)
        memory = sum(one.memory_full_info().pss for one in all_of_them) / 1e6
        return connected, answered, scraped, cpu, memory
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main() -> int:
    """Measure, write, and say whether a first answer came within half a second."""
    load = os.getloadavg()[0]
    with peers.model() as upstream, tempfile.TemporaryDirectory() as directory:
        times = [measure(upstream, Path(directory)) for _ in range(RUNS + 1)][1:]
    lines = [
        "# Start",
        "",
        f"Written by `tests/bench/bench_start.py` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: "
        f"monitor {monitor.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"{load:.1f} at the beginning.",
        "",
        f"`monitor run` with its embedded store, {RUNS} times; seconds since the start of the process. CPU time and memory are those of "
        "all processes, the store among them, once the first scrape is answered; memory that several share is counted once (PSS).",
        "",
        "| | best | median | worst |",
        "|---|---|---|---|",
    ]
    rows = (
        ("first connection, s", 3), ("first answer, s", 3), ("first scrape, s", 3),
        ("CPU time, s", 2), ("memory, MB", 0),
    )  # fmt: skip
    for (name, digits), found in zip(rows, map(sorted, zip(*times, strict=True)), strict=True):
        three = (found[0], statistics.median(found), found[-1])
        lines.append(f"| {name} | {' | '.join(f'{one:.{digits}f}' for one in three)} |")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return int(min(one[1] for one in times) > 0.5)


if __name__ == "__main__":
    sys.exit(main())
