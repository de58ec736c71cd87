"""POST /api/v1/feedback: a body within bounds → what became of its items."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect

from monitor.errors import ConfigError, StreamError
from monitor.feedback import FeedbackError, TooManyError

MAX_BYTES = 8 << 20
"""Bytes of a body."""
AT_ONCE = 4
"""Bodies that are read or worked on at a time."""
PATIENCE = 30.0
"""Seconds in which a body must have come."""

LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")

Take = Callable[[bytes, bool], Awaitable[Any]]
"""(body, whether it has a document a line) → `accepted` and `rejected`. Raises FeedbackError where
nothing can be read, ConfigError and StreamError where nothing can be taken now."""


class _Refused(Exception):  # noqa: N818
    """How a request is answered that is not taken."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.answer = _answer(status, {"error": sentence}, **headers)


def add_to(app: FastAPI, take: Take) -> None:
    """Add the path to the pages; `take` does the work."""
    room = asyncio.Semaphore(AT_ONCE)

    @app.post("/api/v1/feedback")
    async def feedback(request: Request) -> Response:
        if room.locked():
            sentence = "too much feedback at a time; send it again"
            return _answer(503, {"error": sentence}, retry_after="1")
        async with room:
            try:
                are_lines = _are_lines(request)
                return await _taken(await _body(request), are_lines, take)
            except _Refused as refused:
                return refused.answer
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it


async def _taken(body: bytes, are_lines: bool, take: Take) -> Response:
    try:
        return _answer(202, await take(body, are_lines))
    except TooManyError as error:
        raise _Refused(413, str(error)) from None
    except FeedbackError as error:
        raise _Refused(400, str(error)) from None
    except ConfigError as error:
        raise _Refused(503, f"feedback cannot be taken here: {error}", retry_after="60") from None
    except StreamError as error:
        more = ", and it may be there already: give each item a `key`" if error.ambiguous else ""
        raise _Refused(503, f"{error}; send it again{more}", retry_after="5") from None


def _are_lines(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _Refused(415, "send the body without a content encoding")
    if kind not in ("application/json", *LINES):
        raise _Refused(415, "the content type is application/json or application/x-ndjson")
    return kind in LINES


async def _body(request: Request) -> bytes:
    """Return the body; what is too long is not read to its end."""
    too_long = _Refused(413, f"send at most {MAX_BYTES:,} bytes in a request", connection="close")
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told[:20]) > MAX_BYTES:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise too_long
    except TimeoutError:
        raise _Refused(
            408, f"the body did not come within {PATIENCE:g} s", connection="close"
        ) from None
    return bytes(body)


def _answer(status: int, document: Any, **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(msgspec.json.encode(document), status, fields, "application/json")
