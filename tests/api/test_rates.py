"""How fast a holder of a token may ask."""

from __future__ import annotations

import asyncio

import httpx
from hypothesis import given
from hypothesis import strategies as st

from monitor.api import rates
from monitor.api.access import Guard
from monitor.api.rates import BURST, RATE, Rates
from tests.api.test_access import pages


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
