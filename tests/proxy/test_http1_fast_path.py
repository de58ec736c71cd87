"""The HTTP/1.1 observer: what crossed the wire, however it was cut; or opaque, and why."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from dataclasses import dataclass, field

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.proxy.copies import Budget
from monitor.proxy.heads import (
    Ambiguous,
    plain_request,
    plain_response,
    request_length,
    response_length,
    response_status,
    upgrades,
)
from monitor.proxy.http1_fast_path import Http1FastPath
from monitor.proxy.http1_parser import STALE, Http1Parser
from monitor.proxy.observer import OPAQUE_REASONS
from monitor.types import Exchange, Outcome
from tests.chances import seeded

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass
class Seen:
    """A connection that was played: what came of it."""

    bound: int = 1 << 20
    exchanges: list[Exchange] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    lost: list[tuple[Outcome, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.budget = Budget(1 << 30)
        self.ids = itertools.count()
        self.observer = Http1FastPath(
            Http1Parser(
                emit=self.exchanges.append,
                lose=lambda *one: self.lost.append(one),
                opaque=self.opaque.append,
                become=lambda kind, upgraded: None,
                new_id=lambda: str(next(self.ids)),
                started_unix=lambda at: at,
                max_body_bytes=self.bound,
                budget=self.budget,
            )
        )

    def play(
        self, *steps: tuple[str, bytes], cause: Outcome | None = None, at: float = 0.0
    ) -> Seen:
        """`>` from the client, `<` from the server, `>.` and `<.` their ends, then the close."""
        for direction, data in steps:
            at += 1.0
            {
                ">": lambda d=data, a=at: self.observer.downstream(d, a),
                "<": lambda d=data, a=at: self.observer.upstream(d, a),
                ">.": lambda a=at: self.observer.downstream_eof(a),
                "<.": lambda a=at: self.observer.upstream_eof(a),
            }[direction]()
        self.observer.closed(at + 1.0, cause)
        assert self.budget.used == 0, "memory is accounted for to the last byte"
        ended = len(self.exchanges) + len(self.lost)
        assert ended == next(self.ids), "what began is on record or lost, once"
        assert set(self.opaque) <= set(OPAQUE_REASONS)
        return self

    def brief(self) -> list[tuple[bytes, bytes, bytes, str]]:
        return [
            (
                one.request.head.split(b"\r\n")[0],
                one.request.body,
                one.response.body if one.response else b"",
                one.outcome.value,
            )
            for one in self.exchanges
        ]


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\ngrpc-status: 0\r\n\r\n"
)
CONVERSATIONS = {
    "keep-alive": (GET * 2, OK * 2, [(b"", b"hi", "ok")] * 2),
    "post": (
        b"POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc", OK, [(b"abc", b"hi", "ok")],
    ),
    "chunked both ways": (
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        CHUNKED, [(b"abc", b"hello world", "ok")],
    ),
    "head": (
        b"HEAD / HTTP/1.1\r\n\r\n" + GET,
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + OK,
        [(b"", b"", "ok"), (b"", b"hi", "ok")],
    ),
    "204 and 304": (
        GET * 3,
        b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" + OK,
        [(b"", b"", "ok"), (b"", b"", "ok"), (b"", b"hi", "ok")],
    ),
    "100-continue": (
        b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK, [(b"abc", b"hi", "ok")],
    ),
    "103 early hints": (
        GET, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, [(b"", b"hi", "ok")],
    ),
    "until close": (
        b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nall of it", [(b"", b"all of it", "ok")],
    ),
    "statuses": (
        GET * 3,
        b"HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\nHTTP/1.1 429 T\r\nContent-Length: 0\r\n\r\n"
        b"HTTP/1.1 500 E\r\nContent-Length: 0\r\n\r\n",
        [(b"", b"", "client_error"), (b"", b"", "rate_limited"), (b"", b"", "server_error")],
    ),
    "empty lines before a request": (b"\r\n\r\n" + GET, OK, [(b"", b"hi", "ok")]),
    "ignored upgrade": (
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + GET, OK * 2,
        [(b"", b"hi", "ok")] * 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVERSATIONS)
@seeded(60)
def test_any_cutting_gives_the_same_exchanges(name: str, chance: random.Random) -> None:
    """Requests first, then responses, each in pieces of any size."""
    request, response, expected = CONVERSATIONS[name]
    steps = []
    for direction, whole in ((">", request), ("<", response)):
        cuts = sorted(chance.randint(0, len(whole)) for _ in range(chance.randrange(9)))
        for start, end in itertools.pairwise([0, *cuts, len(whole)]):
            if end > start:
                steps.append((direction, whole[start:end]))
    seen = Seen().play(*steps, ("<.", b""), (">.", b""))
    assert [(q, a, o) for _, q, a, o in seen.brief()] == expected
    assert not seen.opaque


@pytest.mark.parametrize(
    ("request_", "response", "reason"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", b"", "ambiguous_length"),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", b"", "ambiguous_length"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", b"", "ambiguous_length"),
        (b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", b"", "ambiguous_length"),
        (b"POST / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\nabc", b"", "ambiguous_length"),
        (b"POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc", b"", "malformed_head"),
        (b"GET / HTTP/1.1\r\nA: b\n c\r\n\r\n", b"", "malformed_head"),
        (b"GET / HTTP/1.1\r\nA: b\nB: c\r\n\r\n", b"", "malformed_head"),
        (b"GET / HTTP/1.1\r\nA: \0\r\n\r\n", b"", "malformed_head"),
        (b"\x16\x03\x01\x02\x00\x01\x00", b"", "tls"),
        (b"\x00\x01\x02\x03", b"", "not_http"),
        (b"GET /" + b"a" * 70000, b"", "head_too_large"),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", "connect"),
        (GET, OK + OK, "unsolicited_response"),
        (GET, b"HTTP/1.1 banana\r\n\r\n", "malformed_head"),
        (GET, b"HTTP/1.1 200 OK\nA: b\n\n", "malformed_head"),
        (GET, b"\0", "malformed_head"),
        (GET, b"<html>", "malformed_head"),  # as HTTP/0.9 answers
        (b"GET / HTTP/1.1\nHost: a\n\n", b"", "malformed_head"),
        (
            b"GET / HTTP/1.1\r\nUpgrade: tunnel\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tunnel\r\n\r\n", "upgrade",
        ),
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_turns_opaque(
    request_: bytes, response: bytes, reason: str
) -> None:
    """No guess is recorded; the reason is."""
    steps = [(">", request_)] + ([("<", response)] if response else [])
    seen = Seen().play(*steps)
    assert seen.opaque == [reason]


POST = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(">", GET + GET), ("<", b"HTTP/1.1 banana\r\n\r\n")], [Outcome.OK, Outcome.OK]),
        ([(">", GET), ("<", b"HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")], [Outcome.CLIENT_ERROR]),
        ([(">", POST), ("<", OK[:-1]), (">", b"defghi\r\n\0")], [Outcome.OK]),
        ([(">", GET + b"CONNECT a:1 HTTP/1.1\r\n\r\n"), ("<", OK * 2)], []),
        ([(">", b"CONNECT a:1 HTTP/1.1\r\nContent-Length: 3\r\n\r\n"), ("<", OK)], [Outcome.OK]),
        ([(">", GET), ("<", OK), (">", b"\0")], []),
    ],
)  # fmt: skip
def test_what_is_under_way_when_a_connection_turns_opaque_is_lost_by_name(
    steps: list[tuple[str, bytes]], expected: list[Outcome]
) -> None:
    """Each exchange that had begun, once, with what its status said."""
    seen = Seen().play(*steps)
    assert len(seen.opaque) == 1
    assert seen.lost == [(outcome, "opaque") for outcome in expected]


def test_what_an_observer_that_failed_had_begun_is_lost_by_name() -> None:
    """The splice calls `abandon` then, and the memory is given back."""
    seen = Seen()
    seen.observer.downstream(GET + POST, 1.0)
    seen.observer.upstream(OK[:-1], 2.0)
    seen.observer.abandon()
    assert seen.lost == [(Outcome.OK, "opaque")] * 2
    assert seen.budget.used == 0
    assert not seen.observer.busy()
    seen = Seen()
    seen.observer.downstream(GET, 1.0)
    seen.observer.abandon()
    assert seen.lost == [(Outcome.OK, "opaque")], "also on the short cut"
    assert seen.budget.used == 0


def test_a_plain_request_that_is_given_up_is_lost_by_name() -> None:
    """Also where the short cut had it: nothing else was under way."""
    seen = Seen()
    seen.observer.downstream(GET, 1.0)
    assert seen.observer.busy()
    assert seen.observer.awaiting()
    seen.observer.abandon()
    assert seen.lost == [(Outcome.OK, "opaque")]
    assert seen.budget.used == 0
    assert not seen.observer.busy()


def test_a_body_beyond_the_bound_keeps_its_true_size() -> None:
    """The copy is cut, the count is not; chunked or with a length."""
    body = b"x" * 1000
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + body + b"\r\n0\r\n\r\n"
    )
    request = b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + body
    (one,) = Seen(bound=10).play((">", request), ("<", answer)).exchanges
    assert one.response
    assert (one.request.body, one.request.size) == (b"x" * 10, 1000)
    assert (one.response.body, one.response.size) == (b"x" * 10, 1000)


def test_trailers_stand_apart_from_the_head() -> None:
    """gRPC-Web and others say their status there."""
    (one,) = Seen().play((">", GET), ("<", CHUNKED)).exchanges
    assert one.response
    assert one.response.trailers == b"grpc-status: 0\r\n"
    assert b"grpc" not in one.response.head


def test_chunks_bear_the_moment_they_came() -> None:
    """Times are since the request's first byte; offsets are of the body without its coding."""
    head, rest = CHUNKED.split(b"\r\n\r\n", 1)
    first, second = rest[:14], rest[14:]
    seen = Seen().play((">", GET), ("<", head + b"\r\n\r\n"), ("<", first), ("<", second))
    assert seen.exchanges[0].chunks == [(2.0, 5), (3.0, 11)]
    assert seen.exchanges[0].duration == 3.0


CALL = (
    b"POST /s.S/Do HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc-web+proto\r\n"
    b"Grpc-Timeout: %b\r\nContent-Length: 0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("steps", "cause", "outcome"),
    [
        ([(">", GET), ("<", OK[:-1])], Outcome.CLIENT_GONE, "client_gone"),
        ([(">", GET), ("<", OK[:-1])], Outcome.UPSTREAM_BROKEN, "upstream_broken"),
        ([(">", GET)], Outcome.CLIENT_GONE, "client_gone"),
        ([(">", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")], Outcome.CLIENT_GONE, "client_gone"),
        ([(">", GET), ("<", OK[:-1]), ("<.", b""), (">.", b"")], None, "upstream_broken"),
        ([(">", GET), (">.", b""), ("<", OK[:-1]), ("<.", b"")], None, "client_gone"),
        ([(">", GET), (">.", b""), ("<", OK)], None, "ok"),
        ([(">", CALL % b"1S"), (">.", b"")], None, "upstream_timeout"),
        ([(">", CALL % b"900m"), ("<", OK[:-1])], Outcome.CLIENT_GONE, "upstream_timeout"),
        ([(">", CALL % b"1S"), ("<", OK[:-1])], Outcome.UPSTREAM_BROKEN, "upstream_broken"),
        ([(">", CALL % b"1M")], Outcome.CLIENT_GONE, "client_gone"),
    ],
)  # fmt: skip
def test_an_end_before_the_end_is_an_outcome(
    steps: list[tuple[str, bytes]], cause: Outcome | None, outcome: str
) -> None:
    """Who ended it is said, and what had come is kept; a half-close alone is no abort. A client of
    gRPC-Web that leaves after its deadline has waited too long."""
    (one,) = Seen().play(*steps, cause=cause).exchanges
    assert one.outcome.value == outcome


def test_a_stale_kept_alive_connection_leaves_no_phantom() -> None:
    """The endpoint had closed before it saw the second request; the client asks again elsewhere."""
    seen = Seen()
    seen.observer.downstream(GET, 1.0)
    seen.observer.upstream(OK, 1.1)
    seen.observer.downstream(GET, 9.0)
    seen.observer.closed(9.0 + STALE / 2, Outcome.UPSTREAM_BROKEN)
    assert len(seen.exchanges) == 1
    assert seen.budget.used == 0


def test_an_early_answer_waits_for_the_rest_of_its_request() -> None:
    """A 413 before the body is through is one exchange with the whole request."""
    head = b"POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc"
    seen = Seen().play((">", head), ("<", OK), (">", b"def"), (">", GET), ("<", OK))
    assert [one[1:] for one in seen.brief()] == [(b"abcdef", b"hi", "ok"), (b"", b"hi", "ok")]


@pytest.mark.parametrize("cause", [Outcome.UPSTREAM_REFUSED, Outcome.UPSTREAM_TIMEOUT])
def test_a_refusal_is_answered_in_http_and_recorded(cause: Outcome) -> None:
    """The client gets a status and a short JSON body, the record the outcome."""
    seen = Seen()
    seen.observer.downstream(GET, 1.0)
    answer = seen.observer.refuse(2.0, cause)
    assert answer.startswith(b"HTTP/1.1 50")
    assert b'"error"' in answer
    assert [one.outcome for one in seen.exchanges] == [cause]


def test_a_refusal_in_mid_request_is_recorded_with_what_had_come() -> None:
    """The client was still sending; the record is not lost for it."""
    seen = Seen()
    seen.observer.downstream(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", 1.0)
    assert seen.observer.refuse(2.0, Outcome.UPSTREAM_REFUSED)
    assert [one[1] for one in seen.brief()] == [b"abc"]
    assert (seen.lost, seen.budget.used) == ([], 0)


def test_a_copy_without_room_is_given_up_and_counted() -> None:
    """Memory is bounded across connections; the exchange is lost, the connection is not."""
    seen = Seen()
    seen.budget.bound = 2000
    body = b"x" * 4000
    seen.observer.downstream(b"POST / HTTP/1.1\r\nContent-Length: 4000\r\n\r\n" + body, 1.0)
    seen.observer.upstream(OK, 2.0)
    seen.observer.downstream(GET, 3.0)
    seen.observer.upstream(OK, 4.0)
    assert (len(seen.lost), len(seen.exchanges)) == (1, 1)
    assert seen.budget.used == 0


@pytest.mark.parametrize("size", [1, 3, 700])
def test_a_body_in_small_pieces_costs_about_what_the_budget_says(size: int) -> None:
    """Objects a byte would hold forty times as much: one client could take the host's memory."""
    body = random.Random(0).randbytes(1 << 17)
    seen = Seen()
    seen.observer.downstream(GET, 1.0)
    seen.observer.upstream(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), 1.0)
    tracemalloc.start()
    try:
        for start in range(0, len(body) - size, size):
            seen.observer.upstream(body[start : start + size], 2.0 + start / 1000)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 1.3 * seen.budget.used + 10_000
    seen.observer.upstream(body[start + size :], 3.0)
    assert seen.exchanges[0].response is not None
    assert seen.exchanges[0].response.body == body
    assert seen.budget.used == 0


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("><"), st.binary(max_size=40)), max_size=12))
def test_no_bytes_whatever_raise(steps: list[tuple[str, bytes]]) -> None:
    """Garbage is opaque or ignored, never an exception."""
    Seen().play(*steps)


PIECES = st.sampled_from(
    [GET, OK, CHUNKED, b"POST / HTTP/1.1\r\n", b"Content-Length: 5\r\n", b"\r\n", b"hello",
     b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"5\r\n", b"HTTP/1.1 200 OK\r\n", b"A: b\r\n",
     b"HTTP/1.1 100 Continue\r\n\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b" ", b"\n"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=12))
def test_boundaries_agree_with_h11_or_the_connection_is_opaque(pieces: list[bytes]) -> None:
    """What we record as requests is what an independent parser reads from the same bytes."""
    data = b"".join(pieces)
    seen = Seen()
    seen.observer.downstream(data, 1.0)
    ours = []
    while True:
        before = len(seen.exchanges)
        seen.observer.upstream(OK, 2.0)
        if len(seen.exchanges) == before or seen.opaque:
            break
        ours.append((seen.exchanges[-1].request.head, seen.exchanges[-1].request.body))
    theirs, clean = by_h11(data)
    if not seen.opaque or seen.opaque == ["unsolicited_response"]:
        for (head, body), (method, target, their_body) in zip(ours, theirs, strict=False):
            assert head.startswith(method + b" " + target + b" ")
            assert body == their_body
        if clean:
            assert len(ours) <= len(theirs) + 1


def by_h11(data: bytes) -> tuple[list[tuple[bytes, bytes, bytes]], bool]:
    connection = h11.Connection(h11.SERVER)
    found: list[tuple[bytes, bytes, bytes]] = []
    connection.receive_data(data)
    request, body = None, b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request, body = event, b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                found.append((bytes(request.method), bytes(request.target), body))
                connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                connection.start_next_cycle()
            else:
                return found, True
    except (h11.RemoteProtocolError, h11.LocalProtocolError):
        return found, False


NAMES = [
    b"Host", b"Content-Length", b"content-length", b"CONTENT-LENGTH", b"Content-Length ", b"Content-Lengthy",
    b"X-Content-Length", b"Transfer-Encoding", b"tRANSFER-eNCODING", b"TE", b"Trailer", b"Upgrade", b"upgrade",
    b"Upgrade-Insecure-Requests", b"Expect", b"expect", b"ETag", b"Connection", b"Cookie", b"", b"a b", b"c", b"t",
]  # fmt: skip
VALUES = [
    b" 5", b"5", b" 0", b"\t5 ", b" +5", b" 5, 5", b" 0x5", b" 5_0", b" 05", b" chunked", b" gzip, chunked",
    b" identity", b" h2c", b" websocket", b" 100-continue", b"", b" \xff", b" a\r\n b", b" a\0", b" a\rb", b" 1" * 20,
    b" " + b"9" * 18, b" " + b"9" * 19,
]  # fmt: skip
fields = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=5)


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(
        [
            b"GET / HTTP/1.1",
            b"POST /a?b HTTP/1.1",
            b"HEAD / HTTP/1.1",
            b"PUT / HTTP/1.0",
            b"GET  / HTTP/1.1",
        ]
    ),
    fields,
    st.binary(max_size=4),
)
def test_a_request_that_is_plain_at_one_look_is_so_at_a_careful_one(
    line: bytes, pairs: list[tuple[bytes, bytes]], after: bytes
) -> None:
    """The short cut takes nothing that is ambiguous, coded, expected or upgraded, and the same length."""
    head = line + b"".join(b"\r\n%s:%s" % pair for pair in pairs) + b"\r\n\r\n"
    match = plain_request(head + after)
    if match is not None:
        assert match.end() == len(head)
        assert request_length(head) == int(match[1] or 0)
        assert not upgrades(head)
        assert b"expect:" not in head.lower()


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        [100, 101, 103, 199, 200, 204, 205, 206, 301, 304, 307, 400, 404, 429, 500, 599, 600, 999]
    ),
    fields,
    st.sampled_from([b"GET", b"POST", b"DELETE"]),
)
def test_a_response_that_is_plain_at_one_look_is_so_at_a_careful_one(
    status: int, pairs: list[tuple[bytes, bytes]], method: bytes
) -> None:
    """Likewise, with a final status that has a body of a stated length."""
    head = (
        b"HTTP/1.1 %d OK" % status + b"".join(b"\r\n%s:%s" % pair for pair in pairs) + b"\r\n\r\n"
    )
    match = plain_response(head)
    if match is not None:
        assert status >= 200
        assert (match.end(), int(match[1])) == (len(head), response_status(head))
        assert response_length(head, status, method) == int(match[2])


def test_plain_heads_are_taken_at_one_look() -> None:
    """What clients and servers say every day is plain, whatever the case of its names."""
    for request in (
        GET,
        b"POST /v1 HTTP/1.1\r\nCONTENT-length:  7\t\r\nTE: trailers\r\nCookie: c\r\n\r\n",
    ):
        assert plain_request(request)
    for response in (
        OK,
        b"HTTP/1.1 404 \r\nETag: x\r\nContent-Type: a\r\ncontent-length:0\r\n\r\n",
    ):
        assert plain_response(response)
    with pytest.raises(Ambiguous):
        request_length(b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n")


def test_a_101_before_the_end_of_a_head_is_not_followed() -> None:
    """The client may have changed the protocol already, or not."""
    seen = Seen()
    seen.observer.downstream(GET + GET[:9], 1.0)
    seen.observer.upstream(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n", 2.0)
    assert seen.opaque == ["upgrade"]
    assert seen.budget.used == 0


def test_a_body_until_close_without_room_is_lost() -> None:
    """And is no record of an empty answer."""
    seen = Seen()
    seen.budget.bound = 3000
    seen.observer.downstream(GET, 1.0)
    seen.observer.upstream(b"HTTP/1.1 200 OK\r\n\r\n", 2.0)
    for _ in range(4):
        seen.observer.upstream(b"x" * 1000, 3.0)
    seen.observer.upstream_eof(4.0)
    assert (len(seen.lost), len(seen.exchanges)) == (1, 0)
    assert seen.budget.used == 0
