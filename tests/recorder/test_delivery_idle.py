"""Delivery without traffic: it knows, and says, whether the store is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from monitor.recorder import delivery as module
from monitor.recorder.spool import Spool
from tests.recorder.test_delivery import FakeStore, Ledger, delivery_of, item


def test_the_store_is_asked_at_the_start(tmp_path: Path) -> None:
    """And not only `ASK_EVERY` later: a store that is away was up for so long."""
    store = FakeStore()
    store.plan = ["away"] * 100

    async def story() -> None:
        delivery = delivery_of(store, Spool(tmp_path, 1 << 20), Ledger(), lambda *_: None)
        await delivery.survey()
        running = asyncio.ensure_future(delivery.run())
        async with asyncio.timeout(module.ASK_EVERY - 1):
            while delivery.is_up:
                await asyncio.sleep(0)
        store.plan = []
        await delivery.close()
        await running

    asyncio.run(story())


def test_without_traffic_the_store_is_asked_whether_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that `is_up` is of now, when it goes and when it comes back; each is told once."""
    for pause in ("ASK_EVERY", "FIRST_PAUSE", "LONGEST_PAUSE", "LINGER"):
        monkeypatch.setattr(module, pause, 0.001)
    lines: list[str] = []
    store = FakeStore()

    async def story() -> None:
        delivery = delivery_of(
            store, Spool(tmp_path, 1 << 20), Ledger(), lambda _, line: lines.append(line)
        )
        await delivery.survey()
        running = asyncio.ensure_future(delivery.run())
        async with asyncio.timeout(60):
            for _ in range(2):
                store.plan = ["away"] * 100
                while delivery.is_up:
                    await asyncio.sleep(0)
                store.plan = []
                while not delivery.is_up:
                    await asyncio.sleep(0)
            delivery.offer(item("a"))
            while not store.ids:
                await asyncio.sleep(0)
            await delivery.close()
            await running

    asyncio.run(story())
    assert [line.partition("(")[0].strip() for line in lines] == [
        "the store is away",
        "the store is back",
    ] * 2
    assert store.ids == ["a"]
