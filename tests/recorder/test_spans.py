"""Which exchanges become spans, what a span says of one, and what it never says."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from monitor.conventions import VERSIONS, Conventions
from monitor.recorder import calls
from monitor.recorder.sampler import Sampler
from monitor.recorder.spans import Tracer
from monitor.types import Exchange, Message, Outcome, Receipt, Record
from tests.recorder.test_capture import EVENTS, chat, exchange, reader_of, sse

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


ID = "01a2239a-1a11-7819-bcbb-500000000001"


class Traced:
    """A Capture with a tracer, and the spans that it made."""

    def __init__(self, version: str = "latest", room: int = 1000, **more: Any) -> None:
        self.spans: list[bytes] = []
        self.room = room
        given = {
            "name": lambda value: value.replace("me@example.org", "<EMAIL>")[:200],
            "sample": 1.0, "slow": 10.0, "template": "template", **more,
        }  # fmt: skip
        self.tracer = Tracer(
            Conventions(version),
            offer=self.take,
            server=("model", 9000),
            **given,
        )
        self.capture, self.meters = reader_of(tracer=self.tracer)

    def take(self, span: bytes) -> bool:
        if len(self.spans) >= self.room:
            return False
        self.spans.append(span)
        return True

    def read(self, one: Exchange) -> Record:
        return self.capture.read(msgspec.structs.replace(one, id=ID))[0]

    def found(self) -> list[Span]:
        return list(ScopeSpans.FromString(b"".join(self.spans)).spans)

    def one(self) -> tuple[Span, dict[str, Any]]:
        (span,) = self.found()
        return span, said(span)

    def counts(self) -> tuple[int, int, int]:
        return len(self.spans), self.tracer.dropped, self.tracer.unsampled


def said(span: Span) -> dict[str, Any]:
    """A span's attributes."""
    found: dict[str, Any] = {}
    for one in span.attributes:
        assert one.key not in found
        which = one.value.WhichOneof("value")
        value = getattr(one.value, which)
        found[one.key] = (
            [each.string_value for each in value.values] if which == "array_value" else value
        )
    return found


ANSWER = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-2024",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "secret answer"}}],
    "usage": {
        "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 3}, "completion_tokens_details": {"reasoning_tokens": 2},
    },
}  # fmt: skip


def asked(**headers: str) -> Exchange:
    body = chat(
        "secret question",
        max_tokens=5,
        temperature=0.5,
        stop=["me@example.org"],
        n=2,
        conversation="of me@example.org",
    )
    return exchange(body, json.dumps(ANSWER).encode(), headers={"x-template": "greet", **headers})


def test_a_span_says_what_the_record_says() -> None:
    """By the names of the conventions, and of its own for what they have no name for."""
    traced = Traced()
    record = traced.read(asked())
    span, attributes = traced.one()
    assert (span.name, span.kind) == ("chat m-2024", Span.SPAN_KIND_CLIENT)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (100 * 10**9, 1005 * 10**8)
    assert attributes == {
        "server.address": "model",
        "server.port": 9000,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.request.max_tokens": 5,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.stop_sequences": ["<EMAIL>"],
        "gen_ai.conversation.id": "of <EMAIL>",
        "gen_ai.prompt.name": "greet",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "m-2024",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "monitor.protocol": "openai_chat",
        "monitor.outcome": "ok",
        "monitor.sampling.reason": "ratio",
        "monitor.record.id": record.id,
    }
    assert span.status.code == Status.STATUS_CODE_UNSET


@pytest.mark.parametrize("version", VERSIONS)
def test_no_span_holds_content(version: str) -> None:
    """No message, whatever the version of the conventions; nor a value that privacy replaces."""
    traced = Traced(version)
    traced.read(asked())
    told = traced.spans[0]
    for word in (b"secret", b"question", b"answer", b"example.org"):
        assert word not in told


def test_older_conventions_have_other_names_and_fewer() -> None:
    """Who has dashboards on 1.36 keeps them."""
    traced = Traced("1.36")
    traced.read(asked())
    _, attributes = traced.one()
    assert attributes["gen_ai.system"] == "openai"
    assert attributes["monitor.template"] == "greet"
    assert not {name for name in attributes if "cache" in name or "provider" in name}


def test_a_stream_says_when_its_first_content_came() -> None:
    """And that it was one."""
    traced = Traced()
    body = sse("he", "llo")
    traced.read(
        exchange(
            chat("x", stream=True),
            body,
            answer_headers=EVENTS,
            chunks=[(0.1, len(body) // 2), (0.4, len(body))],
        )
    )
    _, attributes = traced.one()
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.time_to_first_chunk"] == 0.1


def test_a_classical_model_has_names_of_its_own() -> None:
    """Nothing about it is generative."""
    traced = Traced()
    tensor = {"name": "x", "datatype": "FP64", "shape": [1], "data": [0.5]}
    traced.read(
        exchange(
            json.dumps({"inputs": [tensor]}).encode(),
            json.dumps({"model_name": "risk", "outputs": [tensor]}).encode(),
            target="/v2/models/risk/infer",
        )
    )
    span, attributes = traced.one()
    assert span.name == "infer risk"
    assert not {name for name in attributes if name.startswith("gen_ai.")}
    assert (attributes["monitor.operation"], attributes["monitor.model"]) == ("infer", "risk")


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [
        ("500 Oops", Outcome.SERVER_ERROR, "500"),
        ("429 Slow", Outcome.RATE_LIMITED, "429"),
        ("502 Bad", Outcome.UPSTREAM_REFUSED, "upstream_refused"),
        ("200 OK", Outcome.CLIENT_GONE, "client_gone"),
    ],
)
def test_a_failure_is_always_told(status: str, outcome: Outcome, error: str) -> None:
    """With its kind, whether or not others are sampled; unless nobody wants that."""
    failed = msgspec.structs.replace(exchange(chat("x"), status=status), outcome=outcome)
    traced = Traced(sample=0.0)
    traced.read(failed)
    span, attributes = traced.one()
    assert (attributes["error.type"], attributes["monitor.sampling.reason"]) == (error, "error")
    assert attributes["monitor.outcome"] == outcome.value
    assert span.status.code == Status.STATUS_CODE_ERROR
    indifferent = Traced(sample=0.0, errors=False)
    indifferent.read(failed)
    assert indifferent.counts() == (0, 0, 1)


def test_what_is_slow_is_always_told() -> None:
    """Longer than `slow`, not as long."""
    traced = Traced(sample=0.0, slow=0.5)
    traced.read(exchange(chat("x")))
    traced.read(msgspec.structs.replace(exchange(chat("x")), duration=0.51))
    _, attributes = traced.one()
    assert attributes["monitor.sampling.reason"] == "slow"
    never = Traced(sample=0.0, slow=math.inf)
    never.read(msgspec.structs.replace(exchange(chat("x")), duration=1e6))
    assert never.counts() == (0, 0, 1)


def test_a_traceparent_decides_for_its_exchange() -> None:
    """The span is the child of the caller's; an unsampled trace stays so, whatever `sample` is."""
    traced = Traced(sample=0.0)
    traced.read(asked(traceparent=f"00-{TRACE}-{PARENT}-01", tracestate="a=b,c=d"))
    span, attributes = traced.one()
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert (span.trace_state, span.flags) == ("a=b,c=d", 0x301)
    assert attributes["monitor.sampling.reason"] == "parent"
    every = Traced()
    every.read(asked(traceparent=f"00-{TRACE}-{PARENT}-00"))
    assert every.counts() == (0, 0, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=me@example.org"},
        {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "A bad one"},
        {"tracestate": "a=b"},
    ],
)
def test_a_tracestate_that_is_not_safe_or_alone_is_left_out(headers: dict[str, str]) -> None:
    """Without a parent it says nothing; with something personal in it it does not go on."""
    traced = Traced()
    traced.read(asked(**headers))
    assert not traced.one()[0].trace_state


def test_an_exchange_without_a_trace_begins_one_that_its_record_names() -> None:
    """The trace's id is the record's; the same exchange has the same span again."""
    traced, again = Traced(), Traced()
    traced.read(asked())
    again.read(asked())
    span, attributes = traced.one()
    assert span.trace_id.hex() == attributes["monitor.record.id"].replace("-", "")
    assert (len(span.span_id), span.parent_span_id, span.flags) == (8, b"", 0x101)
    assert again.spans == traced.spans


def test_the_share_is_kept_and_every_exchange_is_counted_once() -> None:
    """By a hash of their ids, which nobody chooses."""
    traced = Traced(sample=0.25, room=4000)
    for number in range(4000):
        one = msgspec.structs.replace(
            exchange(b"{}"), id=f"01a2239a-1a11-7819-bcbb-50{number:010x}"
        )
        if traced.tracer.begin(calls.read(one), Outcome.OK) is not None:
            traced.take(b"")
    kept, dropped, unsampled = traced.counts()
    assert (kept + unsampled, dropped) == (4000, 0)
    assert kept == pytest.approx(1000, abs=120)


def test_what_has_no_room_is_dropped_and_counted() -> None:
    """And the record is as it would be."""
    traced = Traced(room=1)
    records = [traced.read(asked()) for _ in range(3)]
    assert traced.counts() == (1, 2, 0)
    assert len({record.model for record in records}) == 1


def test_a_span_that_cannot_be_made_costs_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted as dropped, once, and as the failure of a part."""
    traced = Traced()

    def broken(_: str) -> str:
        raise ValueError("defect")

    monkeypatch.setattr(traced.tracer, "_name", broken)
    record = traced.read(asked())
    assert record.model == "m-2024"
    assert traced.counts() == (0, 1, 0)
    traced.tracer.missed(record.id)
    assert traced.counts() == (0, 1, 0)
    traced.tracer.missed("another")
    assert traced.counts() == (0, 2, 0)
    failures = [m for m in traced.meters.measurements() if m.name == "monitor_part_failures_total"]
    assert [one.labels["kind"] for one in failures] == ["span"]


def test_what_leaves_no_record_may_have_a_span() -> None:
    """It names none; a sample of the records is no sample of the spans."""
    traced = Traced()
    sampler = Sampler(1e-9, b"key")
    for _ in range(3):
        found = traced.capture.sample(msgspec.structs.replace(asked(), id=ID), sampler)
    assert isinstance(found, Receipt)
    told = [said(span) for span in traced.found()]
    assert len(told) == 3
    assert "monitor.record.id" not in told[-1]
    assert told[-1]["gen_ai.usage.input_tokens"] == 9


def test_buckets_show_exchanges_that_have_a_span() -> None:
    """Only those: of latency and of the first token."""
    for sample, shown in ((1.0, {"monitor_exchange_duration_seconds_bucket"}), (0.0, set())):
        traced = Traced(sample=sample)
        record = traced.read(asked())
        found = {m.name: m.exemplar for m in traced.meters.measurements() if m.exemplar}
        assert found.keys() == shown
        for exemplar in found.values():
            assert (exemplar.record_id, exemplar.value, exemplar.at) == (record.id, 0.5, 100.5)


@pytest.mark.parametrize("name", ["m" * 10000, "\x00\ud800\n", "<script>", 'a"b', "🙂" * 300])
def test_hostile_names_make_small_spans(name: str) -> None:
    """Of models, methods and reasons to end: each is bounded, and the span can be read."""
    traced = Traced()
    choices = [{"index": n, "finish_reason": name, "message": {"content": ""}} for n in range(200)]
    body = json.dumps({"model": name, "messages": [], "stop": [name] * 50}).encode()
    answer = json.dumps({"model": name, "choices": choices}).encode()
    one = exchange(body, answer, headers={"x-template": "t" * 5000})
    head = one.request.head.replace(b"POST", b"EVIL" * 50, 1)
    traced.read(one)
    traced.read(msgspec.structs.replace(one, request=Message(head, body, len(body))))
    spans = traced.found()
    assert max(len(span.name) for span in spans) < 300
    assert max(map(len, traced.spans)) < 20_000
    first, second = map(said, spans)
    assert len(first["gen_ai.response.finish_reasons"]) == 32
    assert second["http.request.method"] == "_OTHER"


def test_kinds_of_exchanges_are_remembered_within_a_bound() -> None:
    """A client that names a new model each time fills no memory."""
    traced = Traced(room=5000)
    for number in range(1200):
        traced.read(exchange(chat("x"), json.dumps({**ANSWER, "model": f"m{number}"}).encode()))
    assert len(traced.tracer._kinds) <= 512
    names = Counter(span.name for span in traced.found())
    assert len(names) <= 51
    assert len({said(span)["gen_ai.response.model"] for span in traced.found()}) == 1200


def test_without_a_tracer_nothing_is_counted() -> None:
    """Nor shown."""
    plain, meters = reader_of()
    plain.read(asked())
    assert not [m for m in meters.measurements() if m.exemplar or "spans" in m.name]


def test_parameters_with_something_personal_are_not_remembered() -> None:
    """Another key replaces them otherwise; the same numbers of another kind are others."""
    traced = Traced()
    traced.read(asked())
    kinds = len(traced.tracer._kinds)
    assert kinds == 1
    for number in (1, 1.0, True):
        traced.read(exchange(chat("x", top_p=number, seed=number), json.dumps(ANSWER).encode()))
    told = [said(span) for span in traced.found()[1:]]
    assert [type(one.get("gen_ai.request.top_p")) for one in told] == [float, float, type(None)]
    assert [type(one.get("gen_ai.request.seed")) for one in told] == [int, int, type(None)]


@pytest.mark.parametrize("card", [4111111111111111, 4111111111111111.0])
def test_a_number_that_is_something_personal_is_not_told(card: float) -> None:
    """Nor remembered; another of as many digits is told."""
    traced = Traced(name=lambda value: value.replace("4111111111111111", "<CARD>"))
    for seed in (card, 1234567890123456):
        traced.read(exchange(chat("x", seed=seed), json.dumps(ANSWER).encode()))
    told = [said(span).get("gen_ai.request.seed") for span in traced.found()]
    assert told == [None, 1234567890123456]
    assert not any("4111111111111111" in str(kind) for kind in traced.tracer._kinds)
