"""The analyzer's role: from the stream to measurements, through restarts and a store away."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis.asyncio as redis

from monitor.analysis.checkpoint import Checkpoint
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.profiles import dump_profile, profile_of
from monitor.analysis.fold import Analysis
from monitor.analysis.rows import row_of
from monitor.analyzer.changes import LINES
from monitor.app.analyzer import Analyzer
from monitor.errors import StreamError
from monitor.features import FEATURES
from monitor.findings import Finding
from monitor.interfaces import Feature
from monitor.rows import Row
from monitor.settings.schema import Drift, Receiver, Reference, Settings, Windows
from monitor.supervision.embedded_store import EmbeddedStore
from monitor.types import (
    Observation,
    Record,
    encode_record,
)
from tests.analysis.checkpoints import unnamed
from tests.app.scene import Scene, analyzed, play, record, status


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait for the next read."""
    monkeypatch.setattr("monitor.app.analyzer.READ_EVERY", 0.0)


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


@pytest.mark.parametrize(("watches", "verdict"), [(5, "insufficient"), (9, "ok")])
def test_what_has_no_place_keeps_the_verdict_from_being_ok(
    tmp_path: Path, watches: int, verdict: str
) -> None:
    """Of a stream in which nothing changes, where some feature of some segment is not looked at."""

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store, drift=Drift(watches=watches))
        await scene.send(0, 1000)
        async with scene.analyzer() as analyzer:
            await analyzed(analyzer, 1000)
            document = msgspec.json.decode(analyzer.findings())
        assert any(one["status"] == "ok" for one in document["features"])
        assert document["verdict"] == verdict
        await scene.stream.close()

    play(tmp_path, story)


def test_it_waits_for_the_store_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away at the start, of which the first seconds are not told, and again later: a line for each
    way in which it is away (it may close a connection before it refuses the next), and one that it
    is back; no record is counted twice or lost. How many wait is not told meanwhile."""
    caplog.set_level("INFO", "monitor")
    monkeypatch.setattr("monitor.app.analyzer.QUIET", 1000)  # however long the store takes to start

    async def until(true: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not true():
                await asyncio.sleep(0.02)

    async def story(store: EmbeddedStore) -> None:
        await store.stop()
        scene = Scene(store)
        async with scene.analyzer() as analyzer:
            await until(lambda: analyzer._patience.is_away)
            await store.start()
            await scene.send(0, 100)
            await analyzed(analyzer, 100)
            await store.stop()
            await scene.stream.close()
            await until(lambda: analyzer._patience.is_away)
            assert ("monitor_analysis_lag_records",) not in await analyzed(analyzer, 100)
            await store.start()
            await scene.send(100, 50)
            await analyzed(analyzer, 150)
        async with scene.analyzer() as again:
            await scene.send(150, 1)
            assert (await analyzed(again, 151))["monitor_records_analyzed_total",] == 151
        await scene.stream.close()

    play(tmp_path, story)
    assert all(one != after for one, after in itertools.pairwise(caplog.messages))
    said = [line[:8] for line in caplog.messages]
    assert [one for one, _ in itertools.groupby(said)] == ["waiting ", "the stor"]
    assert len(said) <= 1 + 3


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
    """One line and a count, and the stream is read from its beginning."""

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 60)
        checkpoint = Checkpoint(store.url, "e")
        await checkpoint.save("9999999999999-0,9999999999999-0", {"fold": b"\xc1"})
        async with scene.analyzer() as analyzer:
            seen = await analyzed(analyzer, 60)
            assert seen["monitor_damaged_checkpoints_total", "analysis"] == 1
        await checkpoint.close()
        async with scene.analyzer() as again:
            seen = await analyzed(again, 60)
            assert seen["monitor_damaged_checkpoints_total", "analysis"] == 0
        await scene.stream.close()

    play(tmp_path, story)
    assert caplog.text.count("checkpoint is damaged") == 1


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


def test_one_look_says_a_few_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However many features and segments change at once."""
    many = [
        Finding(f"x{n}", "all", "all", 9, 9, {"psi": 0.5}, 9.0, "drift") for n in range(LINES + 5)
    ]
    monkeypatch.setattr(Analysis, "findings", lambda _: many)
    analyzer = Analyzer(Settings(redis="redis://127.0.0.1:1/0"), asyncio.Event())
    with caplog.at_level(logging.INFO, "monitor"):
        analyzer._tell()
        analyzer._tell()
    assert len(caplog.messages) == LINES + 1
    assert caplog.messages[-1] == "5 more features and segments changed their status"


# --- what must not stop it -----------------------------------------------------------------------


class Crash(BaseException):
    """The end of the process: nothing in it has anything more to say."""


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException, *numbers: int) -> None:
    """Let the fold raise on the records of these numbers."""
    row = Analysis.row
    ids = {record(number).id for number in numbers}

    def raising(self: Analysis, one: Record) -> Row:
        if one.id in ids:
            raise error
        return row(self, one)

    monkeypatch.setattr(Analysis, "row", raising)


def aside(samples: dict[tuple[str, ...], float]) -> dict[str, float]:
    name = "monitor_records_set_aside_total"
    return {labels[1]: value for labels, value in samples.items() if labels[0] == name}


def test_a_record_that_cannot_be_counted_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Counted with its reason, said without content; the count survives a restart."""
    failing(monkeypatch, RuntimeError("a secret"), 7, 50)

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 100)
        for _ in range(2):
            async with scene.analyzer() as analyzer:
                samples = await analyzed(analyzer, 98)
                assert samples["monitor_records_analyzed_total",] == 98
                assert aside(samples) == {"unreadable": 0, "failed": 2, "poison": 0}
        await scene.stream.close()

    play(tmp_path, story)
    (line,) = [line for line in caplog.messages if "set aside" in line]
    assert "RuntimeError" in line
    assert "secret" not in caplog.text


def test_entries_of_another_writer_are_set_aside(tmp_path: Path) -> None:
    """Not JSON, another version, nested 20,000 deep, a number beyond all: counted, and passed."""
    good = encode_record(record(1))
    foreign: list[dict[str, str | bytes]] = [
        {"v": "1", "record": b"{"},
        {"v": "2", "record": good},
        {"other": "x"},
        *(
            {"v": "1", "record": good.replace(b'"outputs":[]', b'"outputs":' + value)}
            for value in (b"[" * 20_000 + b"]" * 20_000, b"9" * 5000)
        ),
    ]

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        client = redis.Redis.from_url(store.url)
        for number, fields in enumerate(foreign):
            await client.xadd(f"monitor:{{e:{number % 2}}}:records", fields)  # type: ignore[arg-type]
        await client.aclose()
        await scene.send(0, 20)
        async with scene.analyzer() as analyzer:
            assert aside(await analyzed(analyzer, 20))["unreadable"] == len(foreign)
        await scene.stream.close()

    play(tmp_path, story)


def test_a_record_that_ends_the_process_three_times_is_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times it dies, the fourth time it goes on, with every other record counted once."""
    failing(monkeypatch, Crash(), 40)

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 100)
        for _ in range(3):
            dying = Analyzer(scene.settings, asyncio.Event())
            with pytest.raises(Crash):
                await dying.run()
            await dying._stream.close()
            await dying._outcomes.close()
            await dying._checkpoint.close()
        async with scene.analyzer() as analyzer:
            samples = await analyzed(analyzer, 99)
            assert samples["monitor_records_analyzed_total",] == 99
            assert aside(samples) == {"unreadable": 0, "failed": 0, "poison": 1}
            await scene.send(100, 20)
            await analyzed(analyzer, 119)
        async with scene.analyzer() as again:
            samples = await analyzed(again, 119)
            assert aside(samples) == {"unreadable": 0, "failed": 0, "poison": 1}
        await scene.stream.close()

    play(tmp_path, story)


def test_nothing_that_is_only_told_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings that cannot be made leave the counters, and an empty document."""

    def raising(self: DriftMonitor) -> Any:
        raise ArithmeticError

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 20)
        async with scene.analyzer() as analyzer:
            await analyzed(analyzer, 20)
            monkeypatch.setattr(DriftMonitor, "findings", raising)
            await scene.send(20, 5)
            assert (await analyzed(analyzer, 25))["monitor_records_analyzed_total",] == 25
            assert analyzer.findings() == b"{}"
            monkeypatch.undo()
        await scene.stream.close()

    play(tmp_path, story)


def raises(one: Record) -> list[Observation]:
    """Somebody's own part, with a fault."""
    raise LookupError(one.id)


RAISES = Feature("theirs", raises)
SLEEPS = Feature("fine", lambda one: [Observation("fine", "numeric", one.duration)])


def test_somebody_s_own_part_may_raise(tmp_path: Path) -> None:
    """Its failures are counted by its name; what others see counts."""
    named = f"{__name__}:RAISES", f"{__name__}:SLEEPS"

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store, drift=Drift(features=list(named)))
        await scene.send(0, 50)
        async with scene.analyzer() as analyzer:
            samples = await analyzed(analyzer, 50)
        failures = [samples["monitor_part_failures_total", "feature", name] for name in named]
        assert failures == [50, 0]
        assert ("monitor_drift_samples", "fine", "all", "all") in samples
        assert sum(aside(samples).values()) == 0
        await scene.stream.close()

    play(tmp_path, story)


# --- time and settings ---------------------------------------------------------------------------


def test_one_record_from_the_future_freezes_nothing(tmp_path: Path) -> None:
    """It counts when it was appended; drift after it is found, and settled as panes are closed."""

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        began = time.time() - 400

        def now(number: int, shift: float = 0.0) -> Record:
            return msgspec.structs.replace(record(number, shift), started=began + number / 10)

        await scene.stream.append([now(number) for number in range(1500)])
        await scene.stream.append([msgspec.structs.replace(record(1500), started=9e9)])
        await scene.stream.append([now(number, 12.0) for number in range(1501, 2500)])
        async with scene.analyzer() as analyzer:
            samples = await analyzed(analyzer, 2500)
            assert samples["monitor_analysis_timestamp_seconds",] < time.time() + 5
            assert status(samples, "b") == "drift"
        await scene.stream.close()

    play(tmp_path, story)


@pytest.mark.parametrize("pane", [1.0, 3600.0])
@pytest.mark.parametrize("is_old", [False, True], ids=["", "old form"])
def test_another_length_of_panes_goes_on_from_the_checkpoint(
    tmp_path: Path, pane: float, is_old: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """What was learned is kept, panes are closed, and a shift is found."""

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 1000)
        async with scene.analyzer() as analyzer:
            before = await analyzed(analyzer, 1000)
        if is_old:
            client = redis.Redis.from_url(store.url)
            name = "monitor:{e}:analysis"
            stored = await client.hgetall(name)  # type: ignore[misc]
            new = {field.decode(): entry for field, entry in stored.items()}
            old = unnamed(new)
            fold = msgspec.msgpack.decode(old["fold"])
            del fold["pane"], fold["crowded"]
            await client.delete(name)
            fields = new | old | {"fold": msgspec.msgpack.encode(fold)}
            kept = {field: entry for field, entry in fields.items() if "drift/" not in field}
            await client.hset(name, mapping=kept)  # type: ignore[misc]
            await client.hdel(name, "settings", "set_aside")  # type: ignore[misc]
            await client.aclose()
        scene.settings = msgspec.structs.replace(
            scene.settings, windows=Windows(pane=pane, lateness=1)
        )
        async with scene.analyzer() as again:
            assert await analyzed(again, 1000) == before
            await scene.send(1000, 500, 12.0)
            later = 1000 + int(2 * pane * 10)  # ten records a second
            await scene.send(later, 500, 12.0)
            assert status(await analyzed(again, 2000), "b") == "drift"
            (drift,) = again._analysis.monitors
            assert isinstance(drift, DriftMonitor)
            closed = {pane for one in drift.watches.by_key.values() for pane in one.open}
            assert len(closed) <= 2 + 60 / pane
        await scene.stream.close()

    play(tmp_path, story)
    told = [line for line in caplog.messages if "settings have changed" in line]
    assert len(told) == (not is_old)


def test_a_checkpoint_from_the_future_goes_on(tmp_path: Path) -> None:
    """Left by a record of the future before such records were held to the store's time."""

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store)
        await scene.send(0, 1000)
        async with scene.analyzer() as analyzer:
            await analyzed(analyzer, 1000)
            analyzer._analysis.add(msgspec.structs.replace(record(1), started=9e9))
            await scene.send(1000, 1)
            await analyzed(analyzer, 1002)
        async with scene.analyzer() as again:
            assert again._analysis.newest < time.time() + 120
            now = msgspec.structs.replace(record(1001, 12.0), started=time.time() - 500)
            shifted = [
                msgspec.structs.replace(record(n, 12.0), started=now.started + n / 10)
                for n in range(1001, 2000)
            ]
            await scene.stream.append(shifted)
            assert status(await analyzed(again, 2001), "b") == "drift"
        await scene.stream.close()

    play(tmp_path, story)


def test_a_new_version_is_told_where_people_look(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the document of findings, for the notifier, in the log once and on the page; a restart
    tells nothing again."""
    monkeypatch.setattr("monitor.app.analyzer.LOOK_EVERY", 0.0)
    caplog.set_level("INFO")

    def versions(first: int, count: int, version: str) -> list[Record]:
        lineage = {"model_version": version, "config": "c"}
        found = [record(n) for n in range(first, first + count)]
        return [msgspec.structs.replace(one, lineage=lineage) for one in found]

    def changes_of(analyzer: Analyzer) -> list[dict[str, Any]]:
        conditions = msgspec.json.decode(analyzer.standing())["conditions"]
        return [one for one in conditions if one["alert"] == "MonitorLineageChange"]

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store, notify=[Receiver(name="team", url="http://127.0.0.1:1")])
        await scene.stream.append(versions(0, 100, "7"))
        async with scene.analyzer() as analyzer:
            await analyzed(analyzer, 100)
            assert msgspec.json.decode(analyzer.findings())["changes"] == []
            await scene.stream.append(versions(100, 100, "8"))
            samples = await analyzed(analyzer, 200)
            began = record(100).started + 0.01
            name = "monitor_lineage_change_timestamp_seconds"
            assert samples[name, "model_version", "8"] == pytest.approx(began)
            (change,) = msgspec.json.decode(analyzer.findings())["changes"]
            words = "model_version changed from 7 to 8; lately 7 answered 50 %, 8 50 %"
            assert change["words"] == words
            more = 200
            while not (found := changes_of(analyzer)):
                await scene.stream.append(versions(more, 1, "8"))
                more += 1
                await asyncio.sleep(0.01)
            (told,) = found
            assert told["severity"] == "info"
            assert told["labels"] == {"fact": "model_version", "value": "8"}
        async with scene.analyzer() as again:
            samples = await analyzed(again, 200)
            assert samples[name, "model_version", "8"] == pytest.approx(began)
        await scene.stream.close()

    play(tmp_path, story)
    said = [one.message for one in caplog.records if "model_version" in one.message]
    assert len(said) == 1
