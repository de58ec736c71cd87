"""Edits of HTTP/2: what the h2 library reads behind them is what it wrote, under another name."""

from __future__ import annotations

import random
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.proxy.frames import CONTINUATION, HEADERS, frame
from monitor.proxy.heads import Ambiguous
from monitor.proxy.http2_edits import PREFACE, Http2Edits
from tests.chances import SEEDED

SETTINGS = frame(4, 0, 0, b"")
HEAD = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":authority", b"sidecar:8080"),
    (b":path", b"/a"),
]


class Talk:
    """A client, the edits in any pieces, a server that checks every rule of the protocol."""

    def __init__(self, chance: random.Random, host: bytes, peer: bytes) -> None:
        self._chance = chance
        self.edits = Http2Edits(host=host, peer=peer)
        config = h2.config.H2Configuration
        self.client = h2.connection.H2Connection(config(client_side=True, header_encoding=None))
        self.server = h2.connection.H2Connection(config(client_side=False, header_encoding=None))
        self.events: list[Any] = []
        self.client.initiate_connection()
        self.server.initiate_connection()
        self.cross()

    def cross(self) -> None:
        while True:
            up, down = self.client.data_to_send(), self.server.data_to_send()
            if not up and not down:
                return
            while up:
                size = self._chance.choice([1, 3, 9, 20, 1 << 20]) if len(up) < 2000 else 1 << 20
                self.events += self.server.receive_data(self.edits.feed(up[:size]))
                up = up[size:]
            self.client.receive_data(down)

    def heads(self) -> list[list[tuple[bytes, bytes]]]:
        kinds = h2.events.RequestReceived, h2.events.TrailersReceived
        return [
            [(bytes(name), bytes(value)) for name, value in event.headers]
            for event in self.events
            if isinstance(event, kinds)
        ]


def named(head: list[tuple[bytes, bytes]], host: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, host if name == b":authority" else value) for name, value in head]


values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=300)


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.sampled_from(["x-a", "x-b", "authorization"]), values), max_size=5
            ),
            st.binary(max_size=500),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    ),
    SEEDED,
)
@settings(deadline=None, max_examples=60)
def test_the_endpoint_reads_what_the_client_wrote(requests: Any, chance: random.Random) -> None:
    """Fields in their order, bodies, trailers; the dynamic tables of both sides stay in step."""
    talk = Talk(chance, b"api.example.com", b"")
    expected = []
    for index, (fields, body, trails) in enumerate(requests):
        number = 2 * index + 1
        extra = [(name.encode(), value.encode()) for name, value in fields]
        talk.client.send_headers(number, HEAD + extra)
        expected.append(named(HEAD, b"api.example.com") + extra)
        talk.client.send_data(number, body, end_stream=not trails)
        if trails:
            talk.client.send_headers(number, [(b"x-checksum", b"1")], end_stream=True)
            expected.append([(b"x-checksum", b"1")])
        talk.cross()
        if chance.random() < 0.3:
            size = chance.choice([0, 100, 4096])
            talk.server.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: size})
            talk.cross()
    assert talk.heads() == expected
    data = [event.data for event in talk.events if isinstance(event, h2.events.DataReceived)]
    assert b"".join(data) == b"".join(body for _, body, _ in requests)


def test_long_heads_go_on_in_several_frames() -> None:
    """With their priority and the end of their stream."""
    talk = Talk(random.Random(1), b"api.example.com", b"")
    long = [*HEAD, (b"x-long", b"y" * 40_000)]
    talk.client.send_headers(1, long, end_stream=True)
    talk.client.send_headers(3, HEAD, end_stream=True, priority_weight=9)
    talk.cross()
    assert talk.heads() == [named(long, b"api.example.com"), named(HEAD, b"api.example.com")]
    assert sum(isinstance(event, h2.events.StreamEnded) for event in talk.events) == 2
    weights = [e.weight for e in talk.events if isinstance(e, h2.events.PriorityUpdated)]
    assert weights == [9]


def test_the_peer_is_the_last_of_forwarded_for() -> None:
    """As in HTTP/1.1; without an edit of the host it stays."""
    talk = Talk(random.Random(1), b"", b"192.0.2.7")
    name = b"x-forwarded-for"
    for index, claims in enumerate(([], [b"10.0.0.1"], [b"a", b"b"])):
        talk.client.send_headers(
            2 * index + 1, HEAD + [(name, one) for one in claims], end_stream=True
        )
    talk.cross()
    assert [[value for key, value in head if key == name] for head in talk.heads()] == [
        [b"192.0.2.7"], [b"10.0.0.1, 192.0.2.7"], [b"a", b"b", b"192.0.2.7"],
    ]  # fmt: skip
    assert all((b":authority", b"sidecar:8080") in head for head in talk.heads())


NAMED = [b"x-forwarded-for", b"host", b":authority", b"x-host", b"forwarded", b"a"]
SAID = [b"", b"10.0.0.1", b"x-forwarded-for: 10.0.0.1", b"host: a", b":authority", b"192.0.2.7"]


@given(
    st.lists(st.tuples(st.sampled_from(NAMED), st.sampled_from(SAID)), max_size=7), st.booleans()
)
def test_the_endpoint_finds_the_edit_in_the_field_and_nowhere_else(
    fields: list[tuple[bytes, bytes]], twice: bool
) -> None:
    """As hpack reads it: whatever the values say, also where the second head is all index."""
    encode, decode = hpack.Encoder(), hpack.Decoder()
    edits = Http2Edits(host=b"new", peer=b"192.0.2.7")
    edits.feed(PREFACE + SETTINGS)
    names = [name for name, _ in fields]
    wanted = [(name, b"new" if name in (b"host", b":authority") else said) for name, said in fields]
    wanted.insert(0, (b":method", b"GET"))
    if not {b"host", b":authority"} & set(names):
        wanted.insert(0, (b":authority", b"new"))
    if names.count(b"x-forwarded-for") == 1:
        at = [name for name, _ in wanted].index(b"x-forwarded-for")
        claim = wanted[at][1]
        wanted[at] = b"x-forwarded-for", (claim + b", " if claim else b"") + b"192.0.2.7"
    else:
        wanted.append((b"x-forwarded-for", b"192.0.2.7"))
    for number in (1, 3)[: 1 + twice]:
        wire = frame(HEADERS, 5, number, encode.encode([(b":method", b"GET"), *fields]))
        try:
            out = edits.feed(wire)
        except Ambiguous:
            assert max(map(names.count, (b"host", b":authority"))) > 1
            return
        assert decode.decode(out[9:], raw=True) == wanted


def test_a_name_that_cgi_takes_for_the_field_is_refused() -> None:
    """`x_forwarded_for` becomes the same variable there, and would stand behind the edit."""
    edits = Http2Edits(host=b"", peer=b"192.0.2.7")
    fields = block((b":method", b"GET"), (b"x_forwarded-for", b"10.0.0.1"))
    with pytest.raises(Ambiguous):
        edits.feed(PREFACE + SETTINGS + frame(HEADERS, 5, 1, fields))


def block(*fields: tuple[bytes, bytes]) -> bytes:
    return b"".join(
        b"\0" + bytes((len(name),)) + name + bytes((len(value),)) + value for name, value in fields
    )


def edited(*fields: tuple[bytes, bytes]) -> bytes:
    edits = Http2Edits(host=b"new", peer=b"")
    return edits.feed(PREFACE + SETTINGS + frame(HEADERS, 5, 1, block(*fields)))


def test_a_host_field_is_the_same_name() -> None:
    """In the place of `:authority`, or beside it; without both the name is added."""
    rest = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]
    assert b"old" not in edited(*rest, (b"host", b"old"))
    assert b"old" not in edited(*rest, (b":authority", b"old"), (b"host", b"old"))
    assert b":authority\x03new" in edited(*rest)


@pytest.mark.parametrize(
    "fields",
    [
        [(b":method", b"GET"), (b":authority", b"a"), (b":authority", b"b")],
        [(b":method", b"GET"), (b"host", b"a"), (b"host", b"b")],
        [(b":method", b"CONNECT"), (b":authority", b"a:1")],
        [(b":method", b"GET"), (b"Host", b"a")],
        [(b":method", b"GET"), (b"x", b"a\r\nb")],
    ],
)
def test_what_could_go_by_unedited_is_refused(fields: list[tuple[bytes, bytes]]) -> None:
    """Names twice, tunnels, names in capitals, lines within lines."""
    with pytest.raises(Ambiguous):
        edited(*fields)


@pytest.mark.parametrize(
    "wire",
    [
        frame(CONTINUATION, 4, 1, b""),
        frame(HEADERS, 0, 1, b"\x82") + frame(HEADERS, 4, 1, b""),
        frame(HEADERS, 0, 1, b"\x82") + frame(CONTINUATION, 4, 3, b""),
        frame(HEADERS, 0x0C, 1, b"\x09\x82"),
        frame(HEADERS, 0x24, 1, b"\x82"),
        frame(HEADERS, 4, 1, b"\xff\xff"),
        frame(5, 4, 1, bytes(4)),
        b"\xff\xff\xff\x01\x04\x00\x00\x00\x01",
    ],
)
def test_frames_that_no_client_may_send_are_refused(wire: bytes) -> None:
    """Before anything of them has gone on."""
    edits = Http2Edits(host=b"new", peer=b"")
    with pytest.raises(Ambiguous):
        edits.feed(PREFACE + SETTINGS + wire)


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_edited_or_refused(pieces: list[bytes]) -> None:
    """One exception and no other."""
    edits = Http2Edits(host=b"new", peer=b"192.0.2.7")
    try:
        for piece in (PREFACE, *pieces):
            edits.feed(piece)
    except Ambiguous:
        pass
