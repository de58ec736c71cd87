"""The console's paths: a request → what queries answer → a page."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.charts import DRAWN
from monitor.console import forms
from monitor.console.views import NAV, VIEWS, View, parameters
from monitor.errors import ConfigError, SilentError, SourceError, StreamError, UsageError
from monitor.findings import Quality
from monitor.queries.query import MissingError, System
from monitor.readable import FILTERS
from monitor.web import FastAPI, Request, Response

START = "/console"
STATIC = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Files that pages load, and their types."""
READERS = "reader_agreement"
"""What measures begin with that say how far people agree."""
Render = Callable[..., Response]


def add_to(
    app: FastAPI,
    system: Callable[[], System],
    *,
    reader_of: Callable[[Request], str],
    signs_in: forms.SignsIn | None,
    body: forms.Body,
    desk: forms.Desks,
    clock: Callable[[], float],
) -> None:
    """Add the console to the pages. `reader_of` says who asks; `signs_in` whether a token is known,
    and is None where no tokens are set; `body` reads a form; at the `desk` people read
    exchanges."""
    pages = templates()

    def rendered(request: Request, name: str, status: int = 200, **context: Any) -> Response:
        shared = {
            "nav": NAV,
            "here": request.url.path,
            "endpoint": system().endpoint,
            "reader": reader_of(request),
            "has_tokens": signs_in is not None,
        }
        text = pages.get_template(name).render(**shared, **context)
        return Response(text, status, media_type="text/html; charset=utf-8")

    async def agreement() -> list[Quality]:
        with contextlib.suppress(SilentError):
            found = (await system().outcomes()).quality
            return [one for one in found if one.measure.startswith(READERS)]
        return []

    for path, view in VIEWS.items():
        _get(app, path, _viewing(path, view, system, reader_of, rendered))

    @app.get(START, include_in_schema=False)
    async def start() -> Response:
        return Response(status_code=307, headers={"location": f"{START}/"})

    @app.get(f"{START}/static/{{name}}", include_in_schema=False)
    async def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STATIC:
            return rendered(request, "problem.html", 404, sentence="There is no such file.")
        headers = {"cache-control": "public, max-age=3600"}
        return Response(_file(name), media_type=STATIC[name], headers=headers)

    forms.add_to(
        app, rendered, reader_of=reader_of, signs_in=signs_in, body=body, desk=desk,
        agreement=agreement, clock=clock,
    )  # fmt: skip

    @app.get(f"{START}/{{rest:path}}", include_in_schema=False)
    async def nowhere(request: Request) -> Response:
        return rendered(request, "problem.html", 404, sentence="There is no such page.")


def templates() -> Environment:
    """Return the templates: every value in them is text, unless it was drawn by `charts`."""
    pages = Environment(
        loader=PackageLoader("monitor.console"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pages.filters.update(FILTERS)
    pages.globals.update(DRAWN, link=link, following=following, as_json=as_json)
    return pages


def link(path: str, /, **parameters: Any) -> str:
    """Return the address of a page of the console, or below `/api/`, with parameters.

    >>> link("findings", status="drift", value="a&b", feature="")
    '/console/findings?status=drift&value=a%26b'
    """
    said = urlencode({name: one for name, one in parameters.items() if one != ""})
    start = path if path.startswith("/") else f"{START}/{path}"
    return f"{start}?{said}" if said else start


def following(path: str, asked: dict[str, str], cursor: str) -> str:
    """Return the address of the next page of what was asked for.

    >>> following("findings", {"status": "ok", "cursor": "a"}, "b")
    '/console/findings?status=ok&cursor=b'
    """
    return link(path, **{**{name: one for name, one in asked.items() if name != "cursor"},
                         "cursor": cursor})  # fmt: skip


def as_json(path: str, asked: dict[str, str], but: Iterable[str]) -> str:
    """Return where the API answers what a page was asked for, without what is the page's own.

    >>> as_json("segments", {"dimension": "a", "value": "", "sort": "p95"}, ("sort",))
    '/api/v1/segments?dimension=a'
    """
    said = {name: one for name, one in asked.items() if name not in but}
    return link(f"/api/v1/{path}", **said)


def _get(app: FastAPI, path: str, answering: Callable[[Request], Awaitable[Response]]) -> None:
    # What a request declares may have a slash in it.
    app.get(f"{START}/{path.replace('{id}', '{id:path}')}", include_in_schema=False)(answering)


def _viewing(
    path: str,
    view: Callable[[View], Awaitable[tuple[str, dict[str, Any]]]],
    system: Callable[[], System],
    reader_of: Callable[[Request], str],
    rendered: Render,
) -> Callable[[Request], Awaitable[Response]]:
    async def viewing(request: Request) -> Response:
        try:
            said = parameters(path, request.query_params.multi_items())
            given = {**said, **request.path_params}
            name, context = await view(View(system(), reader_of(request), given))
        except MissingError as error:
            return rendered(request, "problem.html", 404, sentence=str(error))
        except (ConfigError, SourceError) as error:
            return rendered(request, "problem.html", 503, sentence=str(error))
        except UsageError as error:
            return rendered(request, "problem.html", 400, sentence=str(error))
        except StreamError as error:
            return rendered(request, "problem.html", 503, sentence=f"the store is away: {error}")
        except SilentError as error:
            return rendered(request, "problem.html", 503, sentence=f"{error}; ask again")
        # A large page takes long, and others wait for their answers.
        return await asyncio.to_thread(rendered, request, name, asked=given, **context)

    return viewing


@functools.lru_cache(maxsize=len(STATIC))
def _file(name: str) -> bytes:
    return (resources.files("monitor.console") / "static" / name).read_bytes()
