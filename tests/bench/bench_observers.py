"""What following HTTP/2 and WebSockets costs: µs a frame and a KB, beside h2 and wsproto.

`.venv/bin/python tests/bench/bench_observers.py` writes it to OBSERVERS.md.

Both read the same bytes of one connection, in the same pieces; h2 and wsproto as the two endpoints
would, one object a side. CPU time of this process, best of several runs.
"""

from __future__ import annotations

import itertools
import json
import random
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import wsproto.connection
import wsproto.extensions
from wsproto.events import TextMessage

from monitor.proxy.copies import Budget
from monitor.proxy.http2 import Http2
from monitor.proxy.observer import Upgraded
from monitor.proxy.websocket import WebSocket
from monitor.types import Exchange, Message

OUT = Path(__file__).with_name("OBSERVERS.md")
REPEATS = 15
CALLS = 50

Work = Callable[[], int]
Steps = list[tuple[bool, bytes]]
"""Whether the client sent it, and what a read returned."""

HEADS = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "a")]
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"


# --- conversations ---------------------------------------------------------------------------


def _endpoint(*, client: bool) -> h2.connection.H2Connection:
    config = h2.config.H2Configuration(client_side=client, header_encoding=None)
    side = h2.connection.H2Connection(config)
    side.initiate_connection()
    return side


def calls(pieces: int, size: int) -> Steps:
    """gRPC calls one after the other, each answered in `pieces` DATA frames of `size` bytes."""
    client, server = _endpoint(client=True), _endpoint(client=False)
    steps: Steps = []

    def cross() -> None:
        while True:
            up, down = client.data_to_send(), server.data_to_send()
            if up:
                steps.append((True, up))
                server.receive_data(up)
            if down:
                steps.append((False, down))
                for event in client.receive_data(down):
                    if isinstance(event, h2.events.DataReceived):
                        count = event.flow_controlled_length
                        client.acknowledge_received_data(count, event.stream_id)
            if not up and not down:
                return

    cross()
    for number in range(1, 2 * CALLS, 2):
        trace = f"00-{random.randbytes(16).hex()}-{random.randbytes(8).hex()}-01"
        client.send_headers(number, [
            (":method", "POST"), (":scheme", "http"), (":authority", "127.0.0.1:8001"),
            (":path", "/inference.GRPCInferenceService/ModelInfer"), ("te", "trailers"),
            ("content-type", "application/grpc"), ("user-agent", "grpc-python/1.85.1"),
            ("grpc-accept-encoding", "identity, deflate, gzip"), ("traceparent", trace),
        ])  # fmt: skip
        client.send_data(number, bytes(1200), end_stream=True)
        cross()
        server.send_headers(number, [(":status", "200"), ("content-type", "application/grpc")])
        for _ in range(pieces):
            server.send_data(number, bytes(size))
            cross()
        server.send_headers(number, [("grpc-status", "0")], end_stream=True)
        cross()
    return steps


def messages(size: int, *, compress: bool) -> Steps:
    """A question and an answer of `size` bytes of text, again and again."""
    windows = [zlib.compressobj(wbits=-15) for _ in range(2)]
    steps: Steps = []
    for number in range(CALLS):
        words = " ".join(f"word{random.randrange(500)}" for _ in range(size // 7))
        said = json.dumps({"number": number, "delta": words})[:size].encode()
        for client, window in zip((True, False), windows, strict=True):
            payload = said
            if compress:
                payload = (window.compress(said) + window.flush(zlib.Z_SYNC_FLUSH))[:-4]
            steps.append((client, _framed(payload, masked=client, compress=compress)))
    return steps


def _framed(payload: bytes, *, masked: bool, compress: bool) -> bytes:
    length, flag = len(payload), 0x80 if masked else 0
    head = bytes([0xC1 if compress else 0x81])
    if length < 126:
        head += bytes([length | flag])
    elif length < 65536:
        head += bytes([126 | flag]) + length.to_bytes(2)
    else:
        head += bytes([127 | flag]) + length.to_bytes(8)
    if not masked:
        return head + payload
    mask = random.randbytes(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


# --- those who follow them -------------------------------------------------------------------


def ours_http2(steps: Steps) -> Work:
    exchanges: list[Exchange] = []
    ids = itertools.count()
    observer = Http2(
        emit=exchanges.append,
        lose=print,
        opaque=print,
        new_id=lambda: str(next(ids)),
        started_unix=lambda at: at,
        max_body_bytes=1 << 20,
        budget=Budget(1 << 30),
    )

    def work() -> int:
        for at, (client, data) in enumerate(steps):
            (observer.downstream if client else observer.upstream)(data, float(at))
            if len(exchanges) > 10:
                del exchanges[:10]  # as the hand-off does
        return int(next(ids))

    return work


def both_h2(steps: Steps) -> Work:
    client, server = _endpoint(client=True), _endpoint(client=False)
    for number in range(1, 2 * CALLS, 2):  # so that it knows the streams it is answered on
        client.send_headers(number, HEADS)
    for side in (client, server):
        side.clear_outbound_data_buffer()

    def work() -> int:
        answered = 0
        for from_client, data in steps:
            events = (server if from_client else client).receive_data(data)
            for event in events:
                answered += isinstance(event, h2.events.TrailersReceived)
                if isinstance(event, h2.events.DataReceived) and not from_client:
                    count = event.flow_controlled_length
                    client.acknowledge_received_data(count, event.stream_id)
            for side in (client, server):
                side.clear_outbound_data_buffer()
        return answered

    return work


def ours_websocket(steps: Steps, head: bytes) -> Work:
    exchanges: list[Exchange] = []
    observer = WebSocket(
        Upgraded("id", 0.0, 0.0, Message(b""), Message(head)),
        emit=exchanges.append,
        lose=print,
        opaque=print,
        max_body_bytes=1 << 30,
        budget=Budget(1 << 40),
    )

    def work() -> int:
        for at, (client, data) in enumerate(steps):
            (observer.downstream if client else observer.upstream)(data, float(at))
        observer.closed(0.0, None)
        (one,) = exchanges
        assert one.response is not None
        return one.request.body.count(b"\n") + one.response.body.count(b"\n")

    return work


def both_wsproto(steps: Steps, head: bytes) -> Work:
    kinds = wsproto.connection.ConnectionType
    ends = {}
    for client in (True, False):
        deflate = wsproto.extensions.PerMessageDeflate()
        deflate.finalize("permessage-deflate")
        kind = kinds.SERVER if client else kinds.CLIENT
        ends[client] = wsproto.connection.Connection(kind, [deflate] if DEFLATE in head else [])

    def work() -> int:
        found = 0
        for client, data in steps:
            ends[client].receive_data(data)
            for event in ends[client].events():
                found += isinstance(event, TextMessage) and event.message_finished
        return found

    return work


# --- the table -------------------------------------------------------------------------------


def cost(prepare: Callable[[], Work], expected: int) -> float:
    """CPU seconds, best of several runs."""
    best = float("inf")
    for _ in range(REPEATS):
        work = prepare()
        start = time.process_time()
        found = work()
        best = min(best, time.process_time() - start)
        assert found == expected, (found, expected)
    return best


def row(title: str, steps: Steps, each: int, ours: float, theirs: float) -> str:
    size = sum(len(data) for _, data in steps) / 1024
    return (
        f"| {title} | {ours / each * 1e6:.1f} | {ours / size * 1e6:.2f} "
        f"| {theirs / each * 1e6:.1f} | {theirs / size * 1e6:.2f} | {theirs / ours:.1f} × |"
    )


def frames(steps: Steps) -> int:
    """Frames of both sides, the preface aside."""
    count = 0
    for client in (True, False):
        data = b"".join(data for side, data in steps if side == client)
        at = 24 if client else 0
        while at < len(data):
            at += 9 + int.from_bytes(data[at : at + 3])
            count += 1
    return count


def report() -> Iterator[str]:
    """The page, line by line."""
    yield "# What following HTTP/2 and WebSockets costs"
    yield ""
    yield f"Written by `tests/bench/bench_observers.py` on {datetime.now(UTC):%Y-%m-%d}: CPU of one process, best of"
    yield f"{REPEATS} runs, beside h2 {version('h2')} and wsproto {version('wsproto')}, which read the same pieces as the"
    yield "two endpoints would. What is forwarded, handed over and recorded comes on top."
    yield ""
    yield "| conversation | ours, µs each | µs/KB | theirs, µs each | µs/KB | theirs is |"
    yield "|---|---|---|---|---|---|"
    for title, pieces, size in (
        ("HTTP/2: unary calls, a frame", 1, 1300),
        ("HTTP/2: 50 small messages a call, a frame", 50, 120),
        ("HTTP/2: 1 MB in frames of 16 KB, a frame", 64, 16384),
    ):
        steps = calls(pieces, size)
        ours = cost(lambda: ours_http2(steps), CALLS)  # noqa: B023
        theirs = cost(lambda: both_h2(steps), CALLS)  # noqa: B023
        yield row(title, steps, frames(steps), ours, theirs)
        if pieces == 1:
            yield row("HTTP/2: unary calls, a call", steps, CALLS, ours, theirs)
    for title, size, compress in (
        ("WebSocket: 200 bytes, a message", 200, False),
        ("WebSocket: 200 bytes compressed, a message", 200, True),
        ("WebSocket: 20 KB, a message", 20_000, False),
        ("WebSocket: 20 KB compressed, a message", 20_000, True),
    ):
        steps = messages(size, compress=compress)
        head = HEAD + (DEFLATE if compress else b"") + b"\r\n"
        ours = cost(lambda: ours_websocket(steps, head), 2 * CALLS)  # noqa: B023
        theirs = cost(lambda: both_wsproto(steps, head), 2 * CALLS)  # noqa: B023
        yield row(title, steps, 2 * CALLS, ours, theirs)


def main() -> None:
    """Print it, and write it down."""
    lines = []
    for line in report():
        print(line, flush=True)
        lines.append(line)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
