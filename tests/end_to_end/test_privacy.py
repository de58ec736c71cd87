"""What is kept private on the way through real processes: counts with noise, names that only a model finds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
import psutil

PRIVACY = {
    "differential": {"epsilon": 30.0, "period": 4},
    "ner": {"model": "tests.ner.stand_in_model:model"},
}


def test_counts_by_segment_are_told_once_a_period_with_noise(
    share: Callable[..., Any], model: str
) -> None:
    """The whole is exact; a page looked at twice within a period says the same."""
    system = share(privacy=PRIVACY)
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


def test_a_name_that_only_the_model_finds_never_reaches_the_store(share: Any, model: str) -> None:
    """The proxy's client sees it as it was; when the model's process dies, texts are replaced, not
    kept; and it ends with the recorder."""
    system = share(privacy=PRIVACY)
    recorder = system.child("recorder")
    system.until(lambda: psutil.Process(recorder).children())
    (ner,) = psutil.Process(recorder).children()
    ask = {"model": "small", "messages": [{"role": "user", "content": "I met with Jane Roe"}]}

    def send() -> None:
        httpx.post(f"{system.url}/v1/chat/completions", json=ask, timeout=30).raise_for_status()

    send()
    system.settled()
    (record,) = system.records()
    assert re.fullmatch("I met with <PERSON:[a-z0-9]+:[a-z]{24}>", record["inputs"][0]["text"])
    page = system.admin("/metrics")[1]
    assert re.search(r'monitor_pseudonyms_total\{[^}]*entity="PERSON"[^}]*\} 1', page)
    ner.kill()
    ner.wait(30)
    send()
    system.settled()
    _, record = system.records()
    assert record["inputs"][0]["text"].startswith("<REDACTED:ner:")
    system.until(lambda: psutil.Process(recorder).children())
    (ner,) = psutil.Process(recorder).children()
    assert system.stop() == 0
    ner.wait(30)
