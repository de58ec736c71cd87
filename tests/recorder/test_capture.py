"""Exchange → Record: what is read, what is counted, and that reading is total."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import privacy as privacy_room
from monitor.dimensions import dimension
from monitor.interfaces import Dimension, Protocol
from monitor.meters import Meters
from monitor.metrics.labels import REDACTION_REASONS
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recognizers import select
from monitor.recorder.capture import VALUES, Capture
from monitor.recorder.delivery import Item
from monitor.recorder.noisy_counts import NoisyCounts
from monitor.recorder.sampler import Sampler
from monitor.types import (
    Exchange,
    Inference,
    Message,
    Outcome,
    Part,
    Receipt,
    decode_record,
    encode_record,
)
from tests.pace import is_within

SCANNER = Scanner(select())


def capture(protocols: tuple[Protocol, ...] = PROTOCOLS) -> tuple[Capture, Meters]:
    return reader_of(protocols)


def reader_of(protocols: tuple[Protocol, ...] = PROTOCOLS, **more: Any) -> tuple[Capture, Meters]:
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(range(32))),)), clock=lambda: 0.0
    )
    meters = Meters("recorder", "e")
    dimensions = [dimension(name, "header", [f"x-{name}"]) for name in ("population", "template")]
    return Capture("e", protocols, dimensions, privacy, meters, **more), meters


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


def values_of(meters: Meters, dimension: str) -> set[str]:
    """The values of a dimension under which exchanges are counted."""
    found = [m.labels for m in meters.measurements() if m.name == "monitor_segment_exchanges_total"]
    return {labels["value"] for labels in found if labels["dimension"] == dimension}


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


HOSTILE: dict[str, Callable[[], bytes]] = {
    "bytes": lambda: b"\xff\xfe\x00 broken",
    "brackets": lambda: b"[" * 100_000,
    "nesting": lambda: b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "long": lambda: b'"' + b"x" * 3_000_000 + b'"',
    "bomb": lambda: gzip.compress(b"0" * 50_000_000),
    "empty": lambda: b"",
    "nan": lambda: json.dumps({"a": float("nan"), "b": float("-inf")}).encode(),
    "digits": lambda: chat("1" * 10_000_000),
    "cards": lambda: chat("4111 1111 1111 1111 " * 50_000),
    "surrogates": lambda: b'"' + b"\\ud800" * 50_000 + b'"',
    "keys": lambda: json.dumps({f"k{n}@example.org": n for n in range(30_000)}).encode(),
    "twice": lambda: b"{" + b'"a": "b@example.org",' * 30_000 + b'"a": 1}',
    "number": lambda: b'{"a": ' + b"9" * 100_000 + b"}",
    "bombs": lambda: chat(
        " ".join([base64.b64encode(gzip.compress(bytes(900_000))).decode()] * 100)
    ),
    "escapes": lambda: chat("%25" * 300_000 + "40"),
    "tokens": lambda: chat("<A:k1:aaaaaaaaaaaaaaaaaaaaaaaa>" * 30_000),
}
"""Made by the test that asks for them: each worker collects all tests."""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_bounded_and_still_counted(name: str) -> None:
    """A record comes out, small, whatever went in."""
    body = HOSTILE[name]()
    headers = {"content-encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    reader, meters = capture()
    for target in ("/v1/chat/completions", "/any"):
        begun = time.process_time()
        record, _ = reader.read(exchange(body, headers=headers, target=target))
        assert is_within(time.process_time() - begun, 5)
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
    rooms = ["records", "heads", "sides", "short_texts", "scrub", "blobs", "policies", "patterns"]
    folder = Path(privacy_room.__file__).parent
    source = "".join((folder / f"{name}.py").read_text() for name in rooms)
    said = re.findall(r'PrivacyError\("([^"]+)"\)|redacted\([^()]*, "(\w+)"\)', source)
    assert {(one or other).replace(" ", "_") for one, other in said} <= set(REDACTION_REASONS)


def test_with_noise_nothing_else_is_told_by_segment() -> None:
    """Counts by segment rise when the period is over; the whole is exact, histograms are its alone."""
    _, meters = capture()
    privacy = Privacy(scanner=SCANNER, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0)
    noisy = NoisyCounts(
        ["population"], epsilon=1.0, delta=1e-6, period=60.0, draw=lambda _: 3, began=0.0
    )
    dimensions = [dimension("population", "header", ["x-population"])]
    reader = Capture("e", PROTOCOLS, dimensions, privacy, meters, noisy_counts=noisy)
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


def broken(call: Any, *_: Any) -> Any:
    raise RuntimeError(f"it says {call.request_body!r}")


def unclaimable(call: Any) -> bool:
    return broken(call)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Protocol("mine", lambda _: True, broken), "mine"),
        (Protocol("mine", unclaimable, broken), "openai_chat"),
    ],
    ids=["reading", "claiming"],
)  # fmt: skip
def test_a_protocol_that_stumbles_costs_its_reading_alone(
    part: Protocol, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The exchange is read as what else it is, each time; it is counted, and said once without a
    word of the traffic."""
    reader, meters = capture((part, *PROTOCOLS))
    for _ in range(3):
        record, _ = reader.read(exchange(chat("hello there")))
        assert record.protocol == name
        assert "hello there" in str(record.inputs)
    assert counted(meters, "monitor_part_failures_total") == {("protocol", "mine"): 3}
    (said,) = caplog.messages
    assert "mine" in said
    assert "hello" not in said


def test_what_a_protocol_gives_can_be_written_down() -> None:
    """Also with halves of characters in every place of it."""
    half = "a\ud800"
    part = Part(role=half, text=half, name=half, datatype=half)
    odd = Inference("mine", half, half, [part], [part], finish_reasons=[half])
    reader, _ = capture((Protocol("mine", lambda _: True, lambda _: odd), *PROTOCOLS))
    record, _ = reader.read(exchange())
    assert decode_record(encode_record(record)).inputs[0].text == "a\ufffd"


def test_the_last_protocol_may_stumble_too() -> None:
    """The bodies are texts then."""
    reader, meters = capture((Protocol("any", lambda _: True, broken),))
    record, _ = reader.read(exchange(b"asked", b"told"))
    assert ([p.text for p in record.inputs], [p.text for p in record.outputs]) == (
        ["asked"],
        ["told"],
    )
    assert counted(meters, "monitor_part_failures_total") == {("protocol", "any"): 1}


def test_a_dimension_that_stumbles_says_nothing_of_the_exchange() -> None:
    """Its value is none; the others are read."""
    _, meters = capture()
    privacy = Privacy(scanner=SCANNER, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0)
    dimensions = [Dimension("mine", broken), dimension("population", "header", ["x-population"])]
    reader = Capture("e", PROTOCOLS, dimensions, privacy, meters)
    record, _ = reader.read(exchange(headers={"x-population": "vip"}))
    assert record.segments == {"mine": "none", "population": "vip"}
    assert counted(meters, "monitor_part_failures_total") == {("dimension", "mine"): 1}


def test_a_recognizer_that_stumbles_costs_its_texts_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing of a text that it raised on is kept, wherever it raised: where it looks, makes one form
    of a value, or judges a field by its name. It is counted for each exchange, and said once."""

    def raise_on(text: str, *_: Any) -> Any:
        raise ValueError(f"cannot read {text}")

    good = next(one for one in select() if one.name == "email_address")
    stumbling = {
        "find": replace(good, name="find", entity="A", triggers=("awful",), find=raise_on),
        "canonical": replace(
            good, name="canonical", entity="B", triggers=("worse",),
            find=lambda _, starts: [(start, start + 5) for start in starts], canonical=raise_on,
        ),
        "plausible": replace(
            good, name="plausible", entity="C", triggers=("neverthere",), keys=frozenset(("badge",)),
            plausible=raise_on,
        ),
    }  # fmt: skip
    scanner = Scanner((good, *stumbling.values()))
    privacy = Privacy(scanner=scanner, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0)
    meters = Meters("recorder", "e")
    reader = Capture("e", PROTOCOLS, [], privacy, meters)
    texts = ["an awful secret", "a worse secret", "jo@example.org is well", "nothing to find"]
    body = json.dumps({"rows": [{"badge": "a secret", "note": text} for text in texts]}).encode()
    for _ in range(3):
        record, _ = reader.read(exchange(body, target="/score"))
    badges, notes = ([str(one) for one in part.data or ()] for part in record.inputs)
    assert all(one.startswith("<REDACTED:error:") for one in badges + notes[:2])
    assert re.fullmatch("<EMAIL_ADDRESS:k1:[a-p]{24}> is well", notes[2])
    assert notes[3] == "nothing to find"
    assert record.redactions == {"error": 6}
    failed = {("recognizer", name): 3 for name in stumbling}
    assert counted(meters, "monitor_part_failures_total") == failed
    assert len(caplog.messages) == 3
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text + encode_record(record).decode()


def counted(meters: Meters, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a metric by the values of its labels, without the endpoint's."""
    return {
        tuple(value for label, value in m.labels.items() if label != "endpoint"): m.value
        for m in meters.measurements()
        if m.name == name
    }


def test_no_model_has_one_name_in_every_metric() -> None:
    """That of what nobody has said, in the ledger too."""
    reader, meters = capture()
    for status in ("200 OK", "500 Oops"):
        _, label = reader.read(exchange(b'{"rows": [1, 2]}', target="/score", status=status))
        assert label == "unknown"
    models = {m.labels["model"] for m in meters.measurements() if "model" in m.labels}
    assert models == {"unknown"}


@pytest.mark.parametrize("odd", [-5, 2**64, 10**30, 1e308, "many", None, True])
def test_an_odd_count_of_tokens_is_not_counted(odd: Any) -> None:
    """The other is, and what is counted stays a finite number that never falls."""
    reader, meters = capture()
    message = {"role": "assistant", "content": "Ulm."}
    for usage in (
        {"prompt_tokens": odd, "completion_tokens": 4},
        {"prompt_tokens": 9, "completion_tokens": odd},
    ):
        answer = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        record, _ = reader.read(exchange(chat("x"), json.dumps(answer).encode()))
        assert record.outputs[0].text == "Ulm."
        assert decode_record(encode_record(record)).tokens == record.tokens
    assert counted(meters, "monitor_tokens_total") == {("m", "output"): 4, ("m", "input"): 9}


def test_any_number_can_be_kept() -> None:
    """In a record, and in what is counted from it later."""
    body = b'{"id": 340282366920938463463374607431768211455, "more": [-9223372036854775809, 1]}'
    record, _ = capture()[0].read(exchange(body, target="/score"))
    assert [part.data for part in record.inputs] == [[2.0**128], [-(2.0**63), 1]]
    assert [part.datatype for part in record.inputs] == ["FP64", "FP64"]
    msgspec.msgpack.encode(record)


def test_a_classifier_is_as_sure_as_its_rows() -> None:
    """The confidence of tensors is the mean of their rows, beside that of the least sure one."""
    answer = {"model_name": "m", "outputs": [
        {"name": "p", "datatype": "FP64", "shape": [2, 2], "data": [0.25, 0.75, 1.0, 0.0]}]}  # fmt: skip
    ask = {"inputs": [{"name": "x", "datatype": "FP64", "shape": [2, 1], "data": [1.0, 2.0]}]}
    reader, _ = capture()
    record, _ = reader.read(
        exchange(json.dumps(ask).encode(), json.dumps(answer).encode(), target="/v2/models/m/infer")
    )
    assert (record.confidence, record.confidence_min) == (0.875, 0.75)


def test_a_personal_value_in_what_an_answer_says_of_itself_is_none_on_record() -> None:
    """Ids, tiers and names of models are texts of strangers too."""
    odd = "anna.smith@example.com"
    answer = {"id": odd, "model": f"m {odd}", "service_tier": odd, "choices": [{"message": {}}]}
    reader, _ = capture()
    record, _ = reader.read(exchange(chat("Hi", model=f"n {odd}"), json.dumps(answer).encode()))
    assert record.response_id is not None
    assert record.response_id.startswith("<EMAIL_ADDRESS:")
    assert record.requested_model is not None
    assert odd not in encode_record(record).decode()


KEEPS_NONE = cast(Sampler, SimpleNamespace(keep=lambda *_: None))
ANSWERED = json.dumps({
    "model": "m", "usage": {"prompt_tokens": 12, "completion_tokens": 30},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "mail bo@example.org"}}],
}).encode()  # fmt: skip
ERROR = b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'


def varied() -> list[Exchange]:
    """Exchanges of many kinds, with personal data where labels come from."""
    people = [{}, {"x-population": "vip"}, {"x-population": "jo@example.org"}]
    made = [
        exchange(chat("I am jo@example.org"), ANSWERED, headers=headers) for headers in people
    ]  # fmt: skip
    made += [
        exchange(chat("hi"), sse("a", "b"), answer_headers=EVENTS,
                 chunks=[(0.1, 40), (0.2, len(sse("a", "b")))]),
        exchange(chat("hi"), ERROR, answer_headers=EVENTS),
        exchange(chat("hi"), sse("cut")[:-20], answer_headers=EVENTS),
        exchange(chat("hi", model="jo@example.org"), status="404 Not Found"),
        exchange(chat("hi"), b"", status="503 Busy"),
        exchange(b"\xff broken", b"\x00"),
        exchange(json.dumps({"age": [61, 33]}).encode(), b'{"risk": [0.1, 0.7]}', target="/score"),
        exchange(chat("x " * 400_000), ANSWERED),
        *(exchange(headers={"x-template": f"t{number}"}) for number in range(70)),
    ]  # fmt: skip
    return [msgspec.structs.replace(one, id=f"id-{place}") for place, one in enumerate(made)]


def of_traffic(meters: Meters) -> list[Any]:
    """All samples but those of what was replaced in Records."""
    of_records = {"monitor_pseudonyms_total", "monitor_redactions_total"}
    return [one for one in meters.measurements() if one.name not in of_records]


def test_what_leaves_no_record_is_counted_as_if_it_did() -> None:
    """All traffic metrics are equal, sample for sample; the Receipt has the labels of the Record's."""
    (reader, whole), (sampling, part) = capture(), capture()
    for one in varied():
        record, model = reader.read(one)
        receipt = sampling.sample(one, KEEPS_NONE)
        due = Item(record, model, False).receipt("lost")
        assert receipt == msgspec.structs.replace(due, reason="sampled")
    assert of_traffic(part) == of_traffic(whole)
    labels = {value for one in of_traffic(part) for value in one.labels.values()}
    assert {"server_error", "upstream_broken", "vip", "other", "chat"} <= labels
    assert not any("example.org" in value for value in labels)
    assert not sum(counted(part, "monitor_pseudonyms_total").values())


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300) | st.just(chat("hi")),
    st.binary(max_size=300) | st.sampled_from([ANSWERED, ERROR, sse("a")]),
    st.sampled_from(["/v1/chat/completions", "/v1/messages", "/v2/models/m/infer", "/any"]),
    st.booleans(),
)
def test_whatever_comes_counts_alike(body: bytes, answer: bytes, target: str, events: bool) -> None:
    """Reading is total, and what is counted does not depend on whether there is a record."""
    (reader, whole), (sampling, part) = capture(), capture()
    one = exchange(body, answer, target=target, answer_headers=EVENTS if events else {})
    reader.read(one)
    assert isinstance(sampling.sample(one, KEEPS_NONE), Receipt)
    assert of_traffic(part) == of_traffic(whole)


def test_a_record_of_a_sample_says_which_share_was_kept() -> None:
    """Otherwise it is as ever; a failure is seen with what the dialect says of it."""
    asked: list[tuple[str, float, Outcome]] = []

    def keep(*of: Any) -> tuple[float, bool]:
        asked.append(of)
        return 0.25, True

    reader, _ = capture()
    sampler = cast(Sampler, SimpleNamespace(keep=keep))
    one = exchange(chat("hi"), ERROR, answer_headers=EVENTS)
    found = capture()[0].sample(one, sampler)
    plain, _ = reader.read(one)
    assert not isinstance(found, Receipt)
    assert (plain.sampled, plain.oversampled) == (1.0, False)
    assert found[0] == msgspec.structs.replace(plain, sampled=0.25, oversampled=True)
    assert asked == [("0190-id", 100.5, Outcome.SERVER_ERROR)]
    assert json.loads(encode_record(found[0]))["sampled"] == 0.25


def test_noise_is_added_to_all_exchanges_also_to_those_without_a_record() -> None:
    """Differential privacy counts the traffic, not the sample."""
    _, meters = capture()
    privacy = Privacy(scanner=SCANNER, keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0)
    noisy = NoisyCounts(
        ["population"], epsilon=1.0, delta=1e-6, period=60.0, draw=lambda _: 0, began=0.0
    )
    dimensions = [dimension("population", "header", ["x-population"])]
    reader = Capture("e", PROTOCOLS, dimensions, privacy, meters, noisy_counts=noisy)
    for _ in range(7):
        reader.sample(exchange(chat("hi"), headers={"x-population": "vip"}), KEEPS_NONE)
    reader.release(60.0)
    found = counted(meters, "monitor_segment_exchanges_total")
    assert found["population", "other", "ok"] == found["all", "all", "ok"] == 7


def test_crossed_dimensions_are_counted_like_any_other() -> None:
    """A cross joins labels, after their budgets, and has a budget of its own."""
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(range(32))),)), clock=lambda: 0.0
    )
    meters = Meters("recorder", "e")
    dimensions = [dimension(name, "header", [f"x-{name}"]) for name in ("population", "template")]
    crossed = {"corner": ["population", "template"]}
    reader = Capture("e", PROTOCOLS, dimensions, privacy, meters, crossed=crossed)
    for headers, corner in (
        ({"x-population": "north", "x-template": "t1"}, "north|t1"),
        ({"x-population": "north"}, "none"),
        ({"x-population": "anna@example.com", "x-template": "t1"}, None),
    ):
        record, _ = reader.read(exchange(chat("Hi"), headers=headers))
        if corner is None:
            assert record.segments["corner"].startswith("<EMAIL_ADDRESS:")
        else:
            assert record.segments["corner"] == corner
    for number in range(200):
        headers = {"x-population": f"p{number % 40}", "x-template": f"t{number % 7}"}
        reader.read(exchange(chat("Hi"), headers=headers))
    corners = values_of(meters, "corner")
    assert len(corners) <= VALUES + 2
    assert "other" in corners


def test_a_hundred_thousand_values_in_bodies_stay_within_the_budget() -> None:
    """Whatever clients write where a dimension looks: fifty values, the rest is `other`."""
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(range(32))),)), clock=lambda: 0.0
    )
    meters = Meters("recorder", "e")
    plan = dimension("plan", "json", "request.plan")
    reader = Capture("e", PROTOCOLS, [plan], privacy, meters)
    for number in range(3000):
        body = json.dumps({"model": "m", "messages": [], "plan": f"plan-{number}"}).encode()
        reader.read(exchange(body))
    plans = values_of(meters, "plan")
    assert len(plans) <= VALUES + 2


def test_what_exchanges_cost_is_counted_to_the_billionth() -> None:
    """By model and direction, by segment; tokens without a price are counted as such."""
    answer = {
        "model": "gpt-4o-mini",
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
        "choices": [],
    }
    reader, meters = capture()
    for _ in range(3):
        record, _ = reader.read(
            exchange(chat("Hi"), json.dumps(answer).encode(), headers={"x-population": "p"})
        )
    assert record.cost is not None
    assert record.cost.amount == 2.85e-06
    reader.read(exchange(chat("Hi"), json.dumps({**answer, "model": "own"}).encode()))
    found = {
        (one.name, *list(one.labels.values())[1:]): one.value
        for one in meters.measurements() if "cost" in one.name or "unpriced" in one.name
    }  # fmt: skip
    assert found["monitor_cost_total", "gpt-4o-mini", "input", "USD"] == 3.15e-06
    assert found["monitor_cost_total", "gpt-4o-mini", "output", "USD"] == 5.4e-06
    assert found["monitor_segment_cost_total", "population", "p", "USD"] == 8.55e-06
    assert found["monitor_segment_cost_total", "all", "all", "USD"] == 8.55e-06
    assert found["monitor_unpriced_tokens_total", "own"] == 10
