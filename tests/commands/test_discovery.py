"""What an upstream and a sample of a log say of the traffic."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from monitor import protocols
from monitor.commands import discovery
from monitor.errors import UsageError
from monitor.supervision.ports import free_port


class _Server(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, Any]] = {}
    status: ClassVar[int] = 200
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.command, self.path))
        found = self.pages.get(self.path)
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(404 if found is None else self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes its time."""
    monkeypatch.setattr(discovery, "PATIENCE", 60.0)
    monkeypatch.setattr(discovery, "ALL", 60.0)


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """A server that answers what `_Server.pages` says."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


MODEL = {"type": "model", "id": "claude-x", "display_name": "X"}
OPENAI = {"object": "list", "data": [{"id": "llama-3"}, {"id": "two\nlines"}, {"id": 3}, 4]}


@pytest.mark.parametrize(
    ("pages", "spoken"),
    [
        ({"/v1/models": OPENAI}, "speaks openai_chat, with the model llama-3, two"),
        ({"/api/tags": {"models": [{"name": "q"}]}, "/v1/models": OPENAI}, "speaks ollama, with"),
        ({"/info": {"model_id": "x", "version": "3"}, "/v1/models": OPENAI}, "speaks tgi"),
        ({"/props": {"default_generation_settings": {}}, "/v1/models": OPENAI}, "speaks llama_cpp"),
        ({"/v2": {"name": "triton", "version": "2", "extensions": []}}, "speaks kserve_v2"),
        ({"/v1/models": {"models": ["credit"]}}, "speaks kserve_v1"),
        ({"/v1/models": {"data": [MODEL]}}, "speaks anthropic_messages, with the model claude-x"),
        ({"/ping": {"status": "Healthy"}}, "speaks torchserve"),
        ({"/v1/models": {"data": None}, "/v2": [], "/info": 5, "/ping": b"["}, "says nothing of"),
        ({"/v1/models": b"[" * 100_000}, "says nothing of"),
        ({}, "says nothing of"),
    ],
)
def test_an_upstream_is_known_by_what_it_tells_of_itself(
    pages: dict[str, Any], spoken: str, upstream: str
) -> None:
    """Servers that speak OpenAI's dialect too are known by their own; no model is asked."""
    _Server.pages, _Server.asked = pages, []
    found = str(discovery.probe(upstream))
    assert found.startswith(spoken)
    assert found.isprintable()
    assert set(_Server.asked) <= {("GET", path) for path, _ in discovery.QUESTIONS}


@pytest.mark.parametrize(
    ("body", "spoken"),
    [
        ({"type": "error", "error": {"type": "authentication_error"}}, "speaks anthropic_messages"),
        ({"error": {"message": "no key"}}, "wants a key before it says anything of its protocol,"),
        (b"<html>", "wants a key before it says anything of its protocol, which is read from"),
    ],
)
def test_an_upstream_that_wants_a_key_is_known_by_how_it_says_so(
    body: Any, spoken: str, upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or not; it gets none."""
    monkeypatch.setattr(_Server, "status", 401)
    _Server.pages = {"/v1/models": body}
    assert str(discovery.probe(upstream)).startswith(spoken)


def test_every_protocol_that_is_recognized_is_read() -> None:
    """By the names that Records have."""
    known = {one.name for one in protocols.PROTOCOLS}
    for pages in (OPENAI, {"models": []}):
        spoken = discovery._models(pages)
        assert spoken is not None
        assert spoken.protocol in known
    assert {"ollama", "tgi", "llama_cpp", "kserve_v2", "torchserve"} <= known


def test_who_does_not_answer_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there, and one who takes for ever."""
    assert "cannot be asked: " in str(discovery.probe(f"http://127.0.0.1:{free_port()}"))
    release = threading.Event()
    monkeypatch.setattr(discovery, "ALL", 0.01)
    monkeypatch.setattr(discovery, "_probed", lambda _: release.wait(60))
    assert discovery.probe("http://127.0.0.1:9") == "did not answer within 0.01 s"
    release.set()


def test_a_table_says_its_columns(tmp_path: Path) -> None:
    """Of many the first ones."""
    file = tmp_path / "t.csv"
    file.write_text("age,score,label\n1,0.5,1\n")
    assert str(discovery.sample(str(file))) == "is a table (csv) with the columns age, score, label"


@pytest.mark.parametrize("row", ["7,x,1", "x@y.org,a", "Ann Lee,a", "1980-01-02,b", ",a"])
def test_a_first_row_that_looks_like_data_is_not_shown(row: str, tmp_path: Path) -> None:
    """It may be a person's."""
    file = tmp_path / "t.csv"
    file.write_text(f"{row}\n{row}\n")
    said = str(discovery.sample(str(file)))
    assert said.endswith(" columns, whose first row does not look like their names")
    assert "is a table (csv) of " in said


def test_a_model_without_a_name_of_a_model_is_not_told() -> None:
    """Where a log has somebody's text in its place."""
    names = ["Ann Lee", "x@y.org", "m\n", "", "a" * 101, "llama3:8b", "org/m-1.5+x"]
    assert discovery._most(names) == ("llama3:8b", "org/m-1.5+x")


def test_records_say_protocols_models_and_times(tmp_path: Path) -> None:
    """Of the first thousand."""
    golden = Path(__file__).parents[1] / "stored"
    record = next(golden.rglob("*.jsonl"))
    found = discovery.sample(str(record))
    assert found.exchanges > 0
    assert found.format


def test_what_is_no_log_is_one_sentence(tmp_path: Path) -> None:
    """That names the option."""
    with pytest.raises(UsageError, match="--sample: "):
        discovery.sample(str(tmp_path))
    with pytest.raises(UsageError, match="--sample: ") as error:
        discovery.sample(str(tmp_path / "gone\n\x1b[31m.jsonl"))
    assert str(error.value).isprintable()
