"""Ids in answers: where they are certain, and nowhere else; every other byte stays."""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.proxy.copies import Budget
from monitor.proxy.exchange_ids import NAME, InsertionPoint, insert
from monitor.proxy.http1_fast_path import Http1FastPath
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.http2 import Http2
from monitor.types import Exchange
from tests.chances import SEEDED

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LINE = re.compile(NAME + rb": (id-[0-9]{4})\r\n")

ANSWERS = st.sampled_from([
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-Monitor-Exchange-Id: theirs\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nVary: X-Monitor-Exchange-Id: 1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    b"\r\n", b"\0garbage",
])  # fmt: skip


@dataclass
class Named:
    """An endpoint's side of a connection, as the splice passes it on with the edit on."""

    exchanges: list[Exchange] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    places: list[InsertionPoint] = field(default_factory=list)

    def __post_init__(self) -> None:
        ids = itertools.count()
        common: Any = {
            "emit": self.exchanges.append,
            "lose": lambda *one: None,
            "opaque": self.opaque.append,
            "new_id": lambda: f"id-{next(ids):04}",
            "started_unix": lambda at: at,
            "max_body_bytes": 1 << 20,
            "budget": Budget(1 << 30),
            "named": lambda *place: self.places.append(place),
        }
        self.second = Http2(**common)
        self.observer = Http1FastPath(
            Http1Parser(
                become=lambda kind, upgraded: self.second if kind == "http2" else None, **common
            )
        )

    def passed(self, data: bytes) -> bytes:
        if self.opaque:
            return data
        self.places.clear()
        self.observer.upstream(data, 1.0)
        return data if self.opaque else insert(data, self.places)


def cut(data: bytes, chance: random.Random) -> list[bytes]:
    cuts = sorted(chance.randint(0, len(data)) for _ in range(chance.randint(0, 6)))
    return [data[a:b] for a, b in itertools.pairwise([0, *cuts, len(data)]) if a < b]


@given(st.lists(ANSWERS, max_size=4), SEEDED)
@settings(max_examples=100)
def test_without_the_ids_it_is_what_the_endpoint_said(
    answers: list[bytes], chance: random.Random
) -> None:
    """However it is cut: ids are added to heads of final answers, each once, and to nothing else."""
    named = Named()
    named.observer.downstream(GET * len(answers), 0.0)
    said = b"".join(answers)
    out = b"".join(named.passed(piece) for piece in cut(said, chance))
    assert LINE.sub(b"", out) == said
    ids = [found.decode() for found in LINE.findall(out)]
    assert ids == sorted(set(ids)), "each exchange's once, in order"
    for match in LINE.finditer(out):
        head = out[: match.end()].rpartition(b"HTTP/1.1 ")[2]
        assert head[:1] in b"245"
        assert out[match.end() : match.end() + 2] == b"\r\n", "the last field"


def test_an_answer_in_one_piece_always_has_its_id() -> None:
    """And a head in two has it too, unless the blank line itself is cut."""
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    with_it = said.replace(b"\r\n\r\n", b"\r\nx-monitor-exchange-id: id-0000\r\n\r\n")
    blank = said.index(b"\r\n\r\n") + 2
    for place in range(len(said) + 1):
        named = Named()
        named.observer.downstream(GET, 0.0)
        out = named.passed(said[:place]) + named.passed(said[place:])
        assert out == (said if place == blank + 1 else with_it), place
        assert named.exchanges[0].id == "id-0000"


@pytest.mark.parametrize("length", [b"Content-Length: 2", b"content-length:2"])
@pytest.mark.parametrize(
    "field",
    [b"Access-Control-Expose-Headers: x-monitor-exchange-id", b"A: x-monitor-exchange-id: 1"],
)
def test_an_answer_that_only_speaks_of_the_field_has_its_id(field: bytes, length: bytes) -> None:
    """What a value says is no field: browsers are told by name which ones they may read."""
    said = b"HTTP/1.1 200 OK\r\n%b\r\n%b\r\n\r\nhi" % (field, length)
    for cut in (len(said), len(said) - 1):
        named = Named()
        named.observer.downstream(GET, 0.0)
        out = named.passed(said[:cut]) + named.passed(said[cut:])
        assert out == said.replace(b"\r\n\r\n", b"\r\nx-monitor-exchange-id: id-0000\r\n\r\n")


@given(st.integers(1, 6), SEEDED)
@settings(max_examples=30)
def test_in_http2_the_client_reads_the_same_and_perhaps_an_id(
    count: int, chance: random.Random
) -> None:
    """As h2 reads it: the dynamic table is in step for all that comes later."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    client.initiate_connection()
    server.initiate_connection()
    named = Named()
    head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
    found: dict[int, Any] = {}
    trailers: dict[int, Any] = {}
    sent: dict[int, Any] = {}
    whole = chance.random() < 0.5
    for number in range(1, 2 * count, 2):
        client.send_headers(number, head, end_stream=True)
        up = client.data_to_send()
        named.observer.downstream(up, 0.0)
        server.receive_data(up)
        sent[number] = [
            (":status", chance.choice(["200", "404"])),
            ("x-big", "y" * chance.choice([1, 40] * 4 + [20_000])),
            ("x-number", str(number)),
        ]
        if chance.random() < 0.3:
            server.send_headers(number, [(":status", "103"), ("link", "</a>")])
        server.send_headers(number, sent[number])
        server.send_data(number, b"body")
        server.send_headers(number, [("grpc-status", "0")], end_stream=True)
        down = server.data_to_send()
        for piece in [down] if whole else cut(down, chance):
            for event in client.receive_data(named.passed(piece)):
                if isinstance(event, h2.events.ResponseReceived):
                    found[event.stream_id] = [
                        tuple(map(bytes.decode, one)) for one in event.headers
                    ]
                elif isinstance(event, h2.events.TrailersReceived):
                    trailers[event.stream_id] = event.headers
    assert not named.opaque
    ids = {}
    for number, fields in found.items():
        ids[number] = dict(fields).get(NAME.decode())
        assert [one for one in fields if one[0] != NAME.decode()] == sent[number]
        small = len(dict(sent[number])["x-big"]) < 4000
        assert ids[number] in (
            (f"id-{number // 2:04}",) if small and whole else (None, f"id-{number // 2:04}")
        )
    assert len(found) == len(trailers) == count
