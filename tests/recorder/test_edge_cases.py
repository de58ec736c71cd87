"""What of an exchange's edge cases is recorded and counted."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.drift.profiles import dump_profile, profile_of
from monitor.analysis.rows import row_of
from monitor.edge_cases import EDGE_CASES
from monitor.features import FEATURES
from monitor.interfaces import EdgeCase
from monitor.meters import Meters
from monitor.prices.pricing import Pricing
from monitor.recorder.noisy_counts import NoisyCounts
from monitor.recorder.repeats import Repeats
from monitor.recorder.sampler import Sampler
from monitor.recorder.usual import usual
from monitor.types import Exchange, Receipt, decode_record, encode_record
from tests.recorder.test_capture import broken, chat, counted, exchange, reader_of, values_of


def metered(meters: Meters, name: str) -> dict[tuple[str, str], float]:
    """What a metric by segment has counted, by (value, outcome or direction) of edge cases."""
    return {
        (m.labels["value"], m.labels.get("outcome", m.labels.get("direction", ""))): m.value
        for m in meters.measurements()
        if m.name == name and m.labels["dimension"] == "edge_case" and m.value
    }


REFUSED = {"role": "assistant", "content": "I'm sorry, but I can't help with that."}


def answer_of(message: dict[str, Any], **choice: Any) -> bytes:
    choices = [{"index": 0, "message": message, **choice}]
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    return json.dumps({"model": "m", "choices": choices, "usage": usage}).encode()


def test_an_exchange_counts_under_each_of_its_edge_cases() -> None:
    """In every metric by segment; without any it counts under none, and its Record says nothing."""
    reader, meters = reader_of(edge_cases=EDGE_CASES)
    cut = answer_of(REFUSED, finish_reason="length")
    record, _ = reader.read(exchange(chat("hi"), cut))
    assert record.edge_cases == ["truncated", "refusal"]
    assert decode_record(encode_record(record)).edge_cases == ["truncated", "refusal"]
    record, _ = reader.read(exchange(chat("hi"), answer_of({"content": "Hello."})))
    assert record.edge_cases == []
    assert b"edge_cases" not in encode_record(record)
    each = {("truncated", "ok"): 1, ("refusal", "ok"): 1, ("none", "ok"): 1}
    assert metered(meters, "monitor_segment_exchanges_total") == each
    names = ("truncated", "refusal", "none")
    assert metered(meters, "monitor_segment_duration_seconds_count") == {(n, ""): 1 for n in names}
    tokens = metered(meters, "monitor_segment_tokens_total")
    assert tokens == {
        (n, way): count for n in names for way, count in (("input", 7), ("output", 3))
    }


def test_every_edge_case_is_there_from_the_start() -> None:
    """At zero, so that the first of a kind is a rise."""
    _, meters = reader_of(edge_cases=EDGE_CASES)
    assert values_of(meters, "edge_case") == {one.name for one in EDGE_CASES}


def test_without_rules_there_is_no_such_dimension() -> None:
    """Everything may be switched off."""
    reader, meters = reader_of()
    record, _ = reader.read(exchange(chat("hi"), answer_of(REFUSED, finish_reason="length")))
    assert record.edge_cases == []
    assert values_of(meters, "edge_case") == set()


def test_what_is_not_recorded_is_of_unknown_edge_cases() -> None:
    """The rules look at Records; the other traffic metrics count all."""
    reader, meters = reader_of(edge_cases=EDGE_CASES)
    sampler = cast(Sampler, SimpleNamespace(keep=lambda *_: None))
    assert isinstance(reader.sample(exchange(chat("hi"), answer_of(REFUSED)), sampler), Receipt)
    assert metered(meters, "monitor_segment_exchanges_total") == {("unknown", "ok"): 1}
    reader, meters = reader_of()
    reader.sample(exchange(chat("hi")), sampler)
    assert metered(meters, "monitor_segment_exchanges_total") == {}


def test_with_noise_edge_cases_are_told_in_records_alone() -> None:
    """An exchange may be of several: noise that hides one value would not hide it."""
    noisy = NoisyCounts(
        ["population", "template"], epsilon=1.0, delta=1e-6, period=60.0, draw=lambda _: 0,
        began=0.0,
    )  # fmt: skip
    reader, meters = reader_of(edge_cases=EDGE_CASES, noisy_counts=noisy)
    record, _ = reader.read(exchange(chat("hi"), answer_of(REFUSED)))
    reader.release(60.0)
    assert record.edge_cases == ["refusal"]
    assert values_of(meters, "edge_case") == set()


def test_a_rule_that_stumbles_costs_itself_alone(caplog: pytest.LogCaptureFixture) -> None:
    """It holds for nothing; the other rules are asked, and the failure is counted."""
    mine = EdgeCase("mine", lambda _: "", lambda view, _: broken(view))
    reader, meters = reader_of(edge_cases=[mine, *EDGE_CASES])
    for _ in range(3):
        record, _ = reader.read(exchange(chat("a secret"), answer_of(REFUSED)))
        assert record.edge_cases == ["refusal"]
    assert counted(meters, "monitor_part_failures_total") == {("edge_case", "mine"): 3}
    (said,) = caplog.messages
    assert "mine" in said
    assert "secret" not in said


def test_where_no_rule_can_look_the_exchange_is_recorded() -> None:
    """A memory that fails costs the edge cases alone."""
    forgetful = cast(Repeats, SimpleNamespace(after=broken))
    reader, meters = reader_of(edge_cases=EDGE_CASES, repeats=forgetful)
    record, _ = reader.read(exchange(chat("hi"), answer_of(REFUSED)))
    assert (record.outcome, record.edge_cases) == ("ok", [])
    assert counted(meters, "monitor_part_failures_total") == {("edge_case", "view"): 1}


def test_the_context_is_that_of_the_model_where_it_is_known() -> None:
    """By the price list; of a model that nobody lists the rule does not apply."""
    reader, _ = reader_of(edge_cases=EDGE_CASES, pricing=Pricing("https://api.openai.com"))
    found = []
    for model, tokens in (("gpt-4o", 102_400), ("gpt-4o", 102_399), ("mine", 10**6)):
        usage = {"prompt_tokens": tokens, "completion_tokens": 3}
        answer = {"model": model, "choices": [], "usage": usage}
        record, _ = reader.read(exchange(chat("hi"), json.dumps(answer).encode()))
        found.append("near_context_limit" in record.edge_cases)
    assert found == [True, False, False]


def test_a_request_that_comes_again_is_known() -> None:
    """By what is remembered of it, for as long as the rule says."""
    reader, _ = reader_of(edge_cases=EDGE_CASES, repeats=Repeats(b"key"))
    found = [
        reader.read(msgspec.structs.replace(exchange(chat(text)), started=at))[0].edge_cases
        for text, at in (("hi", 0.0), ("hi", 10.0), ("ho", 11.0), ("hi", 311.0))
    ]
    assert [("repeated_request" in names) for names in found] == [False, True, False, False]


def test_columns_are_called_in_a_profile_as_they_are_live() -> None:
    """A reference that was built of Records knows the columns of requests, one by one and by place."""

    def asked(age: float, plan: str, place: float) -> Exchange:
        inputs = [
            {"name": "age", "datatype": "FP64", "shape": [1], "data": [age]},
            {"name": "plan", "datatype": "BYTES", "shape": [1], "data": [plan]},
            {"name": "duration", "datatype": "FP64", "shape": [1, 2], "data": [0.0, place]},
        ]
        body = json.dumps({"inputs": inputs}).encode()
        outputs = [{"name": "score", "datatype": "FP64", "shape": [1], "data": [0.9]}]
        answer = json.dumps({"model_name": "m", "outputs": outputs}).encode()
        return exchange(body, answer, target="/v2/models/m/infer")

    reader, _ = reader_of(edge_cases=EDGE_CASES)
    usual_ones = [reader.read(asked(20 + n % 50, "ab"[n % 2], n % 7))[0] for n in range(400)]
    profile = profile_of(row_of(FEATURES, one) for one in usual_ones)
    reader, _ = reader_of(edge_cases=EDGE_CASES, usual=usual(dump_profile(profile)))
    found = [
        reader.read(asked(*row))[0].edge_cases
        for row in ((30, "a", 3), (300, "a", 3), (30, "c", 3), (30, "a", 300), (-90, "c", 3))
    ]
    assert found == [
        [], ["out_of_range"], ["unknown_category"], ["out_of_range"],
        ["unknown_category", "out_of_range"],
    ]  # fmt: skip


@given(
    st.binary(max_size=300) | st.sampled_from([chat("hi"), chat(None, tools=5), b"[[]]"]),
    st.binary(max_size=300) | st.sampled_from([answer_of(REFUSED), b"{}", b'{"choices":[{}]}']),
    st.sampled_from(["/v1/chat/completions", "/v1/messages", "/v2/models/m/infer", "/any"]),
)
def test_any_exchange_has_names_of_the_closed_list(body: bytes, answer: bytes, target: str) -> None:
    """No rule stumbles over what a dialect makes of any bytes."""
    reader, meters = reader_of(edge_cases=EDGE_CASES, repeats=Repeats(b"key"))
    record, _ = reader.read(exchange(body, answer, target=target))
    assert set(record.edge_cases) <= {one.name for one in EDGE_CASES}
    assert counted(meters, "monitor_part_failures_total") == {}
