"""A whole `monitor` and a collector that is somebody else's: every exchange is a span, or counted."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from typing import Any

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from tests.exporters.test_otlp import Collector

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CHAT = {
    "model": "small",
    "temperature": 0.5,
    "messages": [{"role": "user", "content": "hi, secret"}],
}


def ask(system: Any, path: str = "/v1/chat/completions", **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    return httpx.post(system.url + path, json={**CHAT, **more}, headers=headers, timeout=20)


def accounts(system: Any) -> tuple[float, float, float]:
    """Exchanges, spans, and how many of these wait."""
    page = system.page()
    waiting = page.total("monitor_spans_waiting")
    spans = page.total("monitor_spans_total") + waiting
    return page.total("monitor_exchanges_total"), spans, waiting


def test_a_collector_shows_what_the_records_say(start: Any, model: str, free_port: int) -> None:
    """A plain chat, a streamed one within a trace, an unsampled one and a failure, at a real
    receiver; the same ids stand in records and at the buckets of the histograms."""

    async def story() -> list[Span]:
        settings = OtelTapHttpProtobufReceiverSettings(http_port=free_port)
        spans: list[Span] = []
        async with OtelTapHttpProtobufReceiver(settings) as receiver:
            stream = receiver.stream_traces()

            async def listen() -> None:
                while True:
                    spans.append(await anext(stream))

            listening = asyncio.create_task(listen())
            await asyncio.to_thread(ask, system)
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=b"}
            await asyncio.to_thread(ask, system, stream=True, headers=headers)
            unsampled = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
            await asyncio.to_thread(ask, system, headers=unsampled)
            await asyncio.to_thread(ask, system, "/503")
            metric = await receiver.await_metric(
                lambda one: one.name == "gen_ai.client.inference.duration", timeout=60
            )
            assert metric.unit == "s"
            async with asyncio.timeout(60):
                while len(spans) < 3:
                    await asyncio.sleep(0.05)
            listening.cancel()
        return spans

    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0",
        otlp={"endpoint": f"http://127.0.0.1:{free_port}", "interval": 1, "traces": {"sample": 1}},
    )  # fmt: skip
    plain, streamed, failed = asyncio.run(story())
    assert [one.name for one in (plain, streamed)] == ["chat small"] * 2
    assert (streamed.trace_id.hex(), streamed.parent_span_id.hex()) == (TRACE, PARENT)
    assert streamed.trace_state == "a=b"
    assert {one.key for one in streamed.attributes} >= {
        "gen_ai.response.time_to_first_chunk", "gen_ai.usage.input_tokens", "server.port",
    }  # fmt: skip
    assert ("error.type", "503") in {(one.key, one.value.string_value) for one in failed.attributes}
    assert not any(b"secret" in one.SerializeToString() for one in (plain, streamed, failed))
    system.settled()
    records = {record["id"]: record for record in system.records()}
    assert len(records) == 4
    for span in (plain, streamed, failed):
        said = {one.key: one.value.string_value for one in span.attributes}
        record = records[said["monitor.record.id"]]
        assert span.trace_id.hex() == (record["trace_id"] or record["id"].replace("-", ""))
    system.until(lambda: accounts(system) == (4, 4, 0))  # counted once they have been answered
    assert system.page().total("monitor_spans_total", result="unsampled") == 1
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    page = httpx.get(f"http://{system.run['admin']}/metrics", headers=accept)
    assert page.headers["content-type"].startswith("application/openmetrics-text")
    shown = set(re.findall(r' # \{record_id="[^"]+",trace_id="([0-9a-f]{32})"\} ', page.text))
    assert TRACE in shown
    assert shown <= {one.trace_id.hex() for one in (plain, streamed, failed)}
    assert " # {" not in httpx.get(f"http://{system.run['admin']}/metrics").text
    assert system.stop() == 0
    assert not system.complaints()


def test_a_collector_that_is_away_slow_or_broken_costs_only_spans(start: Any, model: str) -> None:
    """One that answers 500, then well, while a recorder is killed, and then hangs. Clients and
    records see nothing of it, and every exchange is in the accounts of the spans."""
    collector = Collector()
    collector.status = 500
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0",
        otlp={"endpoint": collector.url, "interval": 3600, "traces": {"sample": 1}},
        drain={"timeout": 1},
    )  # fmt: skip
    try:
        assert spans_of(system, "dropped") == 5
        collector.status = 200
        assert spans_of(system, "exported") == 5
        os.kill(system.run["pids"]["recorder"][0], signal.SIGKILL)
        assert spans_of(system, "exported") == 10
        assert len(collector.spans()) == 15  # five of them it did not want
        collector.server.shutdown()  # it still listens, and answers nothing
        for _ in range(5):
            assert ask(system).status_code == 200
        system.settled()
        assert accounts(system)[:2] == (20, 20)
        assert system.page().total("monitor_spans_total", result="exported") == 10
        assert len(system.records()) == 20
        assert system.stop() == 0
        assert not system.held_up()
    finally:
        collector.close()
    assert "otlp: spans cannot be delivered (it answered 500)" in system.log()
    assert "otlp: spans are delivered again" in system.log()


def spans_of(system: Any, result: str) -> float:
    """How many spans have this result after five more exchanges, once none waits."""
    before = accounts(system)[0]
    for _ in range(5):
        assert ask(system).status_code == 200

    system.until(lambda: accounts(system) == (before + 5, before + 5, 0))
    return float(system.page().total("monitor_spans_total", result=result))
