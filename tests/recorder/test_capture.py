"""Exchange → Record: what is read, what is counted, and that reading is total."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.interfaces import Protocol
from monitor.meters import Meters
from monitor.metrics import REDACTION_REASONS
from monitor.privacy import records as privacy_module
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder.capture import Capture
from monitor.recorder.releases import Releases
from monitor.segments import from_header
from monitor.types import Exchange, Message, Outcome, decode_record, encode_record

SCANNER = Scanner(select())


def capture(protocols: tuple[Protocol, ...] = PROTOCOLS) -> tuple[Capture, Meters]:
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(range(32))),)), clock=lambda: 0.0
    )
    meters = Meters("recorder", "e")
    dimensions = [from_header(name, f"x-{name}") for name in ("population", "template")]
    return Capture("e", protocols, dimensions, privacy, meters), meters


def exchange(
    body: bytes = b"{}",
    answer: bytes = b"{}",
    *,
    target: str = "/v1/chat/completions",
    headers: dict[str, str] | None = None,
    answer_headers: dict[str, str] | None = None,
    status: str = "200 OK",
    chunks: list[tuple[float, int]] | None = None,
) -> Exchange:
    def head(start: str, fields: dict[str, str]) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{start}\r\n{lines}\r\n".encode("latin-1", "replace")

    ask = {"content-type": "application/json", **(headers or {})}
    reply = {"content-type": "application/json", **(answer_headers or {})}
    return Exchange(
        "0190-id", 100.0, 0.5,
        Message(head(f"POST {target} HTTP/1.1", ask), body, len(body)),
        Message(head(f"HTTP/1.1 {status}", reply), answer, len(answer)),
        chunks or [(0.2, len(answer))], Outcome.OK,
    )  # fmt: skip


def chat(content: Any, **more: Any) -> bytes:
    messages = [{"role": "user", "content": content}]
    return json.dumps({"model": "m", "messages": messages, **more}).encode()


def sse(*deltas: str) -> bytes:
    events = [
        json.dumps({"model": "m", "choices": [{"index": 0, "delta": {"content": delta}}]})
        for delta in deltas
    ]
    return "".join(f"data: {event}\n\n" for event in events).encode() + b"data: [DONE]\n\n"


EVENTS = {"content-type": "text/event-stream"}


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00 broken", b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'"' + b"x" * 3_000_000 + b'"', gzip.compress(b"0" * 50_000_000), b"",
        json.dumps({"a": float("nan"), "b": float("-inf")}).encode(),
        chat("1" * 10_000_000), chat("4111 1111 1111 1111 " * 50_000), b'"' + b"\\ud800" * 50_000 + b'"',
        json.dumps({f"k{n}@example.org": n for n in range(30_000)}).encode(),
        b"{" + b'"a": "b@example.org",' * 30_000 + b'"a": 1}', b'{"a": ' + b"9" * 100_000 + b"}",
        chat(" ".join([base64.b64encode(gzip.compress(bytes(900_000))).decode()] * 100)),
        chat("%25" * 300_000 + "40"), chat("<A:k1:aaaaaaaaaaaaaaaaaaaaaaaa>" * 30_000),
    ],
    ids=["bytes", "brackets", "nesting", "long", "bomb", "empty", "nan", "digits", "cards", "surrogates",
         "keys", "twice", "number", "bombs", "escapes", "tokens"],
)  # fmt: skip
def test_hostile_bodies_are_bounded_and_still_counted(body: bytes) -> None:
    """A record comes out, small, whatever went in."""
    headers = {"content-encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    reader, meters = capture()
    for target in ("/v1/chat/completions", "/any"):
        begun = time.process_time()
        record, _ = reader.read(exchange(body, headers=headers, target=target))
        assert time.process_time() - begun < 5
        document = encode_record(record)
        assert len(document) < 9_000_000
        assert b"@example" not in document
        assert decode_record(document).id == record.id
    counted = [m for m in meters.measurements() if m.name == "monitor_segment_exchanges_total"]
    assert counted


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.binary(max_size=300),
    st.sampled_from(["/v1/chat/completions", "/v1/messages", "/v2/models/m/infer", "/any"]),
)
def test_any_bytes_make_a_record(body: bytes, answer: bytes, target: str) -> None:
    """Reading is total: no exception, one record."""
    for headers in ({}, EVENTS):
        record, _ = capture()[0].read(exchange(body, answer, target=target, answer_headers=headers))
        assert record.id == "0190-id"


def test_the_first_token_is_the_first_content() -> None:
    """The role-only event does not count; times are the chunks'."""
    role = json.dumps({"model": "m", "choices": [{"index": 0, "delta": {"role": "assistant"}}]})
    first = f"data: {role}\n\n".encode()
    rest = sse("a", "b")
    usage = json.dumps({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 3}})
    whole = first + rest.replace(b"data: [DONE]", f"data: {usage}\n\ndata: [DONE]".encode())
    ends = [match.end() for match in re.finditer(rb"\n\n", whole)]
    chunks = [(0.1 * (place + 1), end) for place, end in enumerate(ends)]
    record, _ = capture()[0].read(exchange(chat("x"), whole, answer_headers=EVENTS, chunks=chunks))
    assert record.time_to_first_token == pytest.approx(0.2)
    assert record.time_per_output_token == pytest.approx((0.3 - 0.2) / 2)


def test_labels_follow_their_budgets() -> None:
    """A model name becomes a label once it was accepted, segments keep 50 names."""
    reader, meters = capture()
    refused = exchange(
        json.dumps({"model": "guess", "messages": []}).encode(), status="404 Not Found"
    )
    assert reader.read(refused)[1] == "other"
    accepted = exchange(json.dumps({"model": "real", "messages": []}).encode())
    assert reader.read(accepted)[1] == "real"
    for number in range(80):
        reader.read(exchange(headers={"x-population": f"p{number}"}))
    values = {
        m.labels["value"] for m in meters.measurements()
        if m.name == "monitor_segment_exchanges_total" and m.labels["dimension"] == "population"
    }  # fmt: skip
    assert len(values - {"other", "none"}) <= 50
    assert "other" in values


def test_every_reason_for_a_redaction_is_there_from_the_start() -> None:
    """At zero, so that the first event shows; and there is no reason that is not listed."""
    reader, meters = capture()

    def reasons() -> dict[str, float]:
        found = [m for m in meters.measurements() if m.name == "monitor_redactions_total"]
        return {m.labels["reason"]: m.value for m in found}

    assert reasons() == dict.fromkeys(REDACTION_REASONS, 0)
    deep = b"[" * 100 + b"1" + b"]" * 100
    bomb = chat(base64.b64encode(gzip.compress(bytes(10**7))).decode())
    for body in (deep, bomb, chat("\ud800"), chat("a " * 300_000)):
        reader.read(exchange(body, target="/any?token=1&q=" + "x" * 5000))
    assert set(reasons()) == set(REDACTION_REASONS)
    seen = {reason for reason, count in reasons().items() if count}
    assert seen >= {"bomb", "too_long", "credential"}
    source = "".join(
        (Path(privacy_module.__file__).parent / f"{name}.py").read_text()
        for name in ("records", "scrub", "blobs", "policies", "patterns")
    )
    said = re.findall(r'PrivacyError\("([^"]+)"\)|redacted\([^()]*, "(\w+)"\)', source)
    assert {(one or other).replace(" ", "_") for one, other in said} <= set(REDACTION_REASONS)


def test_with_noise_nothing_else_is_told_by_segment() -> None:
    """Counts by segment rise when the period is over; the whole is exact, histograms are its alone."""
    _, meters = capture()
    privacy = Privacy(scanner=SCANNER, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0)
    noisy = Releases(
        ["population"], epsilon=1.0, delta=1e-6, period=60.0, draw=lambda _: 3, began=0.0
    )
    dimensions = [from_header("population", "x-population")]
    reader = Capture("e", PROTOCOLS, dimensions, privacy, meters, releases=noisy)
    for _ in range(7):
        reader.read(exchange(chat("hi"), headers={"x-population": "vip"}))

    def by_segment() -> dict[tuple[str, str, str], float]:
        return {
            (m.name, m.labels["value"], m.labels.get("outcome", "")): m.value
            for m in meters.measurements()
            if m.name.startswith("monitor_segment") and m.labels["dimension"] != "all"
        }

    reader.release(59.0)
    assert by_segment() == {}
    reader.release(60.0)
    reader.release(61.0)
    told = by_segment()
    assert {name for name, _, _ in told} == {"monitor_segment_exchanges_total"}
    assert told["monitor_segment_exchanges_total", "other", "ok"] == 7 + 3
    assert told["monitor_segment_exchanges_total", "none", "rate_limited"] == 3
    whole = [m.value for m in meters.measurements()
             if m.name == "monitor_segment_exchanges_total" and m.labels["dimension"] == "all"]  # fmt: skip
    assert whole == [7]
