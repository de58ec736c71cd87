"""Replay joins what a store and files say to Records, as the analyzer did."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from monitor.analysis.join.predictions import PredictionReader
from monitor.errors import PrivacyError, SourceError
from monitor.feedback import Feedback, Statement
from monitor.replay.joined import filed, joined, stored
from monitor.streams.redis import RedisStream
from monitor.supervision.embedded_store import EmbeddedStore
from tests.analysis.join.exchanges import BEGIN, record


def safe(said: Statement) -> Feedback:
    if said.label == "poison":
        raise PrivacyError("timeout")
    return msgspec.convert(
        {**msgspec.to_builtins(said), "pseudonymized": "k"}, Feedback, strict=False
    )


def statement(**said: Any) -> Statement:
    return msgspec.convert(said, Statement)


def test_files_are_joined_in_the_order_of_their_times() -> None:
    """A later label holds; one without a time came in time; one that is not safe is left out."""
    items = filed([
        statement(id="r1", label="late", at=BEGIN + 50), statement(id="r1", label="early", at=BEGIN),
        statement(id="r2", label="0"), statement(id="r3", label="poison"),
        statement(id="r4", label="x", at=BEGIN + 500),
    ], safe)  # fmt: skip
    records = [record(f"r{number}", number) for number in range(1, 5)]
    rows = joined(records, items, reader=PredictionReader(), wait=100.0)
    assert [row.truth and row.truth.label for row in rows] == ["late", "0", None, None]


def test_a_store_says_what_came_to_it(tmp_path: Path) -> None:
    """Feedback of ours and of others, in the order in which it came; what is none is passed over."""

    async def fill(store: EmbeddedStore) -> str:
        await store.start()
        stream = RedisStream(store.url, "e")
        await stream.append_feedback([
            msgspec.convert({"pseudonymized": "k", "id": f"r{n}", "label": str(n)}, Feedback)
            for n in range(600)
        ])  # fmt: skip
        await stream.close()
        return store.url

    async def play() -> None:
        store = EmbeddedStore(tmp_path / "store", log=lambda _: None)
        url = await fill(store)
        raw = redis.Redis.from_url(url)
        for document in (b'{"id": "x", "rating": 1}', b"{", b'{"id": "x", "label": "poison"}'):
            raw.xadd("monitor:{e}:feedback", {"feedback": document})
        raw.close()
        items = await asyncio.to_thread(lambda: list(stored(url, "e", safe)))
        assert [one.value for one in items] == [*map(str, range(600)), 1.0]
        assert [one.came for one in items] == sorted(one.came or 0.0 for one in items)
        assert await asyncio.to_thread(lambda: list(stored(url, "other", safe))) == []
        await store.stop()

    asyncio.run(play())


def test_a_store_that_is_away_is_one_sentence() -> None:
    """It names the store."""
    with pytest.raises(SourceError, match=r"^redis://127\.0\.0\.1:1.*: the store refused"):
        list(stored("redis://127.0.0.1:1", "e", safe))
