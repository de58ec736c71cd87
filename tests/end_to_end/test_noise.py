"""Counts by segment with noise, from real requests to the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx


def test_counts_by_segment_are_told_once_a_period_with_noise(
    start: Callable[..., Any], model: str
) -> None:
    """The whole is exact; a page looked at twice within a period says the same."""
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0",
        privacy={"differential": {"epsilon": 30.0, "period": 4}},
    )  # fmt: skip
    with httpx.Client(base_url=system.url) as client:
        for _ in range(60):
            assert client.post("/200", headers={"x-population": "vip"}).status_code == 200

    def told() -> dict[str, float]:
        page = system.page()
        return {
            labels["value"]: value
            for labels, value in page.pick("monitor_segment_exchanges_total", outcome="ok")
            if labels["dimension"] == "population"
        }

    # A scrape tells what periods that are over have counted: all of it has been counted before.
    system.until(lambda: len(system.records()) == 60)
    first: dict[str, float] = {}
    system.until(lambda: first.update(told()) or first)
    assert set(first) == {"none", "other"}
    assert 40 < first["other"] < 80
    page = system.settled()
    assert page.total("monitor_segment_exchanges_total", dimension="all", outcome="ok") == 60
    assert not [one for one in page.pick("monitor_segment_duration_seconds_count")
                if one[0]["dimension"] != "all"]  # fmt: skip
    system.until(lambda: "vip" in told())
    begun = time.monotonic()
    pages = [told() for _ in range(5)]
    if time.monotonic() - begun < 3:
        assert sum(one != other for one, other in pairwise(pages)) <= 1
