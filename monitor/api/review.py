"""/api/v1/review: an exchange to read, what a reader says of it, and the queue in numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from monitor.api import openapi
from monitor.api.bodies import answer, body
from monitor.errors import UsageError
from monitor.review.desk import REFUSED, Said, Task, said
from monitor.review.queue import Answer, Stats
from monitor.web import FastAPI, Request, Response

MAX_BYTES = 1 << 20
"""Bytes of a body."""


class Desk(Protocol):
    """Where readers sit, as these paths need it (`review.desk`)."""

    async def next(self, reader: str, now: float) -> Task | None:
        """Return what a reader is to judge next; None where nothing waits for them."""

    async def answer(self, item: str, said: Said, now: float) -> Answer:
        """Take what a reader says of an item."""

    async def stats(self, now: float) -> Stats:
        """Return the queue in numbers, and how far readers agree, at Unix time `now`."""


def add_to(app: FastAPI, desk: Callable[[], Desk], clock: Callable[[], float]) -> None:
    """Add the paths to the pages; `clock` gives Unix seconds."""

    @app.get(
        "/api/v1/review",
        operation_id="review",
        summary="The review queue in numbers, and how far readers agree.",
        tags=["review"],
        openapi_extra=openapi.REVIEW,
    )
    async def stats() -> Response:
        return await _stats(desk(), clock())

    @app.get(
        "/api/v1/review/next",
        operation_id="review_next",
        summary="Lease an exchange to judge; 204 where nothing waits.",
        tags=["review"],
        openapi_extra=openapi.REVIEW_NEXT,
    )
    async def following(request: Request) -> Response:
        reviewer = request.query_params.get("reviewer", "")
        return await _next(desk(), reviewer, clock())

    @app.post(
        "/api/v1/review/{item}",
        operation_id="review_item",
        summary="Say what a reader thinks of an item.",
        tags=["review"],
        openapi_extra=openapi.REVIEW_ITEM,
    )
    async def submit(request: Request) -> Response:
        item = request.path_params["item"]
        return await _submit(desk(), item, request, clock)


async def _stats(desk: Desk, now: float) -> Response:
    return answer(200, await desk.stats(now))


async def _next(desk: Desk, reviewer: str, now: float) -> Response:
    task = await desk.next(reviewer, now)
    return Response(status_code=204) if task is None else answer(200, task)


async def _submit(desk: Desk, item: str, request: Request, clock: Callable[[], float]) -> Response:
    found = said(_document(await body(request, MAX_BYTES)))
    done = await desk.answer(item, found, clock())
    if done in REFUSED:
        return answer(404 if done == "unknown" else 409, {"error": REFUSED[done]})
    return answer(200, {"item": item, "result": found.result})


def _document(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UsageError("the body is not JSON") from None
