"""`make bench`: from the start of the process to the first connection and to the first answer.

Written to START.md. A client asks from the beginning, every millisecond, as a load balancer that
has been told too early would.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from monitor.supervision.ports import free_port

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from tests.bench import peers

RUNS = 15
OUT = Path(__file__).with_name("START.md")


def measure(upstream: int, directory: Path) -> tuple[float, float]:
    """Seconds to the first connection, and to the first answer through it."""
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
            return connected, time.perf_counter() - began
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
        f"`monitor run` with its embedded store, {RUNS} times; seconds since the start of the process.",
        "",
        "| | best | median | worst |",
        "|---|---|---|---|",
    ]
    for name, place in (("first connection", 0), ("first answer", 1)):
        found = sorted(one[place] for one in times)
        best, worst, median = found[0], found[-1], statistics.median(found)
        lines.append(f"| {name} | {best:.3f} | {median:.3f} | {worst:.3f} |")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return int(min(one[1] for one in times) > 0.5)


if __name__ == "__main__":
    sys.exit(main())
