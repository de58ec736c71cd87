"""The analyzer's outcomes: both streams, the join, and the checkpoint they share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis.asyncio as redis

from monitor import findings
from monitor.analysis import monitors as listed
from monitor.analysis.fold import Analysis
from monitor.analysis.join.predictions import PredictionReader
from monitor.analyzer import outcomes
from monitor.app import analyzer as analyzer_role
from monitor.app.analyzer import Analyzer
from monitor.assembly.experiments import experiments_of
from monitor.assembly.outcomes import outcomes_of, rules_of
from monitor.feedback import Feedback, Statement
from monitor.privacy import keys
from monitor.replay.joined import joined, stored
from monitor.replay.stored import records
from monitor.rows import Row
from monitor.settings.experiments import Experiment, ExperimentMetric
from monitor.settings.schema import Differential, Outcomes, Privacy, Settings, StreamSettings
from monitor.streams import redis as store
from monitor.streams.redis import RedisStream
from monitor.supervision.embedded_store import EmbeddedStore
from monitor.tables.blocks import Block
from monitor.types import Measurement, Record, WatchKey
from tests.analysis.join.exchanges import record
from tests.app.scene import play

Totals = dict[tuple[str, ...], float]


class Seen:
    """A monitor that keeps the rows it is told, as a checkpoint would keep counts."""

    name = "seen"

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, row: Row, pane: int, at: float) -> None:
        self.rows.append(row)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        pass

    def state(self) -> dict[str, bytes]:
        return {"rows": msgspec.msgpack.encode(self.rows)}

    def restore(self, state: Any, *, keeps: Callable[[WatchKey], bool], **_: Any) -> None:
        if keeps((self.name, "all", "all")):
            self.rows = msgspec.msgpack.decode(state["rows"], type=list[Row])

    def findings(self) -> list[Any]:
        return []

    def measurements(self, endpoint: str) -> list[Measurement]:
        return [
            Measurement("monitor_quality_labels", {"dimension": each, "value": "x"}, 1.0)
            for each in ("all", "plan")
        ]


@pytest.fixture(autouse=True)
def _monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    """One monitor that keeps what it is told, and an analyzer that reads without resting."""

    def with_one(*_: Any, **__: Any) -> Analysis[Any]:
        return Analysis((), (Seen(),), pane=60.0, lateness=5.0)

    monkeypatch.setattr(outcomes, "outcomes_of", with_one)
    for module, name in ((analyzer_role, "READ_EVERY"), (analyzer_role, "BLOCK"), (store, "POLL")):
        monkeypatch.setattr(module, name, 0.05)
    assert listed.outcomes_of is not with_one


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """By how many seconds the store's clock is ahead for those who ask what is due."""
    seconds, now = [0.0], outcomes.Outcomes.now

    async def later(self: outcomes.Outcomes) -> float:
        return await now(self) + seconds[0]

    monkeypatch.setattr(outcomes.Outcomes, "now", later)
    return seconds


class Scene:
    """A store, records and feedback in it, and analyzers that come, go and die."""

    def __init__(self, store: EmbeddedStore, **settings: Any) -> None:
        self.settings = Settings(
            endpoint="e", redis=store.url, stream=StreamSettings(shards=2),
            outcomes=Outcomes(wait=3.0),
        )  # fmt: skip
        self.settings = msgspec.structs.replace(self.settings, **settings)
        self.stream = RedisStream(store.url, "e", shards=2)
        self.began: dict[int, float] = {}

    def record(self, number: int) -> Record:
        began = self.began.setdefault(number, time.time() + number / 1000)
        return record(f"r{number}", started=began, trace_id=f"{number:032x}")

    async def send(self, *numbers: int) -> None:
        await self.stream.append([self.record(number) for number in numbers])

    async def say(self, *items: dict[str, Any]) -> None:
        await self.stream.append_feedback([
            msgspec.convert({"pseudonymized": "k", **item}, Feedback) for item in items
        ])  # fmt: skip

    @contextlib.asynccontextmanager
    async def analyzer(self, *, dies: bool = False) -> AsyncIterator[Analyzer]:
        stopping = asyncio.Event()
        analyzer = Analyzer(self.settings, stopping)
        running = asyncio.ensure_future(analyzer.run())
        try:
            yield analyzer
        finally:
            if dies:
                while not running.done():  # Python 3.11's wait_for may lose a cancellation
                    running.cancel()
                    await asyncio.wait([running], timeout=0.1)
                await analyzer._stream.close()
                await analyzer._outcomes.close()
                await analyzer._checkpoint.close()
            stopping.set()
            await asyncio.gather(running, return_exceptions=True)


async def until(analyzer: Analyzer, holds: Callable[[Totals], bool]) -> Totals:
    """Samples by name and labels, once that holds of them."""
    totals: Totals = {}
    try:
        async with asyncio.timeout(60):
            while True:
                totals = {
                    (one.name, *(v for k, v in one.labels.items() if k != "endpoint")): one.value
                    for one in await analyzer.measure()
                }
                if holds(totals):
                    return totals
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError({name: value for name, value in totals.items() if value}) from None


def result(kind: str, name: str) -> tuple[str, ...]:
    return "monitor_feedback_total", kind, name


DUE = "monitor_outcome_records_total", "due"


def rows_of(analyzer: Analyzer) -> list[tuple[float, object]]:
    (seen,) = analyzer._outcomes.monitors
    return [(row.at, row.truth.label) for row in seen.rows]


def told_early(analyzer: Analyzer) -> dict[str, int]:
    """Labels by measure of what is not due."""
    document = msgspec.json.decode(analyzer.outcomes(), type=findings.Outcomes)
    assert all(one.early for one in document.early)
    return {one.measure: one.labels for one in document.early if one.measure == "accuracy"}


def test_feedback_is_joined_at_once_and_counts_when_the_record_is_due(
    tmp_path: Path, ahead: list[float]
) -> None:
    """Before its record, after it, twice, of nobody; and nothing stands still without traffic."""

    async def story(there: EmbeddedStore) -> None:
        scene = Scene(there, outcomes=Outcomes(wait=600.0))
        async with scene.analyzer() as analyzer:
            await scene.say({"id": "r1", "label": "0", "key": "a"})
            await until(analyzer, lambda seen: seen.get(result("label", "waiting")) == 1)
            await scene.send(1, 2, 3)
            await scene.say(
                {"trace_id": f"{2:032x}", "label": "1", "key": "b"},
                {"trace_id": f"{2:032x}", "label": "1", "key": "b"},
                {"id": "nobody", "rating": 4.0},
            )
            seen = await until(analyzer, lambda seen: seen.get(result("label", "joined")) == 2)
            assert seen[result("label", "waiting")] == 0
            assert seen[result("label", "duplicate")] == 1
            assert seen[DUE] == 0
            assert told_early(analyzer) == {"accuracy": 2}
            assert seen["monitor_outcome_records_waiting",] == 3
            ahead[0] = 700.0
            seen = await until(analyzer, lambda seen: seen.get(DUE) == 3)
            assert [label for _, label in rows_of(analyzer)] == ["0", "1", None]
            assert told_early(analyzer) == {}
            seen = await until(analyzer, lambda seen: seen[result("rating", "unmatched")] == 1)
            assert sum(v for k, v in seen.items() if k[0] == "monitor_feedback_total") == 4
            assert seen["monitor_feedback_delay_seconds_count", "label"] == 2
        await scene.stream.close()

    play(tmp_path, story)


def test_a_killed_analyzer_doubles_and_loses_nothing(tmp_path: Path, ahead: list[float]) -> None:
    """It dies before, between and after its checkpoints; the rows are those of one that lived."""

    async def story(there: EmbeddedStore) -> None:
        scene = Scene(there, outcomes=Outcomes(wait=600.0))
        for turn in range(4):
            async with scene.analyzer(dies=True) as analyzer:
                numbers = range(50 * turn, 50 * turn + 50)
                await scene.send(*numbers)
                await scene.say(*({"id": f"r{n}", "label": str(n), "key": f"{n}"} for n in numbers))
                await until(analyzer, lambda seen, n=50 * turn + 50:
                            seen.get(result("label", "joined")) == n)  # fmt: skip
                if turn % 2:
                    await analyzer._save()
                    one = numbers[0]
                    await scene.say({"id": f"r{one}", "label": "again", "key": f"{one}"})
                    await asyncio.sleep(0.1)
        async with scene.analyzer() as analyzer:
            # Nothing is due before all is said, however slow the machine is.
            await until(analyzer, lambda seen: seen.get(result("label", "duplicate")) == 2)
            ahead[0] = 700.0
            seen = await until(analyzer, lambda seen: seen.get(DUE) == 200)
            began = scene.began
            assert rows_of(analyzer) == [(began[n] + 0.25, str(n)) for n in range(200)]
            assert seen[result("label", "joined")] == 200
            assert seen[result("label", "duplicate")] == 2
        async with scene.analyzer() as again:
            assert await until(again, lambda seen: DUE in seen) == seen
            assert len(rows_of(again)) == 200
        await scene.stream.close()

    play(tmp_path, story)


def test_without_a_setting_outcomes_begin_with_the_first_feedback(tmp_path: Path) -> None:
    """Until then no record is remembered; then those in the stream are, too."""

    async def story(there: EmbeddedStore) -> None:
        scene = Scene(there, outcomes=Outcomes())
        async with scene.analyzer() as analyzer:
            await scene.send(*range(700))
            read = ("monitor_records_analyzed_total",)
            seen = await until(analyzer, lambda seen: seen.get(read) == 700)
            assert not any("feedback" in name[0] or "outcome" in name[0] for name in seen)
            assert len(analyzer._outcomes._join) == 0
        async with scene.analyzer() as analyzer:
            await scene.say({"id": "r5", "label": "1"})
            await scene.send(700)
            seen = await until(analyzer, lambda seen: seen.get(result("label", "joined")) == 1)
            seen = await until(analyzer, lambda seen: seen[read] == 701)
            assert seen["monitor_outcome_records_waiting",] == 701
        async with scene.analyzer() as analyzer:
            seen = await until(analyzer, lambda seen: result("label", "joined") in seen)
            assert seen["monitor_outcome_records_waiting",] == 701
            assert seen[result("label", "joined")] == 1
        await scene.stream.close()

    play(tmp_path, story)


def test_feedback_of_somebody_else_is_pseudonymized_before_it_is_kept(tmp_path: Path) -> None:
    """What is no feedback, and what cannot be made safe, is invalid; nothing raw is saved."""
    path = tmp_path / "privacy.key"
    keys.load(path, lambda count: b"7" * count)

    async def story(there: EmbeddedStore) -> None:
        scene = Scene(there, privacy=Privacy(key_file=str(path)))
        raw = redis.Redis.from_url(there.url)
        said = b'{"id": "r1", "label": "mail ada@example.com", "key": "ada@example.com"}'
        for document in (said, b"[]", b"{", b'{"id": "r1"}'):
            await raw.xadd("monitor:{e}:feedback", {"v": "1", "feedback": document})
        await scene.send(1)
        async with scene.analyzer() as analyzer:
            seen = await until(analyzer, lambda seen: seen.get(DUE) == 1)
            assert seen[result("label", "joined")] == 1
            assert seen[result("unknown", "invalid")] == 3
            ((_, label),) = rows_of(analyzer)
            assert str(label).startswith("mail <EMAIL_ADDRESS:")
        saved = await raw.hgetall("monitor:{e}:analysis")
        assert b"ada@example" not in b"".join(saved.values())
        await raw.aclose()
        await scene.stream.close()

    play(tmp_path, story)


@pytest.mark.parametrize("epsilon", [None, 1.0])
def test_labels_are_not_counted_by_segment_beside_noisy_counts(epsilon: float | None) -> None:
    """A count without noise would undo the noise in the others."""
    privacy = Privacy(differential=Differential(epsilon=epsilon))
    settings = Settings(redis="redis://x", privacy=privacy, outcomes=Outcomes(wait=5.0))

    async def look() -> set[str]:
        analyzer = Analyzer(settings, asyncio.Event())
        analyzer._is_restored = True
        name = "monitor_quality_labels"
        return {one.labels["dimension"] for one in await analyzer.measure() if one.name == name}

    assert asyncio.run(look()) == ({"all"} if epsilon else {"all", "plan"})


@pytest.mark.parametrize("field", ["join/0", "join/position"])
def test_a_damaged_checkpoint_of_outcomes_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    """Drift goes on; feedback is read again, and joined to the records that are not due."""

    async def story(there: EmbeddedStore) -> None:
        scene = Scene(there, outcomes=Outcomes(wait=1000.0))
        await scene.send(*range(20))
        await scene.say({"id": "r5", "label": "1"})
        async with scene.analyzer() as analyzer:
            await until(analyzer, lambda seen: seen.get(result("label", "joined")) == 1)
        raw = redis.Redis.from_url(there.url)
        await raw.hset("monitor:{e}:analysis", field, b"damage")
        await raw.aclose()
        async with scene.analyzer() as analyzer:
            seen = await until(analyzer, lambda seen: seen.get(result("label", "joined")) == 1)
            assert seen["monitor_outcome_records_waiting",] == 20
            assert seen["monitor_records_analyzed_total",] == 20
            assert seen["monitor_damaged_checkpoints_total", "outcomes"] == 1
            assert seen["monitor_damaged_checkpoints_total", "analysis"] == 0
        await scene.stream.close()

    with caplog.at_level(logging.WARNING):
        play(tmp_path, story)
    assert "checkpoint of outcomes is damaged" in caplog.text


def test_another_positive_class_counts_outcomes_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What became of feedback stays counted; what was counted of scores does not."""

    async def story(there: EmbeddedStore) -> None:
        scene = Scene(there, outcomes=Outcomes(wait=0.5))
        await scene.send(1, 2, 3)
        async with scene.analyzer() as analyzer:
            await until(analyzer, lambda seen: seen.get(DUE) == 3)
            assert len(rows_of(analyzer)) == 3
        settings = msgspec.structs.replace(
            scene.settings, outcomes=Outcomes(wait=0.5, positive="yes")
        )
        scene.settings = settings
        async with scene.analyzer() as analyzer:
            seen = await until(analyzer, lambda seen: DUE in seen)
            assert seen[DUE] == 3
            assert rows_of(analyzer) == []
        await scene.stream.close()

    with caplog.at_level(logging.WARNING):
        play(tmp_path, story)
    assert "outcomes.positive; what depends on them begins anew" in caplog.text


def test_replay_of_the_store_has_the_rows_that_were_counted_live(tmp_path: Path) -> None:
    """Bit for bit and in order, with early, late and repeated feedback; an experiment at its horizon
    says the same, too, before anything is due."""
    declared = Experiment(
        "e", "population", "b", [ExperimentMetric("labels", of="label")], horizon=2.5
    )

    async def story(there: EmbeddedStore) -> None:
        scene = Scene(there, experiments=[declared])
        async with scene.analyzer() as analyzer:
            await scene.say(*({"id": f"r{n}", "label": f"{n}", "key": f"{n}"} for n in range(10)))
            await scene.send(*range(40))
            await scene.say(
                *({"id": f"r{n}", "label": f"{n}", "key": f"{n}"} for n in range(5, 20))
            )
            await until(analyzer, lambda seen: seen.get(DUE) == 40)
            await scene.say(*({"id": f"r{n}", "label": "late"} for n in range(40)))
            await until(analyzer, lambda seen: sum(
                v for k, v in seen.items() if k[0] == "monitor_feedback_total") == 65)  # fmt: skip
            rows = analyzer._outcomes.monitors[0].rows
            live = analyzer._outcomes.monitors[1].findings()
        said = await asyncio.to_thread(lambda: list(stored(there.url, "e", _unsafe)))
        kept = await asyncio.to_thread(lambda: list(records(there.url, "e", shards=2)))
        assert list(joined(kept, said, reader=PredictionReader(), wait=3.0)) == rows
        folds = listed.within_of(
            rules_of(scene.settings), experiments=experiments_of(scene.settings)
        )
        for row in joined(kept, said, reader=PredictionReader(), wait=3.0, horizons=[*folds]):
            if row.truth is not None and row.truth.horizon:
                folds[row.truth.horizon].add_row(row)
        assert folds[2.5].monitors[0].findings() == live
        assert [one.samples for one in live] == [20]
        await scene.stream.close()

    play(tmp_path, story)


class Together(Seen):
    """One that is told of many rows at once, and keeps how many these were."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[int] = []

    def add_rows(self, rows: Sequence[tuple[Row, float]], pane: int) -> None:
        self.runs.append(len(rows))
        self.rows += [row for row, _ in rows]

    def add_block(self, block: Block, pane: int) -> None:
        raise AssertionError(block)


class Silent:
    """A stream to which no feedback comes."""

    async def next_feedback(self, position: str, *, block: float) -> tuple[str, list[Any]]:
        return position, []


def test_what_is_due_is_counted_together_in_its_order() -> None:
    """Rows that are alike take less together (`analysis.alike`); not so many that it takes long."""
    one = outcomes_of(Settings(endpoint="e", redis="redis://nowhere.invalid"), lambda *_: None)
    monitor = Together()
    one._folds = {outcomes.FOLD: Analysis((), (monitor,), pane=60.0, lateness=5.0)}
    one._stream = Silent()  # type: ignore[assignment]
    count = 2 * outcomes.TOGETHER + 7
    for number in range(count):
        one.add(record(f"r{number}", ended=number / count))
    asyncio.run(one.follow(2e9, 2e9))
    assert monitor.runs == [outcomes.TOGETHER, outcomes.TOGETHER, 7]
    assert [row.at for row in monitor.rows] == sorted(row.at for row in monitor.rows)


def _unsafe(said: Statement) -> Feedback:
    raise AssertionError(said)


def test_what_a_horizon_counted_is_removed_with_it() -> None:
    """Its fields of the checkpoint are emptied: what it counted would have a gap when it is back."""
    declared = Experiment(
        "e", "population", "b", [ExperimentMetric("labels", of="label")], horizon=60.0
    )
    states: list[dict[str, bytes]] = []
    for experiments in ([declared], []):
        settings = Settings(endpoint="e", redis="redis://nowhere.invalid", experiments=experiments)
        one = outcomes_of(settings, lambda *_: None)
        before = states[0] if states else {outcomes.POSITION: b"0-0"}
        one.restore({name: entry for name, entry in before.items() if entry})
        one.add(record("r"))
        one._count(one._join.advance(2e9))
        states.append(one.saved())
    fields = [name for name in states[0] if name.startswith("within/60.0/")]
    assert len(fields) > 1
    assert {name: states[1][name] for name in fields} == dict.fromkeys(fields, b"")
