"""`make bench`: what a shard of `monitor replay --engine dask` costs, and what a terabyte would; writes SCALE.md.

`--files N` (8) of `--rows N` (500,000) each. The tasks are those that Dask's workers get. Here they are done one after
the other in this process, each pickled and its CPU time taken, so that nothing else is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import pickle
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.cli import main as command
from monitor.replay import dask
from tests.bench.bench_replay import COLUMNS, GROUP, write
from tests.bench.tables import other_work, table

OUT = Path(__file__).with_name("SCALE.md")
TERABYTE = 1e12
FILE = 256e6
"""Bytes of a file of the terabyte."""


class Cost(NamedTuple):
    """Of one format: bytes of all files and their number, shards, CPU seconds of all shards (counting rows first, then values),
    of a merge of several, of all else, and bytes of what a shard sends."""

    size: int
    files: int
    shards: int
    counting: float
    merging: float
    rest: float
    sent: float


def measured(paths: Sequence[Path], usual: Path) -> Cost:
    """What the shards of some files cost."""
    spent: list[float] = []
    merges: list[float] = []
    sent: list[int] = []

    def computer(_: str) -> Any:
        def compute(tasks: Sequence[Callable[[], Any]], merge: Any = None) -> Sequence[Any]:
            level = []
            for task in tasks:
                one = pickle.dumps(task)
                began = time.process_time()
                level.append(pickle.dumps(pickle.loads(one)()))
                spent.append(time.process_time() - began)
            if merge is not None:
                sent.extend(map(len, level))
            while merge is not None and len(level) > 1:
                began = time.process_time()
                groups = [level[at : at + dask.FAN] for at in range(0, len(level), dask.FAN)]
                level = [pickle.dumps(merge(list(map(pickle.loads, group)))) for group in groups]
                merges.append((time.process_time() - began) / len(groups))
            return list(map(pickle.loads, level))

        return compute

    dask._computer = computer
    began = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        command(["replay", str(paths[0].parent), "--reference", str(usual), "--engine", "dask"])
    rest = time.process_time() - began - sum(spent) - sum(merges)
    return Cost(
        sum(path.stat().st_size for path in paths), len(paths), len(sent), sum(spent),
        max(merges, default=0.0), rest, statistics.mean(sent),
    )  # fmt: skip


def page(files: int, rows: int, busy: float) -> Iterator[str]:
    """Lines of SCALE.md."""
    yield "# Replay of a terabyte"
    yield ""
    yield f"Written by `tests/bench/bench_scale.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python"
    yield f"{platform.python_version()}; {os.cpu_count()} cores {platform.machine()}, of which other work took {busy:.1f} at the beginning."
    yield f"{files} files of {rows:,} rows and {COLUMNS} columns, in row groups of {GROUP:,} rows where there are such. CPU time."
    yield ""
    costs, values = {}, files * rows * COLUMNS
    with tempfile.TemporaryDirectory() as directory:
        usual = write(Path(directory) / "usual.parquet", 100_000, 0)
        for form in ("parquet", "csv"):
            folder = Path(directory) / form
            folder.mkdir()
            paths = [write(folder / f"{n}.{form}", rows, n + 1) for n in range(files)]
            measured(paths[:1], usual)  # what is imported is
            one, all_ = measured_alone(folder, paths, usual), measured(paths, usual)
            each = max((all_.rest - one.rest) / (files - 1), 0.0)
            costs[form] = (all_, each)
            for path in paths:
                path.unlink()
    head = ("measured", *costs)
    yield from table(head, [
        ("bytes of all files, MB", *(f"{one.size / 1e6:,.0f}" for one, _ in costs.values())),
        ("shards", *(f"{one.shards}" for one, _ in costs.values())),
        ("bytes a value", *(f"{one.size / values:.1f}" for one, _ in costs.values())),
        ("CPU µs a value, on the workers", *(f"{one.counting / values * 1e6:.3f}" for one, _ in costs.values())),
        ("CPU s a GB, on the workers", *(f"{one.counting / one.size * 1e9:.1f}" for one, _ in costs.values())),
        (f"CPU ms of a merge of {dask.FAN}", *(f"{one.merging * 1e3:.1f}" for one, _ in costs.values())),
        ("KB that a shard sends", *(f"{one.sent / 1e3:.0f}" for one, _ in costs.values())),
        ("CPU ms of a file more, where the command runs", *(f"{each * 1e3:.0f}" for _, each in costs.values())),
    ])  # fmt: skip
    yield f"From that, for 10¹² bytes in files of {FILE / 1e6:.0f} MB, by multiplication alone:"
    yield ""
    rows_ = [[name] for name in (
        "files", "shards", "CPU hours of the workers", "hours on 64 cores", "CPU minutes of all merges",
        "MB that shards send", "CPU minutes where the command runs", "Gbit/s that 64 cores read",
    )]  # fmt: skip
    for one, each in costs.values():
        number = TERABYTE / FILE
        shards = TERABYTE / (one.size / one.shards) if one.shards > one.files else number
        hours = one.counting / one.size * TERABYTE / 3600
        for row, value in zip(rows_, (
            f"{number:,.0f}", f"{shards:,.0f}", f"{hours:.1f}", f"{hours / 64:.2f}",
            f"{shards / (dask.FAN - 1) * one.merging / 60:.1f}", f"{shards * one.sent / 1e6:,.0f}",
            f"{number * each / 60:.1f}", f"{8 * 2 * one.size / one.counting * 64 / 1e9:.1f}",
        ), strict=True):  # fmt: skip
            row.append(value)
    yield from table(("a terabyte", *costs), rows_)
    yield "The rows are read twice where there are `--by` or `--chunks`, and once for their number: the gigabits are of both readings."
    yield ""


def measured_alone(folder: Path, paths: Sequence[Path], usual: Path) -> Cost:
    """The first of the files without the others."""
    alone = folder.with_name(f"{folder.name}_alone")
    alone.mkdir()
    (alone / paths[0].name).symlink_to(paths[0])
    return measured([alone / paths[0].name], usual)


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rows", type=int, default=500_000)
    options = parser.parse_args()
    OUT.write_text("\n".join(page(options.files, options.rows, other_work())))
    print(OUT.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
