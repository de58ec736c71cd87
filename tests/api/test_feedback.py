"""The path of feedback, without a store behind it: which status, and how long anything may take."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from monitor.api import access, feedback, problems
from monitor.errors import ConfigError, StreamError
from monitor.feedback import FeedbackError, TooManyError
from monitor.web import FastAPI

ITEM = {"id": "a", "label": "1"}
TAKEN = {"accepted": 1, "rejected": []}


def pages(take: feedback.Take) -> httpx.AsyncClient:
    app = FastAPI()
    problems.add_to(app)
    feedback.add_to(app, take)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1")


async def post(client: httpx.AsyncClient, kind: str = "application/json") -> httpx.Response:
    content = json.dumps(ITEM).encode()
    return await client.post("/api/v1/feedback", content=content, headers={"content-type": kind})


def answered(take: feedback.Take, kind: str = "application/json") -> httpx.Response:
    async def play() -> httpx.Response:
        async with pages(take) as client:
            return await post(client, kind)

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("kind", "are_lines"),
    [
        ("application/json", False),
        ("Application/JSON; charset=utf-8", False),
        ("application/x-ndjson", True),
        ("application/jsonl", True),
    ],
)
def test_the_type_says_how_a_body_is_read(kind: str, are_lines: bool) -> None:
    """As one document, or a document a line."""
    seen: list[Any] = []

    async def take(body: bytes, are_lines: bool) -> Any:
        seen.append((json.loads(body), are_lines))
        return TAKEN

    answer = answered(take, kind)
    assert (answer.status_code, answer.json()) == (202, TAKEN)
    assert seen == [(ITEM, are_lines)]


@pytest.mark.parametrize(
    ("error", "status", "wait", "sentence"),
    [
        (FeedbackError("the body is empty"), 400, None, "the body is empty"),
        (TooManyError("send fewer"), 413, None, "send fewer"),
        (ConfigError("x: y"), 503, "60", "feedback cannot be taken here: x: y"),
        (StreamError("it is away"), 503, "5", "it is away; send it again"),
        (
            StreamError("it hangs", ambiguous=True), 503, "5",
            "it hangs; send it again, and it may be there already: give each item a `key`",
        ),
    ],
)  # fmt: skip
def test_each_failure_has_its_status(
    error: Exception, status: int, wait: str | None, sentence: str
) -> None:
    """With a sentence, and where waiting helps with when to come again."""

    async def take(body: bytes, are_lines: bool) -> Any:
        raise error

    answer = answered(take)
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert answer.headers.get("retry-after") == wait


def test_bodies_at_a_time_are_bounded() -> None:
    """One too many is told to come again."""

    async def play() -> list[int]:
        go, began = asyncio.Event(), 0

        async def take(body: bytes, are_lines: bool) -> Any:
            nonlocal began
            began += 1
            await go.wait()
            return TAKEN

        async with pages(take) as client:
            waiting = [asyncio.ensure_future(post(client)) for _ in range(feedback.AT_ONCE)]
            while began < feedback.AT_ONCE:
                await asyncio.sleep(0)
            refused = await post(client)
            assert refused.headers["retry-after"] == "1"
            go.set()
            answers = await asyncio.gather(*waiting)
            return [one.status_code for one in (refused, *answers)]

    assert asyncio.run(play()) == [503, *[202] * feedback.AT_ONCE]


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """408, and the connection ends."""
    monkeypatch.setattr(access, "BODY_PATIENCE", 0.05)
    app = FastAPI()
    problems.add_to(app)
    feedback.add_to(app, lambda body, are_lines: None)  # type: ignore[arg-type, return-value]
    said: list[Any] = []

    async def receive() -> Any:
        if not said:
            await asyncio.sleep(60)

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/feedback", "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert said[0]["status"] == 408
    assert (b"connection", b"close") in said[0]["headers"]
