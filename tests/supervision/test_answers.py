"""What the children answer: added up over workers, the dead, the frozen and those that fail."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from monitor.errors import SilentError
from monitor.settings.schema import Settings
from monitor.supervision import answers as module
from monitor.supervision.answers import Answers
from monitor.supervision.child import Child, Status
from monitor.supervision.control import Control
from monitor.types import Measurement


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    (tmp_path / "settings.json").write_bytes(msgspec.json.encode(Settings()))
    return tmp_path


def answer(samples: list[Measurement]) -> Callable[[], Awaitable[list[Measurement]]]:
    async def measure() -> list[Measurement]:
        return samples

    return measure


def said(value: float, name: str = "monitor_connections_open") -> list[Measurement]:
    return [Measurement(name, {"endpoint": "default"}, value)]


class Processes:
    """Children in this process, each with a pid of its own, and the supervisor that knows them."""

    def __init__(self, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._runtime = runtime
        self._pids = itertools.count((1 << 22) + 1)  # beyond what a system has
        self._running: dict[tuple[str, int], int] = {}
        self._control = Control(self.status, lambda: None)
        self._monkeypatch = monkeypatch

    def status(self) -> Status:
        children = [(role, index, pid, 0) for (role, index), pid in self._running.items()]
        return Status(ready=True, children=children, others=[])

    async def __aenter__(self) -> Processes:
        self._control.listen(self._runtime / "control.sock")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._control.close()

    async def begin(self, role: str, index: int, samples: list[Measurement]) -> Child:
        pid = next(self._pids)
        child = _Child(role, self._runtime, index, pid)
        child.measure = answer(samples)
        await child.connect()
        self._running[role, index] = pid
        return child

    def died(self, child: Child) -> None:
        self._running[child.role, child.index] = 0


class _Child(Child):
    def __init__(self, role: str, runtime: Path, index: int, pid: int) -> None:
        super().__init__(role, runtime, index)
        self._pid = pid

    async def _answer(self, kind: str) -> bytes:
        true, os.getpid = os.getpid, lambda: self._pid
        try:
            return await super()._answer(kind)
        finally:
            os.getpid = true


@pytest.fixture
def processes(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Processes:
    return Processes(runtime, monkeypatch)


async def values(answers: Answers, status: Status) -> list[float]:
    found = await answers.measurements(status)
    return sorted(one.value for one in found if one.name != "monitor_answer_errors_total")


async def sums(answers: Answers, status: Status) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in await answers.measurements(status):
        if sample.name != "monitor_answer_errors_total":
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_all_measurements_come_together(runtime: Path, processes: Processes) -> None:
    """Two workers answer one scrape, and many scrapes at once get whole answers."""

    async def story() -> None:
        async with processes:
            one = await processes.begin("proxy", 0, said(1.0))
            two = await processes.begin("proxy", 1, said(2.0))
            answers = Answers(runtime)
            status = processes.status()
            assert await values(answers, status) == [1.0, 2.0]
            scrapes = await asyncio.gather(*(values(answers, status) for _ in range(20)))
            assert scrapes == [[1.0, 2.0]] * 20
            answers.close()
            await one.leave()
            await two.leave()

    asyncio.run(story())


def test_a_frozen_child_is_reported_as_it_last_answered(
    runtime: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scrape waits a bounded time, and questions do not pile up."""
    monkeypatch.setattr(module, "ANSWER_TIMEOUT", 30)

    async def story() -> None:
        async with processes:
            child = await processes.begin("recorder", 0, said(1.0))
            answers, status = Answers(runtime), processes.status()
            before = await values(answers, status)
            assert before == [1.0]
            gate = asyncio.Event()
            asked = 0

            async def stuck() -> list[Measurement]:
                nonlocal asked
                asked += 1
                await gate.wait()
                return said(9.0)

            child.measure = stuck
            monkeypatch.setattr(module, "ANSWER_TIMEOUT", 0.05)
            assert await values(answers, status) == before
            assert await values(answers, status) == before
            monkeypatch.setattr(module, "ANSWER_TIMEOUT", 30)
            gate.set()
            async with asyncio.timeout(30):
                while await values(answers, status) == before:
                    pass
            assert await values(answers, status) == [9.0]
            assert asked <= 4
            child.measure = None
            assert await values(answers, status) == []
            answers.close()
            await child.leave()

    asyncio.run(story())


def test_a_frozen_analyzer_says_nothing_for_long(
    runtime: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one may have taken over, and tell the same numbers; what it answers later counts. That
    it does not answer is told apart from that it has found nothing."""
    monkeypatch.setattr(module, "OUTDATED", 1e9)

    async def story() -> None:
        async with processes:
            child = await processes.begin("analyzer", 0, said(1.0))
            child.documents = {"findings": lambda: b'{"verdict":"ok"}'}
            answers, status = Answers(runtime), processes.status()
            assert await values(answers, status) == [1.0]
            assert await answers.document("findings", status) == b'{"verdict":"ok"}'
            gate = asyncio.Event()

            async def stuck() -> list[Measurement]:
                await gate.wait()
                return said(2.0)

            child.measure = stuck
            monkeypatch.setattr(module, "ANSWER_TIMEOUT", 0.05)
            assert await values(answers, status) == [1.0]
            monkeypatch.setattr(module, "OUTDATED", 0.0)
            assert await values(answers, status) == []
            with pytest.raises(SilentError, match="the analyzer does not answer now"):
                await answers.document("findings", status)
            assert await answers.standing(status) == b""
            monkeypatch.undo()
            gate.set()
            assert await values(answers, status) == [2.0]
            assert await answers.document("findings", status) == b'{"verdict":"ok"}'
            answers.close()
            await child.leave()

    asyncio.run(story())


def test_no_sum_goes_back_when_a_child_is_replaced(runtime: Path, processes: Processes) -> None:
    """Its counters are added to those of its successor, which begin at zero; its gauges go with it;
    and its ledger is shown until the successor, which goes on with it, shows its own. That is so
    too when whoever asks was replaced in the meantime."""

    def told(counted: float, ended: float) -> list[Measurement]:
        return [
            Measurement("monitor_connections_open", {"endpoint": "e"}, 5.0),
            Measurement("monitor_connections_total", {"endpoint": "e"}, counted),
            Measurement("monitor_exchange_duration_seconds_count", {"endpoint": "e"}, counted),
            Measurement("monitor_exchanges_total", {"endpoint": "e"}, ended),
        ]

    async def story() -> None:
        async with processes:
            one = await processes.begin("proxy", 0, told(10.0, 100.0))
            two = await processes.begin("proxy", 1, told(20.0, 200.0))
            answers = Answers(runtime)
            before = await sums(answers, processes.status())
            assert before["monitor_connections_total"] == 30.0
            processes.died(one)
            await one.leave()
            answers.close()
            answers = Answers(runtime)
            assert await sums(answers, processes.status()) == {
                **before,
                "monitor_connections_open": 5.0,
            }
            silent = await processes.begin("proxy", 0, [])
            assert await sums(answers, processes.status()) == {
                **before,
                "monitor_connections_open": 5.0,
            }
            answers.close()
            answers = Answers(runtime)
            silent.measure = answer(told(1.0, 101.0))
            for _ in range(2):
                assert await sums(answers, processes.status()) == {
                    "monitor_connections_open": 10.0,
                    "monitor_connections_total": 31.0,
                    "monitor_exchange_duration_seconds_count": 31.0,
                    "monitor_exchanges_total": 301.0,
                }
            answers.close()
            await two.leave()
            await silent.leave()

    asyncio.run(story())


def test_spans_that_waited_in_a_process_that_is_gone_are_dropped(
    runtime: Path, processes: Processes
) -> None:
    """They are told nowhere else, and the sum of all results is what it was."""
    labels = {"endpoint": "e"}

    def told(exported: float, waiting: float) -> list[Measurement]:
        return [
            Measurement("monitor_spans_total", {**labels, "result": "exported"}, exported),
            Measurement("monitor_spans_total", {**labels, "result": "dropped"}, 1.0),
            Measurement("monitor_spans_waiting", labels, waiting),
        ]

    async def story() -> None:
        async with processes:
            one = await processes.begin("recorder", 0, told(10.0, 4.0))
            answers = Answers(runtime)
            assert (await sums(answers, processes.status()))["monitor_spans_total"] == 11.0
            processes.died(one)
            await one.leave()
            for _ in range(2):
                found = await sums(answers, processes.status())
                assert found == {"monitor_spans_total": 15.0}
            successor = await processes.begin("recorder", 0, told(0.0, 0.0))
            found = await sums(answers, processes.status())
            assert found == {"monitor_spans_total": 16.0, "monitor_spans_waiting": 0.0}
            answers.close()
            await successor.leave()

    asyncio.run(story())


def test_an_analyzer_goes_on_from_its_own_counts(runtime: Path, processes: Processes) -> None:
    """Its successor has them from the checkpoint: they are not added again."""
    name = "monitor_records_analyzed_total"

    async def story() -> None:
        async with processes:
            answers = Answers(runtime)
            first = await processes.begin("analyzer", 0, said(40.0, name))
            assert await values(answers, processes.status()) == [40.0]
            await first.leave()
            second = await processes.begin("analyzer", 0, said(45.0, name))
            assert await values(answers, processes.status()) == [45.0]
            answers.close()
            await second.leave()

    asyncio.run(story())


def test_news_that_are_old_bury_nobody(
    runtime: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status from before a child was replaced: the new one lives and is counted once."""

    async def story() -> None:
        async with processes:
            child = await processes.begin("proxy", 0, said(3.0, "monitor_connections_total"))
            answers, status = Answers(runtime), processes.status()
            assert await values(answers, status) == [3.0]
            old = Status(ready=True, children=[("proxy", 0, 1, 0)], others=[])
            monkeypatch.setattr(module.os, "kill", lambda _pid, _number: None)
            for told in (old, status):
                assert await values(answers, told) == [3.0]
            answers.close()
            await child.leave()

    asyncio.run(story())


def test_a_connection_that_ends_is_no_death(runtime: Path, processes: Processes) -> None:
    """The child is asked on another one, and nothing is counted twice."""

    async def story() -> None:
        async with processes:
            child = await processes.begin("proxy", 0, said(3.0, "monitor_connections_total"))
            answers, status = Answers(runtime), processes.status()
            for _ in range(3):
                assert await values(answers, status) == [3.0]
                answers.close()
                await asyncio.sleep(0.01)
            answers.close()
            await child.leave()

    asyncio.run(story())


@pytest.mark.parametrize("number", [10**30, -(10**30), 2**64])
def test_an_answer_that_cannot_be_made_is_the_last_good_one_and_counted(
    runtime: Path, processes: Processes, number: int
) -> None:
    """A number that no frame holds, an exception: the connection goes on, and so does the child."""

    async def story() -> None:
        async with processes:
            child = await processes.begin("recorder", 0, said(1.0))
            answers, status = Answers(runtime), processes.status()
            assert await values(answers, status) == [1.0]
            child.measure = answer(said(number))

            async def raises() -> list[Measurement]:
                raise ZeroDivisionError

            for failing in (answer(said(number)), raises):
                child.measure = failing
                assert await values(answers, status) == [1.0]
            samples = await answers.measurements(status)
            (failed,) = [
                one.value
                for one in samples
                if one.name == "monitor_answer_errors_total" and one.labels["question"] == "metrics"
            ]
            assert failed == 3
            child.measure = answer(said(2.0))
            assert await values(answers, status) == [2.0]
            assert not child.stopping.is_set()
            answers.close()
            await child.leave()

    asyncio.run(story())


def test_a_child_may_leave_while_it_is_asked_all_the_time(
    runtime: Path, processes: Processes
) -> None:
    """It ends in peace, and the scrapes do too."""

    async def story() -> None:
        async with processes:
            child = await processes.begin("proxy", 0, said(1.0))
            answers, status = Answers(runtime), processes.status()
            scraping = asyncio.gather(*(values(answers, status) for _ in range(50)))
            await asyncio.sleep(0)
            await child.leave()
            await scraping
            answers.close()

    asyncio.run(story())


def test_counts_come_without_what_takes_long(runtime: Path, processes: Processes) -> None:
    """Of the analyzer what it has counted, of the others all; scrapes have all of everybody."""

    async def story() -> None:
        async with processes:
            answers = Answers(runtime)
            proxy = await processes.begin("proxy", 0, said(1.0))
            analyzer = await processes.begin("analyzer", 0, said(2.0, "monitor_drift_score"))
            analyzer.count = lambda: said(3.0, "monitor_records_analyzed_total")
            found = await answers.counts(processes.status())
            assert sorted((one.name, one.value) for one in found if one.value) == [
                ("monitor_connections_open", 1.0), ("monitor_records_analyzed_total", 3.0)]  # fmt: skip
            assert await values(answers, processes.status()) == [1.0, 2.0]
            processes.died(analyzer)
            assert len(await answers.counts(processes.status())) < len(found)
            answers.close()
            await proxy.leave()
            await analyzer.leave()

    asyncio.run(story())


def test_findings_come_from_whoever_has_some(runtime: Path, processes: Processes) -> None:
    """Without an analyzer the document is empty, with one it is the analyzer's."""

    async def story() -> None:
        async with processes:
            answers = Answers(runtime)
            assert await answers.document("findings", processes.status()) == b"{}"
            child = await processes.begin("analyzer", 0, [])
            assert await answers.document("findings", processes.status()) == b"{}"
            child.documents["findings"] = lambda: b'{"verdict": "ok"}'
            assert await answers.document("findings", processes.status()) == b'{"verdict": "ok"}'
            answers.close()
            await child.leave()

    asyncio.run(story())
