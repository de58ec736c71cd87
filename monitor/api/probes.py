"""`/metrics`, `/healthz` and `/readyz`, which need no page to be loaded, in front of all others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from monitor.api.access import OPEN, App, Receive, Scope, Send
from monitor.tasks import own
from monitor.types import Measurement

Render = Callable[[Iterable[Measurement], str], tuple[bytes, str]]
Said = tuple[int, bytes, str]
"""A status, a body and its content type."""
TEXT = "text/plain; charset=utf-8"


class Probes:
    """What Prometheus and Kubernetes ask.

    `ready` returns whether the traffic port accepts; it must not depend on the model or the store.
    """

    def __init__(
        self,
        measure: Callable[[], Awaitable[list[Measurement]]],
        ready: Callable[[], Awaitable[bool]],
        render: Render,
    ) -> None:
        self._measure = measure
        self._ready = ready
        self._render = render

    async def answer(self, path: str, accept: str) -> Said:
        """Answer one of `OPEN`; `accept` is the header of that name, or empty."""
        if path == "/metrics":
            # Large pages take long to render; probes must not wait for them.
            return 200, *await asyncio.to_thread(self._render, await self._measure(), accept)
        if path == "/healthz":
            return 200, b"ok\n", TEXT
        if await self._ready():
            return 200, b"ready\n", TEXT
        return 503, b"not ready\n", TEXT


class Front:
    """Answers the probes itself, and all else by the pages, which the first such request makes.

    `make` returns them and is called once, in a thread, since it loads for half a second. Where a
    probe cannot be answered, the pages say why.
    """

    def __init__(self, probes: Probes, make: Callable[[], App]) -> None:
        self._probes = probes
        self._make = make
        self._pages: asyncio.Task[App] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application does."""
        if not (_is_probe(scope) and await self._answered(scope, send)):
            if self._pages is None or (self._pages.done() and self._pages.exception()):
                self._pages = own(asyncio.to_thread(self._make), "making the pages")
            pages = await asyncio.shield(self._pages)
            await pages(scope, receive, send)

    async def _answered(self, scope: Scope, send: Send) -> bool:
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        try:
            status, body, kind = await self._probes.answer(scope["path"], accept)
        except Exception:  # noqa: BLE001  the pages ask again, log it, and answer 500
            return False
        fields = [(b"content-length", b"%d" % len(body)), (b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})
        return True


def _is_probe(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in OPEN
