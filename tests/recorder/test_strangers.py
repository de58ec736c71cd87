"""What strangers say leaves nothing behind in the recorder, wherever they say it."""

from __future__ import annotations

import base64
import gc
import json
import random
import re
import tracemalloc
from collections import deque
from types import FunctionType, MethodType, ModuleType

import pytest

from monitor.checks import CHECKS
from monitor.dimensions import dimension
from monitor.edge_cases import EDGE_CASES
from monitor.exporters.prometheus import render
from monitor.meters import Meters
from monitor.privacy import short_texts
from monitor.privacy.cache import Cache
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder import label_limiter
from monitor.recorder.agreements import Agreements
from monitor.recorder.capture import VALUES, Capture
from monitor.recorder.repeats import Repeats
from monitor.templates import pool
from monitor.templates.miner import Miner
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
    monkeypatch.setattr(short_texts, "_MAX_CLEAN", 64)
    monkeypatch.setattr(label_limiter, "CANDIDATES", 1)
    privacy = Privacy(
        scanner=Scanner(select()), keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0
    )
    dimensions = [dimension(name, "header", [f"x-{name}"]) for name in ("population", "template")]
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
        first, second, third = read(100), read(100), read(100)
    finally:
        tracemalloc.stop()
    # A table takes twice the room from one entry to the next, once: what leaks grows both times.
    assert min(second - first, third - second) < 100 * 200, "bytes an exchange"


def tables(root: object) -> dict[str, int]:
    """How many entries everything has that holds some and can be reached from an object."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    todo: list[tuple[str, object]] = [("", root)]
    while todo:
        where, one = todo.pop()
        if id(one) in seen or isinstance(one, type | ModuleType):
            continue
        seen.add(id(one))
        inside: list[tuple[str, object]] = []
        if isinstance(one, FunctionType):
            cells = [cell.cell_contents for cell in one.__closure__ or ()]
            inside = [(where, each) for each in (*cells, *(one.__defaults__ or ()))]
        elif isinstance(one, MethodType):
            inside = [(where, one.__self__)]
        elif isinstance(one, dict | list | set | frozenset | tuple | deque):
            found[where] = found.get(where, 0) + len(one)
            values = one.values() if isinstance(one, dict) else one
            inside = [(f"{where}[]", each) for each in list(values)]
        elif type(one).__module__.startswith("monitor"):
            kinds = type(one).__mro__
            names = {name for kind in kinds for name in getattr(kind, "__slots__", ())}
            names |= {*vars(one)} if hasattr(one, "__dict__") else set()
            inside = [(f"{where}.{name}", getattr(one, name, None)) for name in names]
        todo += inside
    return found


def test_no_table_grows_with_what_strangers_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other values in each kind of dimension, other models, templates, requests and answers: from some
    hundred on, no table of the recorder has more entries than before, and its page no more series."""
    monkeypatch.setattr(short_texts, "_MAX_CLEAN", 64)
    monkeypatch.setattr(label_limiter, "CANDIDATES", 1)
    monkeypatch.setattr(pool, "TEXTS", 32)
    privacy = Privacy(
        scanner=Scanner(select()), keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0,
        cache=Cache(bytes(32), 20_000),
    )  # fmt: skip
    kinds = {"header": ["x-population"], "query": "c", "path": "^/v1/([^/]+)/", "json": "request.m",
             "claim": "role", "baggage": "role"}  # fmt: skip
    meters = Meters("recorder", "e")
    capture = Capture(
        "e", PROTOCOLS, [dimension(kind, kind, where) for kind, where in kinds.items()], privacy,
        meters, crossed={"both": ["header", "query"]}, mined="template", miner=Miner(),
        edge_cases=EDGE_CASES, checks=CHECKS, repeats=Repeats(b"key", 50),
        agreements=Agreements(b"key", 50),
    )  # fmt: skip
    chance = random.Random(4)

    def read(count: int) -> tuple[dict[str, int], int, int]:
        for _ in range(count):
            capture.read(named(chance))
        samples = list(meters.measurements())
        return tables(capture), len(samples), len(render(samples, "")[0])

    read(250)
    before, series, size = read(150)
    after, more_series, larger = read(250)
    grown = {where: count - before.get(where, 0) for where, count in after.items()}
    assert {where: count for where, count in grown.items() if count > 50} == {}
    assert sum(before.values()) > 5_000
    assert more_series <= series + 20
    assert larger <= size * 1.1


def named(chance: random.Random) -> Exchange:
    """A chat with a value that nobody has had, wherever a dimension looks for one."""

    def new() -> str:
        return word(chance)

    value = new()
    claims = base64.urlsafe_b64encode(json.dumps({"role": new()}).encode()).decode().rstrip("=")
    fields = (
        f"content-type: application/json\r\nx-population: {new()}\r\nbaggage: role={new()}\r\n"
        f"authorization: Bearer e.{claims}.s\r\n"
    )
    said = f"You are the clerk of {new()}. " * 3
    messages = [
        {"role": "system", "content": said},
        {"role": "user", "content": f"{new()} {new()}?"},
    ]
    body = json.dumps({"m": new(), "model": value, "messages": messages}).encode()
    message = {"role": "assistant", "content": f"Answer: {new()}"}
    reply = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    head = f"POST /v1/{new()}/chat/completions?c={new()} HTTP/1.1\r\n{fields}\r\n".encode()
    return Exchange(
        f"0190-{value}", 100.0, 0.5, Message(head, body, len(body)),
        Message(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", reply, len(reply)),
        [(0.2, len(reply))], Outcome.OK,
    )  # fmt: skip


def test_a_hundred_thousand_values_are_as_many_series_as_a_dimension_may_have() -> None:
    """Each counts, under its own name or as `other`; as few are remembered."""
    privacy = Privacy(
        scanner=Scanner(select()), keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0
    )
    meters = Meters("recorder", "e")
    capture = Capture("e", PROTOCOLS, [dimension("p", "header", ["x-p"])], privacy, meters)
    counted = "monitor_segment_exchanges_total"
    for number in range(100_000):
        meters.add(counted, ("p", capture._segment("p", f"value {number}"), "ok"))
    found = [one for one in meters.measurements() if one.name == counted]
    assert len(found) == VALUES + 1
    assert sum(one.value for one in found) == 100_000
    assert max(tables(capture._values).values()) <= VALUES * label_limiter.CANDIDATES
