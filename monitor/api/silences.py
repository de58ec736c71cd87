"""/api/v1/silences: what nobody is told of, in the words of Alertmanager's API v2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec

from monitor.alerting.silences import MATCHERS, Silence, filtered, read
from monitor.api import openapi
from monitor.api.bodies import Refused, answer, body
from monitor.queries import query
from monitor.web import FastAPI, Request, Response

MAX_BYTES = 1 << 16
"""Bytes of a body."""


class Asked(msgspec.Struct, frozen=True):
    """What the list of silences can be asked."""

    filter: Annotated[
        list[query.Text],
        msgspec.Meta(
            max_length=MATCHERS,
            extra={"is": f'at most {MATCHERS} matchers as alertname="MonitorDrift"'},
        ),
    ] = []
    """Names and values that a silence's own matchers must have; repeat it, and all must hold."""


class Book(Protocol):
    """Where silences are kept, as these paths need it (`alerting.store`)."""

    async def silences(self, clock: float) -> list[Silence]:
        """Return all of them but those that ended long before Unix time `clock`."""

    async def silence(self, silence: Silence) -> None:
        """Keep it, in the place of the one with its id."""

    async def expire(self, name: str, clock: float) -> bool:
        """End one now; whether it had not ended."""


def add_to(
    app: FastAPI,
    book: Callable[[], Book],
    *,
    clock: Callable[[], float],
    new_id: Callable[[], str],
) -> None:
    """Add the paths to the pages; `clock` gives Unix seconds, `new_id` a name that nobody has."""

    @app.get(
        "/api/v1/silences",
        operation_id="silences",
        summary="What nobody is told of, now, later and lately.",
        tags=["silences"],
        openapi_extra=openapi.SILENCES,
    )
    async def all_of_them(request: Request) -> Response:
        return await _all(book(), request, clock())

    @app.post(
        "/api/v1/silences",
        operation_id="silence_post",
        summary="Tell nobody of some alerts for a while.",
        tags=["silences"],
        openapi_extra=openapi.SILENCE_POST,
    )
    async def post(request: Request) -> Response:
        return await _post(book(), request, clock(), new_id())

    @app.get(
        "/api/v1/silences/{name}",
        operation_id="silence",
        summary="One silence.",
        tags=["silences"],
        openapi_extra=openapi.SILENCE,
    )
    async def one(request: Request) -> Response:
        return await _one(book(), request.path_params["name"], clock())

    @app.delete(
        "/api/v1/silences/{name}",
        operation_id="silence_delete",
        summary="End a silence now.",
        tags=["silences"],
        openapi_extra=openapi.SILENCE_DELETE,
    )
    async def delete(request: Request) -> Response:
        return await _delete(book(), request.path_params["name"], clock())


async def _all(book: Book, request: Request, clock: float) -> Response:
    asked = query.read(request.query_params.multi_items(), Asked)
    found = filtered(await book.silences(clock), asked.filter)
    return answer(200, [one.shown(clock) for one in found])


async def _one(book: Book, name: str, clock: float) -> Response:
    found = next((one for one in await book.silences(clock) if one.id == name), None)
    return answer(200, found.shown(clock)) if found else _unknown()


async def _post(book: Book, request: Request, clock: float, new_id: str) -> Response:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # what a foreign page's form cannot send
        raise Refused(415, "the content type is application/json")
    data = await body(request, MAX_BYTES)
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    silence = read(document, new_id=new_id, clock=clock)
    if silence.id != new_id and not any(one.id == silence.id for one in await book.silences(clock)):
        return _unknown()
    await book.silence(silence)
    return answer(200, {"silenceID": silence.id})


async def _delete(book: Book, name: str, clock: float) -> Response:
    if not await book.expire(name, clock):
        return _unknown()
    return Response(status_code=200)


def _unknown() -> Response:
    return answer(404, {"error": "there is no silence with this id that has not ended"})
