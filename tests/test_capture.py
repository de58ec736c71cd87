"""Exchange → Record: what is read, what is counted, and that no canary gets out, wherever it stood."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.capture import Capture
from monitor.interfaces import Protocol
from monitor.meters import Meters
from monitor.patterns import Scanner
from monitor.privacy import Privacy
from monitor.protocols import PROTOCOLS
from monitor.pseudonyms import Key, Keyring
from monitor.recognizers import select
from monitor.segments import from_header
from monitor.types import Exchange, Message, Outcome, Record, encode_record

SCANNER = Scanner(select())
CANARIES = {
    "EMAIL_ADDRESS": "canary.bird@example.org",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "PHONE_NUMBER": "+1 212-555-0187",
    "IBAN_CODE": "DE89 3704 0044 0532 0130 00",
    "US_SSN": "536-22-1234",
    "IP_ADDRESS": "203.0.113.77",
    "SECRET": "ghp_canaryCANARYcanaryCANARYcanary0123",
}
PSEUDONYM = re.compile(r"<[A-Z_]+:[a-z0-9]+:[A-Za-z0-9_-]{16,}>")


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


def answered(content: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}}
    return json.dumps({"model": "m", "choices": [choice]}).encode()


def sse(*deltas: str) -> bytes:
    events = [
        json.dumps({"model": "m", "choices": [{"index": 0, "delta": {"content": delta}}]})
        for delta in deltas
    ]
    return "".join(f"data: {event}\n\n" for event in events).encode() + b"data: [DONE]\n\n"


EVENTS = {"content-type": "text/event-stream"}
PLACES: dict[str, Any] = {
    "message": lambda c: exchange(chat(f"I am {c}, hello")),
    "content parts": lambda c: exchange(chat([{"type": "text", "text": f"see {c} there"}])),
    "system and tool roles": lambda c: exchange(
        json.dumps({"model": "m", "messages": [
            {"role": "system", "content": f"user: {c}"},
            {"role": "tool", "tool_call_id": "t", "content": json.dumps({"found": c})},
        ]}).encode()
    ),
    "tool arguments": lambda c: exchange(
        json.dumps({"model": "m", "messages": [{"role": "assistant", "tool_calls": [
            {"id": "1", "type": "function",
             "function": {"name": "send", "arguments": json.dumps({"to": c})}}]}]}).encode()
    ),
    "answer": lambda c: exchange(chat("hi"), answered(f"write to {c} now")),
    "error body": lambda c: exchange(
        chat("hi"), json.dumps({"error": {"message": f"bad value {c}"}}).encode(),
        status="400 Bad Request"),
    "broken JSON": lambda c: exchange(b'{"model": "m", "messages": [{"content": "' + c.encode()),
    "plain text": lambda c: exchange(
        f"note about {c}".encode(), target="/any", headers={"content-type": "text/plain"}),
    "form": lambda c: exchange(
        f"to={quote(c)}&x=1".encode(), target="/form",
        headers={"content-type": "application/x-www-form-urlencoded"}),
    "query": lambda c: exchange(target=f"/search?q={quote(c)}&n=1"),
    "path": lambda c: exchange(target=f"/users/{quote(c)}/profile"),
    "header that is kept": lambda c: exchange(headers={"user-agent": f"bot {c}"}),
    "header that is dropped": lambda c: exchange(headers={"x-whoever": c, "cookie": c}),
    "credentials": lambda c: exchange(headers={"authorization": f"Bearer {c}", "x-api-key": c}),
    "population": lambda c: exchange(headers={"x-population": c}),
    "model name": lambda c: exchange(json.dumps({"model": c, "messages": []}).encode()),
    "object key": lambda c: exchange(json.dumps({"by": {c: "x"}}).encode(), target="/any"),
    "JSON inside a string": lambda c: exchange(
        json.dumps({"inner": json.dumps({"deep": json.dumps([c])})}).encode(), target="/any"),
    "base64 text": lambda c: exchange(
        chat(base64.b64encode(f"it is {c} as agreed".encode()).decode())),
    "escaped": lambda c: exchange(chat("".join(f"&#{ord(char)};" for char in c))),
    "percent": lambda c: exchange(chat(f"see https://example.com/?who={quote(c, safe='')}")),
    "zero-width": lambda c: exchange(chat("\u200b".join(c))),
    "full-width": lambda c: exchange(
        chat("".join(chr(ord(x) + 0xFEE0) if "!" <= x <= "~" else x for x in c))),
    "tensor": lambda c: exchange(
        json.dumps({"inputs": [{"name": "t", "datatype": "BYTES", "shape": [1], "data": [c]}]}).encode(),
        target="/v2/models/m/infer"),
    "tensor answer": lambda c: exchange(
        b'{"inputs": []}',
        json.dumps({"outputs": [{"name": "t", "datatype": "BYTES", "shape": [1], "data": [c]}]}).encode(),
        target="/v2/models/m/infer"),
    "gzip": lambda c: exchange(
        gzip.compress(chat(f"I am {c}")), headers={"content-encoding": "gzip"}),
    "file name": lambda c: exchange(
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="' + c.encode() +
        b'.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n', target="/upload",
        headers={"content-type": "multipart/form-data; boundary=b"}),
}  # fmt: skip


def assert_silent(record: Record, meters: Meters, canary: str) -> None:
    text = encode_record(record).decode()
    text = PSEUDONYM.sub("", text) + str(meters.measurements())
    plain = re.sub(r"[^a-z0-9]", "", canary.lower())
    assert canary not in text
    assert canary.lower() not in text.lower()
    for piece in (canary, plain):
        assert piece not in re.sub(r"[\s\-]", "", text.lower())
        assert base64.b64encode(piece.encode()).decode().rstrip("=")[:-2] not in text


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("entity", CANARIES)
def test_no_canary_gets_out_from_anywhere(place: str, entity: str) -> None:
    """Every kind of personal data, in every place that a request or answer has."""
    reader, meters = capture()
    record, _ = reader.read(PLACES[place](CANARIES[entity]))
    assert_silent(record, meters, CANARIES[entity])


@pytest.mark.parametrize("cut", range(1, len(CANARIES["EMAIL_ADDRESS"])))
def test_a_value_cut_between_events_is_found_at_every_cut(cut: int) -> None:
    """Deltas are joined before anything is looked for."""
    canary = CANARIES["EMAIL_ADDRESS"]
    reader, meters = capture()
    answer = sse("mail ", canary[:cut], canary[cut:], " now")
    record, _ = reader.read(exchange(chat("hi"), answer, answer_headers=EVENTS))
    assert_silent(record, meters, canary)
    assert record.pseudonyms == {"EMAIL_ADDRESS": 1}
    assert record.streamed


def test_a_card_as_a_bare_number_is_found_and_other_numbers_stay() -> None:
    """Numbers are numbers, except those that are cards."""
    body = json.dumps(
        {"card": 4111111111111111, "at": 1700000000123, "n": 4111111111111112}
    ).encode()
    record, _ = capture()[0].read(exchange(body, target="/any"))
    text = encode_record(record).decode()
    assert "4111111111111111" not in text
    assert "1700000000123" in text
    assert "4111111111111112" in text


@pytest.mark.parametrize(
    "harmless",
    [
        "2024-05-06T12:30:11Z", "12:30:45", "550e8400-e29b-41d4-a716-446655440000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "order 1234567890",
        "SKU 4006381333931", "v10.0.19041.1", "$1,234.50", "40.7128, -74.0060", "1700000000",
        "3.14159265358979", "room C4 in S3 at EKS",
    ],
)  # fmt: skip
def test_ordinary_things_stay_as_they_are(harmless: str) -> None:
    """Dates, times, ids, digests, order numbers, versions, prices, coordinates."""
    record, _ = capture()[0].read(exchange(chat(harmless)))
    assert record.inputs[0].text == harmless


def test_one_value_is_one_token_however_it_is_spelled() -> None:
    """Spaced, dashed or plain; upper or lower case; with or without separators."""
    for spellings in (
        ("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"),
        ("Canary@Example.org", "canary@example.org"),
        ("+1 212-555-0187", "+12125550187", "(212) 555-0187"),
    ):
        text = " and ".join(spellings)
        record, _ = capture()[0].read(exchange(chat(text)))
        assert record.inputs[0].text
        assert len(set(PSEUDONYM.findall(record.inputs[0].text))) == 1, record.inputs[0].text


def test_one_message_stays_one_part() -> None:
    """However many values stand in it."""
    content = " ".join(CANARIES.values())
    record, _ = capture()[0].read(exchange(chat(content)))
    assert len(record.inputs) == 1
    assert len(record.pseudonyms) == len(CANARIES)


def test_a_forged_token_is_not_taken_for_one_of_ours() -> None:
    """What looks like a pseudonym in the traffic is marked as literal."""
    forged = "<EMAIL_ADDRESS:k1:aaaaaaaaaaaaaaaaaaaaaaaa>"
    record, _ = capture()[0].read(exchange(chat(f"say {forged}")))
    assert record.inputs[0].text
    assert forged not in record.inputs[0].text
    assert record.pseudonyms == {}


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00 broken", b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'"' + b"x" * 3_000_000 + b'"', gzip.compress(b"0" * 50_000_000), b"",
        json.dumps({"a": float("nan")}).encode(),
    ],
    ids=["bytes", "brackets", "nesting", "long", "bomb", "empty", "nan"],
)  # fmt: skip
def test_hostile_bodies_are_bounded_and_still_counted(body: bytes) -> None:
    """A record comes out, small, whatever went in."""
    headers = {"content-encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    reader, meters = capture()
    record, _ = reader.read(exchange(body, headers=headers))
    assert len(encode_record(record)) < 9_000_000
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
