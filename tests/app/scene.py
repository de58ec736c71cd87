"""An embedded store, a stream with records, and analyzers that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from monitor.app.analyzer import Analyzer
from monitor.settings.schema import Reference, Settings, StreamSettings, Windows
from monitor.streams.redis import RedisStream
from monitor.supervision.embedded_store import EmbeddedStore
from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary


def record(number: int, shift: float = 0.0) -> Record:
    value = random.Random(number).gauss(50 + shift, 10)
    return Record(
        id=f"{number:032d}",
        endpoint="e",
        protocol="kserve_v2",
        operation="infer",
        model="m",
        started=1.7e9 + number * 0.1,
        duration=0.01,
        time_to_first_token=None,
        time_per_output_token=None,
        status=200,
        outcome=Outcome.OK,
        streamed=False,
        segments={"population": "ab"[number % 2]},
        request=RequestSummary("POST", "/v2/models/m/infer", {}, 1, False),
        response=ResponseSummary({}, 1, False),
        inputs=[Part(name="income", datatype="FP64", shape=[1, 1], data=[value])],
        outputs=[],
        tokens=None,
        finish_reasons=[],
        pseudonyms={},
        key="k",
        trace_id=None,
    )


class Scene:
    """Settings of one endpoint, and its stream."""

    def __init__(self, store: EmbeddedStore, **settings: Any) -> None:
        self.settings = Settings(
            endpoint="e",
            redis=store.url,
            windows=Windows(pane=5, lateness=1),
            reference=Reference(learn=200),
            stream=StreamSettings(shards=2),
        )
        self.settings = msgspec.structs.replace(self.settings, **settings)
        self.stream = RedisStream(store.url, "e", shards=2)

    async def send(self, first: int, count: int, shift: float = 0.0) -> None:
        await self.stream.append([record(n, shift) for n in range(first, first + count)])

    @contextlib.asynccontextmanager
    async def analyzer(self) -> AsyncIterator[Analyzer]:
        stopping = asyncio.Event()
        analyzer = Analyzer(self.settings, stopping)
        running = asyncio.ensure_future(analyzer.run())
        try:
            yield analyzer
        finally:
            stopping.set()
            await running


async def analyzed(analyzer: Analyzer, count: int) -> dict[tuple[str, ...], float]:
    """Samples by name and labels, once `count` records have been folded."""
    async with asyncio.timeout(60):
        while True:
            samples = {
                (
                    sample.name,
                    *(v for k, v in sample.labels.items() if k != "endpoint"),
                ): sample.value
                for sample in await analyzer.measure()
            }
            if samples.get(("monitor_records_analyzed_total",), -1) >= count:
                return samples
            await asyncio.sleep(0.02)


def status(samples: dict[tuple[str, ...], float], population: str) -> str:
    where = ("monitor_drift_status", "income", "population", population)
    return next(one for one in ("ok", "drift", "insufficient") if samples[*where, one] == 1)


def play(tmp_path: Path, story: Callable[[EmbeddedStore], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        store = EmbeddedStore(tmp_path / "store", log=lambda _: None)
        await store.start()
        try:
            await story(store)
        finally:
            await store.stop()

    asyncio.run(run())
