"""The HTTP/2 observer on conversations that the h2 library held: however cut, the same exchanges."""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.settings
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.proxy import http1_fast_path
from monitor.proxy.copies import Budget
from monitor.proxy.frames import DATA, HEADERS, RST_STREAM, SETTINGS, frame
from monitor.proxy.heads import Ambiguous
from monitor.proxy.hpack import HeaderDecoder
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.http2 import MAX_STREAMS, OPAQUE_REASONS, PREFACE, Http2
from monitor.proxy.observer import OPAQUE_REASONS as HTTP1_REASONS
from monitor.types import Exchange, Outcome
from tests.chances import SEEDED

Steps = list[tuple[str, bytes]]
"""`>` what the client said, `<` what the server said, in the order of a real conversation."""


@dataclass
class Seen:
    """A connection that is played, and what came of it."""

    bound: int = 1 << 20
    room: int = 1 << 30
    exchanges: list[Exchange] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    lost: list[tuple[Outcome, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.budget = Budget(self.room)
        self.ids = itertools.count()
        self.observer = Http2(
            emit=self.exchanges.append,
            lose=lambda *one: self.lost.append(one),
            opaque=self.opaque.append,
            new_id=lambda: str(next(self.ids)),
            started_unix=lambda at: at,
            max_body_bytes=self.bound,
            budget=self.budget,
        )

    def play(self, steps: Steps, cause: Outcome | None = None) -> Seen:
        for at, (direction, data) in enumerate(steps):
            see = self.observer.downstream if direction == ">" else self.observer.upstream
            see(data, float(at))
        self.observer.closed(float(len(steps)), cause)
        assert self.budget.used == 0, "memory is accounted for to the last byte"
        ended = len(self.exchanges) + len(self.lost)
        assert ended == next(self.ids), "what began is on record or lost, once"
        assert set(self.opaque) <= set(OPAQUE_REASONS)
        return self

    def brief(self) -> list[tuple[bytes, bytes, bytes, bytes, str]]:
        """Path, request body, response body, trailers, outcome of each exchange."""
        return [
            (
                one.request.head.split(b" ")[1],
                one.request.body,
                one.response.body if one.response else b"",
                one.response.trailers if one.response else b"",
                one.outcome.value,
            )
            for one in self.exchanges
        ]


class Talk:
    """A client and a server that talk through memory; `steps` is what crossed the wire."""

    def __init__(self) -> None:
        self.client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.steps: Steps = []
        self.client.initiate_connection()
        self.server.initiate_connection()
        self.cross()

    def cross(self) -> None:
        """Carry over what both have to say, until neither has."""
        while True:
            up = self.client.data_to_send()
            if up:
                self.steps.append((">", up))
                self.server.receive_data(up)
            down = self.server.data_to_send()
            if down:
                self.steps.append(("<", down))
                self.client.receive_data(down)
            if not up and not down:
                return

    def ask(self, number: int, path: str, body: bytes = b"", end: bool = True) -> None:
        head = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", path)]
        self.client.send_headers(
            number,
            [*head, ("x-population", "north"), ("cookie", "a" * 50)],
            end_stream=end and not body,
        )
        if body:
            self.client.send_data(number, body, end_stream=end)
        self.cross()

    def answer(
        self,
        number: int,
        body: bytes = b"",
        status: str = "200",
        trailers: list[tuple[str, str]] | None = None,
        fields: list[tuple[str, str]] | None = None,
    ) -> None:
        head = [(":status", status), *(fields or [("content-type", "text/plain")])]
        self.server.send_headers(number, head, end_stream=not body and trailers is None)
        if body:
            self.server.send_data(number, body, end_stream=trailers is None)
        if trailers is not None:
            self.server.send_headers(number, trailers, end_stream=True)
        self.cross()


GRPC = [("content-type", "application/grpc")]


def one_after_another(talk: Talk) -> None:
    for number in (1, 3, 5):
        talk.ask(number, f"/{number}", b"question %d" % number)
        talk.answer(number, b"answer %d" % number)


def interleaved(talk: Talk) -> None:
    talk.ask(1, "/1", b"one", end=False)
    talk.ask(3, "/3", b"three", end=False)
    talk.client.send_data(1, b" more", end_stream=True)
    talk.client.send_data(3, b" more", end_stream=True)
    for number in (3, 1):
        talk.server.send_headers(number, [(":status", "200")])
    for _ in range(3):
        for number in (1, 3):
            talk.server.send_data(number, b"%d" % number)
            talk.cross()
    talk.server.end_stream(3)
    talk.server.end_stream(1)
    talk.cross()


def grpc(talk: Talk) -> None:
    for number, status in ((1, "0"), (3, "8"), (5, "14")):
        talk.ask(number, f"/{number}", b"\0\0\0\0\1x")
        talk.answer(number, b"\0\0\0\0\1y", trailers=[("grpc-status", status)], fields=GRPC)
    talk.ask(7, "/7")
    talk.answer(7, fields=[*GRPC, ("grpc-status", "5")])


def statuses(talk: Talk) -> None:
    for number, status in ((1, "204"), (3, "404"), (5, "429"), (7, "503")):
        talk.ask(number, f"/{number}")
        if number == 1:
            talk.server.send_headers(number, [(":status", "103"), ("link", "</a>")])
        talk.answer(number, status=status)


def resets(talk: Talk) -> None:
    talk.ask(1, "/1", b"one")
    talk.client.reset_stream(1, h2.errors.ErrorCodes.CANCEL)
    talk.cross()
    talk.ask(3, "/3", b"three")
    talk.server.send_headers(3, [(":status", "200")])
    talk.server.send_data(3, b"part")
    talk.server.reset_stream(3, h2.errors.ErrorCodes.INTERNAL_ERROR)
    talk.cross()
    talk.ask(5, "/5")
    talk.server.reset_stream(5, h2.errors.ErrorCodes.REFUSED_STREAM)
    talk.cross()


def padded_prioritized_and_long(talk: Talk) -> None:
    head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/1")]
    talk.client.send_headers(1, head, priority_weight=7, end_stream=True)
    talk.client.send_headers(5, [*head, ("x-long", "y" * 40_000)], end_stream=True)
    talk.client.ping(b"12345678")
    talk.cross()
    talk.server.send_headers(1, [(":status", "200")])
    talk.server.send_data(1, b"padded", pad_length=30, end_stream=True)
    talk.answer(5)
    talk.client.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 100})
    talk.server.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0})
    talk.cross()
    talk.ask(7, "/7", b"after")
    talk.answer(7, b"smaller tables")


def pushes(talk: Talk) -> None:
    talk.ask(1, "/1")
    head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/2")]
    talk.server.push_stream(1, 2, head)
    talk.answer(1, b"asked for")
    talk.answer(2, b"pushed")
    talk.ask(3, "/3")
    talk.server.push_stream(3, 4, [*head[:3], (":path", "/4")])
    talk.cross()
    talk.client.reset_stream(4, h2.errors.ErrorCodes.CANCEL)  # it has that already
    talk.answer(3)


def tunnels(talk: Talk) -> None:
    talk.client.send_headers(1, [(":method", "CONNECT"), (":authority", "b:1")])
    talk.cross()
    talk.server.send_headers(1, [(":status", "200")])
    talk.client.send_data(1, b"not HTTP", end_stream=True)
    talk.server.send_data(1, b"nor this", end_stream=True)
    talk.cross()
    talk.ask(3, "/3", b"one")
    talk.answer(3, b"two")


def unfinished(talk: Talk) -> None:
    talk.ask(1, "/1", b"one")
    talk.server.send_headers(1, [(":status", "200")])
    talk.server.send_data(1, b"part")
    talk.cross()
    talk.ask(3, "/3", b"begun", end=False)
    talk.server.close_connection(last_stream_id=1)
    talk.steps.append(("<", talk.server.data_to_send()))


def ok(number: int, up: bytes, down: bytes) -> tuple[bytes, bytes, bytes, bytes, str]:
    return b"/%d" % number, up, down, b"", "ok"


CONVERSATIONS: dict[Callable[[Talk], None], list[tuple[bytes, bytes, bytes, bytes, str]]] = {
    one_after_another: [ok(n, b"question %d" % n, b"answer %d" % n) for n in (1, 3, 5)],
    interleaved: [ok(3, b"three more", b"333"), ok(1, b"one more", b"111")],
    grpc: [
        (b"/1", b"\0\0\0\0\1x", b"\0\0\0\0\1y", b"grpc-status: 0\r\n", "ok"),
        (b"/3", b"\0\0\0\0\1x", b"\0\0\0\0\1y", b"grpc-status: 8\r\n", "rate_limited"),
        (b"/5", b"\0\0\0\0\1x", b"\0\0\0\0\1y", b"grpc-status: 14\r\n", "server_error"),
        (b"/7", b"", b"", b"", "client_error"),
    ],
    statuses: [
        ok(1, b"", b""), (b"/3", b"", b"", b"", "client_error"),
        (b"/5", b"", b"", b"", "rate_limited"), (b"/7", b"", b"", b"", "server_error"),
    ],
    resets: [
        (b"/1", b"one", b"", b"", "client_gone"), (b"/3", b"three", b"part", b"", "upstream_broken"),
        (b"/5", b"", b"", b"", "upstream_refused"),
    ],
    padded_prioritized_and_long: [
        ok(1, b"", b"padded"), ok(1, b"", b""), ok(7, b"after", b"smaller tables"),
    ],
    pushes: [
        ok(1, b"", b"asked for"), ok(2, b"", b"pushed"), (b"/4", b"", b"", b"", "client_gone"), ok(3, b"", b""),
    ],
    tunnels: [(b"b:1", b"", b"", b"", "ok"), ok(3, b"one", b"two")],
    unfinished: [
        (b"/1", b"one", b"part", b"", "upstream_broken"), (b"/3", b"begun", b"", b"", "upstream_refused"),
    ],
}  # fmt: skip


@functools.cache
def recorded(conversation: Callable[[Talk], None]) -> Steps:
    talk = Talk()
    conversation(talk)
    return talk.steps


def cut(steps: Steps, chance: random.Random) -> Steps:
    """The same bytes in other pieces; what one side says in a row may also come in one."""
    joined: Steps = []
    for direction, data in steps:
        if joined and joined[-1][0] == direction and chance.random() < 0.5:
            joined[-1] = direction, joined[-1][1] + data
        else:
            joined.append((direction, data))
    out: Steps = []
    for direction, data in joined:
        size = chance.choice([1, 2, 5, 9, 10, 50, 1000, 1 << 20])
        size = max(size, len(data) // 500)
        out += [(direction, data[at : at + size]) for at in range(0, len(data), size)]
    return out


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: one.__name__)
@given(SEEDED)
@settings(max_examples=15, deadline=None)
def test_however_it_is_cut_the_exchanges_are_the_same(
    conversation: Callable[[Talk], None], chance: random.Random
) -> None:
    """Bodies, trailers, outcomes and heads; nothing is opaque."""
    steps = recorded(conversation)
    seen = Seen().play(cut(steps, chance))
    assert seen.brief() == CONVERSATIONS[conversation]
    assert not seen.opaque
    whole = Seen().play(steps)
    assert [one.request for one in seen.exchanges] == [one.request for one in whole.exchanges]
    assert [one.response for one in seen.exchanges] == [one.response for one in whole.exchanges]


def test_heads_are_written_as_http1_writes_them() -> None:
    """So that the recorder needs one parser."""
    first = Seen().play(recorded(one_after_another)).exchanges[0]
    assert first.request.head == (
        b"POST /1 HTTP/2\r\nhost: a\r\nx-population: north\r\ncookie: " + b"a" * 50 + b"\r\n\r\n"
    )
    assert first.response is not None
    assert first.response.head == b"HTTP/2 200 \r\ncontent-type: text/plain\r\n\r\n"


def block(*fields: tuple[bytes, bytes]) -> bytes:
    """Literals that leave the table alone, in one HEADERS frame that ends stream 1."""
    lines = b"".join(
        b"\x10" + bytes((len(name),)) + name + bytes((len(value),)) + value
        for name, value in fields
    )
    return frame(HEADERS, 0x5, 1, lines)


OPENED = PREFACE + frame(SETTINGS, 0, 0, b"")
HEAD = ((b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"a"), (b":path", b"/"))


@pytest.mark.parametrize(
    "fields",
    [
        *((*HEAD[:3], (b":path", path)) for path in (b"/a b", b"/\t", b"/\x01", b"/\x7f", b"")),
        ((b":method", b"G T"), *HEAD[1:]),
        ((b":method", b""), *HEAD[1:]),
        HEAD[1:],  # no method
        HEAD[:3],  # no path
        (HEAD[0], *HEAD[2:]),  # no scheme
        (*HEAD, HEAD[3]),  # twice
        (*HEAD[:3], (b"x", b"y"), HEAD[3]),  # behind a field
        (*HEAD, (b":status", b"200")),
        (*HEAD, (b":new", b"1")),
        ((b":method", b"CONNECT"), *HEAD[1:]),  # a tunnel has neither scheme nor path
    ],
)
def test_a_request_that_http1_could_not_say_is_given_up(fields: Any) -> None:
    """Nothing of a field reaches the start line, or another field, of what is recorded."""
    seen = Seen().play([(">", OPENED + block(*fields))])
    assert seen.opaque == ["malformed_head"]
    assert not seen.exchanges


def test_a_request_that_it_could_say_is_not() -> None:
    """The counterpart of the above."""
    seen = Seen().play([(">", OPENED + block(*HEAD, (b"x", b"a\tb")))])
    assert not seen.opaque
    assert seen.exchanges[0].request.head == b"GET / HTTP/2\r\nhost: a\r\nx: a\tb\r\n\r\n"


def test_what_is_under_way_when_a_connection_turns_opaque_is_lost_by_name() -> None:
    """Every open stream, once, with what its status said."""
    talk = Talk()
    for number in (1, 3, 5):
        talk.ask(number, f"/{number}")
    talk.answer(1, b"whole")
    talk.server.send_headers(3, [(":status", "503")])
    talk.cross()
    seen = Seen().play([*talk.steps, ("<", frame(HEADERS, 0x4, 5, b"\x80"))])
    assert seen.opaque == ["malformed_head"]
    assert [one.outcome for one in seen.exchanges] == [Outcome.OK]
    assert seen.lost == [(Outcome.SERVER_ERROR, "opaque"), (Outcome.OK, "opaque")]


@given(
    st.lists(st.tuples(st.sampled_from("><"), st.binary(max_size=100)), max_size=8), st.booleans()
)
def test_garbage_is_followed_or_given_up(pieces: Steps, begun: bool) -> None:
    """Nothing is raised, whatever the bytes, also behind a good beginning."""
    start: Steps = recorded(one_after_another)[:3] if begun else [(">", PREFACE)]
    Seen().play([*start, *pieces])


@given(st.sampled_from(list(CONVERSATIONS)), st.data())
@settings(deadline=None)
def test_a_flipped_byte_is_followed_or_given_up(
    conversation: Callable[[Talk], None], data: st.DataObject
) -> None:
    """Damage anywhere in a real conversation raises nothing and leaks no memory."""
    steps = list(recorded(conversation))
    which = data.draw(st.integers(0, len(steps) - 1))
    direction, said = steps[which]
    place = data.draw(st.integers(0, len(said) - 1))
    byte = data.draw(st.integers(0, 255))
    steps[which] = direction, said[:place] + bytes([byte]) + said[place + 1 :]
    Seen().play(steps)


@given(st.binary(max_size=200))
@example(b"\x3f\xff\xff\xff\xff\xff\xff\xff\x7f")
@example(b"\x82" * 100)
def test_any_header_block_unfolds_or_is_ambiguous(block: bytes) -> None:
    """The decoder raises one exception and no other."""
    with contextlib.suppress(Ambiguous):
        HeaderDecoder().fields(block)


def test_a_small_block_that_unfolds_without_end_is_given_up() -> None:
    """An HPACK bomb: one large field, then references to it."""
    large = b"\x40\x01x\x7f\x80\x1e" + b"y" * 3967
    with pytest.raises(Ambiguous, match="head_too_large"):
        HeaderDecoder().fields(large + b"\xbe" * 1000)


def test_thousands_of_streams_at_a_time_are_each_followed() -> None:
    """In any order of their ends, and nothing is left of them afterwards."""
    ask = block(*HEAD[:3], (b":path", b"/1"))[9:]
    answer = frame(HEADERS, 0x4, 0, b"\x88")[9:]
    numbers = list(range(1, 10_000, 2))
    up = b"".join(frame(HEADERS, 0x5, number, ask) for number in numbers)
    random.Random(0).shuffle(numbers)
    down = b"".join(
        [frame(HEADERS, 0x4, number, answer) for number in numbers]
        + [frame(DATA, 0x1, number, b"x") for number in reversed(numbers)]
    )
    seen = Seen().play([(">", OPENED + up), ("<", frame(SETTINGS, 0, 0, b"") + down)])
    assert seen.brief() == [(b"/1", b"", b"x", b"", "ok")] * 5000
    assert not seen.opaque


def test_streams_that_are_reset_at_once_cost_nothing_afterwards() -> None:
    """As rapid reset does it (CVE-2023-44487): each is an exchange that the client gave up."""
    ask = block(*HEAD)[9:]
    up = b"".join(
        frame(HEADERS, 0x5, number, ask) + frame(RST_STREAM, 0, number, b"\0\0\0\x08")
        for number in range(1, 10_000, 2)
    )
    seen = Seen().play([(">", OPENED + up)])
    assert [one.outcome for one in seen.exchanges] == [Outcome.CLIENT_GONE] * 5000


@pytest.mark.parametrize(
    ("timeout", "outcome"),
    [(b"1S", Outcome.UPSTREAM_TIMEOUT), (b"2100m", Outcome.UPSTREAM_TIMEOUT),
     (b"1M", Outcome.CLIENT_GONE), (b"soon", Outcome.CLIENT_GONE)],
)  # fmt: skip
@pytest.mark.parametrize("has_answered", [True, False])
def test_a_call_that_its_client_resets_after_the_deadline_has_timed_out(
    timeout: bytes, outcome: Outcome, has_answered: bool
) -> None:
    """As it has where the server is the first to see the deadline, and says DEADLINE_EXCEEDED."""
    ask = block(*HEAD, (b"grpc-timeout", timeout))[9:]
    answer = frame(HEADERS, 0x4, 1, b"\x88") + frame(DATA, 0, 1, b"x")
    seen = Seen().play([
        (">", OPENED + frame(HEADERS, 0x5, 1, ask)),
        ("<", frame(SETTINGS, 0, 0, b"") + (answer if has_answered else b"")),
        (">", frame(RST_STREAM, 0, 1, b"\0\0\0\x08")),
    ])  # fmt: skip
    assert [one.outcome for one in seen.exchanges] == [outcome]
    seen = Seen().play(
        [(">", OPENED + frame(HEADERS, 0x5, 1, ask)), (">", b"")], cause=Outcome.CLIENT_GONE
    )
    assert [one.outcome for one in seen.exchanges] == [outcome]


def test_more_streams_than_are_followed_are_given_up() -> None:
    """Each that was open is lost by name."""
    ask = block(*HEAD)[9:]
    numbers = range(1, 2 * MAX_STREAMS + 2, 2)
    up = b"".join(frame(HEADERS, 0x5, number, ask) for number in numbers)
    seen = Seen().play([(">", OPENED + up)])
    assert seen.opaque == ["too_many_streams"]
    assert seen.lost == [(Outcome.OK, "opaque")] * MAX_STREAMS


def test_bodies_are_cut_at_the_bound_and_their_size_is_true() -> None:
    """The budget of the process goes before: then the exchange is counted as lost."""
    seen = Seen(bound=4).play(recorded(one_after_another))
    first = seen.exchanges[0]
    assert (first.request.body, first.request.size) == (b"ques", 10)
    seen = Seen(room=100).play(recorded(one_after_another))
    assert seen.lost == [(Outcome.OK, "buffer_full")] * 3
    assert not seen.exchanges


def test_prior_knowledge_is_recognised_on_an_http1_connection() -> None:
    """The preface in any pieces, also where the server speaks first."""
    steps = recorded(interleaved)
    for size in (1, 7, 1 << 20):
        seen = Seen()
        first = http1_fast_path.Http1FastPath(
            Http1Parser(
                emit=seen.exchanges.append,
                lose=lambda *one: seen.lost.append(one),  # noqa: B023
                opaque=seen.opaque.append,
                become=lambda kind, upgraded: seen.observer if kind == "http2" else None,  # noqa: B023
                new_id=lambda: "x",
                started_unix=lambda at: at,
                max_body_bytes=1 << 20,
                budget=seen.budget,
            )
        )
        server_first = sorted(steps[:2], key=lambda step: step[0])  # `<` before `>`
        for direction, data in [*server_first, *steps[2:]]:
            see = first.downstream if direction == ">" else first.upstream
            for at in range(0, len(data), size):
                see(data[at : at + size], 1.0)
        first.closed(2.0, None)
        assert seen.brief() == CONVERSATIONS[interleaved]
        assert not set(seen.opaque) & {*HTTP1_REASONS, *OPAQUE_REASONS}


def test_an_endpoint_that_falls_silent_is_a_timeout_on_every_stream() -> None:
    """There is no answer of ours where it has spoken: the connection ends, for all to see."""
    talk = Talk()
    talk.ask(1, "/1")
    talk.server.send_headers(1, [(":status", "200")])
    talk.cross()
    talk.ask(3, "/3", b"begun", end=False)
    seen = Seen()
    for at, (direction, data) in enumerate(talk.steps):
        (seen.observer.downstream if direction == ">" else seen.observer.upstream)(data, float(at))
    assert seen.observer.awaiting()
    assert seen.observer.refuse(99.0, Outcome.UPSTREAM_TIMEOUT) == b""
    assert [one.outcome for one in seen.exchanges] == [Outcome.UPSTREAM_TIMEOUT] * 2
    assert not seen.observer.busy()
    assert seen.budget.used == 0


def test_a_refused_upstream_is_a_502_on_every_stream() -> None:
    """As h2 reads our answer."""
    talk = Talk()
    head = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
    fresh = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    fresh.initiate_connection()
    for number in (1, 3):
        fresh.send_headers(number, head, end_stream=True)
    seen = Seen()
    seen.observer.downstream(fresh.data_to_send(), 1.0)
    answer = seen.observer.refuse(2.0, Outcome.UPSTREAM_REFUSED)
    statuses = [
        dict(event.headers)[b":status"]
        for event in fresh.receive_data(answer)
        if hasattr(event, "headers") and event.headers
    ]
    assert statuses == [b"502", b"502"]
    assert [one.outcome.value for one in seen.exchanges] == ["upstream_refused"] * 2
    assert seen.budget.used == 0
    assert talk.steps
