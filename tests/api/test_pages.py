"""The admin pages, without a process behind them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from monitor.api.pages import application
from monitor.exporters.prometheus import render
from monitor.types import Measurement
from tests.queries.house import House

NOBODY: Any = None
"""No desk: nobody reads exchanges here."""


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_readiness_follows_the_proxy_and_liveness_does_not(ready: bool, status: int) -> None:
    """A draining sidecar is alive."""
    assert get("/readyz", ready=ready).status_code == status
    assert get("/healthz", ready=ready).status_code == 200


def test_metrics_are_what_was_measured_in_the_format_that_was_asked_for() -> None:
    """Plain text by default, OpenMetrics by Accept, always with a content type."""
    plain = get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert 'monitor_connections_open{endpoint="e"} 3.0' in plain.text
    strict = get("/metrics", accept="application/openmetrics-text")
    assert strict.headers["content-type"].startswith("application/openmetrics-text")
    assert strict.text.endswith("# EOF\n")


def test_findings_are_passed_on_and_unknown_paths_are_not_found() -> None:
    """JSON as the analyzer wrote it."""
    assert get("/api/drift").json() == {"verdict": "ok"}
    assert get("/docs").status_code == 404
    assert "/metrics" in get("/").text


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/silences", "GET, HEAD, POST"),
        ("/api/v1/silences/x", "GET, HEAD, DELETE"),
        ("/api/v1/feedback", "POST"),
        ("/api/v1/status", "GET, HEAD"),
        ("/api/v1/review/next", "GET, HEAD, POST"),
    ],
)
def test_another_method_is_told_all_that_a_path_takes(path: str, allowed: str) -> None:
    """Of all routes that match it, in the header and in the sentence."""
    answer = get(path, method="PUT")
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json() == {"error": f"{path} does not take PUT; use {allowed}"}


def test_who_asks_for_one_form_in_many_ways_shares_its_page() -> None:
    """Two pages are made meanwhile, and one for all others, whatever their Accept."""
    begun = 0
    go_on = asyncio.Event()

    async def measure() -> list[Measurement]:
        nonlocal begun
        begun += 1
        await go_on.wait()
        return []

    async def ask() -> None:
        app = application(
            measure, NOBODY, NOBODY, render, version="1", take=NOBODY, desk=NOBODY, system=House,
            silenced=NOBODY, new_id=str, clock=float,
        )  # fmt: skip
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://m") as client:
            asked = []
            for number in range(1, 10):
                headers = {"accept": f"text/plain;q=0.{number}"}
                asked.append(asyncio.create_task(client.get("/metrics", headers=headers)))
                for _ in range(100):  # until it has come as far as it can
                    await asyncio.sleep(0)
            go_on.set()
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}

    asyncio.run(ask())
    assert begun == 3


def get(
    path: str, *, ready: bool = True, accept: str = "*/*", method: str = "GET"
) -> httpx.Response:
    async def measure() -> list[Measurement]:
        return [Measurement("monitor_connections_open", {"endpoint": "e"}, 3)]

    async def findings() -> bytes:
        return b'{"verdict": "ok"}'

    async def is_ready() -> bool:
        return ready

    async def take(body: bytes, are_lines: bool) -> None:
        raise AssertionError

    async def ask() -> httpx.Response:
        app = application(
            measure, findings, is_ready, render,
            version="1", take=take, desk=NOBODY, system=House, silenced=NOBODY, new_id=str, clock=float,
        )  # fmt: skip
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            return await client.request(method, path, headers={"accept": accept})

    return asyncio.run(ask())
