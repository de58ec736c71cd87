"""GET /api/v1/…: parameters → what a query answers, as JSON, or one sentence that says why not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from monitor.api import access
from monitor.api.bodies import answer
from monitor.queries import QUERIES
from monitor.queries.query import Query, System, ask
from monitor.web import FastAPI, Request, Response

START = "/api/v1/"


def add_to(app: FastAPI, system: Callable[[], System]) -> None:
    """Add a path for each query to the pages."""
    for query in QUERIES:
        app.get(
            # What a request declares may have a slash in it.
            START + query.path.replace("{id}", "{id:path}"),
            operation_id=query.path.replace("/", "_").replace("{", "").replace("}", ""),
            summary=query.words,
            tags=[query.role],
        )(_answering(query, system))


def _answering(query: Query, system: Callable[[], System]) -> Callable[[Request], Any]:
    async def answering(request: Request) -> Response:
        given = [*request.query_params.multi_items(), *request.path_params.items()]
        found = await ask(query, system(), given, access.reader_of(request.scope))
        return _tagged(request, found, is_secret=query.content_of is not None)

    return answering


def _tagged(request: Request, found: Any, *, is_secret: bool) -> Response:
    """The answer with its `ETag`, or 304 where the client has it (RFC 9110, section 13)."""
    if is_secret:
        return answer(200, found, cache_control="no-store")
    body = msgspec.json.encode(found)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    known = request.headers.get("if-none-match", "")
    if tag in (one.strip().removeprefix("W/") for one in known[:1000].split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, "application/json")
