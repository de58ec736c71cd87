"""What no path has answered → one sentence as JSON: 404, 405, and 500 for a defect of ours."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from monitor import logs
from monitor.api.bodies import answer


def add_to(app: FastAPI) -> None:
    """Answer the pages' failures with `{"error": …}`."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        path = logs.plain(request.url.path[:200])
        headers = dict(error.headers or {})
        if error.status_code == 404:
            return answer(404, {"error": f"there is no page {path}"})
        if error.status_code == 405:
            allowed = headers.get("Allow", headers.get("allow", "GET"))
            sentence = f"{path} does not take {request.method[:20]}; use {allowed}"
            return answer(405, {"error": sentence}, allow=allowed)
        return answer(error.status_code, {"error": str(error.detail)})

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        logs.error(f"a page cannot be made ({logs.place(error)})")
        return answer(500, {"error": "this cannot be answered because of a defect; see the log"})
