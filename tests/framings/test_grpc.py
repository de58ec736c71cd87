"""gRPC bodies: of real clients and servers, compressed in any way, cut anywhere."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.framings import grpc as framing
from monitor.framings.grpc import Message, Status, is_call, messages, status

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}


def framed(data: bytes, *, compressed: bool = False) -> bytes:
    return struct.pack(">BI", compressed, len(data)) + data


def encoded(data: bytes, coding: str) -> bytes:
    return framed(CODINGS[coding](data), compressed=True) if coding else framed(data)


MESSAGES = st.lists(st.tuples(st.binary(max_size=30), st.booleans()), max_size=5)


@given(MESSAGES, st.sampled_from(sorted(CODINGS)))
def test_messages_are_those_written(written: list[tuple[bytes, bool]], coding: str) -> None:
    """Compressed or not, one by one; cut anywhere, the others are whole and the last says so."""
    frames = [encoded(data, coding if packed else "") for data, packed in written]
    body = b"".join(frames)
    found = list(messages(body, f" {coding.upper()}"))
    assert [(one.data, one.is_whole) for one in found] == [(data, True) for data, _ in written]
    end = 0
    for place, (one, frame, (data, packed)) in enumerate(zip(found, frames, written, strict=True)):
        end += len(frame)
        assert one.end == end
        for cut in range(1, len(frame)):
            some = list(messages(body[: end - cut], coding))
            assert some[:place] == found[:place]
            if cut <= len(frame) - 5:
                (last,) = some[place:]
                assert (last.end, last.is_whole) == (end - cut, False)
                assert data.startswith(last.data)
                assert packed or len(data) - len(last.data) == cut
            else:
                assert some == found[:place]


@given(st.binary(max_size=100), st.sampled_from(["", "gzip", "deflate", "zstd", "snappy"]))
def test_any_bytes_are_a_body(body: bytes, coding: str) -> None:
    """No exception, and progress to the end."""
    for start in (b"", b"\0\0\0\0\1a", b"\1\0\0\0\4"):
        found = list(messages(start + body, coding))
        assert [one.end for one in found] == sorted({one.end for one in found})
        assert all(0 < one.end <= len(start + body) for one in found)


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_a_bomb_is_given_up_to_the_bound(monkeypatch: pytest.MonkeyPatch, coding: str) -> None:
    """All compressed messages of a body together have it; those that are not compressed are there
    already."""
    monkeypatch.setattr(framing, "MAX_DECODED_BYTES", 1000)
    packed = encoded(bytes(700), coding)
    body = packed * 3 + framed(b"plain") + encoded(bytes(1 << 20), coding)
    found = [(len(one.data), one.is_whole) for one in messages(body, coding)]
    assert found == [(700, True), (300, False), (0, False), (5, True), (0, False)]


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (framed(gzip.compress(b"x", mtime=0), compressed=True), ""),
        (framed(gzip.compress(b"x", mtime=0), compressed=True), "identity"),
        (framed(gzip.compress(b"x", mtime=0), compressed=True), "snappy"),
        (framed(gzip.compress(b"x", mtime=0), compressed=True), "deflate"),
        (framed(b"not zstd", compressed=True), "zstd"),
        (framed(b"", compressed=True), "gzip"),
    ],
)
def test_what_cannot_be_decoded_costs_its_message(body: bytes, coding: str) -> None:
    """The next one is read."""
    first, following = messages(body + framed(b"next"), coding)
    assert first == Message(b"", len(body), is_whole=False)
    assert following.data == b"next"


def test_behind_a_first_byte_that_is_none_nothing_can_be_told() -> None:
    """As that of gRPC-Web's trailers."""
    body = framed(b"a") + b"\x80\0\0\0\x0fgrpc-status:0\r\n" + framed(b"b")
    assert list(messages(body)) == [Message(b"a", 6), Message(b"", len(body), is_whole=False)]


def test_a_hostile_body_takes_linear_time() -> None:
    """200,000 empty messages, compressed ones among them."""
    body = (framed(b"") + framed(b"", compressed=True)) * 100_000
    assert sum(one.is_whole for one in messages(body, "gzip")) == 100_000


@pytest.mark.parametrize(
    ("headers", "trailers", "expected"),
    [
        ({}, {"grpc-status": "0"}, Status(0, "")),
        ({"grpc-status": "5"}, {"grpc-status": "0"}, Status(0, "")),
        ({"grpc-status": "5", "grpc-message": "no%20model"}, {}, Status(5, "no model")),
        ({}, {"grpc-status": "13", "grpc-message": "%zz%C3%A9%FF"}, Status(13, "%zzé\ufffd")),
        ({}, {"grpc-status": "-1"}, None),
        ({}, {"grpc-status": "²"}, None),
        ({}, {"grpc-status": "0000"}, None),
        ({}, {}, None),
    ],
)
def test_the_status_is_that_of_the_trailers(
    headers: dict[str, str], trailers: dict[str, str], expected: Status | None
) -> None:
    """Of the head where there is nothing else; its message is decoded as far as it can be."""
    assert status(headers, trailers) == expected


def test_headers_tell_a_call() -> None:
    """By the content type alone, with any way to write messages."""
    assert is_call({"content-type": "application/grpc"})
    assert is_call({"content-type": "Application/gRPC+proto; charset=x"})
    assert not is_call({"content-type": "application/grpc-web+proto"})
    assert not is_call({"content-type": "application/json"})


# --- a real client and a real server -------------------------------------------------------------


class Tap:
    """Passes the bytes of one connection on and keeps them."""

    def __init__(self, port: int) -> None:
        self.sent, self.received = bytearray(), bytearray()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._far = socket.create_connection(("127.0.0.1", port))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        self._near, _ = self._listening.accept()
        near, far = self._near, self._far
        for one in ((near, far, self.sent), (far, near, self.received)):
            self._threads.append(threading.Thread(target=self._pass, args=one, daemon=True))
            self._threads[-1].start()

    def _pass(self, here: socket.socket, there: socket.socket, kept: bytearray) -> None:
        while data := here.recv(65536):
            kept += data
            there.sendall(data)
        with contextlib.suppress(OSError):  # that side may have gone already
            there.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._threads[0].join()
        for one in self._threads[1:]:
            one.join()
        self._listening.close()
        self._far.close()
        self._near.close()


def data_of(stream: bytes) -> bytes:
    """What the DATA frames of one side of an HTTP/2 connection hold."""
    from hyperframe.frame import DataFrame, Frame

    found, place = b"", 0
    while len(stream) - place >= 9:
        frame, length = Frame.parse_frame_header(memoryview(stream[place : place + 9]))
        frame.parse_body(memoryview(stream[place + 9 : place + 9 + length]))
        place += 9 + length
        if isinstance(frame, DataFrame):
            found += frame.data
    return found


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
def test_what_a_real_client_and_server_send_is_read(coding: str) -> None:
    """A stream of messages each way, of many sizes."""
    import grpc

    how = {
        "": grpc.Compression.NoCompression,
        "gzip": grpc.Compression.Gzip,
        "deflate": grpc.Compression.Deflate,
    }[coding]
    said = [b"", b"x", b"long " * 10_000, bytes(range(256)) * 3]

    def chat(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for one in requests:
            yield one + b"!"

    server = grpc.server(ThreadPoolExecutor(1), compression=how)
    handlers = {"Chat": grpc.stream_stream_rpc_method_handler(chat)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Model", handlers),))
    tap = Tap(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{tap.port}", compression=how) as channel:
            answers = channel.stream_stream("/test.Model/Chat")(iter(said), timeout=20)
            assert list(answers) == [one + b"!" for one in said]
        tap.close()
    finally:
        server.stop(0).wait()
    for kept, expected in ((tap.sent, said), (tap.received, [one + b"!" for one in said])):
        body = data_of(bytes(kept[24:] if kept.startswith(b"PRI ") else kept))
        found = list(messages(body, coding))
        assert [one.data for one in found] == expected
        assert all(one.is_whole for one in found)
        assert found[-1].end == len(body)
        if coding:
            assert len(body) < 10_000
