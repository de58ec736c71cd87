"""How fast a holder of a token may ask."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.api import rates
from monitor.api.access import Guard, Tokens
from monitor.api.rates import BURST, RATE, Rates
from tests.api.test_access import line, pages, stranger_asks


def test_a_burst_is_taken_and_then_so_many_a_second() -> None:
    """Each holder has a bucket of their own."""
    some = Rates()
    assert [some.wait("kim", 0.0) for _ in range(BURST)] == [0] * BURST
    assert some.wait("kim", 0.0) == 1
    assert some.wait("bo", 0.0) == 0
    taken = sum(some.wait("kim", 1 + place / 1000) == 0 for place in range(1000))
    assert abs(taken - 2 * RATE) <= 2


@given(st.lists(st.floats(0, 5), max_size=400))
def test_never_more_than_a_burst_and_the_rate_are_taken(pauses: list[float]) -> None:
    """Whatever the pauses between requests are."""
    some, now, taken = Rates(), 0.0, 0
    for pause in pauses:
        now += pause / 50
        taken += some.wait("kim", now) == 0
        assert taken <= BURST + now * RATE + 1


def test_what_is_remembered_has_a_bound() -> None:
    """Names that have asked nothing for a while are forgotten."""
    some = Rates()
    for number in range(3 * rates.REMEMBERED):
        some.wait(str(number), float(number))
    assert len(some._buckets) <= rates.REMEMBERED


def test_the_bound_holds_for_names_that_all_ask_at_once() -> None:
    """Who has not asked for longest is forgotten; who goes on asking is not."""
    some = Rates()
    for number in range(3 * rates.REMEMBERED):
        some.wait(str(number), 0.0)
        some.wait("busy", 0.0)
    assert len(some._buckets) == rates.REMEMBERED
    assert some.wait("busy", 0.0) == 1


def test_who_asks_too_fast_is_told_when_to_come_again() -> None:
    """429 with Retry-After; probes are answered all the same."""

    async def play() -> None:
        transport = httpx.ASGITransport(
            app=Guard(pages, tokens=None, is_exposed=False, clock=float)
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answers = [await client.get("/") for _ in range(BURST + 60)]
            refused = next(one for one in answers if one.status_code == 429)
            assert refused.headers["retry-after"] == "1"
            assert refused.json()["error"].startswith("too many requests in a short time")
            assert (await client.get("/healthz")).status_code == 200

    asyncio.run(play())


@pytest.mark.parametrize("has_tokens", [True, False])
def test_strangers_who_ask_too_fast_slow_nobody_else(has_tokens: bool, tmp_path: Path) -> None:
    """Each address has a bucket for signing in of its own; loading a page costs none; nor do they
    take from holders."""
    file = tmp_path / "tokens"
    file.write_text(line("kim", "read", "s"))

    async def play() -> None:
        tokens = Tokens(file, print) if has_tokens else None
        guard = Guard(pages, tokens=tokens, is_exposed=False, clock=float)
        posts = [await stranger_asks(guard, "POST", "/console/sign-in") for _ in range(BURST + 1)]
        assert posts == [200] * BURST + [429]
        assert await stranger_asks(guard, "POST", "/console/sign-in", "10.0.0.2") == 200
        assert await stranger_asks(guard, "GET", "/api/drift", token="s") == 200
        for _ in range(BURST + 1):
            assert await stranger_asks(guard, "GET", "/console/sign-in") == 200
            assert await stranger_asks(guard, "GET", "/console/static/console.css") == 200

    asyncio.run(play())
