"""What of the verdicts of checks is recorded and counted."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.checks import CHECKS
from monitor.edge_cases import EDGE_CASES
from monitor.interfaces import Check
from monitor.meters import Meters
from monitor.recorder.noisy_counts import NoisyCounts
from monitor.recorder.repeats import Repeats
from monitor.recorder.sampler import Sampler
from monitor.types import Receipt, Verdict, decode_record, encode_record
from tests.recorder.test_capture import VALUES, broken, chat, counted, exchange, reader_of
from tests.recorder.test_edge_cases import REFUSED, answer_of

GIVEN = [one for one in CHECKS if one.name in ("truncated", "refusal")]
CUT = answer_of(REFUSED, finish_reason="length")
FINE = answer_of({"content": "Hello."}, finish_reason="stop")
CALLED = answer_of({"content": None}, finish_reason="tool_calls")


def saying(*given: Any) -> list[Check]:
    """A check named `mine` that says `given`, one after the other."""
    said = iter(given)
    return [Check("mine", lambda _: "", lambda *_: next(said))]


def results(meters: Meters) -> dict[tuple[str, ...], float]:
    found = counted(meters, "monitor_output_checks_total")
    return {labels: count for labels, count in found.items() if count}


def failures(meters: Meters) -> dict[tuple[str, ...], float]:
    found = counted(meters, "monitor_segment_check_failures_total")
    return {labels: count for labels, count in found.items() if count}


def test_each_check_has_its_own_denominator() -> None:
    """What one does not apply to is skipped there, and is judged by another."""
    reader, meters = reader_of(checks=GIVEN)
    verdicts = [reader.read(exchange(chat("hi"), one))[0].checks for one in (CUT, FINE, CALLED)]
    assert verdicts == [
        {"truncated": Verdict(False, 1, 1), "refusal": Verdict(False, 1, 1)},
        {"truncated": Verdict(True, 0, 1), "refusal": Verdict(True, 0, 1)},
        {"truncated": Verdict(True, 0, 1)},
    ]
    assert results(meters) == {
        ("truncated", "failed"): 1, ("truncated", "passed"): 2,
        ("refusal", "failed"): 1, ("refusal", "passed"): 1, ("refusal", "skipped"): 1,
    }  # fmt: skip


def test_dear_checks_look_at_a_share_by_the_exchange_alone() -> None:
    """The same in every recorder, for each check, and whatever is said; a larger share holds the
    smaller one. Who is left out is counted so, and is neither skipped nor failed."""
    given = [
        Check(name, lambda _: "", lambda *_: Verdict(False, 1, 1), is_dear=name != "cheap")
        for name in ("dear", "dearer", "cheap")
    ]
    ids = [f"0190-{number}" for number in range(400)]

    def looked_at(share: float, words: str) -> tuple[set[str], Meters]:
        reader, meters = reader_of(checks=given, checks_sample=share)
        asked = [msgspec.structs.replace(exchange(chat(words), FINE), id=one) for one in ids]
        records = [reader.read(one)[0] for one in asked]
        assert all("cheap" in one.checks for one in records)
        assert all(("dear" in one.checks) == ("dearer" in one.checks) for one in records)
        return {one.id for one in records if "dear" in one.checks}, meters

    quarter, meters = looked_at(0.25, "hi")
    assert 70 < len(quarter) < 130
    assert looked_at(0.25, "other words")[0] == quarter < looked_at(0.5, "hi")[0]
    assert looked_at(1.0, "hi")[0] == set(ids)
    left_out = 400 - len(quarter)
    assert results(meters) == {
        ("cheap", "failed"): 400,
        ("dear", "failed"): len(quarter), ("dear", "left_out"): left_out,
        ("dearer", "failed"): len(quarter), ("dearer", "left_out"): left_out,
    }  # fmt: skip


def test_verdicts_stand_in_the_record_as_numbers() -> None:
    """As documented; a Record without one does not say the key."""
    reader, _ = reader_of(checks=saying(Verdict(False, 1, 3), None))
    record, _ = reader.read(exchange(chat("hi"), FINE))
    assert json.loads(encode_record(record))["checks"] == {
        "mine": {"passed": False, "count": 1, "of": 3}
    }
    assert decode_record(encode_record(record)) == record
    record, _ = reader.read(exchange(chat("hi"), FINE))
    assert b'"checks"' not in encode_record(record)


def test_failures_count_in_each_segment_and_edge_case() -> None:
    """Those of the whole are there from the start, at zero."""
    reader, meters = reader_of(checks=GIVEN, edge_cases=EDGE_CASES)
    assert set(counted(meters, "monitor_segment_check_failures_total")) == {
        ("all", "all", "truncated"), ("all", "all", "refusal"),
    }  # fmt: skip
    assert len(counted(meters, "monitor_output_checks_total")) == 8
    for one in (CUT, FINE):
        reader.read(exchange(chat("hi"), one, headers={"x-population": "north"}))
    of = [
        ("all", "all"), ("population", "north"), ("template", "none"),
        ("edge_case", "truncated"), ("edge_case", "refusal"),
    ]  # fmt: skip
    assert failures(meters) == {(*one, name): 1 for one in of for name in ("truncated", "refusal")}


def test_strangers_make_no_more_series_than_segments_have() -> None:
    """Beyond the budget of values they are `other`, and no failure is lost."""
    reader, meters = reader_of(checks=GIVEN[:1])
    for number in range(3 * VALUES):
        reader.read(exchange(chat("hi"), CUT, headers={"x-population": f"p{number}"}))
    found = {one[1]: n for one, n in failures(meters).items() if one[0] == "population"}
    assert len(found) == VALUES + 1
    assert sum(found.values()) == 3 * VALUES


def test_with_noise_failures_are_told_of_the_whole_alone() -> None:
    """As every metric by segment without noise; Records say more."""
    noisy = NoisyCounts(
        ["population", "template"], epsilon=1.0, delta=1e-6, period=60.0, draw=lambda _: 0,
        began=0.0,
    )  # fmt: skip
    reader, meters = reader_of(checks=GIVEN, edge_cases=EDGE_CASES, noisy_counts=noisy)
    record, _ = reader.read(exchange(chat("hi"), CUT, headers={"x-population": "north"}))
    assert set(record.checks) == {"truncated", "refusal"}
    assert {labels[:2] for labels in failures(meters)} == {("all", "all")}


def test_what_is_not_recorded_is_not_looked_at() -> None:
    """Checks look at Records."""
    reader, meters = reader_of(checks=GIVEN)
    sampler = cast(Sampler, SimpleNamespace(keep=lambda *_: None))
    assert isinstance(reader.sample(exchange(chat("hi"), CUT), sampler), Receipt)
    assert results(meters) == {}


@pytest.mark.parametrize(
    "given",
    [True, "ok", (True, 0, 1), Verdict(1, 0, 1), Verdict(True, -1, 1), Verdict(True, 0, 1 << 60),
     Verdict(True, 0.5, 1), Verdict(True, 0, None)],
    ids=repr,
)  # fmt: skip
def test_what_no_record_can_hold_is_no_verdict(given: Any) -> None:
    """Somebody's own check costs itself alone."""
    reader, meters = reader_of(checks=saying(given))
    record, _ = reader.read(exchange(chat("hi"), FINE))
    assert record.checks == {}
    assert counted(meters, "monitor_part_failures_total") == {("check", "mine"): 1}
    assert results(meters) == {("mine", "skipped"): 1}


def test_a_check_that_stumbles_costs_itself_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The other checks are asked, and the failure is counted and said once."""
    mine = Check("mine", lambda _: "", lambda view, _: broken(view))
    reader, meters = reader_of(checks=[mine, *GIVEN])
    for _ in range(3):
        record, _ = reader.read(exchange(chat("a secret"), FINE))
        assert set(record.checks) == {"truncated", "refusal"}
    assert counted(meters, "monitor_part_failures_total") == {("check", "mine"): 3}
    (said,) = caplog.messages
    assert "the check mine" in said
    assert "secret" not in said


def test_where_no_check_can_look_the_exchange_is_recorded() -> None:
    """A memory that fails costs the checks alone."""
    forgetful = cast(Repeats, SimpleNamespace(after=broken))
    reader, meters = reader_of(checks=GIVEN, repeats=forgetful)
    record, _ = reader.read(exchange(chat("hi"), CUT))
    assert (record.outcome, record.checks) == ("ok", {})
    assert counted(meters, "monitor_part_failures_total") == {("check", "view"): 1}
    assert results(meters) == {("truncated", "skipped"): 1, ("refusal", "skipped"): 1}


@given(
    st.binary(max_size=300) | st.sampled_from([chat("hi"), chat(None, tools=5), b"[[]]"]),
    st.binary(max_size=300) | st.sampled_from([CUT, FINE, CALLED, b"{}", b'{"choices":[{}]}']),
    st.sampled_from(["/v1/chat/completions", "/v1/messages", "/v2/models/m/infer", "/any"]),
)
def test_any_exchange_is_judged_or_skipped(body: bytes, answer: bytes, target: str) -> None:
    """No check stumbles over what a dialect makes of any bytes; results add up to the exchanges."""
    reader, meters = reader_of(checks=CHECKS)
    record, _ = reader.read(exchange(body, answer, target=target))
    assert decode_record(encode_record(record)).checks == record.checks
    assert counted(meters, "monitor_part_failures_total") == {}
    assert sum(results(meters).values()) == len(CHECKS)
