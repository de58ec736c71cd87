"""`capture.sample_over` on real processes under load: few records, and metrics of everything."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from monitor.demo.page import Page
from tests.end_to_end.load import Watch

SECONDS = 2.5
PAUSE = 0.005
"""Seconds between two requests of a client: all four ask several hundred times a second."""
SCRAPES = 4
CHAT = json.dumps({"model": "m", "messages": [{"role": "user", "content": "jo@example.org"}]})


def ask(listen: str, population: str, seen: Counter[tuple[str, str]], watch: Watch) -> None:
    """Send chats for some seconds and some scrapes, each half second one whose answer breaks off;
    count how they ended."""
    connection = http.client.HTTPConnection(listen, timeout=30)
    cut_at = time.monotonic()
    end = cut_at + SECONDS
    while (now := time.monotonic()) < end or watch.scrapes < SCRAPES:
        path = "/v1/chat/completions"
        if now >= cut_at:  # after a stall they do not come all at once
            path, cut_at = "/cut", now + 0.5
        headers = {"content-type": "application/json", "x-population": population}
        time.sleep(PAUSE)
        connection.request("POST", path, CHAT, headers)
        try:
            connection.getresponse().read()
            seen[population, "ok"] += 1
        except http.client.IncompleteRead:
            seen[population, "upstream_broken"] += 1
            connection.close()
    connection.close()


def counted(page: Page, population: str, outcome: str) -> float:
    labels = {"dimension": "population", "value": population, "outcome": outcome}
    return page.total("monitor_segment_exchanges_total", **labels)


def test_metrics_are_of_all_and_records_of_a_sample(start: Callable[..., Any], fast: str) -> None:
    """Traffic metrics agree with what the clients saw, to the last exchange; the ledger adds up at
    every scrape; weighted records estimate the counts; all failures are on record."""
    system = start(
        "run", "--upstream", fast, "--listen", "127.0.0.1:0",
        capture={"sample_over": 40, "buffer_bytes": 1 << 29},
    )  # fmt: skip
    by_thread: list[Counter[tuple[str, str]]] = [Counter() for _ in range(4)]
    watch = Watch(system)
    threads = [
        threading.Thread(target=ask, args=(system.run["listen"], population, seen, watch))
        for population, seen in zip(["north", "north", "north", "south"], by_thread, strict=True)
    ]
    began = time.monotonic()
    with watch.running():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lasted = time.monotonic() - began
    page = system.settled()
    records = system.records()
    seen = sum(by_thread, Counter[tuple[str, str]]())
    assert watch.scrapes >= SCRAPES
    assert watch.wrong == []
    assert page.total("monitor_exchanges_total") == seen.total()
    assert page.total("monitor_exchange_duration_seconds_count") == seen.total()
    for population, outcome in seen:
        assert counted(page, population, outcome) == seen[population, outcome]
    lost = page.total("monitor_exchanges_lost_total", reason="sampled")
    assert lost == page.total("monitor_exchanges_lost_total") == seen.total() - len(records)
    assert 40 < len(records) < 40 * (lasted + 9.5)
    assert min(one.get("sampled", 1) for one in records) < 0.5
    failed = [one for one in records if one["outcome"] == "upstream_broken"]
    assert len(failed) == sum(count for (_, how), count in seen.items() if how != "ok")
    for population in ("north", "south"):
        weights = [1 / one.get("sampled", 1) for one in records
                   if one["segments"]["population"] == population]  # fmt: skip
        true = sum(count for (who, _), count in seen.items() if who == population)
        told = sum(weight * (weight - 1) for weight in weights)
        # Too few of them by chance would also tell too small an error.
        error = math.sqrt(max(told, true * (sum(weights) / len(weights) - 1)))
        assert abs(sum(weights) - true) < 5 * error
    assert system.complaints() == []
