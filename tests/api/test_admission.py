"""The webhook's HTTP, without a process behind it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from monitor.api import admission
from monitor.exporters.prometheus import render
from monitor.types import Measurement


def asked(method: str, path: str, **request: Any) -> tuple[httpx.Response, list[bytes | None]]:
    heard: list[bytes | None] = []

    async def mutate(body: bytes | None) -> bytes:
        heard.append(body)
        return b'{"kind": "AdmissionReview"}'

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(admission.webhook(mutate, "1"))
        async with httpx.AsyncClient(transport=transport, base_url="http://i") as client:
            return await client.request(method, path, **request)

    return asyncio.run(ask()), heard


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "image/png", ""])
@pytest.mark.parametrize("path", ["/mutate", "/mutate?timeout=2s"])
def test_a_body_is_answered_whatever_it_is_called(path: str, kind: str) -> None:
    """API servers add their timeout to the path."""
    answer, heard = asked("POST", path, content=b"\xff{", headers={"content-type": kind})
    assert (answer.status_code, heard) == (200, [b"\xff{"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"kind": "AdmissionReview"}


def test_a_body_that_is_too_long_is_answered_and_not_read() -> None:
    """One of three megabytes is not."""
    answer, heard = asked("POST", "/mutate", content=b"x" * (admission.MOST + 1))
    assert (answer.status_code, heard) == (200, [None])
    assert answer.headers["connection"] == "close"
    assert asked("POST", "/mutate", content=b"x" * (3 << 20))[1] == [b"x" * (3 << 20)]


def test_probes_are_answered_on_both_ports() -> None:
    """And metrics on the admin port."""
    for path in ("/healthz", "/readyz"):
        assert asked("GET", path)[0].status_code == 200
    assert asked("GET", "/metrics")[0].status_code == 404

    async def ask() -> httpx.Response:
        count = Measurement(
            "monitor_injections_total", {"endpoint": "e", "result": "injected", "reason": ""}, 2
        )
        transport = httpx.ASGITransport(admission.admin(lambda: [count], render, "1"))
        async with httpx.AsyncClient(transport=transport, base_url="http://i") as client:
            assert (await client.get("/healthz")).text == "ok\n"
            return await client.get("/metrics")

    line = 'monitor_injections_total{endpoint="e",reason="",result="injected"} 2.0'
    assert line in asyncio.run(ask()).text
