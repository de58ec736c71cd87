"""Every connection of the corpus, in any pieces: the bytes pass as they are, and come out as told."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections.abc import Callable
from typing import Any

import h11
import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.proxy.copies import Budget
from monitor.proxy.heads import Ambiguous
from monitor.proxy.http1_fast_path import Http1FastPath
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.http2 import Http2
from monitor.proxy.observer import Observer, Upgraded
from monitor.proxy.websocket import WebSocket
from monitor.types import Exchange, Outcome
from tests.chances import SEEDED, seeded
from tests.proxy.corpus import CASES, FOLLOWED, GET, Brief, Case
from tests.proxy.test_splice import PATIENCE, Proxied, proxied, run

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


class Seen:
    """What observers made of a connection; `build` makes the first of them as the proxy does."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.exchanges: list[Exchange] = []
        self.lost: list[tuple[Outcome, str]] = []
        self.opaque: list[str] = []
        self.budget = Budget(room)
        self.ids = itertools.count()

    def build(
        self, opaque: Callable[[str], None], *, bound: int = 1 << 20, **more: Any
    ) -> Http1FastPath:
        shared: Any = {
            "emit": self.exchanges.append,
            "lose": lambda *one: self.lost.append(one),
            "opaque": opaque,
            "max_body_bytes": bound,
            "budget": self.budget,
        }
        common = {
            **shared, "new_id": lambda: str(next(self.ids)), "started_unix": lambda at: at,
        }  # fmt: skip

        def become(kind: str, upgraded: Upgraded | None) -> Observer | None:
            if upgraded is None:
                return Http2(**common)
            try:
                return WebSocket(upgraded, **shared)
            except Ambiguous:
                return None

        return Http1FastPath(Http1Parser(become=become, **common, **more))

    def check(self, case: Case) -> None:
        assert [brief(one) for one in self.exchanges] == list(case.records)
        assert self.opaque == ([case.opaque] if case.opaque else [])
        assert self.lost == [(Outcome.OK, "opaque")] * case.lost
        assert self.budget.used == 0, "memory is accounted for to the last byte"


def brief(one: Exchange) -> Brief:
    bodies = (one.request.body, one.response.body if one.response else b"")
    if one.upgraded:
        bodies = tuple(re.sub(rb',"at":[0-9.]+|\n', b"", body) for body in bodies)  # type: ignore[assignment]
    return one.request.head.split(b"\r\n")[0], *bodies, one.outcome.value


def cut(data: bytes, chance: random.Random) -> list[bytes]:
    """In pieces of any size, or byte by byte."""
    if len(data) < 500 and chance.random() < 0.2:
        return [bytes((byte,)) for byte in data]
    cuts = sorted(chance.randint(0, len(data)) for _ in range(chance.randint(0, 5)))
    return [data[a:b] for a, b in itertools.pairwise([0, *cuts, len(data)]) if a < b]


@every
@seeded(12)
def test_however_it_is_cut_it_is_seen_as_told(case: Case, chance: random.Random) -> None:
    """Records, reasons, and what is lost, to the byte."""
    seen = Seen()
    observer = seen.build(seen.opaque.append)
    at = 0.0
    for direction, data in case.turns:
        for piece in cut(data, chance):
            at += 1.0
            (observer.downstream if direction == ">" else observer.upstream)(piece, at)
        if direction == ">.":
            observer.downstream_eof(at)
        elif direction == "<.":
            observer.upstream_eof(at)
    observer.closed(at + 1.0, None)
    seen.check(case)


@every
def test_on_the_wire_every_byte_passes(case: Case) -> None:
    """Through the proxy and back; each turn arrives whole before the next is taken."""
    seen = Seen()
    chance = random.Random(case.name)

    async def play(proxy: Proxied) -> None:
        (reader, writer), (far_reader, far_writer) = await proxy.pair()
        for direction, data in case.turns:
            here, there = (writer, far_reader) if direction[0] == ">" else (far_writer, reader)
            if direction.endswith("."):
                here.write_eof()
                assert await asyncio.wait_for(there.read(), PATIENCE) == b""
            for piece in cut(data, chance):
                here.write(piece)
                await asyncio.sleep(0)
            if data:
                assert await asyncio.wait_for(there.readexactly(len(data)), PATIENCE) == data
        for one in (far_writer, writer):
            one.close()

    async def story() -> None:
        async with proxied(build=seen.build) as proxy:
            await play(proxy)
            async with asyncio.timeout(PATIENCE):
                while len(proxy.listener):
                    await asyncio.sleep(0.002)
            seen.opaque += [
                one for one, count in proxy.listener.opaque.items() for _ in range(count)
            ]

    run(story())
    seen.check(case)


def damaged(chance: random.Random) -> list[tuple[str, bytes]]:
    """Turns of some cases in a row, in pieces, of which some are lost, doubled, swapped or bent."""
    cases = chance.choices(CASES, k=chance.randint(1, 3))
    turns: list[tuple[str, bytes]] = []
    for direction, data in [turn for case in cases for turn in case.turns]:
        for piece in cut(data[:5000], chance) or [b""]:
            bent = bytearray(piece)
            for _ in range(chance.choice([0, 0, 0, 1, 3]) if bent else 0):
                bent[chance.randrange(len(bent))] = chance.randrange(256)
            turns += [(direction, bytes(bent))] * chance.choice([1] * 12 + [0, 2])
    if chance.random() < 0.2:
        chance.shuffle(turns)
    return turns


@seeded(3000)
def test_whatever_is_said_nothing_is_raised_or_kept(chance: random.Random) -> None:
    """Through all observers in a row: every exchange that began ends once, all memory is returned."""
    turns, room = damaged(chance), chance.choice([0, 60, 200, 1500, 1 << 30])
    bound, end = chance.choice([0, 3, 1 << 20]), chance.choice(["close", "abandon", "refuse"])
    seen = Seen(room)
    observer = seen.build(seen.opaque.append, bound=bound)
    for at, (direction, data) in enumerate(turns):
        if direction == ">.":
            observer.downstream_eof(float(at))
        elif direction == "<.":
            observer.upstream_eof(float(at))
        elif data:
            (observer.downstream if direction == ">" else observer.upstream)(data, float(at))
        observer.busy()
        observer.awaiting()
        assert seen.budget.used >= 0
        if seen.opaque:
            break
    if end == "abandon":
        observer.abandon()
    elif end == "refuse":
        observer.refuse(float(len(turns)), Outcome.UPSTREAM_TIMEOUT)
    observer.closed(float(len(turns)), None)
    assert seen.budget.used == 0
    assert len(seen.opaque) <= 1
    assert len(seen.exchanges) + len(seen.lost) == next(seen.ids)


# --- an independent parser ---------------------------------------------------------------------

Said = list[tuple[bytes, bytes]]


def by_h11(case: Case) -> tuple[Said, Said, str]:
    """Requests (target, body) and answers (status, body) as h11 reads them, and its complaint."""
    server, client = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT)
    server.receive_data(b"".join(data for direction, data in case.turns if direction == ">"))
    if (">.", b"") in case.turns:
        server.receive_data(b"")
    said = b"".join(data for direction, data in case.turns if direction == "<")
    client.receive_data(said)
    if ("<.", b"") in case.turns:
        client.receive_data(b"")
    requests: Said = []
    answers: Said = []
    try:
        while True:
            asked, body = next_message(server)
            if asked is None:
                return requests, answers, ""
            requests.append((asked.target, body))
            client.send(h11.Request(
                method=asked.method, target=b"/", headers=[(b"host", b"a"), (b"content-length", b"0")]
            ))  # fmt: skip
            client.send(h11.EndOfMessage())
            answer, body = next_message(client)
            if answer is None:
                return requests, answers, ""
            answers.append((b"%d" % answer.status_code, body))
            server.send(h11.Response(status_code=200, headers=[(b"content-length", b"0")]))
            server.send(h11.EndOfMessage())
            for one in (server, client):
                if (
                    h11.MUST_CLOSE in (one.our_state, one.their_state)
                    or one.their_state is h11.CLOSED
                ):
                    return requests, answers, ""
                one.start_next_cycle()
    except (h11.RemoteProtocolError, h11.LocalProtocolError) as error:
        return requests, answers, str(error)


def next_message(connection: h11.Connection) -> tuple[Any, bytes]:
    head, body = None, b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request | h11.Response):
            head, body = event, b""
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return head, body
        elif not isinstance(event, h11.InformationalResponse):
            return None, b""


H11_KNOWS_LESS = {
    "a WebSocket", "HTTP/2 with prior knowledge",  # as does every parser of HTTP/1.1
    "a blank line after a body, as old browsers send",  # it is lenient in front of the first alone
    "an answer before the request is through",  # it takes turns
    "an answer instead of the rest of the request",
    "a blank line before a request", "a blank before an extension",  # RFC 9112, 2.2 and 7.1.1, allow both
    "HTTP/1.0 kept alive", "CONNECT that is declined",  # it ends there
    "half a head",  # no message to compare
}  # fmt: skip


@pytest.mark.parametrize("case", FOLLOWED, ids=lambda case: case.name)
def test_boundaries_are_those_of_h11(case: Case) -> None:
    """Where we follow, an independent parser finds the same messages with the same bodies."""
    requests, answers, complaint = by_h11(case)
    complete = [one for one in case.records if one[3] not in ("client_gone", "upstream_broken")]
    if case.name in H11_KNOWS_LESS:
        assert len(requests) <= len(case.records)
        return
    if len(complete) == len(case.records):
        assert not complaint
    assert [body for _, body in requests][: len(complete)] == [one[1] for one in complete]
    assert [target for target, _ in requests][: len(complete)] == [
        one[0].split(b" ")[1] for one in complete
    ]
    assert [body for _, body in answers] == [one[2] for one in complete]


# --- the parser of Node and of uvicorn -----------------------------------------------------------


class ByHttptools:
    """Requests as llhttp reads them: targets and bodies, up to where it stops."""

    def __init__(self, data: bytes) -> None:
        self.found: Said = []
        self._target = self._body = b""
        try:
            httptools.HttpRequestParser(self).feed_data(data)
            self.clean = True
        except httptools.HttpParserUpgrade:
            self.clean = True
        except httptools.HttpParserError:
            self.clean = False

    def on_message_begin(self) -> None:
        self._target = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.found.append((self._target, self._body))


def followed(data: bytes) -> Said:
    """Requests as we read them, each answered, up to where we give up."""
    seen = Seen()
    observer = seen.build(seen.opaque.append)
    observer.downstream(data, 1.0)
    while not seen.opaque:
        before = len(seen.exchanges)
        observer.upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 2.0)
        if len(seen.exchanges) == before:
            break
    return [(one.request.head.split(b" ")[1], one.request.body) for one in seen.exchanges]


@pytest.mark.parametrize("case", FOLLOWED, ids=lambda case: case.name)
def test_boundaries_are_those_of_llhttp(case: Case) -> None:
    """Where it reads on to the end it has found the same requests."""
    data = b"".join(data for direction, data in case.turns if direction == ">")
    theirs = ByHttptools(data)
    complete = [one for one in case.records if one[3] != "client_gone"]
    if case.name in {"an answer instead of the rest of the request", "a WebSocket"}:
        return  # not one whole request; frames of another protocol behind it
    if case.name in {"a method nobody knows", "a blank before an extension"}:
        assert not theirs.clean  # it refuses both
        return
    if case.name == "HTTP/2 with prior knowledge":
        assert not theirs.found[1:]
        return
    if b"Upgrade:" in data or data.startswith(b"CONNECT"):  # it stops behind the first
        complete = complete[:1]
    expected = [(one[0].split(b" ")[1], one[1]) for one in complete]
    assert (theirs.found, theirs.clean) == (expected, True)


FIELDS = [
    b"Host: a\r\n", b"Content-Length: 5\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length:5\r\n",
    b"content-length:\t5 \r\n", b"Content-Length: +5\r\n", b"Content-Length: 05\r\n", b"Content-Length : 5\r\n", b"Content-Length: 5\n",
    b"Content-Length: 5, 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:CHUNKED\r\n",
    b"Transfer-Encoding: chunked \r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: chunked\n", b"Transfer-Encoding : chunked\r\n", b" Transfer-Encoding: chunked\r\n", b"A: b\r\n", b"A:\r\n",
    b"A: b\rContent-Length: 5\r\n", b"A: b\x00\r\n", b"A\r\n", b": b\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n",
]  # fmt: skip
BODIES = [
    b"hello", b"hello", b"5\r\nhello\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"0\r\n\r\n", b"5;a=b\r\nhello\r\n", b"05\r\nhello\r\n",
    b"5 \r\nhello\r\n", b"5\nhello\r\n", b"0x5\r\nhello\r\n", b"5\r\nhello", b"0\r\nA: b\r\n\r\n", b"0;a\r\n\r\n", b"0\r\n", b"00\r\n\r\n",
    b"\r\n", b"\n", b"\r", b"\x00", b" ",
]  # fmt: skip
BLANK = [b"\r\n"] * 9 + [b"\n", b"", b"\r\n\r\n"]


def nasty(lines: list[bytes]) -> st.SearchStrategy[bytes]:
    """Messages that are nearly good: a head of which one or two fields are odd, and some body."""

    def message(chance: random.Random) -> bytes:
        some = chance.choices(FIELDS, k=chance.randrange(4))
        body = chance.choices(BODIES, k=chance.randrange(4))
        return b"".join([chance.choice(lines), *some, chance.choice(BLANK), *body])

    return SEEDED.map(lambda chance: b"".join(message(chance) for _ in range(chance.randint(1, 4))))


@given(
    nasty([b"GET / HTTP/1.1\r\n", b"POST /a HTTP/1.1\r\n", b"POST / HTTP/1.0\r\n", b"GET /\r\n"])
)
@settings(max_examples=800)
def test_no_request_is_read_where_another_parser_reads_a_different_one(data: bytes) -> None:
    """The nth request that we record is the nth that llhttp reads, as far as it reads on."""
    ours, theirs = followed(data), ByHttptools(data)
    for mine, its in zip(ours, theirs.found, strict=False):
        assert mine == its
    if theirs.clean:
        assert len(ours) <= len(theirs.found)


class AnswersByHttptools:
    """Final answers as llhttp reads them, those that end with the connection aside."""

    def __init__(self, data: bytes) -> None:
        self.found: list[tuple[int, bytes]] = []
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)
        try:
            self._parser.feed_data(data)
            self.clean = True
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.clean = False

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            self.found.append((self._parser.get_status_code(), self._body))


STATUSES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404\r\n", b"HTTP/1.1 204 No\r\n", b"HTTP/1.1 304 Not\r\n",
    b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 103 Hints\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/2.0 200 OK\r\n", b"HTTP/1.1 20 OK\r\n",
]  # fmt: skip


@given(nasty(STATUSES))
@settings(max_examples=800)
def test_no_answer_is_read_where_another_parser_reads_a_different_one(data: bytes) -> None:
    """Likewise for what an endpoint says; the status and the body of the nth are the same."""
    seen = Seen()
    observer = seen.build(seen.opaque.append)
    observer.downstream(GET * 20, 1.0)
    observer.upstream(data, 2.0)
    ours = [
        (int(one.response.head[9:12]), one.response.body) for one in seen.exchanges if one.response
    ]
    theirs = AnswersByHttptools(data)
    for mine, its in zip(ours, theirs.found, strict=False):
        assert mine == its
    if theirs.clean:
        assert len(ours) <= len(theirs.found)
