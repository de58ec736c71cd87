"""Records as a recorder makes them of chats, rows of columns and tensors: pseudonymized, as JSON; seeded."""

from __future__ import annotations

import itertools
import json
import random
import tempfile
from collections.abc import Callable, Iterator

import msgspec

from monitor.assembly import build, keyring
from monitor.meters import Meters
from monitor.protocols import PROTOCOLS
from monitor.recorder.capture import Capture
from monitor.settings.schema import Settings
from monitor.types import Exchange, Message, Outcome, Record, encode_record
from tests.bench import conversations

COLUMNS = 20
"""Features of a row or a tensor, beside the score that comes back."""
EVERY = 0.02
"""Seconds of event time between two Records."""
BEGAN = 1.7e9


def _chats(chance: random.Random) -> Iterator[tuple[bytes, bytes, bytes]]:
    for asked, told in conversations.exchanges(1 << 30, chance.randrange(1 << 30)):
        yield b"/v1/chat/completions", asked, told


def _values(chance: random.Random) -> list[float]:
    return [
        chance.gauss(place, 1) if place % 2 else round(chance.expovariate(0.1), 3)
        for place in range(COLUMNS)
    ]


def _rows(chance: random.Random) -> Iterator[tuple[bytes, bytes, bytes]]:
    while True:
        row = {f"feature_{place}": value for place, value in enumerate(_values(chance))}
        yield b"/score", json.dumps(row).encode(), json.dumps({"score": chance.random()}).encode()


def _tensors(chance: random.Random) -> Iterator[tuple[bytes, bytes, bytes]]:
    while True:
        asked = {"name": "x", "datatype": "FP64", "shape": [1, COLUMNS], "data": _values(chance)}
        told = {"name": "score", "datatype": "FP64", "shape": [1], "data": [chance.random()]}
        yield (
            b"/v2/models/risk/infer",
            json.dumps({"inputs": [asked]}).encode(),
            json.dumps({"model_name": "risk", "outputs": [told]}).encode(),
        )


KINDS: dict[str, Callable[[random.Random], Iterator[tuple[bytes, bytes, bytes]]]] = {
    "chat": _chats,
    "row of 20 columns": _rows,
    "tensor of 20 numbers": _tensors,
}


def records(kind: str, count: int, seed: int = 1) -> list[bytes]:
    """Return so many Records of a kind, each a JSON document; two segments beside the whole."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(data=directory)
        privacy = build.privacy(settings, keyring.keyring(settings))
    capture = Capture("default", PROTOCOLS, [], privacy, Meters("recorder", "default"))
    exchanges = itertools.islice(KINDS[kind](chance), count)
    return [
        encode_record(_record(capture, number, chance, one)) for number, one in enumerate(exchanges)
    ]


def _record(
    capture: Capture, number: int, chance: random.Random, bodies: tuple[bytes, bytes, bytes]
) -> Record:
    path, asked, told = bodies
    head = b"POST %s HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\n\r\n" % path
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    exchange = Exchange(
        f"018bcfe5-6800-7def-9abc-{number:012x}", BEGAN + number * EVERY, 0.1, Message(head, asked, len(asked)),
        Message(reply, told, len(told)), [(0.09, len(told))], Outcome.OK,
    )  # fmt: skip
    record, _ = capture.read(exchange)
    segments = {"population": chance.choice("ab"), "template": chance.choice("xyz")}
    return msgspec.structs.replace(record, segments=segments)
