"""The admission webhook's HTTP: whatever is posted to `/mutate` is answered, and allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from monitor.api import bodies
from monitor.api.pages import Render
from monitor.types import Measurement
from monitor.web import FastAPI, Request, Response

MOST = 8 * 2**20
"""Bytes of a review that are read. An API server takes objects of 3 MiB, and none is so large."""


def webhook(mutate: Callable[[bytes | None], Awaitable[bytes]], version: str) -> FastAPI:
    """Return the application of the port that API servers call.

    `mutate` gets the body of a review, None where it is too long or does not come, and returns the
    answer. It must not raise: anything but an answer could keep a Pod from starting.
    """
    app = _plain(version)

    @app.post("/mutate")
    async def answer(request: Request) -> Response:
        try:
            body = await bodies.body(request, MOST)
        except bodies.Refused as refused:
            headers = {"connection": refused.answer.headers.get("connection", "keep-alive")}
            said = await mutate(None)
            return Response(said, media_type="application/json", headers=headers)
        return Response(await mutate(body), media_type="application/json")

    _add_probes(app)
    return app


def admin(measure: Callable[[], list[Measurement]], render: Render, version: str) -> FastAPI:
    """Return the application of the admin port: probes and metrics."""
    app = _plain(version)

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        body, kind = render(measure(), request.headers.get("accept", ""))
        return Response(body, headers={"content-type": kind})

    _add_probes(app)
    return app


def _plain(version: str) -> FastAPI:
    return FastAPI(
        title="monitor injector", version=version, docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False,
    )  # fmt: skip


def _add_probes(app: FastAPI) -> None:
    @app.get("/healthz")
    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz")
    async def readyz() -> Response:
        return Response("ready\n", media_type="text/plain")
