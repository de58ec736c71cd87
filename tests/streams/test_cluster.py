"""A Redis Cluster of real servers: records go where their slots are, also while those move, and each
once, whatever becomes of a node."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from monitor.alerting.store import AlertStore
from monitor.analysis.checkpoint import Checkpoint
from monitor.analysis.lease import Lease
from monitor.review.queue import Item, ReviewQueue
from monitor.streams.entries import Entry
from monitor.streams.redis import RedisStream
from tests.streams.deliveries import assert_each_once, delivering, patiently
from tests.streams.servers import FAILOVERS, Cluster, Server
from tests.streams.test_feedback import item as feedback
from tests.streams.test_redis import everything, record

SHARDS = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"), 3)
    yield made
    made.close()


@pytest.fixture
def url(cluster: Cluster) -> str:
    """That of a replica; all keys are gone."""
    for one in cluster.servers:
        if one.ask("ROLE")[0] == b"master":
            one.ask("FLUSHALL")
    return cluster.urls[-1]


def other(cluster: Cluster, than: Server) -> Server:
    """A primary that is another one."""
    return next(
        one for one in cluster.servers if one is not than and one.ask("ROLE")[0] == b"master"
    )


@pytest.mark.parametrize("may_see_the_map", [True, False])
def test_records_go_to_the_nodes_of_their_slots(
    cluster: Cluster, url: str, may_see_the_map: bool
) -> None:
    """Whichever node was named; in order; also for who may not ask for the map, and is told by each
    node where to go instead."""
    if not may_see_the_map:
        for one in cluster.servers:
            one.ask("ACL", "SETUSER", "u", "on", ">p", "~monitor:*", "+@all", "-cluster")
        url = url.replace("//", "//u:p@")

    async def story() -> None:
        stream = RedisStream(url, "e", shards=SHARDS)
        names = [f"r{number:02}" for number in range(60)]
        await stream.ping()
        await stream.append([record(name) for name in names])
        await stream.append_feedback([feedback("a"), feedback("b")])
        position, read = await everything(stream, "")
        assert sorted(read) == names
        assert stream.behind == 0
        assert (await stream.next(position, block=0.01))[1] == []
        assert len((await stream.next_feedback(block=0.01))[1]) == 2
        assert await stream.ids_since(0.0) == set(names)
        assert await stream.notes.endpoints() == {"e"}
        assert sorted([one.id async for _, one in stream.history.read()]) == names
        assert len({cluster.holder(key).port for key in stream.keys}) > 1
        await stream.close()

    asyncio.run(story())


def test_what_is_kept_by_endpoint_finds_its_node(cluster: Cluster, url: str) -> None:
    """The lease and the checkpoint, silences, the queue for people and the records in it: they are
    in other slots than each other's."""

    async def story() -> None:
        stream = RedisStream(url, "e", shards=SHARDS)
        await stream.append([record(f"r{number}") for number in range(8)])
        position, entries = "", list[Entry]()
        while len(entries) < 8:
            position, some = await stream.next(position, block=0.01)
            entries += some
        lease = Lease(url, "e", "one", clock=asyncio.get_running_loop().time)
        checkpoint = Checkpoint(url, "e", lease=lease)
        alerts = AlertStore(url, "e")
        queue = ReviewQueue(url, "e", readers=1, lease=9.0)
        assert await lease.claim()
        await checkpoint.save("1-1", {"a": b"1"})
        assert await checkpoint.load() == ("1-1", {"a": b"1"})
        await alerts.save("n", b"{}")
        assert await alerts.silences(0.0) == []
        for number, entry in enumerate(entries):
            item = Item(f"i{number}", entry.key, entry.id, "refusal", 0.5, 0.0)
            assert await queue.add([(item, 0.1)]) == 1
            assert await queue.record(item) == entry.record()
        assert await queue.next("ann", 1.0) is not None
        assert (await queue.stats(1.0)).waiting == 7
        # Their slot moves: a node that has just lost it says so, and nothing is lost.
        holder = cluster.holder("monitor:{e}:analysis")
        cluster.move("monitor:{e}:analysis", other(cluster, holder))
        await checkpoint.save("2-1", {"a": b"2"})
        assert await checkpoint.load() == ("2-1", {"a": b"2"})
        assert await alerts.silences(0.0) == []
        assert await queue.next("ann", 2.0) is not None
        await lease.release()
        for one in (stream, checkpoint, alerts, queue):
            await one.close()

    asyncio.run(story())


def test_records_follow_a_slot_that_moves(cluster: Cluster, url: str, tmp_path: Path) -> None:
    """Also between the two, when the old node has it no more and the new one does not own it yet;
    each once, and a reader goes on where it was."""

    async def story() -> None:
        async with delivering(url, tmp_path / "spool", SHARDS) as one:
            for _ in range(3):
                await one.offer(200)
                await one.delivered()
                reader = RedisStream(url, "e", shards=SHARDS)
                position, read = await everything(reader, "")
                key = one.stream.keys[0]
                target = other(cluster, cluster.holder(key))
                begun = asyncio.Event()

                async def offer(begun: asyncio.Event = begun) -> None:
                    begun.set()
                    for _ in range(20):
                        await one.offer(20)
                        await asyncio.sleep(0.005)

                offering = asyncio.ensure_future(offer())
                await begun.wait()
                loop = asyncio.get_running_loop()

                def wait(loop: asyncio.AbstractEventLoop = loop) -> None:
                    """Until all of them are there, while both nodes have a part of the slot."""
                    asyncio.run_coroutine_threadsafe(settled(), loop).result(60)

                async def settled(offering: asyncio.Future[None] = offering) -> None:
                    await offering
                    await one.offer(20)
                    await one.delivered()
                    await one.stream.append_feedback([feedback("a")])

                await asyncio.to_thread(cluster.move, key, target, at_ask=wait)
                await one.offer(20)
                await one.delivered()
                _, more = await everything(reader, position)
                assert len(read) + len(more) == one.offered
                await reader.close()
            await assert_each_once(one)
            assert one.lines == []

    asyncio.run(story())


def test_each_record_is_there_once_after_a_node_was_killed(
    cluster: Cluster, url: str, tmp_path: Path
) -> None:
    """While records are appended to it: its replica takes over, nothing that was acknowledged is
    gone, nothing is there twice, and a reader, the lease and the checkpoint go on."""

    async def story() -> None:
        async with delivering(url, tmp_path / "spool", SHARDS) as one:
            lease = Lease(url, "e", "one", clock=asyncio.get_running_loop().time)
            checkpoint = Checkpoint(url, "e", lease=lease)
            assert await lease.claim()
            await checkpoint.save("1-1", {"a": b"1"})
            await one.offer(500)
            await one.delivered()
            position, read = await everything(one.stream, "")
            count = len(read)
            for turn in range(FAILOVERS):
                # The node that the URL names stays: somebody has to tell who takes over.
                keys = (one.stream.keys[(turn + each) % SHARDS] for each in range(SHARDS))
                holders = map(cluster.holder, keys)
                killed = next(each for each in holders if each is not cluster.servers[-1])
                for number in range(40):
                    await one.offer(50)
                    await asyncio.sleep(0.01)
                    if number == 10:
                        killed.kill()
                await one.delivered()
                reader = RedisStream(url, "e", shards=SHARDS)
                position, more = await everything(reader, position)
                count += len(more)
                assert count == one.offered
                await reader.close()
                await assert_each_once(one)
                assert one.lines[-1] == "the store is back"
                at = f"{turn + 2}-1"
                await patiently(partial(checkpoint.save, at, {"a": b"2"}))
                assert await patiently(checkpoint.load) == (at, {"a": b"2"})
                await asyncio.to_thread(killed.start)
                await asyncio.to_thread(cluster.settled)
            await checkpoint.close()

    asyncio.run(story())
