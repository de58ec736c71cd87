"""The last checkpoints are kept elsewhere, and no place that hangs or lies holds anything up."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as proto

from monitor.app.archiver import Archiver
from monitor.archive import anchoring as module
from monitor.archive.anchoring import Answer, FileTarget, Line
from monitor.archive.chain import Chain, signer
from monitor.archive.storage import Directory
from monitor.archive.verification import Verifier, Violation, parse_anchors
from monitor.assembly.anchors import Webhook, anchoring, target_of
from monitor.assembly.auditing import anchors_of
from monitor.settings.archive import Anchor, Archive, Audit
from monitor.settings.schema import Otlp, Settings
from tests.archive.conftest import add, kept

KEY = SigningKey(bytes(32))
PATIENCE = 30.0
CLOCKS: dict[str, Callable[[], float]] = {"clock": time.monotonic, "wall": time.time}


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it, and answers as it is told; `hang` holds an answer back."""

    daemon_threads = True

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.answer = b""
        self.may_answer = threading.Event()
        self.may_answer.set()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.posts.append((self.path, headers, self.rfile.read(length)))
        self.server.may_answer.wait(PATIENCE)
        try:
            self.send_response(self.server.status)
            for name, value in self.server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(self.server.answer)))
            self.end_headers()
            self.wfile.write(self.server.answer)
        except OSError:
            pass  # it was given up

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.may_answer.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """A signed one with a file of two rows."""
    one = Chain(Directory(tmp_path / "archive"), "bot", 0)
    one.open()
    assert add(one, kept(0, 2), signer(KEY))
    return one


def settings(tmp_path: Path, *anchors: Anchor, every: float = 3600.0, **more: Any) -> Settings:
    archive = Archive(str(tmp_path / "archive"))
    audit = Audit(anchors=list(anchors), every=every)
    return Settings(endpoint="bot", archive=archive, audit=audit, **more)


def last(chain: Chain) -> str:
    assert chain.head
    return chain.head.checkpoint


def is_proven(chain: Chain, text: str) -> None:
    """What was kept is in the chain; once that is cut off, it is missed."""
    anchors = parse_anchors(text)
    verifier = Verifier(chain.storage, [KEY.verify_key], anchors)
    verifier.shard("bot", 0)
    assert verifier.seen == set(anchors)
    with pytest.raises(Violation, match="is missing"):
        Verifier(chain.storage, (), [re.sub("manifest .", "manifest 7", anchors[-1])]).shard(
            "bot", 0
        )


def test_a_webhook_gets_what_verify_reads_signed(
    receiver: Receiver, chain: Chain, tmp_path: Path
) -> None:
    """As it was posted; shards without a record are named. What it has already is not sent again,
    and what comes within `every` is sent at the end."""
    secret = tmp_path / "hook.key"
    secret.write_text("s3cret\n")
    given = settings(tmp_path, Anchor(webhook=f"{receiver.url}/x", secret=str(secret)))
    anchors = anchoring(given)
    anchors.offer("bot", [last(chain), "", ""])
    until(lambda: anchors.measurements("bot")[0].value == 1)
    ((path, headers, body),) = receiver.posts
    assert path == "/x"
    assert headers["content-type"] == "text/plain; charset=utf-8"
    wanted = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["x-monitor-signature"] == f"sha256={wanted}"
    assert "# bot: 3 shards; without a record: 1, 2\n" in body.decode()
    is_proven(chain, body.decode())
    anchors.offer("bot", [last(chain), "", ""])
    assert add(chain, kept(2, 2), signer(KEY))
    anchors.offer("bot", [last(chain), "", ""])
    assert len(receiver.posts) == 1
    anchors.close(PATIENCE)
    assert len(receiver.posts) == 2
    is_proven(chain, receiver.posts[1][2].decode())


def test_a_file_keeps_all_that_was_appended(chain: Chain, tmp_path: Path) -> None:
    """Each in the chain; half a checkpoint, of a disk that was full, is none."""
    path = tmp_path / "anchors.txt"
    place = FileTarget(path)
    line = Line(place, 3600.0, **CLOCKS)
    line.offer(last(chain).encode())
    line.close(time.monotonic() + PATIENCE)
    assert add(chain, kept(2, 2), signer(KEY))
    path.write_text(path.read_text().rstrip("\n"))  # somebody has edited it
    again = Line(place, 3600.0, **CLOCKS)
    again.offer(last(chain).encode())
    again.close(time.monotonic() + PATIENCE)
    is_proven(chain, path.read_text())
    assert len(parse_anchors(path.read_text())) == 2
    size = path.stat().st_size
    write = os.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.os, "write", lambda to, data: write(to, data[:90]))
        assert place.put(last(chain).encode(), 0.0) == Answer("the disk is full")
    assert path.stat().st_size == size
    assert FileTarget(tmp_path).put(b"x", 0.0).wrong == "is a directory"
    os.mkfifo(tmp_path / "pipe")
    assert FileTarget(tmp_path / "pipe").put(b"x", 0.0).wrong


def test_a_collector_gets_a_log_record(receiver: Receiver, chain: Chain, tmp_path: Path) -> None:
    """Over HTTP where metrics go, too; one that says it took none is no success."""
    given = settings(tmp_path, Anchor(otlp=True), otlp=Otlp(endpoint=receiver.url))
    anchors = anchoring(given)
    anchors.offer("bot", [last(chain)])
    anchors.close(PATIENCE)
    ((path, _, body),) = receiver.posts
    assert path == "/v1/logs"
    request = proto.ExportLogsServiceRequest.FromString(body)
    (group,) = request.resource_logs
    attributes = {one.key: one.value.string_value for one in group.resource.attributes}
    assert (attributes["service.name"], attributes["monitor.endpoint"]) == ("monitor", "bot")
    (record,) = group.scope_logs[0].log_records
    assert (record.event_name, record.severity_number) == ("monitor.audit.checkpoints", 9)
    assert record.time_unix_nano == record.observed_time_unix_nano > 1e18
    is_proven(chain, record.body.string_value)
    assert "# bot: 1 shard\n" in record.body.string_value
    partial = proto.ExportLogsPartialSuccess(rejected_log_records=1)
    receiver.answer = proto.ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    place = target_of(anchors_of(given)[0])
    assert place.put(b"x", 0.0).wrong == "it rejected the log record"


def test_what_fails_is_tried_again_with_what_is_newest(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said once, counted, and said once that it is over; of what came meanwhile the last is
    sent."""
    caplog.set_level("INFO")
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.02)
    receiver.status = 503
    line = Line(Webhook(receiver.url, str), 1e-3, **CLOCKS)
    line.offer(b"one")
    until(lambda: line.counts["failed"] >= 2)
    line.offer(b"two")
    line.offer(b"three")
    receiver.status = 204
    until(lambda: receiver.posts[-1][2].endswith(b"\nthree") and line.counts["put"] >= 1)
    line.close(time.monotonic() + PATIENCE)
    assert line.overdue == 0
    assert not any(body.endswith(b"\ntwo") for _, _, body in receiver.posts)
    said = [entry.message for entry in caplog.records]
    assert len(said) == 2
    assert "it answered 503; it is tried again, and the archive goes on" in said[0]
    assert said[1].endswith("again")


def test_how_long_a_place_is_late_is_told() -> None:
    """From when the first checkpoint came that it has not; beyond `every`."""
    now = [100.0]

    class Never:
        kind, shown = "webhook", "nowhere"

        def put(self, text: bytes, at: float) -> Answer:
            return Answer("it is away", 1e9)

        def close(self) -> None:
            pass

    line = Line(Never(), 60.0, clock=lambda: now[0], wall=time.time)
    assert line.overdue == 0
    line.offer(b"one")
    until(lambda: line.counts["failed"] == 1)
    now[0] += 50
    line.offer(b"two")
    assert line.overdue == 0
    now[0] += 50
    assert line.overdue == 40
    line.close(now[0])


def test_a_receiver_that_hangs_holds_nothing_up(
    receiver: Receiver, chain: Chain, tmp_path: Path
) -> None:
    """It is cut off in its time, as one that sends elsewhere or asks to be left alone for ever is
    no success."""
    receiver.may_answer.clear()
    line = Line(Webhook(receiver.url, str, timeout=0.3), 60.0, **CLOCKS)
    began = time.monotonic()
    line.offer(b"one")
    until(lambda: line.counts["failed"] == 1)
    line.close(time.monotonic() + 0.2)
    slow = anchoring(settings(tmp_path, Anchor(webhook=receiver.url)))
    slow.offer("bot", [last(chain)])
    until(lambda: len(receiver.posts) >= 2)
    slow.close(0.1)
    assert time.monotonic() - began < 2 * PATIENCE
    receiver.may_answer.set()
    for status, headers, asked in (
        (302, {"Location": receiver.url}, 0.0),
        (429, {"Retry-After": "99999"}, 99999.0),
    ):
        receiver.status, receiver.headers = status, headers
        answer = Webhook(receiver.url, str).put(b"x", 0.0)
        assert (bool(answer.wrong), answer.asked) == (True, asked)


def test_an_archiver_keeps_its_checkpoints_elsewhere_at_the_end(tmp_path: Path) -> None:
    """What stands in the chains when it ends is in the file, and it tells so."""
    path = tmp_path / "anchors.txt"
    given = settings(tmp_path, Anchor(file=str(path)), redis="redis://127.0.0.1:1/0")

    async def story() -> None:
        one = Archiver(given, asyncio.Event())
        for shard in one._shards:
            shard.chain.open()
            assert add(shard.chain, kept(0, 2))
            shard.is_open = True
        one._anchor()
        await asyncio.to_thread(one._anchors.close, PATIENCE)
        told = {
            sample.name: sample.value
            for sample in await one.measure()
            if sample.labels.get("result") != "failed"
        }
        assert told["monitor_audit_anchors_total"] == 1
        assert told["monitor_audit_anchor_overdue_seconds"] == 0
        for shard in one._shards:
            await shard.stream.close()
        one._thread.shutdown()

    asyncio.run(story())
    (anchor,) = parse_anchors(path.read_text())
    assert anchor.startswith("monitor/bot/0\n2\n")
