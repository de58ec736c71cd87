"""Why a path has no answer → one sentence as JSON: paths raise, and none catches for itself."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match

from monitor import logs
from monitor.api.bodies import Refused, answer
from monitor.errors import ConfigError, SilentError, SourceError, StreamError, UsageError
from monitor.queries.query import MissingError
from monitor.web import FastAPI, Request, Response

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def add_to(app: FastAPI) -> None:
    """Answer the pages' failures with `{"error": …}`."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        path = logs.plain(request.url.path[:200])
        if error.status_code == 404:
            return answer(404, {"error": f"there is no page {path}"})
        if error.status_code == 405:
            allowed = ", ".join(_allowed(request))
            sentence = f"{path} does not take {request.method[:20]}; use {allowed}"
            return answer(405, {"error": sentence}, allow=allowed)
        return answer(error.status_code, {"error": str(error.detail)})

    @app.exception_handler(Refused)
    async def not_taken(request: Request, error: Refused) -> Response:
        return error.answer

    @app.exception_handler(UsageError)
    async def wrong(request: Request, error: UsageError) -> Response:
        is_ours = isinstance(error, ConfigError | SourceError)
        status = 503 if is_ours else 404 if isinstance(error, MissingError) else 400
        again = {"retry_after": "60"} if is_ours else {}
        return answer(status, {"error": str(error)}, **again)

    @app.exception_handler(StreamError)
    @app.exception_handler(SilentError)
    async def away(request: Request, error: StreamError | SilentError) -> Response:
        return answer(503, {"error": f"{error}; ask again"}, retry_after="5")

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        logs.error(f"a page cannot be made ({logs.place(error)})")
        return answer(500, {"error": "this cannot be answered because of a defect; see the log"})


def _allowed(request: Request) -> list[str]:
    """The methods that a path takes by all routes that it matches (RFC 9110, section 10.2.1)."""
    routes: list[BaseRoute] = request.app.routes
    found = {
        method
        for route in routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    if "GET" in found:
        found.add("HEAD")  # `headers` answers it
    return [method for method in METHODS if method in found]
