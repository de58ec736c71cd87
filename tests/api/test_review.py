"""The paths of review: which status, and which sentence."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from monitor.api import problems, review
from monitor.errors import ConfigError, StreamError, UsageError
from monitor.review.agreement import agreement
from monitor.review.desk import Said, Task
from monitor.review.queue import Answer, Stats
from monitor.web import FastAPI

STATS = Stats(3, 1, 2, 1, 1, 0, 0, 0.75, 0.25, 0.5, agreement(1, 0, 1, 0))
TASK = Task("a", {"id": "a"}, "refusal", 0.125, 1000.0)


class Desk:
    """What it is told to say or raise."""

    def __init__(self, said: Any) -> None:
        self.said = said
        self.heard: list[Any] = []

    async def next(self, reader: str, now: float) -> Task | None:
        return self._told(reader, now)  # type: ignore[no-any-return]

    async def answer(self, item: str, said: Said, now: float) -> Answer:
        return self._told(item, said, now)  # type: ignore[no-any-return]

    async def stats(self, now: float) -> Stats:
        return self._told(now)  # type: ignore[no-any-return]

    def _told(self, *heard: Any) -> Any:
        self.heard.append(heard)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def asked(said: Any, method: str, path: str, **more: Any) -> tuple[httpx.Response, Desk]:
    desk = Desk(said)
    app = FastAPI()
    problems.add_to(app)
    review.add_to(app, lambda: desk, lambda: 100.0)

    async def play() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **more)

    return asyncio.run(play()), desk


def test_the_next_item_is_the_one_that_the_desk_gives() -> None:
    """As the contract has it; 204 without one."""
    answer, desk = asked(TASK, "GET", "/api/v1/review/next?reviewer=ann")
    assert answer.status_code == 200
    assert answer.json() == {
        "item": "a", "record": {"id": "a"}, "reason": "refusal", "propensity": 0.125,
        "until": 1000.0,
    }  # fmt: skip
    assert desk.heard == [("ann", 100.0)]
    answer, _ = asked(None, "GET", "/api/v1/review/next?reviewer=ann")
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_queue_in_numbers() -> None:
    """With the agreement of readers."""
    answer, _ = asked(STATS, "GET", "/api/v1/review")
    assert answer.json()["waiting"] == 3
    assert answer.json()["agreement"]["raw"] == 0.5


@pytest.mark.parametrize(
    ("done", "status"),
    [
        ("taken", 200),
        ("repeated", 200),
        ("answered", 409),
        ("leased", 409),
        ("closed", 409),
        ("unknown", 404),
    ],
)
def test_an_answer_has_a_status(done: Answer, status: int) -> None:
    """Where it does not count, a sentence says why."""
    said = {"reviewer": "ann", "passed": True}
    answer, desk = asked(done, "POST", "/api/v1/review/a", json=said)
    assert answer.status_code == status
    assert desk.heard == [("a", Said("ann", passed=True), 100.0)]
    assert ("error" in answer.json()) == (status != 200)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"[]", "the body is not an object with the keys reviewer, passed"),
        (b"null", "the body is not an object"),
        (b'{"reviewer": "ann"}', "say either"),
        (b'{"reviewer": "ann", "passed": 1}', "passed: is not true or false"),
    ],
)
def test_what_cannot_be_read_is_400_with_a_sentence(content: bytes, sentence: str) -> None:
    """The desk hears nothing of it."""
    answer, desk = asked("taken", "POST", "/api/v1/review/a", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)
    assert desk.heard == []


def test_a_body_without_end_is_not_read() -> None:
    """413 from its length on."""
    answer, _ = asked("taken", "POST", "/api/v1/review/a", content=b"x" * (2 << 20))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("reviewer: is not a name"), 400),
        (ConfigError("privacy.key_file: is missing"), 503),
        (StreamError("the store is away"), 503),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/review", "/api/v1/review/next"])
def test_what_the_desk_cannot_do_has_a_status(error: Exception, status: int, path: str) -> None:
    """Never a 500."""
    answer, _ = asked(error, "GET", path)
    assert answer.status_code == status
    assert str(error) in answer.json()["error"]
    assert ("retry-after" in answer.headers) == (status == 503)
