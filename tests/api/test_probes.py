"""Probes and scrapes are answered without the pages, and all else by them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response

from monitor.api.access import OPEN
from monitor.api.probes import Front, Probes


class Asked:
    """A front with its probes, asked in one loop."""

    def __init__(self) -> None:
        self.is_ready, self.is_failing = True, False
        self.made: list[FastAPI] = []
        self.failures = 0
        self.front = Front(Probes(self.measure, self.ready, self.render), self.make)

    async def measure(self) -> Any:
        if self.is_failing:
            raise ValueError
        return []

    async def ready(self) -> bool:
        return self.is_ready

    def render(self, samples: Any, accept: str) -> tuple[bytes, str]:
        return b"as " + accept.encode(), "text/x"

    def make(self) -> FastAPI:
        assert threading.current_thread() is not threading.main_thread()
        if self.failures:
            self.failures -= 1
            raise ImportError
        app = FastAPI(openapi_url=None)

        @app.get("/{path:path}")
        async def page(path: str) -> Response:
            return Response("page " + path)

        self.made.append(app)
        return app

    def get(self, *paths: str, method: str = "GET") -> list[httpx.Response]:
        async def ask() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self.front)
            async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
                asked = [client.request(method, path, headers={"accept": "a/b"}) for path in paths]
                return await asyncio.gather(*asked)

        return asyncio.run(ask())


@pytest.mark.parametrize(("is_ready", "status"), [(True, 200), (False, 503)])
def test_probes_and_scrapes_need_no_page(is_ready: bool, status: int) -> None:
    """Whole answers, with the types and lengths that the pages would give."""
    asked = Asked()
    asked.is_ready = is_ready
    found = {one.url.path: one for one in asked.get(*OPEN)}
    assert asked.made == []
    assert found["/metrics"].content == b"as a/b"
    assert found["/metrics"].headers["content-type"] == "text/x"
    assert (found["/healthz"].status_code, found["/healthz"].text) == (200, "ok\n")
    assert found["/readyz"].status_code == status
    assert found["/readyz"].headers["content-type"] == "text/plain; charset=utf-8"
    for one in found.values():
        assert one.headers["content-length"] == str(len(one.content))


def test_pages_are_made_once_for_all_who_ask_first() -> None:
    """In a thread, while probes are answered; a probe that is sent otherwise is one of them."""
    asked = Asked()
    texts = [one.text for one in asked.get("/a", "/b", "/healthz", "/c")]
    assert texts == ["page a", "page b", "ok\n", "page c"]
    assert len(asked.made) == 1
    assert asked.get("/healthz", method="POST")[0].status_code == 405


def test_what_cannot_be_answered_is_left_to_the_pages_who_say_why() -> None:
    """A scrape whose measurements fail; liveness goes on."""
    asked = Asked()
    asked.is_failing = True
    assert [one.text for one in asked.get("/metrics", "/healthz")] == ["page metrics", "ok\n"]


def test_pages_that_could_not_be_made_are_made_for_the_next_who_asks() -> None:
    """As where a file was missing for a moment."""
    asked = Asked()
    asked.failures = 1
    with pytest.raises(ImportError):
        asked.get("/a")
    assert asked.get("/healthz")[0].text == "ok\n"
    assert asked.get("/a")[0].text == "page a"
