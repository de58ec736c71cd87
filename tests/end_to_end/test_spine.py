"""From a real request to a record, a metric and an alarm: the contract, through real processes."""

from __future__ import annotations

import json
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text

from monitor.cli import main

TOKEN = re.compile(r"<([A-Z_]+):([a-z0-9]+):([A-Za-z0-9_-]{16,})>")
WATCHED = {"windows": {"pane": 1, "lateness": 0.2}, "reference": {"learn": 150}}


def post(url: str, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    answer = httpx.post(url + path, content=body, headers=headers, timeout=30)
    return answer.status_code, answer.content


def infer(client: httpx.Client, population: str, value: float) -> None:
    tensor = {"name": "income", "datatype": "FP64", "shape": [1], "data": [value]}
    client.post(
        "/v2/models/scorer/infer",
        json={"inputs": [tensor]},
        headers={"x-population": population},
    ).raise_for_status()


def test_a_chat_becomes_a_record_and_its_metrics(
    start: Any, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The openai client, plain and streamed, with personal data both ways."""
    import openai

    system = start("run", "--upstream", model, "--listen", "127.0.0.1:0", is_new=True)
    client = openai.OpenAI(base_url=f"{system.url}/v1", api_key="sk-abcdefghijklmnopqrstuvwx")
    ask: dict[str, Any] = {
        "model": "small",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "I am Me@Example.org, card 4111-1111-1111-1111."},
        ],
        "extra_headers": {
            "x-population": "vip",
            "x-template": "greeting",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
    }
    plain = client.chat.completions.create(**ask)
    assert plain.choices[0].message.content == "write to me@example.org"
    pieces = [
        event.choices[0].delta.content or ""
        for event in client.chat.completions.create(**ask, stream=True)
        if event.choices
    ]
    assert "".join(pieces) == "write to me@example.org"
    client.close()

    page = system.recorded(2)
    first, second = system.records()
    for record in (first, second):
        assert (record["protocol"], record["operation"]) == ("openai_chat", "chat")
        assert (record["model"], record["status"], record["outcome"]) == ("small", 200, "ok")
        assert record["segments"] == {
            "population": "vip",
            "template": "greeting",
            "variant": "none",
        }
        assert [part["role"] for part in record["inputs"]] == ["system", "user"]
        assert record["inputs"][0]["text"] == "Be kind."
        assert record["tokens"] == {"input": 5, "output": 2}
        assert record["finish_reasons"] == ["stop"]
        assert record["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
        assert record["request"]["path"] == "/v1/chat/completions"
        assert "authorization" not in record["request"]["headers"]
        assert record["pseudonyms"] == {"EMAIL_ADDRESS": 2, "CREDIT_CARD": 1}
        asked = {t[1]: t[0] for t in TOKEN.finditer(record["inputs"][1]["text"])}
        answered = TOKEN.search(record["outputs"][0]["text"])
        assert answered
        assert asked["EMAIL_ADDRESS"] == answered[0], "one address, however spelled, is one token"
        assert record["key"] == answered[2]
    assert not first["streamed"]
    assert second["streamed"]
    assert second["time_to_first_token"] is not None
    assert first["time_to_first_token"] is None
    assert main(["records", "list", "--json", "--data", str(system.data)]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert listed == [first, second], "what runs is looked at by its data directory"
    text = json.dumps([first, second])
    for secret in ("me@", "Me@", "4111-", "sk-abc"):
        assert secret not in text

    labels = {"protocol": "openai_chat", "operation": "chat", "model": "small", "outcome": "ok"}
    assert page.total("monitor_exchanges_total", endpoint="default", **labels) == 2
    assert page.total("monitor_records_appended_total") == 2
    assert page.total("monitor_exchange_duration_seconds_count", operation="chat") == 2
    assert page.total("monitor_time_to_first_token_seconds_count") == 1
    assert page.total("monitor_tokens_total", model="small", direction="input") == 10
    vip = {"dimension": "population", "value": "vip"}
    assert page.total("monitor_segment_exchanges_total", **vip, outcome="ok") == 2
    assert page.total("monitor_segment_duration_seconds_count", **vip) == 2
    assert page.total("monitor_segment_tokens_total", **vip, direction="output") == 4
    assert page.total("monitor_segment_exchanges_total", dimension="all", value="all") == 2
    assert page.total("monitor_pseudonyms_total", entity="EMAIL_ADDRESS") == 4
    assert page.is_conserved()


def test_bad_input_reaches_the_model_and_is_accounted_for(share: Any, model: str) -> None:
    """Malformed JSON, an empty body, every status, a broken answer, bytes that are not HTTP."""
    system = share(**WATCHED)
    assert post(system.url, "/200", b"{not json")[0] == 200
    assert post(system.url, "/200", b"")[0] == 200
    assert post(system.url, "/404", b"{}")[0] == 404
    assert post(system.url, "/429", b"{}")[0] == 429
    assert post(system.url, "/503", b"{}")[0] == 503
    with pytest.raises(httpx.HTTPError):
        post(system.url, "/broken", b"{}")
    host, port = system.run["listen"].split(":")
    with socket.create_connection((host, int(port)), 30) as raw:
        raw.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65536):
            pass
    page = system.settled()
    outcomes = [record["outcome"] for record in system.records()]
    assert outcomes == [
        "ok", "ok", "client_error", "rate_limited", "server_error", "upstream_broken",
    ]  # fmt: skip
    assert page.total("monitor_connections_opaque_total") == 1
    assert page.is_conserved()
    assert not system.complaints()


def test_without_a_model_the_client_gets_a_502_and_the_record_says_why(
    share: Any,
) -> None:
    """Upstream refused is an outcome, and readiness does not depend on it."""
    system = share(**WATCHED)
    status, body = post(system.url, "/v1/chat/completions", b'{"model": "m", "messages": []}')
    assert status == 502
    assert "error" in json.loads(body)
    system.settled()
    (record,) = system.records()
    assert (record["outcome"], record["status"]) == ("upstream_refused", 502)
    assert system.admin("/readyz")[0] == 200


def test_admin_pages(share: Any, model: str) -> None:
    """Liveness, readiness, both exposition formats to strict parsers, run.json, process titles."""
    system = share(**WATCHED)
    assert system.admin("/healthz")[0] == 200
    assert system.admin("/nothing")[0] == 404
    request = urllib.request.Request(
        f"http://{system.run['admin']}/metrics",
        headers={"accept": "application/openmetrics-text; version=1.0.0"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        strict = list(read_openmetrics(answer.read().decode()))
    plain = list(read_text(system.admin("/metrics")[1]))
    assert [(one.name, one.type) for one in strict] == [(one.name, one.type) for one in plain]
    running = {role: len(pids) for role, pids in system.first_run["pids"].items()}
    assert running.pop("notifier") == 0, "nobody is to be told"
    assert running.pop("archiver") == 0, "nothing is to be archived"
    assert running == dict.fromkeys(("proxy", "recorder", "analyzer", "pages"), 1)
    for role in running:  # named as they are, once they have begun
        system.child(role)
    assert (system.data / "run.json").stat().st_mode & 0o077 == 0
    named = Path(system.run["redis_file"])
    assert "@127.0.0.1:" in named.read_text()
    assert named.stat().st_mode & 0o077 == 0


def test_a_drain_lets_a_stream_finish_and_records_it(
    start: Any, free_port: int, store: str
) -> None:
    """SIGTERM: not ready at once, the running answer ends whole, everything is appended, exit 0."""
    go = threading.Event()
    with socket.create_server(("127.0.0.1", free_port)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                    b"transfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n"
                )
                go.wait(30)
                connection.sendall(b"5\r\ndone\n\r\n0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        system = start(
            "run", "--upstream", f"http://127.0.0.1:{free_port}", "--redis", store,
            "--listen", "127.0.0.1:0",
        )  # fmt: skip
        with httpx.stream("GET", system.url + "/stream", timeout=30) as answer:
            body = answer.iter_raw()
            assert next(body) == b"data: "
            system.process.send_signal(signal.SIGTERM)
            system.until(lambda: system.admin("/readyz")[0] == 503)
            go.set()
            assert b"".join(body) == b"done\n"
        thread.join()
        assert system.process.wait(30) == 0
        with redis.Redis.from_url(store) as client:
            assert client.xlen("monitor:{default:0}:records") == 1


def test_a_shift_in_one_population_is_found_there_and_nowhere_else(share: Any, model: str) -> None:
    """Learned reference, then income of population south grows by one and a half deviations."""
    system = share(**WATCHED)
    chance = random.Random(7)

    def send(count: int, shift: float) -> None:
        with httpx.Client(base_url=system.url, timeout=30) as client:
            for number in range(count):
                population = ("north", "south")[number % 2]
                extra = shift if population == "south" else 0.0
                infer(client, population, chance.gauss(50 + extra, 10))

    def statuses(status: str) -> set[tuple[str, str]]:
        return {
            (labels["feature"], labels["value"])
            for labels, value in system.page().pick("monitor_drift_status", status=status)
            if value == 1
        }

    send(600, 0)
    system.until(lambda: ("income", "south") in statuses("ok"))
    assert not statuses("drift")
    send(500, 15)
    system.until(lambda: ("income", "south") in statuses("drift"))
    assert ("income", "north") not in statuses("drift")
    south = {"feature": "income", "dimension": "population", "value": "south"}
    # It may be found before all that was sent is counted.
    system.until(lambda: system.page().total("monitor_drift_samples", **south) > 100)
    page = system.page()
    threshold = page.total("monitor_drift_threshold", measure="psi")
    assert page.total("monitor_drift_score", **south, measure="psi") > threshold > 0
    assert page.total("monitor_drift_log_evidence", **south) > 3
    # Nothing is told where a busy analyzer does not answer in time.
    system.until(lambda: "income" in system.admin("/api/drift")[1])


def test_workers_share_the_port_and_their_numbers_add_up(start: Any, model: str) -> None:
    """Two proxies, two recorders, one page, which tells the objectives once."""
    objectives = {"availability": 0.99, "latency": {"seconds": 1e-9, "share": 0.9}}
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0", "--workers", "2",
        objectives=objectives,
    )  # fmt: skip
    for _ in range(40):
        post(system.url, "/200", b"{}")
    page = system.settled()
    assert page.total("monitor_exchanges_total") == 40
    assert len(system.records()) == 40
    assert len(system.run["pids"]["proxy"]) == len(system.run["pids"]["recorder"]) == 2
    shares = {"availability": 0.99, "latency": 0.9, "first_token": 0.95}
    for objective, share in shares.items():
        assert page.total("monitor_objective_ratio", objective=objective) == share
    assert page.total("monitor_objective_seconds", objective="latency") == 1e-9
    assert page.total("monitor_objective_missed_total", objective="latency") == 40
    assert page.is_conserved()


def test_a_second_command_on_the_same_data_is_refused_in_one_line(share: Any, model: str) -> None:
    """Before it has touched anything; the first one goes on."""
    system = share(**WATCHED)
    options = "--upstream", model, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"
    second = subprocess.run(
        [sys.executable, "-m", "monitor", "sidecar", *options, "--data", system.data,
         "--redis", system.run["redis"]],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    line = (
        f"data: {system.data} is in use by process {system.process.pid}; give each its own --data"
    )
    assert second.stderr.splitlines()[-1].endswith(line)
    assert "Traceback" not in second.stderr
    assert post(system.url, "/", b"{}")[0] == 200
