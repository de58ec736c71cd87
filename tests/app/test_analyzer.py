"""The analyzer's role: from the stream to measurements, through restarts and a store away."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.analysis.checkpoint import Checkpoint
from monitor.analysis.fold import profile_of
from monitor.analysis.profiles import dump_profile
from monitor.analysis.rows import row_of
from monitor.app.analyzer import Analyzer, features_of, read_profile
from monitor.config import Drift, Reference, Settings, StreamSettings, Windows
from monitor.errors import ConfigError, SourceError, StreamError
from monitor.features import FEATURES
from monitor.store import EmbeddedStore
from monitor.streams.redis import RedisStream
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
    """An embedded store, a stream with records, and analyzers that come and go."""

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
    async with asyncio.timeout(20):
        while True:
            samples = {
                (
                    sample.name,
                    *(v for k, v in sample.labels.items() if k != "endpoint"),
                ): sample.value
                for sample in await analyzer.measure()
            }
            if samples["monitor_records_analyzed_total",] >= count:
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


def test_a_shift_in_the_stream_becomes_drift_on_the_page(tmp_path: Path) -> None:
    """Both shards are read; the shifted population drifts, after a restart exactly as before."""

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 1000)
        async with scene.analyzer() as analyzer:
            before = await analyzed(analyzer, 1000)
            assert status(before, "b") == status(before, "a") == "ok"
            await scene.send(1000, 500, 12.0)
            after = await analyzed(analyzer, 1500)
            assert status(after, "b") == "drift"
            assert after["monitor_drift_threshold", "psi"] == 0.02
            document = msgspec.json.decode(analyzer.findings())
            assert document["verdict"] == "drift"
        async with scene.analyzer() as again:
            assert await analyzed(again, 1500) == after
        await scene.stream.close()

    play(tmp_path, story)


def test_it_waits_for_the_store_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Away at the start and again later: two lines each time, no record counted twice or lost."""
    caplog.set_level("INFO", "monitor")

    async def story(store: EmbeddedStore) -> None:
        await store.stop()
        scene = Scene(store)
        async with scene.analyzer() as analyzer:
            await asyncio.sleep(0.3)
            await store.start()
            await scene.send(0, 100)
            await analyzed(analyzer, 100)
            await store.stop()
            await scene.stream.close()
            await asyncio.sleep(0.3)
            await store.start()
            await scene.send(100, 50)
            await analyzed(analyzer, 150)
        async with scene.analyzer() as again:
            await scene.send(150, 1)
            assert (await analyzed(again, 151))["monitor_records_analyzed_total",] == 151
        await scene.stream.close()

    play(tmp_path, story)
    assert [line[:8] for line in caplog.messages] == [
        "waiting ", "the stor", "waiting ", "the stor",
    ]  # fmt: skip


def test_stopped_before_the_store_was_there_it_saves_nothing(tmp_path: Path) -> None:
    """What an earlier analyzer has saved is not overwritten with nothing."""

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 100)
        async with scene.analyzer() as analyzer:
            await analyzed(analyzer, 100)
        await store.stop()
        async with scene.analyzer():
            await asyncio.sleep(0.1)
        await store.start()
        async with scene.analyzer() as again:
            assert (await analyzed(again, 100))["monitor_records_analyzed_total",] == 100
        await scene.stream.close()

    play(tmp_path, story)


def test_a_damaged_checkpoint_is_left_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line, and the stream is read from its beginning."""

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 60)
        checkpoint = Checkpoint(store.url, "e")
        await checkpoint.save("9999999999999-0,9999999999999-0", {"fold": b"\xc1"})
        async with scene.analyzer() as analyzer:
            await analyzed(analyzer, 60)
        await checkpoint.close()
        await scene.stream.close()

    play(tmp_path, story)
    assert "checkpoint is damaged" in caplog.text


def test_the_checkpoint_is_one_hash_and_says_when_it_cannot(tmp_path: Path) -> None:
    """Round trip, changes on top of what is there, and StreamError without a store."""

    async def story(store: EmbeddedStore) -> None:
        checkpoint = Checkpoint(store.url, "e")
        assert await checkpoint.load() == ("", {})
        await checkpoint.save("1-0", {"a": b"\x00\xff", "b": b"2"})
        await checkpoint.save("2-0", {"b": b"3"})
        assert await checkpoint.load() == ("2-0", {"a": b"\x00\xff", "b": b"3"})
        await checkpoint.clear()
        assert await checkpoint.load() == ("", {})
        await store.stop()
        for work in (checkpoint.load(), checkpoint.save("", {}), checkpoint.clear()):
            with pytest.raises(StreamError):
                await work
        await checkpoint.close()

    play(tmp_path, story)


def test_a_reference_file_is_what_is_usual(tmp_path: Path) -> None:
    """Nothing is learned: with a profile there is a status from the first hundred records on."""
    profile = profile_of(row_of(FEATURES, record(n)) for n in range(5000, 7000))
    file = tmp_path / "reference.json"
    file.write_bytes(dump_profile(profile))

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store, reference=Reference(file=str(file)))
        await scene.send(0, 400, 12.0)
        async with scene.analyzer() as analyzer:
            samples = await analyzed(analyzer, 400)
            assert status(samples, "a") == status(samples, "b") == "drift"
        await scene.stream.close()

    play(tmp_path, story)


def test_more_features_are_named_in_the_settings() -> None:
    """Ours by name, somebody's own by module; anything else is a sentence with the key."""
    settings = Settings(drift=Drift(features=["latency", "monitor.features.ngrams:FEATURE"]))
    assert [feature.name for feature in features_of(settings)[-2:]] == ["latency", "ngrams"]
    for name in ("latencies", "monitor.nowhere:FEATURE", "monitor.types:Record"):
        with pytest.raises(ConfigError, match=r"^drift\.features: .* is not one of"):
            features_of(Settings(drift=Drift(features=[name])))


def test_a_bad_reference_file_is_named(tmp_path: Path) -> None:
    """Not there, or not a profile: one sentence for the operator."""
    assert read_profile(None) is None
    with pytest.raises(ConfigError, match=r"reference\.file: .*missing\.json cannot be read"):
        read_profile(str(tmp_path / "missing.json"))
    (tmp_path / "bad.json").write_text("[1, 2]")
    with pytest.raises(SourceError, match=r"bad\.json: not a reference profile"):
        read_profile(str(tmp_path / "bad.json"))
