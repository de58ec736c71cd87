"""The stream of Feedback, on a real Valkey: all of a request or nothing of it, in order, bounded."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from monitor.errors import StreamError
from monitor.feedback import Feedback, Statement
from monitor.streams.redis import RedisStream
from tests.streams.test_redis import record, run

KEY = "monitor:{e}:feedback"


def item(label: str) -> Feedback:
    return Feedback(id="a", label=label, pseudonymized="k1")


def test_entries_are_as_the_contract_says(url: str) -> None:
    """Key with a hash tag, fields `v` and `feedback`, in order; read back page by page."""

    async def story(stream: RedisStream) -> list[Statement | None]:
        await stream.append([record("a")])
        await stream.append_feedback([item(str(number)) for number in range(300)])
        position, found = "", []
        while True:
            position, entries = await stream.next_feedback(position, block=0.01)
            if not entries:
                return found
            found += [entry.feedback() for entry in entries]

    assert run(url, story) == [item(str(number)) for number in range(300)]
    with redis.Redis.from_url(url) as client:
        entries: Any = client.xrange(KEY, count=1)
    assert entries[0][1] == {
        b"v": b"1",
        b"feedback": b'{"id":"a","label":"0","pseudonymized":"k1"}',
    }


def test_what_others_wrote_is_told_apart(url: str) -> None:
    """An item of somebody who pseudonymized nothing is no Feedback, and rubbish is nothing."""
    with redis.Redis.from_url(url) as client:
        for fields in ({"feedback": '{"id": "a", "label": "1"}'}, {"feedback": "{"}, {"x": "y"}):
            client.xadd(KEY, {"v": "1", **fields})
        client.xadd(KEY, {"v": "2", "feedback": '{"id": "a", "label": "1"}'})

    async def story(stream: RedisStream) -> list[Statement | None]:
        _, entries = await stream.next_feedback(block=0.01)
        return [entry.feedback() for entry in entries]

    assert run(url, story) == [Statement(id="a", label="1"), None, None, None]


def test_the_stream_has_a_bound(url: str) -> None:
    """About as many entries as it may have, and no more."""

    async def story(stream: RedisStream) -> None:
        for _ in range(10):
            await stream.append_feedback([item("1")] * 100)

    run(url, story, max_length=100)
    with redis.Redis.from_url(url) as client:
        assert client.xlen(KEY) < 300


@pytest.mark.parametrize("trouble", ["kind", "memory"])
def test_a_refused_request_leaves_nothing(url: str, trouble: str) -> None:
    """The store refuses: none of the items is in the stream."""
    with redis.Redis.from_url(url) as client:
        if trouble == "kind":
            client.set(KEY, "a text")
        else:
            client.config_set("maxmemory", 1)

        async def story(stream: RedisStream) -> None:
            await stream.append_feedback([item("1")] * 10)

        with pytest.raises(StreamError, match=r"something else than a stream|out of memory"):
            run(url, story)
        client.config_set("maxmemory", 0)
        assert trouble == "kind" or not client.exists(KEY)


def test_no_store_is_an_error_in_words() -> None:
    """Nothing was sent, so nothing is ambiguous."""

    async def story(stream: RedisStream) -> None:
        await stream.append_feedback([item("1")])

    with pytest.raises(StreamError, match="refused the connection") as caught:
        run("redis://127.0.0.1:1", story)
    assert not caught.value.ambiguous
