"""POST /api/v1/feedback: a body within bounds → what became of its items."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from monitor.api import openapi
from monitor.api.bodies import Refused, answer, body
from monitor.errors import ConfigError, StreamError
from monitor.feedback import FeedbackError, TooManyError
from monitor.web import FastAPI, Request, Response

MAX_BYTES = 8 << 20
"""Bytes of a body."""
AT_ONCE = 4
"""Bodies that are read or worked on at a time."""
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")

Take = Callable[[bytes, bool], Awaitable[Any]]
"""(body, whether it has a document a line) → `accepted` and `rejected`. Raises FeedbackError where
nothing can be read, ConfigError and StreamError where nothing can be taken now."""


def add_to(app: FastAPI, take: Take) -> None:
    """Add the path to the pages; `take` does the work."""
    room = asyncio.Semaphore(AT_ONCE)

    @app.post(
        "/api/v1/feedback",
        status_code=202,
        operation_id="feedback",
        summary="Take what somebody says of exchanges.",
        tags=["feedback"],
        openapi_extra=openapi.FEEDBACK,
    )
    async def feedback(request: Request) -> Response:
        if room.locked():
            sentence = "too much feedback at a time; send it again"
            return answer(503, {"error": sentence}, retry_after="1")
        async with room:
            are_lines = _are_lines(request)
            return await _taken(await body(request, MAX_BYTES), are_lines, take)


async def _taken(data: bytes, are_lines: bool, take: Take) -> Response:
    try:
        return answer(202, await take(data, are_lines))
    except TooManyError as error:
        raise Refused(413, str(error)) from None
    except FeedbackError as error:
        raise Refused(400, str(error)) from None
    except ConfigError as error:
        raise Refused(503, f"feedback cannot be taken here: {error}", retry_after="60") from None
    except StreamError as error:
        more = ", and it may be there already: give each item a `key`" if error.ambiguous else ""
        raise Refused(503, f"{error}; send it again{more}", retry_after="5") from None


def _are_lines(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(415, "send the body without a content encoding")
    if kind not in ("application/json", *LINES):
        raise Refused(415, "the content type is application/json or application/x-ndjson")
    return kind in LINES
