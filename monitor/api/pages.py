"""Measurements → the HTTP pages of the admin port, for Prometheus, Kubernetes and people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from prometheus_client.exposition import choose_encoder

from monitor.api import feedback, openapi, problems, queries, review, silences
from monitor.api.sharing import Sharing
from monitor.queries.query import System
from monitor.types import Measurement
from monitor.web import FastAPI, Request, Response

SCRAPES = 2
"""Pages of metrics that are made at a time. Prometheus often comes as a pair; who comes in crowds,
or asks again and again and reads nothing, must not keep it waiting."""

Render = Callable[[Iterable[Measurement], str], tuple[bytes, str]]


def application(
    measure: Callable[[], Awaitable[list[Measurement]]],
    findings: Callable[[], Awaitable[bytes]],
    ready: Callable[[], Awaitable[bool]],
    render: Render,
    *,
    version: str,
    take: feedback.Take,
    desk: Callable[[], review.Desk],
    system: Callable[[], System],
    silenced: Callable[[], silences.Book],
    new_id: Callable[[], str],
    clock: Callable[[], float],
) -> FastAPI:
    """Return the application of the admin pages.

    `take` puts feedback into the store; at the `desk` people read exchanges; queries ask the
    `system`; silences are kept in the book that `silenced` gives. `clock` gives Unix seconds,
    `new_id` a name that nobody has.
    `ready` returns whether the traffic port accepts; it must not depend on the model or the store.
    """
    app = FastAPI(
        title="monitor", version=version, docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json", redirect_slashes=False,
    )  # fmt: skip

    async def scraped(accept: str) -> tuple[bytes, str]:
        # Large pages take long to render; probes must not wait for them.
        return await asyncio.to_thread(render, await measure(), accept)

    scrapes = Sharing(scraped, SCRAPES)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        # There are few forms, and a client may ask for one in any number of ways.
        _, form = choose_encoder(request.headers.get("accept", ""))
        body, content_type = await scrapes.of(form)
        return Response(body, headers={"content-type": content_type})

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        if await ready():
            return Response("ready\n", media_type="text/plain")
        return Response("not ready\n", status_code=503, media_type="text/plain")

    @app.get("/api/drift", include_in_schema=False)
    async def drift() -> Response:
        return Response(await findings(), media_type="application/json")

    feedback.add_to(app, take)
    review.add_to(app, desk, clock)
    silences.add_to(app, silenced, clock=clock, new_id=new_id)
    queries.add_to(app, system)
    openapi.add_to(app, queries.START)
    problems.add_to(app)

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return Response(
            "monitor\n\n/metrics    Prometheus\n/healthz    the process lives\n"
            "/readyz     the proxy accepts\n/api/drift  what changed, where, since when (JSON)\n"
            "/api/v1/feedback  what became of exchanges (POST)\n"
            "/api/v1/review  exchanges that people are asked about\n"
            "/api/v1/silences  alerts that nobody is told of\n"
            "/console/  the same for people\n"
            "/api/v1/openapi.json  the paths below /api/v1, described\n",
            media_type="text/plain",
        )

    return app
