"""No task ends unseen, and a keeper goes on."""

from __future__ import annotations

import asyncio

import pytest

from monitor import tasks


async def fail() -> None:
    raise KeyError("a value of the traffic")


def test_the_end_of_a_task_is_told_without_what_it_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Type and place; nothing when it was cancelled or went well."""

    async def story() -> None:
        task = tasks.own(fail(), "the trimmer")
        await asyncio.wait({task})
        well = tasks.own(asyncio.sleep(0), "a nap")
        over = tasks.own(asyncio.sleep(60), "a long nap")
        await well
        over.cancel()
        await asyncio.wait({over})

    asyncio.run(story())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("the trimmer ended for good: KeyError at test_tasks.py:")
    assert "traffic" not in line


def test_a_keeper_goes_on_whatever_happens_and_says_it_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With pauses that grow, and anew once it has worked."""
    pauses: list[float] = []
    nap = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await nap(0)

    turns = iter([fail, fail, fail, lambda: nap(0), fail])
    done = asyncio.Event()

    async def work() -> None:
        turn = next(turns, None)
        if turn is None:
            done.set()
            await nap(60)
        else:
            await turn()

    async def story() -> None:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        keeper = tasks.own(tasks.forever(work, "the keeper"), "the keeper")
        async with asyncio.timeout(30):
            await done.wait()
        keeper.cancel()

    asyncio.run(story())
    assert pauses == [0.1, 0.2, 0.4, 0.1]
    assert len(caplog.records) == 2
