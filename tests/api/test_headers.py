"""What every answer says to a browser, and HEAD."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from monitor.api.access import Guard
from monitor.api.headers import Headers
from tests.api.test_access import pages


def asked(method: str, path: str, *, is_exposed: bool = False) -> httpx.Response:
    async def ask() -> httpx.Response:
        app = Headers(Guard(pages, tokens=None, is_exposed=is_exposed, clock=float))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


@pytest.mark.parametrize("is_exposed", [False, True])
def test_answers_keep_browsers_from_harm(is_exposed: bool) -> None:
    """Refusals too: no guessing of types, no frames, no referrer, nothing loaded, nothing kept, and
    no other origin may read them."""
    headers = asked("GET", "/api/v1/status", is_exposed=is_exposed).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_the_console_loads_nothing_from_elsewhere() -> None:
    """And no script or style that stands in a page."""
    policy = asked("GET", "/console/").headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy


def test_scrapes_get_what_they_got_before() -> None:
    """A page of metrics has no headers for browsers."""
    assert dict(asked("GET", "/metrics").headers) == {}


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/status"])
def test_head_is_get_without_a_body(path: str) -> None:
    """With its status and headers."""
    head, get = asked("HEAD", path), asked("GET", path)
    assert (head.status_code, head.content) == (200, b"")
    assert get.content == b"inside"
    assert dict(head.headers) == dict(get.headers)
