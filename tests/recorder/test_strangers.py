"""What strangers say leaves nothing behind in the recorder, wherever they say it."""

from __future__ import annotations

import gc
import json
import random
import re
import tracemalloc

import pytest

from monitor.dimensions import from_header
from monitor.meters import Meters
from monitor.privacy import records
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder import label_limiter
from monitor.recorder.capture import Capture
from monitor.types import Exchange, Message, Outcome

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def word(chance: random.Random) -> str:
    return "".join(chance.choices(LETTERS, k=chance.choice([5, 30, 100])))


def exchange(chance: random.Random, number: int) -> Exchange:
    """Another name in every place that has one."""

    def new() -> str:
        return word(chance)

    target = chance.choice(["/v1/chat/completions", f"/{new()}?{new()}={new()}"])
    fields = "".join(
        f"{name}: {value}\r\n"
        for name, value in {
            "content-type": f"text/{new()}; charset={new()}; {new()}={new()}",
            "x-population": new(),
            "x-template": new(),
            f"x-{new()[:40]}": new(),
            "traceparent": new(),
            "user-agent": f"{new()}/{new()}",
        }.items()
    )
    ask = {
        "model": new(),
        "messages": [{"role": new(), "content": f"{new()} {new()}"}],
        new(): {new(): [new(), chance.random()]},
    }
    answer = {"model": new(), new(): new(), "choices": [{"finish_reason": new()}]}
    body, reply = json.dumps(ask).encode(), json.dumps(answer).encode()
    head = f"{chance.choice(['POST', new()[:20].upper()])} {target} HTTP/1.1\r\n{fields}\r\n"
    return Exchange(
        f"0190-{number}", 100.0 + number, 0.5,
        Message(head.encode(), body, len(body)),
        Message(f"HTTP/1.1 {chance.randint(200, 599)} {new()}\r\n{fields}\r\n".encode(), reply, len(reply)),
        [(0.2, len(reply))], chance.choice(list(Outcome)),
    )  # fmt: skip


def test_new_names_everywhere_fill_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charsets, types, paths, fields, models, roles, keys, populations: once the tables that are
    bounded are full, what is held grows no more. Python's own tables count too: of codecs, of strings."""
    monkeypatch.setattr(records, "_MAX_CLEAN", 64)
    monkeypatch.setattr(label_limiter, "CANDIDATES", 1)
    privacy = Privacy(
        scanner=Scanner(select()), keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0
    )
    dimensions = [from_header(name, f"x-{name}") for name in ("population", "template")]
    capture = Capture("e", PROTOCOLS, dimensions, privacy, Meters("recorder", "e"))
    chance = random.Random(9)

    def read(count: int) -> int:
        for number in range(count):
            capture.read(exchange(chance, number))
        gc.collect()
        re.purge()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before, after = read(150), read(200)
    finally:
        tracemalloc.stop()
    assert after - before < 200 * 200, "bytes an exchange"
