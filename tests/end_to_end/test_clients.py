"""Real clients through the whole sidecar: what they get is what they would have got without it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Any

import grpc
import pytest

from monitor.framings.grpc import messages
from tests.protocols.goldens.files import goldens

NO_EDITS, EDITS = {"host": "never"}, {"host": "always", "exchange_id": True}


@pytest.fixture
def grpc_server(upstream_port: int) -> Iterator[str]:
    """A gRPC server with one method of each shape; yields its address."""

    def unary(request: bytes, context: Any) -> bytes:
        if request == b"fail":
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too much")
        context.set_trailing_metadata((("x-cost", "7"),))
        return b"answer to " + request

    def stream(request: bytes, context: Any) -> Iterator[bytes]:
        for number in range(50):
            yield b"%d " % number + request

    def chat(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        for request in requests:
            yield request.upper()

    def plain(message: bytes) -> bytes:
        return message

    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary, plain, plain),
        "Stream": grpc.unary_stream_rpc_method_handler(stream, plain, plain),
        "Chat": grpc.stream_stream_rpc_method_handler(chat, plain, plain),
    }
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Model", handlers),))
    server.add_insecure_port(f"127.0.0.1:{upstream_port}")
    server.start()
    yield f"http://127.0.0.1:{upstream_port}"
    server.stop(None).wait()


def test_a_call_names_its_record_where_asked_for(share: Any, grpc_server: str) -> None:
    """`edits.exchange_id` in HTTP/2: the answer's metadata, also where it is all trailers."""
    system = share(edits=EDITS)
    found = []
    with grpc.insecure_channel(system.run["listen"]) as channel:
        for number in range(20):
            answer, call = channel.unary_unary("/test.Model/Unary").with_call(b"%d" % number)
            assert answer == b"answer to %d" % number
            found.append(dict(call.initial_metadata()).get("x-monitor-exchange-id"))
    page = system.settled()
    ids = [one["id"] for one in system.records()]
    assert len(ids) == 20
    assert all(one in (None, id_) for one, id_ in zip(found, ids, strict=True))
    assert found.count(None) < 10, "a head that a read has cut goes without"
    assert page.total("monitor_connections_opaque_total") == 0


@pytest.mark.parametrize("edits", [NO_EDITS, EDITS])
def test_grpc_in_all_its_shapes(share: Any, grpc_server: str, edits: Any) -> None:
    """Unary, server streaming, both ways, an error in the trailers; each is a record."""
    system = share(edits=edits)
    with grpc.insecure_channel(system.run["listen"]) as channel:
        unary = channel.unary_unary("/test.Model/Unary")
        answer, call = unary.with_call(b"x", metadata=(("x-population", "north"),))
        assert answer == b"answer to x"
        assert ("x-cost", "7") in [tuple(item) for item in call.trailing_metadata()]
        big = b"y" * 300_000
        assert unary(big) == b"answer to " + big
        assert len(list(channel.unary_stream("/test.Model/Stream")(b"z"))) == 50
        asked = [b"a", b"b", b"c"]
        assert list(channel.stream_stream("/test.Model/Chat")(iter(asked))) == [b"A", b"B", b"C"]
        with pytest.raises(grpc.RpcError) as failed:
            unary(b"fail")
        assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    page = system.settled()
    records = system.records()
    assert [(record["request"]["path"], record["outcome"]) for record in records] == [
        ("/test.Model/Unary", "ok"), ("/test.Model/Unary", "ok"), ("/test.Model/Stream", "ok"),
        ("/test.Model/Chat", "ok"), ("/test.Model/Unary", "rate_limited"),
    ]  # fmt: skip
    assert records[0]["segments"]["population"] == "north"
    assert records[1]["request"]["bytes"] > 300_000
    assert page.total("monitor_connections_opaque_total") == 0
    assert page.is_conserved()


def test_tensors_over_grpc_are_recorded(share: Any, upstream_port: int) -> None:
    """As the client of Triton sends them: columns, the model, and how the call ended."""
    golden = next(one for one in goldens() if one.name == "kserve_v2/grpc-infer")
    (asked,), (told,) = (
        [one.data for one in messages(body)] for _, body in (golden.request, golden.response)
    )

    def infer(request: bytes, context: Any) -> bytes:
        if request != asked:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such model")
        return told

    server = grpc.server(ThreadPoolExecutor(2))
    handlers = {"ModelInfer": grpc.unary_unary_rpc_method_handler(infer)}
    service = grpc.method_handlers_generic_handler("inference.GRPCInferenceService", handlers)
    server.add_generic_rpc_handlers((service,))
    server.add_insecure_port(f"127.0.0.1:{upstream_port}")
    server.start()
    system = share(edits=NO_EDITS)
    try:
        with grpc.insecure_channel(system.run["listen"]) as channel:
            call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            assert call(asked) == told
            with pytest.raises(grpc.RpcError):
                call(b"")
        system.settled()
    finally:
        server.stop(None).wait()
    fine, failed = system.records()
    assert (fine["protocol"], fine["model"], fine["outcome"]) == ("kserve_v2", "churn", "ok")
    assert [(one["name"], one["data"]) for one in fine["inputs"]] == [
        ("age", [41, 35]), ("plan", ["pro", "päd"]),
    ]  # fmt: skip
    assert [one["data"] for one in fine["outputs"]] == [[0.25, 0.75, 0.5, 0.5]]
    assert fine["confidence"] == 0.625
    assert (failed["outcome"], failed["outputs"][0]["role"]) == ("client_error", "error")


def test_grpc_that_is_cancelled_or_late(share: Any, upstream_port: int) -> None:
    """The endpoint is told at once, and the record says who ended it."""
    ended: Queue[str] = Queue()

    def endless(request: bytes, context: Any) -> Iterator[bytes]:
        context.add_callback(lambda: ended.put(request.decode()))
        yield b"first"
        over = threading.Event()
        context.add_callback(over.set)
        over.wait(60)

    def plain(message: bytes) -> bytes:
        return message

    server = grpc.server(ThreadPoolExecutor(4))
    method = grpc.unary_stream_rpc_method_handler(endless, plain, plain)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("test.Model", {"Endless": method}),)
    )
    server.add_insecure_port(f"127.0.0.1:{upstream_port}")
    server.start()
    try:
        system = share(edits=NO_EDITS)
        with grpc.insecure_channel(system.run["listen"]) as channel:
            call = channel.unary_stream("/test.Model/Endless")
            took: list[float] = []
            while not took or (took[-1] >= 1 and len(took) < 10):  # the machine may be busy
                cancelled = call(b"cancelled")
                assert next(cancelled) == b"first"
                at = time.monotonic()
                cancelled.cancel()
                assert ended.get(timeout=30) == "cancelled"
                took.append(time.monotonic() - at)
            assert took[-1] < 1, "as a rule it takes milliseconds"
            late = call(b"late", timeout=3)
            assert next(late) == b"first"
            with pytest.raises(grpc.RpcError) as failed:
                next(late)
            assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert ended.get(timeout=30) == "late"
            closed = call(b"closed")
            assert next(closed) == b"first"
        assert ended.get(timeout=30) == "closed", "with its channel"
        page = system.settled()
        records = system.records()
        *cancelled_, late_, closed_ = (one["outcome"] for one in records)
        assert [*cancelled_, closed_] == ["client_gone"] * (len(took) + 1)
        # Client and endpoint both keep the deadline: whoever is first says so.
        assert late_ in {"client_gone", "upstream_timeout"}
        assert [one["response"]["bytes"] for one in records] == [10] * (len(took) + 2)
        assert page.total("monitor_connections_opaque_total") == 0
        assert page.is_conserved()
    finally:
        server.stop(None).wait()


@pytest.fixture
def websocket_server(upstream_port: int) -> Iterator[str]:
    """Repeats texts in capitals and data backwards; yields its address."""
    from websockets.sync.server import serve

    def answer(connection: Any) -> None:
        for message in connection:
            connection.send(message.upper() if isinstance(message, str) else message[::-1])

    with serve(answer, "127.0.0.1", upstream_port) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{upstream_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("edits", [NO_EDITS, EDITS])
def test_a_websocket_is_one_record_with_its_messages(
    share: Any, websocket_server: str, compression: Any, edits: Any
) -> None:
    """Texts and data both ways, fragments, pings, a large message, a close; edited or not."""
    from websockets.sync.client import connect

    system = share(edits=edits)
    url = f"ws://{system.run['listen']}/live"
    with connect(url, compression=compression, additional_headers={"x-population": "north"}) as one:
        one.send("write to me@example.org")
        assert one.recv(20) == "WRITE TO ME@EXAMPLE.ORG"
        one.send(["in ", "two parts"])
        assert one.recv(20) == "IN TWO PARTS"
        assert one.ping().wait(20)
        one.send(b"12")
        assert one.recv(20) == b"21"
        one.send("word " * 50_000)
        assert one.recv(20) == "WORD " * 50_000
    page = system.settled()
    (record,) = system.records()
    assert (record["protocol"], record["status"], record["outcome"]) == ("websocket", 101, "ok")
    assert record["segments"]["population"] == "north"
    texts = [part["text"] for part in record["inputs"]]
    assert texts[1:3] == ["in two parts", "[binary 2 bytes]"]
    assert "me@example.org" not in texts[0]
    assert len(texts) == len(record["outputs"]) == 4
    assert record["pseudonyms"] == {"EMAIL_ADDRESS": 2}
    assert page.total("monitor_connections_opaque_total") == 0
    assert page.is_conserved()
    assert not system.complaints()
