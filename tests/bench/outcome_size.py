"""Ten thousand groups at full size: what all monitors of outcomes take, tell and leave out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.exporters import prometheus
from monitor.findings import Outcome
from monitor.rows import Row, Truth

COUNTS = (50, 1_000, 10_000)
ROWS, PIECE = 200_000, 10_000
PANE = 2_000.0


def rows(groups: int) -> Iterator[Row]:
    """Rows a second apart, of so many groups of a dimension, of a protected attribute, and of arms
    of an experiment, all of one size; a tenth is wrong."""
    chance = np.random.default_rng(groups)
    for start in range(0, ROWS, PIECE):
        drawn = chance.integers(0, groups, (PIECE, 3)).tolist()
        scores, wrong = chance.random(PIECE).tolist(), (chance.random(PIECE) < 0.1).tolist()
        for at, ((place, group, arm), score, is_wrong) in enumerate(
            zip(drawn, scores, wrong, strict=True), start
        ):
            truth = Truth(
                str(int(score > 0.5)), score, "1" if (score > 0.5) != is_wrong else "0",
                duration=score, attributes={"group": f"g{group}"},
                events={"sold": 1.0} if is_wrong else {},
            )  # fmt: skip
            yield Row(float(at), {"place": f"p{place}", "variant": f"v{arm}"}, [], truth=truth)


def fold() -> Analysis[Outcome]:
    """All monitors of outcomes, with the bounds that `monitor` runs with."""
    sold = Metric("sold", "event", "sold")
    return outcomes_of(
        OutcomeRules(pane=PANE, fair=("place", "group"), sliced=("error", "latency")),
        experiments=[Experiment("arms", "variant", "v0", (sold,))],
    )


def memory() -> float:
    """MB of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(groups: int) -> None:
    """Print what one number of groups costs, as JSON; in a process of its own."""
    found, coming, spent = fold(), rows(groups), 0.0
    found.add_row(next(coming))
    before = memory()
    for row in coming:
        began = time.process_time()
        found.add_row(row)
        spent += time.process_time() - began
    began = time.process_time()
    told = found.findings()
    judged = time.process_time() - began
    series = [one for monitor in found.monitors for one in monitor.measurements("e")]
    saved = sum(map(len, found.saved().values()))
    page = len(prometheus.render(series, "")[0])
    kinds = Counter(type(one).__name__ for one in told)
    answer = {
        "us": spent / ROWS * 1e6,
        "mb": memory() - before,
        "judged": judged * 1e3,
        "series": len(series),
        "page": page / 1e3,
        "saved": saved / 1e3,
        "findings": kinds,
    }
    print(msgspec.json.encode(answer).decode())


def full_size(runs: int) -> Iterator[str]:
    """The same whatever `runs` are: one pass over all rows for each number of groups."""
    yield (
        "| groups | CPU µs a row | MB kept | ms to judge all | series | KB of page | KB of checkpoint "
        "| findings |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for groups in COUNTS:
        answer = subprocess.run(
            [sys.executable, __file__, str(groups)], check=True, capture_output=True, timeout=1800
        )
        one = msgspec.json.decode(answer.stdout)
        told = ", ".join(f"{kind} {count:,}" for kind, count in sorted(one["findings"].items()))
        yield (
            f"| {groups:,} | {one['us']:.0f} | {one['mb']:.0f} | {one['judged']:.0f} | "
            f"{one['series']:,} | {one['page']:,.0f} | {one['saved']:,.0f} | {told} |"
        )
    yield ""
    yield (
        f"Each of {ROWS:,} rows is of one of so many groups of a dimension, of a protected attribute and of arms that nobody "
        "declared. Beyond their bounds monitors count the rest and say how much that is."
    )


SECTIONS = ((f"Ten thousand groups, {ROWS:,} rows", full_size),)


if __name__ == "__main__":
    measure(int(sys.argv[1]))
