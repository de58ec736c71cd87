"""What the budget says is what Python takes: within a quarter, whatever a stranger sends."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import hpack
import pytest

from monitor.proxy.copies import Budget
from monitor.proxy.frames import CONTINUATION, DATA, HEADERS, SETTINGS, frame
from monitor.proxy.handoff import Handoff
from monitor.proxy.http1_fast_path import Http1FastPath
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.http2 import PREFACE, Http2
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger
from monitor.proxy.observer import Observer, Upgraded
from monitor.proxy.websocket import WebSocket
from monitor.types import Exchange, Message

ROOM = 1 << 40
GET = b"GET / HTTP/1.1\r\n\r\n"
OPENED = PREFACE + frame(SETTINGS, 0, 0, b"")
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n" + CHUNKED
LONG = b"A: " + b"a" * 60_000 + b"\r\n"
ASKED = hpack.Encoder().encode(
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")]
)


class Held:
    """Connections and their budget; `read` is one read of a socket, whose bytes nobody else has."""

    def __init__(self, room: int = ROOM) -> None:
        self.budget = Budget(room)
        self.exchanges: list[Exchange] = []
        self.lost: list[str] = []
        self.opaque: list[str] = []
        self.connections: list[Observer] = []
        self.now = 1.0
        self.ids = Ids(1, lambda: 1_700_000_000.0)
        self.common: dict[str, Any] = {
            "emit": self.exchanges.append,
            "lose": lambda outcome, reason: self.lost.append(reason),
            "opaque": self.opaque.append,
            "new_id": self.ids.new,
            "started_unix": lambda at: at + 1e9,
            "max_body_bytes": 1 << 20,
            "budget": self.budget,
        }

    def http1(self) -> Observer:
        return self.keep(
            Http1FastPath(Http1Parser(become=lambda kind, upgraded: None, **self.common))
        )

    def keep(self, observer: Observer) -> Observer:
        self.connections.append(observer)
        return observer

    def abandoned(self) -> int:
        """What stays charged once no connection is followed any more."""
        for one in self.connections:
            one.abandon()
        return self.budget.used

    def http2(self) -> Observer:
        observer = Http2(**self.common)
        observer.downstream(OPENED, 1.0)
        observer.upstream(frame(SETTINGS, 0, 0, b""), 1.0)
        return self.keep(observer)

    def websocket(self, extension: bytes = b"") -> Observer:
        head = b"HTTP/1.1 101 Switching Protocols\r\n" + extension + b"\r\n"
        upgraded = Upgraded("id", 1.0, 1e9, Message(GET), Message(head))
        common = {k: v for k, v in self.common.items() if k not in ("new_id", "started_unix")}
        return self.keep(WebSocket(upgraded, **common))

    def read(self, see: Callable[[bytes, float], None], data: bytes) -> None:
        self.now += 0.001
        see(bytes(bytearray(data)), self.now)


def pipelined(held: Held) -> Callable[[], None]:
    """Requests of 18 bytes behind one another, and no answer."""
    one = held.http1()
    return lambda: [held.read(one.downstream, GET * 1000) for _ in range(3)] and None


def asked(held: Held) -> Callable[[], None]:
    """One plain request on each of many connections."""
    many = [held.http1() for _ in range(3000)]
    return lambda: [held.read(one.downstream, GET) for one in many] and None


def begun(held: Held) -> Callable[[], None]:
    """A request whose body does not come, on each of many connections."""
    many = [held.http1() for _ in range(1000)]
    begin = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"
    return lambda: [held.read(one.downstream, begin) for one in many] and None


def coded(held: Held) -> Callable[[], None]:
    """The same, chunked."""
    many = [held.http1() for _ in range(1000)]
    return lambda: (
        [held.read(one.downstream, b"POST / HTTP/1.1\r\n" + CHUNKED) for one in many] and None
    )


def tiny_chunks(held: Held) -> Callable[[], None]:
    """A body in chunks that are no longer than a reference to each would be."""
    one = held.http1()

    def act() -> None:
        held.read(one.downstream, b"POST / HTTP/1.1\r\n" + CHUNKED)
        for _ in range(14):
            held.read(one.downstream, b"8\r\nxxxxxxxx\r\n" * 1024)

    return act


def arrivals(held: Held) -> Callable[[], None]:
    """An answer that comes a byte at a time."""
    one = held.http1()

    def act() -> None:
        held.read(one.downstream, GET)
        held.read(one.upstream, ANSWER)
        for _ in range(7000):
            held.read(one.upstream, b"1\r\nx\r\n")

    return act


def heads(held: Held) -> Callable[[], None]:
    """Heads of 60 KB that have come to their end."""
    many = [held.http1() for _ in range(40)]
    return lambda: [held.read(one.downstream, GET[:-2] + LONG + b"\r\n") for one in many] and None


def begun_heads(held: Held) -> Callable[[], None]:
    """And such as have not, of requests and answers."""
    many = [held.http1() for _ in range(40)]

    def act() -> None:
        for one in many[:20]:
            held.read(one.downstream, GET[:-2] + LONG)
        for one in many[20:]:
            held.read(one.downstream, GET)
            held.read(one.upstream, b"HTTP/1.1 200 OK\r\n" + LONG)

    return act


def long_answers(held: Held) -> Callable[[], None]:
    """Heads of answers whose bodies have not come."""
    many = [held.http1() for _ in range(40)]

    def act() -> None:
        for one in many:
            held.read(one.downstream, GET)
            held.read(one.upstream, b"HTTP/1.1 200 OK\r\n" + LONG + CHUNKED)

    return act


def trailers(held: Held) -> Callable[[], None]:
    """Trailers of 60 KB without their end."""
    many = [held.http1() for _ in range(40)]
    start = b"POST / HTTP/1.1\r\n" + CHUNKED + b"0\r\n" + LONG
    return lambda: [held.read(one.downstream, start) for one in many] and None


def answered_early(held: Held) -> Callable[[], None]:
    """Answers that came before the end of their requests."""
    many = [held.http1() for _ in range(40)]

    def act() -> None:
        for one in many:
            held.read(one.downstream, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
            held.read(one.upstream, b"HTTP/1.1 400 No\r\n" + LONG + b"Content-Length: 0\r\n\r\n")

    return act


def upgrades(held: Held) -> Callable[[], None]:
    """What waits behind a request for another protocol."""
    many = [held.http1() for _ in range(40)]
    ask = b"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n" + bytes(60_000)
    return lambda: [held.read(one.downstream, ask) for one in many] and None


def messages(held: Held) -> Callable[[], None]:
    """WebSocket messages of a byte, from both sides."""
    one = held.websocket()

    def act() -> None:
        for _ in range(4000):
            held.read(one.upstream, b"\x81\x01x")
        for _ in range(14):
            held.read(one.downstream, b"\x81\x81abcdx" * 300)

    return act


def large_messages(held: Held) -> Callable[[], None]:
    """WebSocket messages of 20 KB, the last of them not at its end."""
    one = held.websocket()
    whole = b"\x81\x7e\x4e\x20" + b"x" * 20_000
    return lambda: (
        [held.read(one.upstream, piece) for piece in [whole] * 40 + [whole[:-1]]] and None
    )


def windows(held: Held) -> Callable[[], None]:
    """What it takes to inflate."""
    press = zlib.compressobj(wbits=-15)
    said = (press.compress(b"hello, hello, hello") + press.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def act() -> None:
        for _ in range(20):
            one = held.websocket(b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
            held.read(one.upstream, b"\xc1" + bytes((len(said),)) + said)
            held.read(one.downstream, b"\xc1" + bytes((128 + len(said),)) + bytes(4) + said)

    return act


def streams(held: Held) -> Callable[[], None]:
    """HTTP/2: streams without a body, and no answer."""
    one = held.http2()
    return lambda: [
        held.read(one.downstream, frame(HEADERS, 5, number, ASKED))
        for number in range(1, 4000, 2)
    ] and None  # fmt: skip


def full_streams(held: Held) -> Callable[[], None]:
    """HTTP/2: bodies, answers and their trailers, all but the end."""
    one = held.http2()
    answer = hpack.Encoder().encode([(":status", "200"), ("a", "b" * 100)])

    def act() -> None:
        for number in range(1, 1400, 2):
            held.read(one.downstream, frame(HEADERS, 4, number, ASKED))
            held.read(one.downstream, frame(DATA, 0, number, b"x" * 500))
            held.read(one.upstream, frame(HEADERS, 4, number, answer))
            for _ in range(5):
                held.read(one.upstream, frame(DATA, 0, number, b"y" * 20))

    return act


def large_streams(held: Held) -> Callable[[], None]:
    """HTTP/2: heads and trailers of 40 KB in answers to requests that have not ended."""
    one = held.http2()

    def block(*fields: tuple[str, str]) -> list[bytes]:
        """As literals, which leave the table alone, in two frames."""
        whole = b"".join(
            b"\x00%c%b\x7f%b%b" % (len(n), n.encode(), _rest(len(v)), v.encode()) for n, v in fields
        )
        return [whole[:16000], *(whole[at : at + 16000] for at in range(16000, len(whole), 16000))]

    long = block(("a", "b" * 40_000))

    def act() -> None:
        for number in range(1, 41, 2):
            held.read(one.downstream, frame(HEADERS, 4, number, ASKED))
            for ending, first in ((0, b"\x88"), (1, b"")):
                pieces = [first + long[0], *long[1:]]
                held.read(one.upstream, frame(HEADERS, ending, number, pieces[0]))
                for piece in pieces[1:]:
                    held.read(
                        one.upstream, frame(CONTINUATION, 4 * (piece is pieces[-1]), number, piece)
                    )

    return act


def _rest(size: int) -> bytes:
    """RFC 7541, section 5.1: what follows a prefix of seven ones."""
    size -= 0x7F
    out = bytearray()
    while size >= 0x80:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*out, size))


def tables(held: Held) -> Callable[[], None]:
    """HTTP/2: dynamic tables full of small fields."""
    many = [held.http2() for _ in range(4)]

    def act() -> None:
        for one in many:
            fields = b"".join(b"\x40\x02ab\x02%02d" % (n % 90) for n in range(1820))
            for start in range(0, len(fields), 7 * 400):
                number = 1 + 2 * (start // 2800)
                block = (
                    (b"\x3f\xe1\xff\x03" if not start else b"")
                    + ASKED
                    + fields[start : start + 2800]
                )
                held.read(one.downstream, frame(HEADERS, 5, number, block))
                held.read(one.upstream, frame(3, 0, number, bytes(4)))
        held.exchanges.clear()

    return act


def large_tables(held: Held) -> Callable[[], None]:
    """HTTP/2: dynamic tables full of large fields."""
    many = [held.http2() for _ in range(8)]

    def act() -> None:
        for one in many:
            for number in range(1, 31, 2):
                start = b"\x3f\xe1\xff\x03" if number == 1 else b""
                field = b"\x40\x01a" + b"\x7f\x81\x1e" + b"%04d" % number * 992
                held.read(one.downstream, frame(HEADERS, 5, number, start + ASKED + field))
                held.read(one.upstream, frame(3, 0, number, bytes(4)))
        held.exchanges.clear()

    return act


def blocks(held: Held) -> Callable[[], None]:
    """HTTP/2: header blocks and frames without their end."""
    many = [held.http2() for _ in range(40)]
    begin = frame(HEADERS, 0, 1, ASKED) + frame(CONTINUATION, 0, 1, bytes(30_000))
    part = frame(CONTINUATION, 4, 1, bytes(30_000))[:-1]
    return lambda: [held.read(one.downstream, begin + part) for one in many] and None


SCENES = [
    pipelined, asked, begun, coded, tiny_chunks, arrivals, heads, begun_heads, long_answers,
    trailers, answered_early, upgrades, messages, large_messages, windows, streams, full_streams,
    large_streams, tables, large_tables, blocks,
]  # fmt: skip


def exchanges(held: Held) -> Callable[[], None]:
    """The least there can be of an exchange."""
    many = [held.http1() for _ in range(500)]

    def act() -> None:
        for one in many * 4:
            held.read(one.downstream, GET)
            held.read(one.upstream, b"HTTP/1.1 204 \r\n\r\n")

    return act


def streamed(held: Held) -> Callable[[], None]:
    """Answers in many pieces."""
    many = [held.http1() for _ in range(50)]

    def act() -> None:
        for one in many:
            held.read(one.downstream, GET)
            held.read(one.upstream, ANSWER)
            for _ in range(100):
                held.read(one.upstream, b"4\r\ndata\r\n")
            held.read(one.upstream, b"0\r\n\r\n")

    return act


def closed(held: Held) -> Callable[[], None]:
    """Requests whose connections ended before an answer."""
    many = [held.http1() for _ in range(1000)]

    def act() -> None:
        for one in many:
            held.read(one.downstream, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhi")
            one.closed(held.now, None)

    return act


def calls(held: Held) -> Callable[[], None]:
    """HTTP/2 streams that are over, with trailers."""
    one = held.http2()
    answer = hpack.Encoder().encode([(":status", "200")])
    last = hpack.Encoder().encode([("grpc-status", "0")])

    def act() -> None:
        for number in range(1, 4000, 2):
            held.read(one.downstream, frame(HEADERS, 5, number, ASKED))
            held.read(one.upstream, frame(HEADERS, 4, number, answer))
            held.read(one.upstream, frame(HEADERS, 5, number, last))

    return act


@pytest.fixture(scope="module", autouse=True)
def few_objects() -> None:
    """Each of a hundred collections would look through all that other tests have left."""
    gc.collect()
    gc.freeze()


def measured(act: Callable[[], None]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        act()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("scene", [exchanges, streamed, closed, calls])
def test_what_waits_for_the_recorder_is_charged_as_it_is(
    scene: Callable[[Held], Callable[[], None]],
) -> None:
    """The same for exchanges that are over, in the hand-off's buffer."""

    async def story() -> None:
        held = Held()
        ledger = Ledger()
        handoff = Handoff(
            "/nobody/listens", held.budget, ledger, held.ids,
            save=lambda snapshot: None, clock=lambda: held.now,
        )  # fmt: skip
        held.common["emit"] = handoff.offer
        act = scene(held)
        before = held.budget.used
        taken = measured(act)
        charged = held.budget.used - before
        assert ledger.held >= 50
        assert taken > 100_000, "enough to be measured"
        assert taken / 1.25 < charged < taken * 1.25, f"{charged / taken:.2f}"
        await handoff.drain(0)
        assert held.abandoned() == 0

    asyncio.run(story())


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_charged_is_what_it_takes(scene: Callable[[Held], Callable[[], None]]) -> None:
    """Within a quarter, for everything that a connection can make us hold."""
    held = Held()
    act = scene(held)
    before = held.budget.used
    taken = measured(act)
    charged = held.budget.used - before
    assert taken > 100_000, "enough to be measured"
    assert taken / 1.25 < charged < taken * 1.25, f"{charged / taken:.2f}"
    assert not held.opaque
    assert held.abandoned() == 0


@pytest.mark.parametrize("scene", SCENES)
def test_there_is_an_end_to_it(scene: Callable[[Held], Callable[[], None]]) -> None:
    """Beyond the bound nothing is kept, beyond the limit not even where an exchange stands."""
    held = Held(room=200_000)
    taken = measured(scene(held))
    assert held.budget.used <= held.budget.limit + 65536
    assert taken < held.budget.limit * 1.25
    assert set(held.opaque) <= {"buffer_full"}
    assert held.abandoned() == 0
