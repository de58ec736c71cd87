"""What a record costs in a Redis Cluster beside a single store, and what becomes of records when nodes are killed, frozen and
emptied; writes STORES.md.

`--records N` (20,000) for each round of `--rounds N` (5), taken in turn; `--kills N` (10) of primaries of a cluster, `--freezes N`
(5) of one that a sentinel watches, `--moves N` (30) of a slot, all under load. The servers are those that the tests start, of
`STORE_SERVER` or `redis-server`, else Valkey. CPU time is that of this process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from redis.asyncio.cluster import RedisCluster

import monitor
from monitor.streams.redis import RedisStream
from monitor.types import Record, decode_record, encode_record
from tests.bench.tables import other_work, spread, table
from tests.recorder.test_spool import DOCUMENT
from tests.streams.deliveries import Delivering, assert_each_once, delivering
from tests.streams.servers import FROZEN, GOING_ON, QUICK, Cluster, Server, Watched

OUT = Path(__file__).with_name("STORES.md")
SHARDS = 6
BATCH = 256
RATE = 500
"""Records a second, while something happens to the store."""
BEFORE = 1.0
"""Seconds of load before it happens."""


class Times(NamedTuple):
    """Of what happened once: seconds until nothing was pending, records offered, lines said."""

    seconds: float
    offered: int
    lines: int


async def appended(stream: RedisStream, made: Sequence[Record]) -> float:
    """CPU µs a record, appended as the recorder does."""
    begun = time.process_time()
    for batch in _batched(made):
        await stream.append(batch)
    return (time.process_time() - begun) / len(made) * 1e6


def _batched(made: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for first in range(0, len(made), BATCH):
        yield made[first : first + BATCH]


async def read(stream: RedisStream, count: int) -> float:
    """CPU µs an entry, read as the analyzer does."""
    begun = time.process_time()
    position, found = "", 0
    while found < count:
        position, entries = await stream.next(position, block=0.01)
        found += len(entries)
    return (time.process_time() - begun) / count * 1e6


async def piped(cluster: RedisCluster, keys: Sequence[str], made: Sequence[Record]) -> float:
    """CPU µs a record, appended by redis-py's own client for clusters, as many at a time."""
    begun = time.process_time()
    for batch in _batched(made):
        async with cluster.pipeline(transaction=False) as both:
            for number, record in enumerate(batch):
                fields = {"v": "1", "record": encode_record(record)}
                both.xadd(keys[number % len(keys)], fields, maxlen=10**6, approximate=True)
            await both.execute()
    return (time.process_time() - begun) / len(made) * 1e6


async def costs(directory: Path, rounds: int, count: int) -> dict[str, list[float]]:
    """CPU µs a record of each way, in turn."""
    text = '{"role": "user", "text": "' + "what is usual, and since when? " * 45 + '"}'
    padded = DOCUMENT.replace(b'"inputs":[]', b'"inputs":[' + text.encode() + b"]")
    made = [decode_record(padded % b"r%06d" % number) for number in range(count)]
    found: dict[str, list[float]] = {}
    single, cluster = Server(directory / "single", *QUICK), Cluster(directory / "cluster", 3)
    try:
        for number in range(rounds + 1):
            for name, url in (
                ("a single store", f"redis://127.0.0.1:{single.port}/0"),
                ("a cluster", cluster.urls[0]),
            ):
                stream = RedisStream(url, f"e{number}", shards=SHARDS)
                await stream.ping()
                cost = await appended(stream, made)
                reading = await read(stream, count)
                if number:  # the first is for what is loaded once
                    found.setdefault(f"append to {name}", []).append(cost)
                    found.setdefault(f"read from {name}", []).append(reading)
                await stream.close()
            theirs = RedisCluster.from_url(cluster.urls[0], protocol=2)
            keys = [f"monitor:{{t{number}:{shard}}}:records" for shard in range(SHARDS)]
            await theirs.initialize()
            cost = await piped(theirs, keys, made)
            if number:
                found.setdefault("append to a cluster, by redis-py's pipeline", []).append(cost)
            await theirs.aclose()
            for one in (single, *cluster.servers[:3]):
                one.ask("FLUSHALL")
            print({name: round(each[-1], 1) for name, each in found.items()}, flush=True)
    finally:
        single.kill()
        cluster.close()
    return found


async def loaded(
    url: str, directory: Path, happen: Callable[[Delivering], Awaitable[None]], shards: int = SHARDS
) -> Times:
    """Records at a rate while something happens; all are there once at the end, or AssertionError."""
    async with delivering(url, directory, shards) as one:
        stop = asyncio.Event()

        async def offer() -> None:
            while not stop.is_set():
                await one.offer(RATE // 50)
                await asyncio.sleep(0.02)

        offering = asyncio.ensure_future(offer())
        await asyncio.sleep(BEFORE)
        begun = time.monotonic()
        await happen(one)
        seconds = time.monotonic() - begun
        stop.set()
        await offering
        await one.delivered()
        await assert_each_once(one)
        print(f"{directory.parent.name}: {one.offered} records, {seconds:.2f} s", flush=True)
        return Times(seconds, one.offered, len(one.lines))


async def outage(one: Delivering) -> None:
    """Until the store was away, and all that waited for it is there."""
    async with asyncio.timeout(60):
        while one.delivery.is_up:
            await asyncio.sleep(0.002)
        while one.is_behind:
            await asyncio.sleep(0.002)


async def killed(directory: Path, count: int) -> list[Times]:
    """A primary of a cluster is killed, again and again; it is started again in between."""
    found = []
    cluster = Cluster(directory, 3)
    try:
        for number in range(count):
            for one in cluster.servers:
                with contextlib.suppress(Exception):
                    one.ask("FLUSHALL")
            victim = cluster.holder(f"monitor:{{e:{number % SHARDS}}}:records")

            async def kill(one: Delivering, victim: Server = victim) -> None:
                victim.kill()
                await outage(one)

            found.append(await loaded(cluster.urls[0], directory / f"spool{number}", kill))
            victim.start()
            cluster.settled()
    finally:
        cluster.close()
    return found


async def frozen(directory: Path, count: int) -> list[Times]:
    """A primary that a sentinel watches is frozen, and goes on when another has taken over."""
    found = []
    for number in range(count):
        watched = Watched(directory / f"{number}")
        try:
            victim = watched.primary

            async def freeze(one: Delivering, victim: Server = victim) -> None:
                victim.signal(FROZEN)
                await outage(one)
                victim.signal(GOING_ON)

            found.append(await loaded(watched.url, directory / f"spool{number}", freeze, 1))
        finally:
            watched.close()
    return found


async def moved(directory: Path, count: int) -> list[Times]:
    """Slots of shards go from node to node, with what is in them."""
    cluster = Cluster(directory, 3, replicas=False)
    try:

        async def move(one: Delivering) -> None:
            for number in range(count):
                key = one.stream.keys[number % SHARDS]
                holder = cluster.holder(key)
                target = cluster.servers[(cluster.servers.index(holder) + 1) % 3]
                await asyncio.to_thread(cluster.move, key, target)

        return [await loaded(cluster.urls[0], directory / "spool", move)]
    finally:
        cluster.close()


def page(
    cost: dict[str, list[float]], happened: dict[str, list[Times]], version: str
) -> Iterator[str]:
    """What is written to STORES.md."""
    now = datetime.now(UTC).strftime("%Y-%m-%d")
    yield f"""# Stores that are clusters, or have sentinels

Written by `tests/bench/bench_stores.py` on {now}: monitor {monitor.__version__}, Python {platform.python_version()}, {version};
{os.cpu_count()} cores {platform.machine()}, of which other work took {other_work():.1f} at the beginning.

CPU µs a record of 1.9 KB, {SHARDS} shards, {BATCH} records at a time, three primaries with a replica each (so each batch waits for
three of them), of the process that appends or reads. Rounds were taken in turn; median, and the least and the most.
"""
    yield from table(
        ["measured", "CPU µs"],
        [[name, spread(each, ".1f")] for name, each in cost.items()],
    )
    yield f"""With {RATE} records a second through the recorder's own delivery and spool. *Seconds* are from the event until nothing is
pending in the ledger. After each event the stream is read: every record is in it once, each shard in order, or the run fails.
"""
    rows = []
    for name, each in happened.items():
        seconds = [one.seconds for one in each]
        rows.append(
            [
                name,
                str(len(each)),
                f"{sum(one.offered for one in each):,}",
                "0",
                spread(seconds, ".2f"),
            ]
        )
    yield from table(["what happened", "times", "records", "lost or twice", "seconds"], rows)
    yield "Nodes of the cluster time out after 1 s, the sentinel's after 0.6 s; a usual 5 s or 15 s comes on top."


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (
        ("records", 20_000),
        ("rounds", 5),
        ("kills", 10),
        ("freezes", 5),
        ("moves", 30),
    ):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--print", action="store_true", help="write no file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        one = Server(directory / "version", *QUICK)
        with one.client() as client:
            info = client.info("server")
        version = f"{info.get('server_name', 'redis')} {info.get('valkey_version', info['redis_version'])}"
        one.kill()
        cost = asyncio.run(costs(directory / "costs", given.rounds, given.records))
        happened = {
            "a primary of the cluster is killed": asyncio.run(
                killed(directory / "kills", given.kills)
            ),
            "a primary is frozen, a sentinel names another": asyncio.run(
                frozen(directory / "freezes", given.freezes)
            ),
            f"slots move {given.moves} times": asyncio.run(moved(directory / "moves", given.moves)),
        }
    text = "\n".join(page(cost, happened, version))
    print(text)
    if not given.print:
        OUT.write_text(text + "\n")


if __name__ == "__main__":
    main()
