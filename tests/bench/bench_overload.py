"""`make bench`: a recorder with more than it can take, without and with `capture.sample_over`; written to OVERLOAD.md.

Two `monitor run` stand before the same endpoint, one of them with the setting. They are loaded in turn with the same
requests at the same moments. Of each turn: what was recorded when (from the Records themselves, by 100 ms), what the
traffic waited, CPU, and whether the metrics counted what the client counted. `--rounds N --seconds S`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.demo.page import Page
from monitor.replay import stored
from tests.bench import pacing, peers
from tests.bench.tables import spread, table
from tests.bench.traffic import END, MANY, Traffic
from tests.bench.whole_paths import Round

OUT = Path(__file__).with_name("OVERLOAD.md")
STEP = 0.1
"""Seconds of one count."""
BUFFER = 8 << 20
"""`capture.buffer_bytes`: small, so that it is full within seconds."""
KINDS = {
    "conversations": (200, 20),
    f"{MANY} personal values": (1000, 100),
}
"""Requests a second, and `capture.sample_over`: the first the recorder can take, the second it cannot."""
ANSWERS = 5000
"""Different answers; nginx keeps the file of each open."""
ROLES = ("proxy", "recorder", "analyzer", "store")


@dataclass
class Turn(Round):
    """What came of one load: Records by the STEP in which their exchange ended, losses by reason, what the counters of
    the traffic rose by."""

    ended: Counter[int] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    counters: dict[str, float] = field(default_factory=dict)

    @property
    def counted(self) -> float:
        """Exchanges in the histogram of durations."""
        return sum(rise for name, rise in self.counters.items() if "exchange_duration" in name)

    def steps(self, seconds: float) -> list[int]:
        """Records in each STEP but those of the first and the last second."""
        return [self.ended[step] for step in range(round(1 / STEP), round((seconds - 1) / STEP))]


def few_answers(requests: Iterator[bytes]) -> Iterator[bytes]:
    """The requests, with the answers of the first ANSWERS of them."""
    for request in requests:
        yield re.sub(
            rb"(?<=X-Answer: )\d+", lambda found: b"%d" % ((int(found[0]) - 1) % ANSWERS + 1), request, count=1
        )  # fmt: skip


def traffic_counters(page: Page) -> dict[str, float]:
    """Every counter of the traffic, by name and labels; sums of seconds left out."""
    names = (
        "monitor_exchange_duration_seconds_count", "monitor_tokens_total",
        "monitor_segment_exchanges_total", "monitor_segment_tokens_total",
        "monitor_segment_duration_seconds_count",
    )  # fmt: skip
    return {
        f"{name} {sorted(labels.items())}": value
        for name in names
        for labels, value in page.pick(name)
    }


def take_turn(path: peers.Whole, requests: Sequence[bytes], rate: float) -> Turn:
    """Load one; read what became of it when all its work is done."""
    before, cpu, began = path.system.settled(), path.cpu(), time.time()
    latencies = pacing.paced(path.port, requests, rate, END)
    path.settle()
    page, after = path.system.settled(), path.cpu()
    records = stored.records(path.system.redis, "default", start=began)
    ended = Counter(int((one.started + one.duration - began) / STEP) for one in records)
    old = traffic_counters(before)
    return Turn(
        latencies,
        {role: (after[role] - cpu[role]) / len(requests) for role in cpu},
        ended,
        Counter(losses(page)) - Counter(losses(before)),
        {name: value - old.get(name, 0) for name, value in traffic_counters(page).items()},
    )


def losses(page: Page) -> dict[str, int]:
    """Exchanges lost so far, by reason."""
    found = page.pick("monitor_exchanges_lost_total")
    return {labels["reason"]: int(value) for labels, value in found}


def longest_silence(steps: Sequence[int]) -> float:
    """The longest time without a Record, in ms."""
    runs = (len(list(run)) for none, run in itertools.groupby(steps, lambda n: n == 0) if none)
    return max(runs, default=0) * STEP * 1000


def unevenness(steps: Sequence[int]) -> float:
    """The variance of the counts beside their mean: 1 of what is kept by chance, more in bursts."""
    return statistics.pvariance(steps) / max(statistics.mean(steps), 1e-9)


def section(kind: str, found: dict[str, list[Turn]], seconds: float) -> Iterator[str]:
    """The tables of one kind of traffic."""
    rate, most = KINDS[kind]
    sent = sum(len(one.latencies) for one in found["without"])
    yield f"## {kind}, {rate} requests a second; `sample_over: {most}`"
    yield ""
    head = ("CPU µs an exchange", *ROLES, "all")
    yield from table(
        head,
        [
            [name, *(spread([one.micros(role) for one in turns]) for role in ROLES),
             spread([one.micros(*ROLES) for one in turns])]
            for name, turns in found.items()
        ],
    )  # fmt: skip
    rows = []
    for name, turns in found.items():
        lost: Counter[str] = sum((one.lost for one in turns), Counter())
        steps = [one.steps(seconds) for one in turns]
        rows.append([
            name, f"{sent:,}", f"{sum(one.counted for one in turns):,.0f}",
            f"{sum(one.ended.total() for one in turns):,}",
            f"{lost['buffer_full']:,}", f"{lost['sampled']:,}",
            spread([longest_silence(one) for one in steps]), spread(list(map(unevenness, steps)), ".1f"),
            spread([one.ms(0.99) for one in turns], ".2f"),
        ])  # fmt: skip
    yield from table(
        ("", "answered", "in the metrics", "recorded", "lost, buffer_full", "lost, sampled",
         "longest time without a Record, ms", "unevenness", "p99 ms"),
        rows,
    )  # fmt: skip
    pairs = zip(found["without"], found["with"], strict=True)
    same = all(one.counters == other.counters for one, other in pairs)
    yield f"All traffic counters (exchanges, tokens, by model and segment) of both are {'equal' if same else 'NOT equal'}."
    yield ""
    if not same:
        yield "Records of each 100 ms in the last round, a second a line:"
        yield ""
        lines = []
        both = [one[-1].ended for one in found.values()]
        each = round(1 / STEP)
        for second in range(round(seconds)):
            span = range(second * each, (second + 1) * each)
            lines.append([str(second), *(" ".join(f"{one[step]:3}" for step in span) for one in both)])  # fmt: skip
        yield from table(("second", *found), lines)


def main() -> None:
    """Run, print and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12, help="of a turn")
    options = parser.parse_args()
    busy = psutil.cpu_percent(2.0) / 100 * (os.cpu_count() or 1)
    lines = [
        "# A recorder with too much", "",
        f"Written by `tests/bench/bench_overload.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python",
        f"{platform.python_version()}; {os.cpu_count()} cores {platform.machine()}, of which other work took {busy:.1f} at the beginning.", "",
        "Two `monitor run` before the same endpoint, one with `capture.sample_over`, in turn with the same requests, "
        f"{options.rounds} rounds of",
        f"{options.seconds:g} s. Both have a buffer of {BUFFER >> 20} MiB. CPU is divided by all exchanges, recorded or not. Unevenness is the variance",
        "of the Records in 100 ms beside their mean: 1 of what chance keeps, more where it comes in bursts.", "",
    ]  # fmt: skip
    for kind, (rate, most) in KINDS.items():
        with contextlib.ExitStack() as stack:
            directory = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-bench-"))
            )
            directory.chmod(0o755)  # nginx gives up root
            made = Traffic(directory)
            source = few_answers(
                made.conversations() if kind == "conversations" else made.many_values()
            )
            upstream = stack.enter_context(peers.files(directory))
            capture = {"buffer_bytes": BUFFER}
            paths = {
                "without": stack.enter_context(peers.whole(upstream, {"capture": capture})),
                "with": stack.enter_context(
                    peers.whole(upstream, {"capture": {**capture, "sample_over": most}})
                ),
            }
            for path in paths.values():
                pacing.paced(path.port, list(itertools.islice(source, 1000)), 200, END)
                path.settle()
            found: dict[str, list[Turn]] = {name: [] for name in paths}
            for number in range(options.rounds):
                requests = list(itertools.islice(source, int(rate * options.seconds)))
                for name in sorted(paths, reverse=bool(number % 2)):
                    found[name].append(take_turn(paths[name], requests, rate))
            new = list(section(kind, found, options.seconds))
        print("\n".join(new), flush=True)
        lines += new
    OUT.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
