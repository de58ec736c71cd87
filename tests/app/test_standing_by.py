"""An analyzer that stands by tells nothing of what the owner tells, and knows how the store is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from monitor.app.analyzer import Analyzer
from monitor.errors import StreamError
from tests.app.test_many_analyzers import Fleet, url

__all__ = ["url"]


def test_one_stands_by_until_the_other_is_stopped(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells nothing of the analysis; then it goes on at once from what the other has saved."""
    monkeypatch.setattr("monitor.app.analyzer.READ_EVERY", 0.0)
    caplog.set_level("INFO", "monitor")

    async def told(analyzer: Analyzer) -> dict[str, float]:
        return {one.name: one.value for one in await analyzer.measure() if len(one.labels) == 1}

    async def until(true: Callable[[], Awaitable[object]]) -> None:
        async with asyncio.timeout(60):
            while not await true():
                await asyncio.sleep(0.01)

    async def story() -> None:
        async with Fleet(url, 6, shards=2) as fleet:
            fleet.raw.flushall()
            await fleet.send(100, 1.0)
            stops = [asyncio.Event(), asyncio.Event()]
            one, two = (Analyzer(fleet.settings, stop, name=name)
                        for name, stop in zip(("one", "two"), stops, strict=True))  # fmt: skip
            first = asyncio.ensure_future(one.run())

            def counted(analyzer: Analyzer, count: int) -> Callable[[], Awaitable[bool]]:
                async def is_so() -> bool:
                    name = "monitor_records_analyzed_total"
                    return (await told(analyzer)).get(name) == count

                return is_so

            await until(counted(one, 100))
            second = asyncio.ensure_future(two.run())

            async def stands_by() -> bool:
                return bool(two.standing())

            await until(stands_by)
            alone = {"monitor_shards_owned": 0, "monitor_analysis_lag_records": 0}
            assert await told(two) in (
                {**alone, "monitor_shards_read_ahead": shards} for shards in (0, 2)
            )
            assert msgspec.json.decode(two.standing())["stands_by"]
            assert two.findings() == two.outcomes() == b"{}"
            stops[0].set()
            await first
            await fleet.send(50, 1.0)
            await until(counted(two, 150))
            assert (await told(two))["monitor_shards_owned"] == 2
            stops[1].set()
            await second

    asyncio.run(story())
    said = [line for line in caplog.messages if "this endpoint" in line]
    assert said == [
        "one analyzes this endpoint; this analyzer stands by",
        "nobody else analyzes this endpoint any more; this analyzer takes over",
    ]


def test_one_that_stands_by_says_when_the_store_is_back(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, not when it owns the endpoint some day; and again when it is away again."""
    monkeypatch.setattr("monitor.app.analyzer.CLAIM_EVERY", 0.01)
    caplog.set_level("INFO", "monitor")
    stop = asyncio.Event()
    away = StreamError("it closed the connection")
    answers = iter((False, away, False, away, False))

    async def claim() -> bool:
        said = next(answers, None)
        if isinstance(said, StreamError):
            raise said
        if said is None:
            stop.set()
        return False

    async def story() -> None:
        async with Fleet(url, 8, shards=1) as fleet:
            fleet.raw.flushall()
            one = Analyzer(fleet.settings, stop, name="one")
            monkeypatch.setattr(one._lease, "claim", claim)
            await one.run()

    asyncio.run(story())
    said = [line.partition(": it")[0] for line in caplog.messages if " the store " in f" {line}"]
    where = url.removesuffix("/")
    assert (
        said
        == [
            f"waiting for the store {where}",
            f"the store {where} is back; the analyzer goes on",
        ]
        * 2
    )
