"""The review queue on a real Valkey: leases, answers, what many readers do at the same time."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
import redis

from monitor.errors import StreamError
from monitor.review.queue import Item, ReviewQueue
from monitor.streams.notes import READ, Notes

T = TypeVar("T")
KEY = "monitor:{e:0}:records"


def item(name: str, started: float = 0.0, propensity: float = 0.25) -> Item:
    return Item(name, KEY, "1-0", "refusal", propensity, started)


def run(url: str, story: Callable[[ReviewQueue], Awaitable[T]], **options: Any) -> T:
    async def play() -> T:
        queue = ReviewQueue(url, "e", **{"readers": 1, "lease": 900.0, **options})
        try:
            return await story(queue)
        finally:
            await queue.close()

    return asyncio.run(play())


def test_an_item_goes_to_one_reader_at_a_time_the_oldest_first(url: str) -> None:
    """A lease is kept for its reader, and free again when it has ended."""

    async def story(queue: ReviewQueue) -> None:
        assert await queue.add([(item("b", 2), 0.1), (item("a", 1), 0.2)]) == 2
        assert await queue.add([(item("a", 1), 0.2)]) == 0
        first = await queue.next("ann", now=100)
        assert first is not None
        assert (first.item.record, first.propensity, first.until) == ("a", 0.25, 1000)
        again = await queue.next("ann", now=200)
        assert again is not None
        assert (again.item.record, again.until) == ("a", 1100)
        other = await queue.next("ben", now=200)
        assert other is not None
        assert other.item.record == "b"
        assert await queue.next("cem", now=200) is None
        stats = await queue.stats(now=200)
        assert (stats.waiting, stats.leased) == (0, 2)
        late = await queue.next("cem", now=1101)
        assert late is not None
        assert late.item.record == "a"

    run(url, story)


def test_an_answer_counts_once(url: str) -> None:
    """The same again changes nothing; another one by the same reader, or after the last, is told."""

    async def story(queue: ReviewQueue) -> None:
        one = item("a")
        await queue.add([(one, 0.1), (item("b"), 0.1)])
        assert await queue.next("ann", now=0) is not None
        assert await queue.answer(one.record, "ben", "passed", now=1) == "leased"
        assert await queue.answer(one.record, "ann", "failed", now=1) == "taken"
        assert await queue.answer(one.record, "ann", "failed", now=2) == "repeated"
        assert await queue.answer(one.record, "ann", "passed", now=2) == "answered"
        assert await queue.answer(one.record, "ben", "passed", now=2) == "closed"
        assert await queue.answer(item("z").record, "ben", "passed", now=2) == "unknown"
        assert await queue.item("a") is None
        assert await queue.add([(one, 0.1)]) == 0  # an analyzer that starts over
        stats = await queue.stats(now=2)
        assert (stats.passed, stats.failed, stats.waiting) == (0, 1, 1)

    run(url, story)


def test_two_readers_and_a_third_where_they_disagree(url: str) -> None:
    """Nobody reads an item twice; agreement is that of the first two."""

    async def story(queue: ReviewQueue) -> None:
        same, apart = item("same", 1), item("apart", 2)
        await queue.add([(same, 0.1), (apart, 0.1)])
        for reader in ("ann", "ben"):
            assert await queue.answer(same.record, reader, "passed", now=1) == "taken"
        assert await queue.answer(apart.record, "ann", "passed", now=1) == "taken"
        assert await queue.next("ann", now=1) is None
        assert await queue.answer(apart.record, "ben", "failed", now=1) == "taken"
        assert await queue.next("ben", now=1) is None
        third = await queue.next("cem", now=1)
        assert third is not None
        assert third.item.record == "apart"
        assert await queue.answer(apart.record, "cem", "failed", now=1) == "taken"
        assert await queue.next("dan", now=1) is None
        stats = await queue.stats(now=1)
        assert (stats.agreement.pairs, stats.agreement.raw) == (2, 0.5)
        assert (stats.passed, stats.failed, stats.waiting, stats.leased) == (3, 2, 0, 0)

    run(url, story, readers=2)


def test_of_two_readers_some_items_need_the_first_alone(url: str) -> None:
    """It is closed by one answer, and nobody else is offered it; nothing of it is left."""

    async def story(queue: ReviewQueue) -> None:
        once = Item("a", KEY, "1-0", "refusal", 0.25, 0.0, once=True)
        await queue.add([(once, 0.1), (item("b", 1), 0.1)])
        first, second = await queue.next("ann", now=0), await queue.next("ben", now=0)
        assert first is not None
        assert second is not None
        assert (first.item.record, second.item.record) == ("a", "b")
        assert await queue.answer("a", "cem", "passed", now=1) == "leased"
        assert await queue.answer("a", "ann", "failed", now=1) == "taken"
        assert await queue.answer("a", "cem", "passed", now=1) == "closed"
        assert await queue.answer("b", "ben", "failed", now=1) == "taken"
        again = await queue.next("ann", now=1)
        assert again is not None
        assert again.item.record == "b"
        stats = await queue.stats(now=1)
        assert (stats.failed, stats.waiting, stats.leased) == (2, 0, 1)
        assert await queue._client.exists(queue._prefix + "once") == 0

    run(url, story, readers=2)


def test_a_skip_is_a_missing_verdict_and_no_good_one(url: str) -> None:
    """It takes the reader's place; the share of failures is told with both bounds."""

    async def story(queue: ReviewQueue) -> None:
        found = [item(name) for name in "abcd"]
        await queue.add([(one, 0.1) for one in found])
        for one, result in zip(found, ("failed", "passed", "passed", "skipped"), strict=True):
            assert await queue.answer(one.record, "ann", result, now=1) == "taken"  # type: ignore[arg-type]
        stats = await queue.stats(now=1)
        assert (stats.response_rate, stats.least_failed, stats.most_failed) == (0.75, 0.25, 0.5)

    run(url, story)


def test_a_verdict_goes_into_the_feedback_stream_with_its_propensity(url: str) -> None:
    """By the same step as the answer; an answer that does not count says nothing."""

    async def story(queue: ReviewQueue) -> None:
        one = item("a", propensity=0.0625)
        await queue.add([(one, 0.1)])
        document = '{"id":"a","propensity":PROPENSITY}'
        assert await queue.answer(one.record, "ann", "passed", 1, document) == "taken"
        assert await queue.answer(one.record, "ann", "passed", 1, document) == "repeated"

    run(url, story)
    with redis.Redis.from_url(url) as client:
        entries: Any = client.xrange("monitor:{e}:feedback")
    assert [json.loads(fields[b"feedback"]) for _, fields in entries] == [
        {"id": "a", "propensity": 0.0625}
    ]


def test_of_too_many_items_a_sample_with_half_the_probability_stays(url: str) -> None:
    """What is bounded stays a sample with a known probability, and what somebody began stays."""

    async def story(queue: ReviewQueue) -> None:
        ratios = [place / 200 for place in range(200)]
        random.Random(1).shuffle(ratios)
        begun = item("begun", -1)
        await queue.add([(begun, 0.999)])
        assert await queue.next("ann", now=0) is not None
        for place, ratio in enumerate(ratios):
            await queue.add([(item(f"r{place}", place), ratio)])
            stats = await queue.stats(now=1)
            assert stats.waiting + stats.leased <= 100
        assert stats.thinned > 50
        kept = [one for place, one in enumerate(ratios) if await queue.item(f"r{place}")]
        assert max(kept) < 0.25
        assert len([ratio for ratio in ratios if ratio < 0.25]) == len(kept)
        assert await queue.answer(begun.record, "ann", "passed", now=1) == "taken"
        first = await queue.next("ann", now=1)
        assert first is not None
        assert first.propensity == 0.0625  # a quarter of what it was picked with

    run(url, story, most=100)


def test_what_outlived_one_rush_keeps_its_weight_through_a_smaller_one(url: str) -> None:
    """Else it would stand for fewer exchanges than went with it (sum of weights .95 of them)."""

    async def story(queue: ReviewQueue) -> None:
        old = item("old", 1000)
        await queue.add([(old, 0.001)])
        await queue.add([(item(f"a{place}", place), place / 700) for place in range(700)])
        for _ in range(88):
            lease = await queue.next("ann", now=1)
            assert lease is not None
            assert lease.propensity == 0.25 / 8
            await queue.answer(lease.item.record, "ann", "passed", now=1)
        for place in range(4):  # nobody comes any more, and the next ones are taken as picked
            await queue.add([(item(f"b{place}", 2000), 0.9)])
        await queue.add([(item(f"c{place}", 3000 + place), place / 110) for place in range(110)])
        found = {}
        while (lease := await queue.next("ann", now=1)) is not None:
            found[lease.item.record] = lease.propensity
            await queue.answer(lease.item.record, "ann", "passed", now=1)
        assert found["old"] == 0.25 / 8
        assert found["c1"] == 0.25 / 2

    run(url, story, most=100)


def test_a_record_that_is_gone_expires(url: str) -> None:
    """It is offered to nobody any more, and counted."""

    async def story(queue: ReviewQueue) -> None:
        await queue.add([(item("a"), 0.1)])
        assert await queue.next("ann", now=0) is not None
        await queue.expire("a")
        await queue.expire("a")
        assert await queue.next("ann", now=0) is None
        stats = await queue.stats(now=0)
        assert (stats.expired, stats.waiting, stats.leased) == (1, 0, 0)

    run(url, story)


@pytest.mark.parametrize("readers", [1, 2])
def test_many_readers_at_the_same_time_share_the_items(url: str, readers: int) -> None:
    """Whoever comes: each item is answered by as many as it wants, by none twice, and all adds up."""

    async def reader(
        name: str, queue: ReviewQueue, seen: Counter[str], turn: random.Random
    ) -> None:
        mine: set[str] = set()
        idle = 0
        while idle < 3:
            lease = await queue.next(name, now=0)
            if lease is None:
                idle += 1
                await asyncio.sleep(0)
                continue
            assert lease.item.record not in mine
            result = turn.choice(("passed", "failed", "skipped"))
            assert await queue.answer(lease.item.record, name, result, now=0) == "taken"  # type: ignore[arg-type]
            mine.add(lease.item.record)
            seen[lease.item.record] += 1

    async def story(queue: ReviewQueue) -> None:
        names = [f"r{place}" for place in range(60)]
        await queue.add([(item(name, place), 0.1) for place, name in enumerate(names)])
        seen: Counter[str] = Counter()
        turns = random.Random(7)
        await asyncio.gather(*(reader(f"p{who}", queue, seen, turns) for who in range(5)))
        stats = await queue.stats(now=0)
        assert (stats.waiting, stats.leased) == (0, 0)
        assert stats.passed + stats.failed + stats.skipped == seen.total()
        assert set(seen) == set(names)
        assert set(seen.values()) <= ({1} if readers == 1 else {2, 3})

    run(url, story, readers=readers)


def test_a_store_that_is_away_is_one_error(url: str) -> None:
    """Whatever is asked."""

    async def story(queue: ReviewQueue) -> None:
        with pytest.raises(StreamError, match="review queue"):
            await queue.next("ann", now=0)

    run("redis://127.0.0.1:1/0", story)


def test_the_first_verdict_on_an_item_counts_for_the_estimate(url: str) -> None:
    """By the probability with which it was picked; a skip and a second verdict do not."""

    async def story(queue: ReviewQueue) -> None:
        names = {"a": 0.25, "b": 1.0, "c": 0.25}
        for started, (name, propensity) in enumerate(names.items()):
            await queue.add([(item(name, started, propensity), 0.0)])
        for name, reader, result in (
            ("a", "ann", "failed"), ("a", "ben", "passed"), ("b", "ann", "passed"),
            ("c", "ann", "skipped"),
        ):  # fmt: skip
            assert await queue.answer(name, reader, result, 1.0) == "taken"
        found = (await queue.stats(2.0, at_most=0.5)).estimate
        assert found is not None
        assert (found.verdicts, found.failed) == (2, 0.8)
        assert found.log_evidence is not None

    run(url, story, readers=2)


def test_whoever_logs_a_reading_leaves_the_log_as_long(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways to read a Record write into one stream: the shorter of two bounds would hold."""
    bounds: list[Any] = []

    async def call(*command: Any) -> None:
        bounds.append((command[1], command[4]))

    async def xadd(key: str, _: Any, *, maxlen: int, approximate: bool) -> bytes:
        bounds.append((key, maxlen))
        return b""

    async def unasked(*_: Any, **__: Any) -> list[Any]:
        raise AssertionError("it is not asked")

    async def story(queue: ReviewQueue) -> None:
        monkeypatch.setattr(queue._client, "xadd", xadd)
        await queue.log("ann", "r1", 1.0)
        await Notes("e", call, unasked, unasked).log_access("ann", "record", "r1", 1.0)

    run(url, story)
    assert [bound for _, bound in bounds] == [READ] * 2
    assert {key.rpartition(":")[2] for key, _ in bounds} == {"access"}
