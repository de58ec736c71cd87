"""`make soak`: ten minutes of steady load; resident memory of every process, minute by minute.

Plain answers, event streams, clients that leave, answers that break off; bodies from 100 bytes to a
megabyte. Fails when a process has at the end more than BOUND times what it had after two minutes,
and MARGIN bytes beyond that, or when the accounts do not agree. Writes SOAK.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

import monitor
from monitor.supervision.ports import free_port
from tests.end_to_end.conftest import System
from tests.end_to_end.load import ANSWER, Load

BOUND, MARGIN = 1.05, 1 << 20
WARM = 2
"""Minutes until caches, allocators and label tables have what they need."""
CONNECTIONS = 12_000
"""Come and go before the first minute: the proxy's garbage collector has its turn after some 5,000,
and until then what connections leave behind (1.5 KiB each) looks like growth."""
PAUSE = 0.035
WORDS = "the quick brown fox writes to ada@example.org about 0171 555 0187 and goes on "
SIZES = (100, 500, 1000, 2000, 700, 300, 900, 10_000) * 25 + (100_000, 1_000_000, 100_000)


def bodies() -> list[bytes]:
    """Requests of all sizes, as JSON."""
    return [
        b'{"text": "%s"}' % (WORDS * (size // len(WORDS) + 1))[:size].encode() for size in SIZES
    ]


def resident(system: System) -> dict[str, int]:
    """Role → bytes, the processes of a role added up."""
    found = {"supervisor": psutil.Process(system.process.pid).memory_info().rss}
    for role, pids in system.run["pids"].items():
        found[role] = sum(psutil.Process(pid).memory_info().rss for pid in pids)
    return found


def come_and_go(listen: str) -> None:
    """CONNECTIONS of them, with a request each."""
    host, _, port = listen.rpartition(":")
    for _ in range(CONNECTIONS):
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: model\r\n\r\n")
            received = b""
            while not received.endswith(ANSWER):
                received += connection.recv(65536)


def soak(minutes: int) -> int:
    """Run, report, return the exit code."""
    os.nice(5)
    port = free_port()
    model = subprocess.Popen([sys.executable, "-m", "tests.end_to_end.load", str(port)])
    rows: list[dict[str, int]] = []
    with tempfile.TemporaryDirectory() as directory:
        system = System(
            Path(directory), "run", "--upstream", f"http://127.0.0.1:{port}",
            "--listen", "127.0.0.1:0", settings={"stream": {"max_length": 2000}},
        )  # fmt: skip
        try:
            come_and_go(system.run["listen"])
            system.settled()
            load = Load(system.run["listen"], pause=PAUSE, bodies=bodies())
            with load.running():
                for minute in range(minutes + 1):
                    rows.append(resident(system))
                    print(minute, {role: size >> 20 for role, size in rows[-1].items()}, flush=True)
                    time.sleep(60 if minute < minutes else 0)
            page = system.settled()
        finally:
            system.stop()
            model.kill()
            model.wait()
    grown = [
        role
        for role, size in rows[-1].items()
        if size > rows[min(WARM, minutes)][role] * BOUND + MARGIN
    ]
    agree = page.is_conserved() and page.total("monitor_exchanges_total") == (
        CONNECTIONS + len(load.seen)
    )
    lost = int(page.total("monitor_exchanges_lost_total"))
    rate = len(load.seen) / (60 * minutes)
    Path(__file__).with_name("SOAK.md").write_text(document(rows, rate, load, lost))
    for role in grown:
        print(f"{role} has grown from {rows[WARM][role]} to {rows[-1][role]} bytes")
    if not agree or lost:
        print(f"{len(load.seen)} requests, {lost} lost: the accounts do not agree")
    return int(bool(grown or lost or not agree))


def document(rows: list[dict[str, int]], rate: float, load: Load, lost: int) -> str:
    """SOAK.md."""
    roles = list(rows[0])
    table = ["| minute | " + " | ".join(roles) + " |", "|---" * (len(roles) + 1) + "|"]
    for minute, row in enumerate(rows):
        table.append(
            f"| {minute} | " + " | ".join(f"{row[role] / 2**20:.1f}" for role in roles) + " |"
        )
    ends = ", ".join(f"{count} {outcome}" for outcome, count in sorted(load.outcomes().items()))
    return (
        f"""# Soak

Written by `make soak` (`tests/bench/soak.py`) on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: monitor {monitor.__version__},
Python {platform.python_version()}, {os.cpu_count()} cores shared with other work.

Resident memory in MiB under {rate:.0f} requests a second for {len(rows) - 1} minutes, with event streams,
clients that leave, answers that break off, and bodies from 100 bytes to a megabyte ({ends}; {lost} records
lost). {CONNECTIONS:,} connections came and went before. It fails where a process ends with more than
{BOUND:g} times what it had after {WARM} minutes and {MARGIN >> 20} MiB beyond that.

"""
        + "\n".join(table)
        + "\n"
    )


def main() -> int:
    """As the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    return soak(parser.parse_args().minutes)


if __name__ == "__main__":
    sys.exit(main())
