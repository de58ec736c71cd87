"""A primary, a replica and a sentinel, all real: records follow the primary that the sentinel names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from monitor.analysis.checkpoint import Checkpoint
from monitor.analysis.lease import Lease
from monitor.errors import StreamError
from monitor.streams.redis import RedisStream
from tests.streams.deliveries import assert_each_once, delivering, patiently
from tests.streams.servers import FAILOVERS, FROZEN, GOING_ON, Watched
from tests.streams.test_redis import everything


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    made = Watched(tmp_path_factory.mktemp("watched"))
    yield made
    made.close()


def test_each_record_is_there_once_after_a_primary_was_frozen(
    watched: Watched, tmp_path: Path
) -> None:
    """While records are appended to it, and when it goes on: the replica takes over, what was
    acknowledged is there, and nothing twice. A sentinel that is gone is passed over."""

    async def story() -> None:
        async with delivering(watched.url, tmp_path / "spool") as one:
            lease = Lease(watched.url, "e", "one", clock=asyncio.get_running_loop().time)
            checkpoint = Checkpoint(watched.url, "e", lease=lease, timeout=10.0)
            assert await lease.claim()
            await one.offer(500)
            await one.delivered()
            position, read = await everything(one.stream, "")
            count = len(read)
            for turn in range(FAILOVERS):
                frozen = watched.primary
                for number in range(40):
                    await one.offer(50)
                    await asyncio.sleep(0.01)
                    if number == 10:
                        frozen.signal(FROZEN)
                await one.delivered()
                frozen.signal(GOING_ON)
                await one.offer(50)
                await one.delivered()
                await assert_each_once(one)
                reader = RedisStream(watched.url, "e")
                position, more = await everything(reader, position)
                count += len(more)
                assert count == one.offered
                await reader.close()
                assert one.lines[-1] == "the store is back"
                frozen.kill()  # else its sentinel lets it believe for 8 s that it is the primary
                at = f"{turn + 2}-1"
                await patiently(partial(checkpoint.save, at, {"a": b"2"}))
                assert await patiently(checkpoint.load) == (at, {"a": b"2"})
                if turn + 1 < FAILOVERS:
                    await asyncio.to_thread(frozen.start)
                    await asyncio.to_thread(watched.settled)
            await checkpoint.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("service", "said"),
    [("other/0", "knows a primary of that service"), ("m/99", "does not have that database")],
)
def test_what_the_sentinel_does_not_know_is_said(watched: Watched, service: str, said: str) -> None:
    """A service, or a database."""

    async def story() -> None:
        stream = RedisStream(watched.url.removesuffix("m/0") + service, "e")
        with pytest.raises(StreamError, match=said):
            await stream.ping()
        await stream.close()

    asyncio.run(story())


def test_no_sentinel_answers() -> None:
    """All that were named are gone."""

    async def story() -> None:
        stream = RedisStream("redis+sentinel://127.0.0.1:1,127.0.0.1:2/m/0", "e")
        with pytest.raises(StreamError, match="no sentinel of the store answers"):
            await stream.ping()
        await stream.close()

    asyncio.run(story())
