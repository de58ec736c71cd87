"""What people send from the console: a token to sign in with, and their verdict of an exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import parse_qs

from monitor.errors import ConfigError, StreamError, UsageError
from monitor.findings import Quality
from monitor.review.desk import REFUSED, Said, Task, said
from monitor.review.queue import Answer, Stats
from monitor.web import FastAPI, Request, Response

COOKIE = "monitor_token"
"""The cookie that the guard reads (`api.access`)."""
MAX_BYTES = 64 << 10
"""Bytes of a form."""
WEEK = 7 * 24 * 3600

SignsIn = Callable[[str], bool]
Body = Callable[[Request, int], Awaitable[bytes]]
"""(request, most bytes) → its body, within its time; raises what the pages answer themselves."""


class Desk(Protocol):
    """Where readers sit, as the console needs it (`review.desk`)."""

    async def next(self, reader: str, now: float) -> Task | None:
        """Return what a reader is to judge next; None where nothing waits for them."""

    async def answer(self, item: str, said: Said, now: float) -> Answer:
        """Take what a reader says of an item."""

    async def stats(self, now: float) -> Stats:
        """Return the queue in numbers, and how far readers agree, at Unix time `now`."""


Desks = Callable[[], Desk]
Rendered = Callable[..., Response]


def add_to(
    app: FastAPI,
    rendered: Rendered,
    *,
    reader_of: Callable[[Request], str],
    signs_in: SignsIn | None,
    body: Body,
    desk: Desks,
    agreement: Callable[[], Awaitable[list[Quality]]],
    clock: Callable[[], float],
) -> None:
    """Add the pages with forms, which `body` reads; `agreement` says how far readers agree. Whether
    a form comes from the console itself is looked at before (`api.access`)."""

    @app.get("/console/sign-in", include_in_schema=False)
    async def signing_in(request: Request) -> Response:
        role = request.query_params.get("role", "")
        asked = {"to": inside(request.query_params.get("to", ""))}
        return rendered(request, "sign_in.html", asked=asked, wrong="", role=role[:20])

    @app.post("/console/sign-in", include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        form = _fields(await body(request, MAX_BYTES))
        token = form.get("token", "").strip()
        if signs_in is None or not (token.isascii() and token.isprintable() and signs_in(token)):
            wrong = "This token is not known here."
            return rendered(
                request, "sign_in.html", 403, asked={"to": form.get("to", "")}, wrong=wrong, role=""
            )
        answer = Response(status_code=303, headers={"location": inside(form.get("to", ""))})
        answer.set_cookie(
            COOKIE, token, max_age=WEEK, path="/console", httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    @app.post("/console/sign-out", include_in_schema=False)
    async def sign_out(request: Request) -> Response:
        answer = Response(status_code=303, headers={"location": "/console/sign-in"})
        answer.delete_cookie(
            COOKIE, path="/console", httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    async def reading(request: Request, told: str = "", status: int = 200) -> Response:
        try:
            now = clock()
            task = await desk().next(reader_of(request), now)
            stats = await desk().stats(now)
            agreed = await agreement()
        except (ConfigError, UsageError, StreamError) as error:
            return rendered(request, "problem.html", 503, sentence=str(error))
        return rendered(
            request, "review.html", status, task=task, stats=stats, told=told, agreed=agreed
        )

    @app.get("/console/review", include_in_schema=False)
    async def review(request: Request) -> Response:
        return await reading(request)

    @app.post("/console/review/{item:path}", include_in_schema=False)
    async def judge(request: Request) -> Response:
        form = _fields(await body(request, MAX_BYTES))
        verdict = form.get("verdict", "")
        try:
            statement = said(_statement(verdict, form, reader_of(request)))
            done = await desk().answer(request.path_params["item"], statement, clock())
        except UsageError as error:
            return await reading(request, str(error), 400)
        except StreamError as error:
            return rendered(request, "problem.html", 503, sentence=str(error))
        if done in REFUSED:
            return await reading(request, REFUSED[done], 409)
        return Response(status_code=303, headers={"location": "/console/review"})


def _statement(verdict: str, form: dict[str, str], reader: str) -> dict[str, Any]:
    tree: dict[str, Any] = {"reviewer": reader}
    if verdict == "skip":
        return tree | {"skip": True}
    if verdict in ("passed", "failed"):
        tree["passed"] = verdict == "passed"
    return tree | {name: form[name] for name in ("label", "note") if form.get(name)}


def inside(path: str) -> str:
    """Return a path of the console to go to: never another site's.

    >>> inside("/console/findings?status=drift"), inside("//evil.example/console/"), inside("")
    ('/console/findings?status=drift', '/console/', '/console/')
    """
    is_ours = path.startswith("/console/") and path.isascii() and path.isprintable()
    return path if is_ours and "\\" not in path and len(path) < 2000 else "/console/"


def _fields(data: bytes) -> dict[str, str]:
    """The fields of a form; what is no text has none."""
    try:
        fields = parse_qs(data.decode("utf-8"), max_num_fields=20, keep_blank_values=True)
    except (UnicodeDecodeError, ValueError):
        return {}
    return {name: values[0] for name, values in fields.items()}
