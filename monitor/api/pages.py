"""Measurements → the HTTP pages of the admin port, for Prometheus, Kubernetes and people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from fastapi import FastAPI, Request, Response

from monitor.api import feedback, review
from monitor.types import Measurement

Render = Callable[[Iterable[Measurement], str], tuple[bytes, str]]


def application(
    measure: Callable[[], Awaitable[list[Measurement]]],
    findings: Callable[[], Awaitable[bytes]],
    ready: Callable[[], Awaitable[bool]],
    render: Render,
    *,
    take: feedback.Take,
    desk: Callable[[], review.Desk],
    clock: Callable[[], float],
) -> FastAPI:
    """Return the application of the admin pages.

    `take` puts feedback into the store; at the `desk` people read exchanges; `clock`
    gives Unix seconds.
    `ready` returns whether the traffic port accepts; it must not depend on the model or the store.
    """
    app = FastAPI(title="monitor", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        # Large pages take long to render; probes must not wait for them.
        accept = request.headers.get("accept", "")
        body, content_type = await asyncio.to_thread(render, await measure(), accept)
        return Response(body, headers={"content-type": content_type})

    @app.get("/healthz")
    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz")
    async def readyz() -> Response:
        if await ready():
            return Response("ready\n", media_type="text/plain")
        return Response("not ready\n", status_code=503, media_type="text/plain")

    @app.get("/api/drift")
    async def drift() -> Response:
        return Response(await findings(), media_type="application/json")

    feedback.add_to(app, take)
    review.add_to(app, desk, clock)

    @app.get("/")
    async def index() -> Response:
        return Response(
            "monitor\n\n/metrics    Prometheus\n/healthz    the process lives\n"
            "/readyz     the proxy accepts\n/api/drift  what changed, where, since when (JSON)\n"
            "/api/v1/feedback  what became of exchanges (POST)\n"
            "/api/v1/review  exchanges that people are asked about\n",
            media_type="text/plain",
        )

    return app
