"""`make bench`: what a scrape of /metrics costs, with a page of some 10,000 samples, and what the traffic feels of it;
written to PAGE.md.

A real `monitor run` after requests of MANY populations, as many templates and FEW variants, each with series of its own. CPU
time is that of each process, from the system. Then chats go through it, with and without `OFTEN` scrapes a second, in turns.
`--scrapes N`, `--rounds N` of `--seconds S`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from tests.bench import pacing, peers
from tests.bench.tables import other_work, quantile, spread, table
from tests.bench.traffic import END, Traffic
from tests.bench.whole_paths import ROLES

OUT = Path(__file__).with_name("PAGE.md")
MANY, FEW = 49, 20
OPEN = b"application/openmetrics-text; version=1.0.0"
REQUESTS, RATE = 4000, 300
PAUSE = 0.2
"""Seconds after a scrape, in which its last work is done."""
OFTEN, CHATS = 10, 100
"""Scrapes and chats a second, of those that go on side by side."""


@dataclass
class Side:
    """Rounds of chats: latencies (ms), and the proxy's CPU time (ms of a second)."""

    latencies: list[list[float]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def row(self, title: str) -> list[str]:
        """Quantiles of each round's latencies, and the CPU time."""
        each = [spread([quantile(one, q) for one in self.latencies], ".2f") for q in (0.5, 0.99)]
        return [
            title,
            *each,
            spread([max(one) for one in self.latencies], ".2f"),
            spread(self.cpu, ".1f"),
        ]


def side_by_side(
    whole: peers.Whole, chats: Iterator[bytes], options: argparse.Namespace
) -> tuple[Side, Side]:
    """Chats without and with scrapes, in turns."""
    alone, scraped = Side(), Side()
    host, _, port = whole.system.run["admin"].rpartition(":")
    ask = b"GET /metrics HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n\r\n" % (host.encode(), OPEN)
    for _ in range(options.rounds):
        for side in (alone, scraped):
            requests = list(itertools.islice(chats, int(CHATS * options.seconds)))
            beside = pacing.beside(int(port), [ask], 1 / OFTEN, b"# EOF\n")
            with beside if side is scraped else contextlib.nullcontext():
                before = whole.cpu()["proxy"]
                found = pacing.paced(whole.port, requests, CHATS, END)
                side.cpu.append((whole.cpu()["proxy"] - before) * 1e3 / options.seconds)
            side.latencies.append([one * 1e3 for one in found])
            whole.settle()
    return alone, scraped


def spread_out(request: bytes, number: int) -> bytes:
    """The same of another population, template and variant."""
    head, end, body = request.partition(b"\r\n\r\n")
    lines = [
        line
        for line in head.split(b"\r\n")
        if not line.lower().startswith((b"x-population:", b"x-template:"))
    ]
    lines.append(b"X-Population: group-%d" % (number % MANY))
    lines.append(b"X-Template: prompt-%d" % (number // MANY % MANY))
    lines.append(b"X-Variant: model-%d" % (number % FEW))
    return b"\r\n".join(lines) + end + body


def main() -> None:
    """Run, print and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scrapes", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    busy = other_work()
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-bench-")))
        directory.chmod(0o755)  # nginx gives up root
        upstream = stack.enter_context(peers.files(directory))
        whole = stack.enter_context(peers.whole(upstream))
        made = Traffic(directory).conversations()
        chats = (spread_out(one, number) for number, one in enumerate(made))
        requests = list(itertools.islice(chats, REQUESTS))
        pacing.paced(whole.port, requests, RATE, END)
        whole.settle()
        costs: dict[str, list[float]] = {role: [] for role in (*ROLES, "all")}
        seconds = []
        for _ in range(options.scrapes):
            before, began = whole.cpu(), time.monotonic()
            _, page = whole.system.admin("/metrics")
            seconds.append((time.monotonic() - began) * 1e3)
            time.sleep(PAUSE)
            after = whole.cpu()
            for role in ROLES:
                costs[role].append((after[role] - before[role]) * 1e3)
            costs["all"].append(sum(costs[role][-1] for role in ROLES))
        alone, scraped = side_by_side(whole, chats, options)
    pairs = zip(scraped.cpu, alone.cpu, strict=True)
    extra = [(one - other) / OFTEN for one, other in pairs]
    samples = sum(not line.startswith("#") for line in page.splitlines())
    lines = [
        "# A large page of metrics",
        "",
        f"Written by `tests/bench/bench_page.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python",
        f"{platform.python_version()}, {os.cpu_count()} cores, of which other work took {busy:.1f} at the beginning.",
        "",
        f"`GET /metrics` of a `monitor run` without traffic, after {REQUESTS:,} chats of {MANY} populations, {MANY} templates and {FEW} variants:",
        f"{samples:,} samples, {len(page) / 1e6:.1f} MB. CPU ms of a scrape, {options.scrapes} times, pauses of {PAUSE:g} s included.",
        "",
        *table(tuple(costs), [[spread(each, ".1f") for each in costs.values()]]),
        f"The answer was whole after {spread(seconds)} ms; {statistics.median(costs['all']) / samples * 1e3:.1f} µs of CPU a sample.",
        "",
        "## What the traffic feels of it",
        "",
        f"{CHATS} chats a second through the same `monitor run`, to nginx: {options.rounds} rounds of {options.seconds:g} s without scrapes and as many",
        f"with {OFTEN} scrapes a second, in turns. Milliseconds from when a request was due to the last byte of its answer.",
        "",
        *table(("", "p50", "p99", "longest", "CPU ms of the proxy a second"), [alone.row("not scraped"), scraped.row(f"{OFTEN} scrapes a second")]),
        f"A scrape takes the proxy {spread(extra, '.2f')} ms of CPU time in all, so it holds the traffic's loop for no longer than that.",
    ]  # fmt: skip
    print("\n".join(lines))
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
