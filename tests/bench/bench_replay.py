"""`make bench`: what `monitor replay` costs on tables, beside Evidently on the same rows; writes REPLAY.md.

`--rounds N` (3), `--large ROWS` (10,000,000), `--rows ROWS` (1,000,000). Each figure is of a whole process, start-up
included: CPU as the system counted it for the process and all its children, memory the most that one of them had.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from tests.bench.tables import other_work, ratio, spread, table

OUT = Path(__file__).with_name("REPLAY.md")
COLUMNS = 12
GROUP = 250_000
EVIDENTLY = """
import sys, warnings
warnings.simplefilter("ignore")
import pandas
from evidently import Report
from evidently.presets import DataDriftPreset
usual, now = (pandas.read_parquet(path) for path in sys.argv[1:3])
Report([DataDriftPreset()]).run(now, usual).dict()
"""


class Run(NamedTuple):
    """Seconds on the wall and of CPU, and MB of the process that had most."""

    wall: float
    cpu: float
    memory: float


def rows(count: int, seed: int, shift: float = 0.0) -> Iterator[pa.RecordBatch]:
    """Eight numbers of several shapes, three categories and a count, in batches."""
    draw = np.random.default_rng(seed)
    names = np.array(["red", "green", "blue", "white", "black"])
    for begin in range(0, count, GROUP):
        size = min(GROUP, count - begin)
        columns = {
            f"x{n}": draw.normal(shift if n == 0 else 0.0, 1 + n, size).round(3) for n in range(6)
        }
        columns |= {f"amount{n}": draw.exponential(10.0**n, size).round(2) for n in range(2)}
        columns |= {f"kind{n}": names[draw.integers(0, 3 + n, size)] for n in range(3)}
        columns["count"] = draw.poisson(4, size)
        yield pa.RecordBatch.from_pydict({name: pa.array(one) for name, one in columns.items()})


def write(path: Path, count: int, seed: int, shift: float = 0.0) -> Path:
    """A table in a file, Parquet or CSV by its name; one that is there already stays."""
    batches = rows(count, seed, shift)
    first = next(batches)
    if path.suffix == ".csv":
        with pyarrow.csv.CSVWriter(path, first.schema) as out:
            for batch in (first, *batches):
                out.write_batch(batch)
    else:
        with pyarrow.parquet.ParquetWriter(path, first.schema) as out:
            for batch in (first, *batches):
                out.write_batch(batch, row_group_size=GROUP)
    return path


LAUNCHER = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
wall = time.perf_counter() - began
print(os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""
"""Starts a process and measures it. A process is said to have had at least the memory of the one that started it, so
that one must be small, which this script with its tables is not."""


def measured(command: Sequence[str]) -> Run:
    """What a command costs; raises where it fails with something else than findings."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", LAUNCHER, *command],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    code, wall, cpu, memory = done.stderr.splitlines()[-1].split()
    if code not in {"0", "1"}:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-500:]}")
    return Run(float(wall), float(cpu), float(memory) / 1024)


def replay(usual: Path, now: Path) -> Run:
    """`monitor replay` of one file against another."""
    return measured(
        [sys.executable, "-m", "monitor", "replay", str(now), "--reference", str(usual)]
    )


def evidently(usual: Path, now: Path) -> Run:
    """Evidently's preset on the same two files."""
    return measured([sys.executable, "-c", EVIDENTLY, str(usual), str(now)])


def page(rounds: int, count: int, large: int, busy: float) -> Iterator[str]:
    """Lines of REPLAY.md; every case has its turn in every round."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    yield "# Replay of tables"
    yield ""
    yield f"Written by `tests/bench/bench_replay.py` on {today}: monitor {monitor.__version__}, Python"
    yield f"{platform.python_version()}; {os.cpu_count()} cores {platform.machine()}, of which other work took"
    yield f"{busy:.1f} at the beginning. {rounds} rounds, the cases taking turns; the median, with smallest and largest."
    yield ""
    yield f"Both files have {COLUMNS} columns, and both are read. Whole processes, start-up included; values of both files."
    yield ""
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        small = [write(here / f"small{n}.parquet", 200_000, n, n / 5) for n in (0, 1)]
        few = [write(here / f"few{n}.parquet", 2_000, n, n / 5) for n in (0, 1)]
        middle = [write(here / f"middle{n}.parquet", count, n, n / 5) for n in (0, 1)]
        text = [write(here / f"middle{n}.csv", count, n, n / 5) for n in (0, 1)]
        cases = {
            "start": lambda: replay(*few), "200,000 rows": lambda: replay(*small),
            "parquet": lambda: replay(*middle), "csv": lambda: replay(*text),
            "evidently": lambda: evidently(*middle),
        }  # fmt: skip
        runs: dict[str, list[Run]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, run in cases.items():
                runs[name].append(run())
        for path in (*small, *middle, *text):
            path.unlink()
        big = [write(here / f"big{n}.parquet", large, n, n / 5) for n in (0, 1)]
        runs["large"] = [replay(*big) for _ in range(rounds)]
    sizes = {
        "start": 2_000, "200,000 rows": 200_000, "parquet": count, "csv": count, "evidently": count,
        "large": large,
    }  # fmt: skip
    words = {
        "start": "monitor, Parquet", "200,000 rows": "monitor, Parquet", "parquet": "monitor, Parquet",
        "csv": "monitor, CSV", "evidently": "Evidently, Parquet", "large": "monitor, Parquet",
    }  # fmt: skip
    head = ("", "rows of each file", "seconds", "CPU seconds", "CPU µs a value", "memory, MB")
    yield from table(head, [_row(words[name], sizes[name], runs[name]) for name in sizes])
    start = [one.cpu for one in runs["start"]]
    beyond = [
        (one.cpu - first) / (2 * COLUMNS * large) * 1e6
        for one, first in zip(runs["large"], start, strict=True)
    ]
    pairs = (
        ("CPU µs a value without the start", spread(beyond, ".3f")),
        ("Evidently's seconds by ours", ratio([one.wall for one in runs["evidently"]], [one.wall for one in runs["parquet"]])),
        ("Evidently's CPU by ours", ratio([one.cpu for one in runs["evidently"]], [one.cpu for one in runs["parquet"]])),
        ("CPU of CSV by Parquet's", ratio([one.cpu for one in runs["csv"]], [one.cpu for one in runs["parquet"]])),
        ("seconds of CSV by Parquet's", ratio([one.wall for one in runs["csv"]], [one.wall for one in runs["parquet"]])),
    )  # fmt: skip
    yield from table(("", ""), pairs)


def _row(name: str, size: int, runs: Sequence[Run]) -> tuple[str, ...]:
    each = [one.cpu / (2 * COLUMNS * size) * 1e6 for one in runs]
    walls, cpus, most = zip(*runs, strict=True)
    return (
        name, f"{size:,}", spread(walls, ".1f"), spread(cpus, ".1f"), spread(each, ".2f"),
        spread(most, ".0f"),
    )  # fmt: skip


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    options = parser.parse_args()
    OUT.write_text("\n".join(page(options.rounds, options.rows, options.large, other_work())))
    print(OUT.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
