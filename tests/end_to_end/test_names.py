"""A model of names beside the recorder: through real processes."""

from __future__ import annotations

import re
from typing import Any

import httpx
import psutil


def test_a_name_that_only_the_model_finds_never_reaches_the_store(start: Any, model: str) -> None:
    """The proxy's client sees it as it was; when the model's process dies, texts are replaced, not
    kept; and it ends with the recorder."""
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0",
        privacy={"ner": {"model": "tests.ner.stand_in_model:model"}},
    )  # fmt: skip
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
