"""Waiting for the store: why is said once, and so is that it is over."""

from __future__ import annotations

import asyncio

import pytest

from monitor.analyzer import patience as module
from monitor.analyzer.patience import Patience
from monitor.errors import StreamError


def test_work_is_done_again_until_the_store_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each reason is said once, and connections are closed once for each."""
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    caplog.set_level("INFO")
    reasons = ["XREAD: it is away", "PING: it is away", "PING: it is loading", ""]
    closed: list[int] = []
    was_away: list[bool] = []

    async def story() -> bool:
        async def hang_up() -> None:
            closed.append(len(reasons))

        patience = Patience("redis://h", asyncio.Event(), hang_up, clock=lambda: 0.0)

        async def work() -> None:
            was_away.append(patience.is_away)
            if reason := reasons.pop(0):
                raise StreamError(reason)

        return await patience.until(work) and not patience.is_away

    assert asyncio.run(story())
    assert was_away == [False, True, True, True]
    assert closed == [3, 1]
    assert [line.partition("redis://h")[2] for line in caplog.messages] == [
        ": XREAD: it is away; nothing is analyzed until it is back",
        ": PING: it is loading; nothing is analyzed until it is back",
        " is back; the analyzer goes on",
    ]


def test_a_store_that_starts_at_the_same_time_is_not_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither that it is away nor that it is back, until some seconds are over, however long an
    attempt takes: one to an address that nobody answers takes five."""
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    caplog.set_level("INFO")

    times = [0.0]

    async def story(quiet: float) -> bool:
        async def hang_up() -> None:
            return

        patience = Patience(
            "redis://h", asyncio.Event(), hang_up, clock=lambda: times[0], quiet=quiet
        )
        tries = iter((StreamError("it is away"), StreamError("it is away"), None))

        async def work() -> None:
            times[0] += 5.0
            if error := next(tries):
                raise error

        return await patience.until(work) and not patience.is_away

    assert asyncio.run(story(11.0))
    assert not caplog.messages
    assert asyncio.run(story(6.0))
    assert len(caplog.messages) == 2


def test_who_is_told_to_stop_waits_no_longer() -> None:
    """Neither for the store nor for anything else; what needs the store is not done then."""

    async def story() -> tuple[bool, bool]:
        stopping = asyncio.Event()

        async def hang_up() -> None:
            stopping.set()

        patience = Patience("redis://h", stopping, hang_up, clock=lambda: 0.0)

        async def work() -> None:
            raise StreamError("it is away")

        async with asyncio.timeout(20):
            waited = await patience.until(work)
            await patience.rest(60)
            return waited, await patience.until(work)

    assert asyncio.run(story()) == (False, False)
