"""What observers see later is what they would have seen at once."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.proxy.copies import Budget
from monitor.proxy.deferral import AT_ONCE, BYTES, PIECES, QUOTA, TURN, Deferral
from monitor.proxy.http1_fast_path import Http1FastPath
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.side import Side
from monitor.proxy.splice import Limits, Splice
from monitor.types import Exchange, Outcome

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.sent = b""
        self.over = ""

    def write(self, data: bytes) -> None:
        self.sent += data

    def write_eof(self) -> None:
        self.sent += b"<eof>"

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return bool(self.over)

    def close(self) -> None:
        self.over = self.over or "closed"

    def abort(self) -> None:
        self.over = "reset"

    def get_extra_info(self, name: str) -> Any:
        return self

    def fileno(self) -> int:
        return -1

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Nobody:
    """Watches for no reset."""

    def watch(self, *_: Any) -> None: ...

    def forget(self, *_: Any) -> None: ...


class Traffic:
    """Connections whose pieces are played by hand, with a deferral or without one."""

    def __init__(self, connections: int, deferral: bool = True, room: int = 1 << 30) -> None:
        self.budget = Budget(room, lambda: 0.5)
        self.expected = 0
        self.deferral = Deferral(self.budget, self.expect)
        self.exchanges: list[Exchange] = []
        self.lost: list[tuple[Outcome, str]] = []
        self.opaque: list[str] = []
        self.ids = itertools.count()
        self.splices = [self.connected(deferral) for _ in range(connections)]

    def expect(self) -> None:
        self.expected += 1

    def connected(self, deferral: bool, upstream: bool = True) -> Splice:
        splice = Splice(
            lambda _: None,
            self.opaque.append,
            Nobody(),  # type: ignore[arg-type]
            deferral=self.deferral if deferral else AT_ONCE,
        )
        splice.observe(
            Http1FastPath(
                Http1Parser(
                    emit=self.exchanges.append,
                    lose=lambda *one: self.lost.append(one),
                    opaque=splice.opaque,
                    become=lambda kind, upgraded: None,
                    new_id=lambda: str(next(self.ids)),
                    started_unix=lambda at: 0.0,
                    max_body_bytes=1 << 20,
                    budget=self.budget,
                )
            )
        )
        splice.downstream.connection_made(Wire())  # type: ignore[arg-type]
        if upstream:
            splice.upstream.connection_made(Wire())  # type: ignore[arg-type]
        return splice

    def play(self, steps: list[tuple[int, str, bytes]]) -> None:
        for number, what, data in steps:
            splice = self.splices[number]
            act(splice, what, data)

    def end(self) -> list[Any]:
        """All that can be seen of it: what became of every exchange, and of every byte."""
        for splice in self.splices:
            splice.abort(Outcome.CLIENT_GONE)
        self.deferral.settle()
        assert self.budget.used == 0, "memory is accounted for to the last byte"
        ended = [
            (one.request, one.response, [size for _, size in one.chunks], one.outcome.value)
            for one in self.exchanges
        ]
        return [
            sorted(map(repr, ended)), sorted(map(repr, self.lost)), sorted(self.opaque),
            [[wire_of(side) for side in (one.downstream, one.upstream)] for one in self.splices],
        ]  # fmt: skip


def wire_of(side: Side) -> tuple[bytes, str]:
    wire: Any = side.transport
    return (wire.sent, wire.over) if wire is not None else (b"", "lost")


def act(splice: Splice, what: str, data: bytes) -> None:
    side = splice.downstream if what[0] == ">" else splice.upstream
    if side.transport is None or (side.ended and what in (">", "<")):
        return
    if what in (">", "<"):
        side.data_received(data)
    elif what[1] == ".":
        side.eof_received()
    elif what[1] == "x":
        side.connection_lost(ConnectionResetError())
    elif what[1] == "c":
        side.connection_lost(None)
    else:
        splice.tick(side.at + 0.5, Limits(60.0, 60.0, 60.0))


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.integers(0, 2), st.sampled_from(["><"]),
            st.sampled_from([(GET, OK), (POST, OK), (GET, b"HTTP/1.1 500 E\r\nContent-Length: 0\r\n\r\n")]),
        ),
        st.tuples(
            st.integers(0, 2), st.sampled_from([">", "<"]),
            st.sampled_from([
                GET, POST[:-2], b"bc", OK, OK[:-1], b"i", b"\0", b"GET / HTTP/1.1\nA: b\n\n",
                b"CONNECT a:1 HTTP/1.1\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n",
                b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
            ]),
        ),
        st.tuples(st.integers(0, 2), st.sampled_from([">.", "<.", ">x", "<x", ">c", "<c", ">t"]), st.just(b"")),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@example([(0, ">", GET), (0, "<", b"HTTP/1.1 200 OK\r\n\r\nall"), (0, "<.", b"")], 1 << 30)
@given(steps=STEPS, room=st.sampled_from([1 << 30, 3000]))
def test_what_is_seen_later_is_what_would_be_seen_at_once(
    steps: list[tuple[int, str, Any]], room: int
) -> None:
    """Every exchange, loss and opaque connection, every byte and every end; also with little room."""
    played: list[tuple[int, str, bytes]] = []
    for number, what, data in steps:
        pair = [(number, ">", data[0]), (number, "<", data[1])] if what == "><" else None
        played += pair or [(number, what, data)]

    found = []
    for deferral in (False, True):
        traffic = Traffic(3, deferral, room)
        traffic.play(played)
        found.append(traffic.end())
    if room < 1 << 30:  # when there is room decides what is lost; the traffic may not differ
        assert found[0][3] == found[1][3]
    else:
        assert found[0] == found[1]


def test_pieces_wait_until_there_are_enough() -> None:
    """By count or by bytes; then the oldest are shown, never many at a stretch. `expect` is called
    once for those that wait."""
    traffic = Traffic(1)
    for _ in range(PIECES // 2):
        assert not traffic.exchanges
        traffic.play([(0, ">", GET), (0, "<", OK)])
    assert len(traffic.exchanges) == TURN // 2
    for left in range(PIECES // TURN - 2, -1, -1):
        assert traffic.deferral.settle(TURN) is (left > 0)
    assert len(traffic.exchanges) == PIECES // 2
    assert traffic.expected == 1
    large = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (BYTES, b"x" * BYTES)
    traffic.play([(0, ">", large)])
    assert traffic.splices[0].busy()
    assert traffic.expected == 1, "it did not wait"
    traffic.play([(0, "<", OK)])
    assert traffic.expected == 2
    traffic.deferral.settle()
    assert len(traffic.exchanges) == PIECES // 2 + 1
    traffic.end()


def test_beyond_so_many_between_two_beats_none_waits() -> None:
    """In order all the same; the next beat begins anew."""
    traffic = Traffic(1)
    for number in range(1, QUOTA):
        traffic.play([(0, ">", GET), (0, "<", OK)])
        assert number < QUOTA // 2 or len(traffic.exchanges) == number
    assert traffic.budget.used == 0
    assert not traffic.deferral.settle(TURN)
    traffic.play([(0, ">", GET), (0, "<", OK)])
    assert len(traffic.exchanges) == QUOTA - 1
    assert traffic.deferral.settle() is False
    assert len(traffic.exchanges) == QUOTA
    traffic.end()


@pytest.mark.parametrize("question", ["busy", "idle", "tick", "conclude", "ended", "lost"])
def test_nothing_is_asked_of_an_observer_that_has_not_seen_all(question: str) -> None:
    """The exchange that the pieces hold is on record by then."""

    traffic = Traffic(1)
    splice = traffic.splices[0]
    traffic.play([(0, ">", GET), (0, "<", OK)])
    assert not traffic.exchanges
    ask: dict[str, Callable[[], object]] = {
        "busy": splice.busy,
        "idle": lambda: splice.idle(splice.upstream.at, 0.0),
        "tick": lambda: splice.tick(splice.upstream.at, Limits(60.0, 60.0, 60.0)),
        "conclude": lambda: splice.conclude(None),
        "ended": splice.downstream.eof_received,
        "lost": lambda: splice.upstream.connection_lost(None),
    }
    ask[question]()
    assert [one.outcome for one in traffic.exchanges] == [Outcome.OK]
    traffic.end()


def test_an_answer_in_place_of_the_endpoints_is_to_all_that_came() -> None:
    """A silent endpoint, and one that refuses; what no answer fits is reset."""
    traffic = Traffic(1)
    traffic.play([(0, ">", GET)])
    traffic.splices[0].timeout()
    assert wire_of(traffic.splices[0].downstream)[0].startswith(b"HTTP/1.1 504 ")
    for data, answer, over in ((GET, b"HTTP/1.1 502 ", ""), (b"\0", b"", "reset")):
        splice = traffic.connected(deferral=True, upstream=False)
        splice.downstream.data_received(data)
        splice.refused(Outcome.UPSTREAM_REFUSED)
        sent, end = wire_of(splice.downstream)
        assert (sent[: len(b"HTTP/1.1 502 ")], end) == (answer, over)
        splice.abort(None)
    assert [one.outcome for one in traffic.exchanges] == [
        Outcome.UPSTREAM_TIMEOUT, Outcome.UPSTREAM_REFUSED,
    ]  # fmt: skip
    traffic.end()


@pytest.mark.parametrize(
    "steps",
    [
        [(0, ">", b"\0"), (0, "<c", b"")],
        [(0, ">", GET), (0, ">.", b""), (0, "<", b"\0"), (0, ">t", b"")],
    ],
)
def test_what_turned_opaque_ends_as_an_opaque_connection_does(
    steps: list[tuple[int, str, bytes]],
) -> None:
    """Also where the bytes that made it opaque have waited until then."""
    found = []
    for deferral in (False, True):
        traffic = Traffic(1, deferral)
        splice = traffic.splices[0]
        traffic.play(steps)
        found.append([wire_of(side) for side in (splice.downstream, splice.upstream)])
        traffic.end()
    assert found[0] == found[1]


def test_an_observer_that_fails_later_harms_only_itself() -> None:
    """Its connection turns opaque; the others' pieces in the same go are seen."""

    traffic = Traffic(2)
    first = traffic.splices[0]

    def fail(data: bytes, at: float) -> None:
        raise ZeroDivisionError

    first.upstream.observe = fail
    traffic.play([(0, ">", GET), (1, ">", GET), (0, "<", OK), (1, "<", OK)])
    traffic.deferral.settle()
    assert traffic.opaque == ["observer_failed"]
    assert traffic.lost == [(Outcome.OK, "opaque")]
    assert len(traffic.exchanges) == 1
    traffic.play([(0, ">", GET), (0, "<", OK)])
    assert traffic.budget.used == 0, "what nobody looks at does not wait"
    traffic.end()


def test_what_waits_is_charged_as_it_is() -> None:
    """Within a quarter, and not beyond the part of the buffer from which chance decides."""

    traffic = Traffic(20, room=100_000)
    arrivals = iter([bytes(bytearray(POST)) for _ in range(PIECES - 1)])
    side = traffic.splices[0].downstream
    gc.collect()
    tracemalloc.start()
    pieces = [bytes(bytearray(one)) for one in arrivals]
    for number, piece in enumerate(pieces):
        assert traffic.deferral.keep(side, piece, number + 0.5)
    del pieces
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken / 1.25 < traffic.budget.used < taken * 1.25, f"{traffic.budget.used / taken}"
    traffic.deferral.settle()
    traffic.budget.used += 79_990
    assert not traffic.deferral.keep(side, POST, 1.0)
    traffic.budget.used -= 79_990
    traffic.end()
