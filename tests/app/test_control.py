"""The control socket: readiness, measurements, frozen and dead children."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from monitor.app import control
from monitor.app.child import Child
from monitor.app.control import Control
from monitor.config import Settings
from monitor.types import Measurement


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    (tmp_path / "settings.json").write_bytes(msgspec.json.encode(Settings()))
    return tmp_path


async def join(runtime: Path, role: str, index: int, value: float) -> Child:
    child = Child(role, runtime, index)

    async def measure() -> list[Measurement]:
        return [Measurement("monitor_connections", {"endpoint": "default"}, value)]

    child.measure = measure
    await child.connect()
    return child


async def until(true: object) -> None:
    async with asyncio.timeout(5):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0)


def test_children_are_ready_when_they_say_so_and_all_measurements_come_together(
    runtime: Path,
) -> None:
    """Two workers answer one scrape."""

    async def story() -> None:
        listener = Control()
        await listener.listen(runtime / "control.sock")
        one, two = await join(runtime, "proxy", 0, 1.0), await join(runtime, "proxy", 1, 2.0)
        assert not listener.is_ready("proxy")
        one.ready()
        two.ready()
        await until(lambda: all(listener.was_ready("proxy", index) for index in (0, 1)))
        assert listener.was_ready("proxy", 0)
        assert not listener.was_ready("recorder", 0)
        values = sorted(sample.value for sample in await listener.measurements())
        assert values == [1.0, 2.0]
        await listener.close()
        async with asyncio.timeout(5):
            await one.stopping.wait()
        await one.leave()
        await two.leave()

    asyncio.run(story())


def test_a_frozen_child_is_reported_as_it_last_answered(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scrape waits a bounded time, and questions do not pile up."""
    monkeypatch.setattr(control, "ANSWER_TIMEOUT", 0.05)

    async def story() -> None:
        listener = Control()
        await listener.listen(runtime / "control.sock")
        child = await join(runtime, "recorder", 0, 1.0)
        child.ready()
        await until(lambda: listener.is_ready("recorder"))
        before = await listener.measurements()
        gate = asyncio.Event()
        asked = 0

        async def stuck() -> list[Measurement]:
            nonlocal asked
            asked += 1
            await gate.wait()
            return [Measurement("monitor_connections", {}, 9.0)]

        child.measure = stuck
        assert await listener.measurements() == before
        assert await listener.measurements() == before
        gate.set()
        await until(lambda: asked == 1)
        child.measure = None
        async with asyncio.timeout(5):
            while await listener.measurements():
                pass
        await listener.close()
        await child.leave()

    asyncio.run(story())


def test_no_sum_goes_back_when_a_child_is_replaced(runtime: Path) -> None:
    """Its counters are added to those of its successor, which begin at zero; its gauges go with it;
    and its ledger is shown until the successor, which goes on with it, shows its own."""

    def told(counted: float, ended: float) -> list[Measurement]:
        return [
            Measurement("monitor_connections", {"endpoint": "e"}, 5.0),
            Measurement("monitor_connections_total", {"endpoint": "e"}, counted),
            Measurement("monitor_exchange_duration_seconds_count", {"endpoint": "e"}, counted),
            Measurement("monitor_exchanges_total", {"endpoint": "e"}, ended),
        ]

    async def story() -> None:
        listener = Control()
        await listener.listen(runtime / "control.sock")

        async def sums() -> dict[str, float]:
            found: dict[str, float] = {}
            for sample in await listener.measurements():
                found[sample.name] = found.get(sample.name, 0) + sample.value
            return found

        async def begin(index: int, samples: list[Measurement]) -> Child:
            child = await join(runtime, "proxy", index, 0.0)
            child.measure = answer(samples)
            child.ready()
            return child

        def answer(samples: list[Measurement]) -> Callable[[], Awaitable[list[Measurement]]]:
            async def measure() -> list[Measurement]:
                return samples

            return measure

        one, two = await begin(0, told(10.0, 100.0)), await begin(1, told(20.0, 200.0))
        await until(lambda: len(listener._peers) == 2)
        before = await sums()
        assert before["monitor_connections_total"] == 30.0
        await one.leave()
        await until(lambda: len(listener._peers) == 1)
        assert await sums() == {**before, "monitor_connections": 5.0}
        silent = await join(runtime, "proxy", 0, 0.0)
        silent.measure = None
        await until(lambda: len(listener._peers) == 2)
        assert await sums() == {**before, "monitor_connections": 5.0}
        silent.measure = answer(told(1.0, 101.0))
        assert await sums() == {
            "monitor_connections": 10.0,
            "monitor_connections_total": 31.0,
            "monitor_exchange_duration_seconds_count": 31.0,
            "monitor_exchanges_total": 301.0,
        }
        await listener.close()
        await two.leave()
        await silent.leave()

    asyncio.run(story())


def test_findings_come_from_whoever_has_some(runtime: Path) -> None:
    """Without an analyzer the document is empty, with one it is the analyzer's."""

    async def story() -> None:
        listener = Control()
        await listener.listen(runtime / "control.sock")
        assert await listener.findings() == b"{}"
        child = await join(runtime, "analyzer", 0, 1.0)
        child.findings = lambda: b'{"verdict": "ok"}'
        child.ready()
        await until(lambda: listener.is_ready("analyzer"))
        assert await listener.findings() == b'{"verdict": "ok"}'
        await listener.close()
        await child.leave()

    asyncio.run(story())
