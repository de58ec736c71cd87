"""The analyzer's pace: many Records at once, nothing to do for nothing, and a prompt stop."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from monitor.app.analyzer import Analyzer
from monitor.settings.schema import StreamSettings
from monitor.streams.entries import Entry
from monitor.streams.redis import RedisStream
from monitor.supervision.embedded_store import EmbeddedStore
from tests.app.scene import Scene, analyzed, play


def reads_of(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries each of its reads from now on gives."""
    reads: list[int] = []
    read = analyzer._stream.next

    async def counting(*arguments: Any, **options: Any) -> tuple[str, list[Entry]]:
        found = await read(*arguments, **options)
        reads.append(len(found[1]))
        return found

    monkeypatch.setattr(analyzer._stream, "next", counting)
    return reads


def test_it_reads_many_at_once_and_does_not_rest_while_more_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is worked off at once; what trickles in afterwards comes with the next read, and a stop does not
    wait for that."""
    monkeypatch.setattr("monitor.app.analyzer.READ_EVERY", 60.0)

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store, stream=StreamSettings(shards=1))
        scene.stream = RedisStream(store.url, "e")
        await scene.send(0, 600)
        async with scene.analyzer() as analyzer:
            reads = reads_of(analyzer, monkeypatch)
            await analyzed(analyzer, 600)
            caught_up = len(reads)
            for number in range(600, 620):
                await scene.send(number, 1)
            await asyncio.sleep(0.1)
            assert len(reads) == caught_up
            began = time.monotonic()
        assert time.monotonic() - began < 30
        assert sum(reads) == 620
        assert analyzer._analysis.records == 620
        await scene.stream.close()

    play(tmp_path, story)


@pytest.mark.parametrize("shards", [1, 2])
def test_a_stop_does_not_wait_for_a_read(
    tmp_path: Path, shards: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sends anything, and it would wait for a minute."""
    monkeypatch.setattr("monitor.app.analyzer.BLOCK", 60.0)

    async def story(store: EmbeddedStore) -> None:
        scene = Scene(store, stream=StreamSettings(shards=shards))
        async with scene.analyzer():
            await asyncio.sleep(0.2)
            began = time.monotonic()
        assert time.monotonic() - began < 30
        await scene.stream.close()

    play(tmp_path, story)
