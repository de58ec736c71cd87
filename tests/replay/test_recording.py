"""What a log says becomes a Record by the protocols and the privacy of live traffic."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.assembly.log_recording import LogRecording
from monitor.features import FEATURES, MORE
from monitor.logged import Logged
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.replay.order import Entry
from monitor.replay.recording import id_of
from monitor.settings.schema import DimensionSource, Settings
from monitor.types import Outcome, Tokens, encode_record

make = LogRecording(Settings(), lambda: Keyring((Key("k1", bytes(32)),)))
CHAT: dict[str, Any] = {
    "target": "/v1/chat/completions",
    "request": b'{"model": "m", "messages": [{"role": "user", "content": "I am ada@example.org"}]}',
    "response": b'{"choices": [{"message": {"content": "Hi ada@example.org"}, "finish_reason": "stop"}]}',
}


def seen(said: Logged) -> dict[str, Any]:
    record = make().record(said, 0)
    return {one.feature: one.value for each in (*FEATURES, *MORE) for one in each.observe(record)}


def test_texts_are_pseudonymized() -> None:
    """Under the key, the same value alike on both sides."""
    record = make().record(Logged(started=1.0, status=200, id="ada@example.org", **CHAT), 0)
    assert b"ada@" not in encode_record(record)
    assert record.pseudonyms == {"EMAIL_ADDRESS": 3}
    asked, told = (part[0].text or "" for part in (record.inputs, record.outputs))
    assert asked.rpartition(" ")[2] == told.rpartition(" ")[2]


def test_what_the_log_does_not_say_is_not_seen() -> None:
    """No duration, no outcome, no tokens; and what bodies do not say the log may."""
    found = seen(Logged(started=1.0, **CHAT))
    assert not {"duration", "outcome", "input_tokens"} & found.keys()
    found = seen(
        Logged(started=1.0, duration=0.5, first_token=0.1, status=200, tokens=Tokens(3, 2), **CHAT)
    )
    assert (found["duration"], found["outcome"], found["input_tokens"]) == (0.5, "ok", 3)
    assert found["time_to_first_token"] == 0.1
    assert "duration" not in seen(Logged(started=1.0, status=200, **CHAT))


def test_bodies_come_before_what_stands_beside_them() -> None:
    """A proxy's own count is for those that say none."""
    said = json.loads(CHAT["response"]) | {
        "usage": {"prompt_tokens": 9, "completion_tokens": 4},
        "model": "m-1",
        "id": "r1",
    }
    record = make().record(
        Logged(started=1.0, model="x", tokens=Tokens(1, 1), id="y", cost=0.25, **CHAT | {"response": json.dumps(said).encode()}), 0
    )  # fmt: skip
    assert (record.model, record.requested_model, record.tokens, record.response_id) == (
        "m-1",
        "m",
        Tokens(9, 4),
        "r1",
    )
    assert record.cost is not None
    assert (record.cost.amount, record.cost.currency) == (0.25, "USD")


def test_dimensions_are_those_of_the_settings_and_of_the_log() -> None:
    """What somebody calls their tenant is pseudonymized as live."""
    segment = DimensionSource(json="request.model")
    made = LogRecording(
        Settings(segments={"asked": segment}), lambda: Keyring((Key("k", bytes(32)),))
    )
    said = Logged(started=1.0, segments={"team": "a", "user": "ada@example.org"}, **CHAT)
    record = made().record(said, 0)
    assert (record.segments["asked"], record.segments["team"]) == ("m", "a")
    assert record.segments["user"].startswith("<EMAIL_ADDRESS:k:")
    odd = made().record(Logged(started=1.0, segments={"ada@example.org": "a", "team": "b"}), 0)
    assert odd.segments.keys() == {"asked", "team"}  # the log's own names are somebody's words too
    (record,) = made().glimpses([Entry(0, 1.0, said)], {"team"})
    assert record.segments == {"team": "a"}
    both = {"asked": segment, "both": DimensionSource(cross=["asked", "team"])}
    made = LogRecording(Settings(segments=both), lambda: Keyring((Key("k", bytes(32)),)))
    (record,) = made().glimpses([Entry(0, 1.0, said)], {"both"})
    assert record.segments == {"asked": "m", "team": "a", "both": "m|a"}


def test_ids_rise_with_time() -> None:
    """And with the number."""
    assert id_of(1.0, 1) < id_of(1.0, 2) < id_of(2.0, 0)


anything = st.binary(max_size=60) | st.sampled_from(
    [b'{"messages": 3}', b'{"a": [1, 2]}', b"[[[[", b'"x"']
)


some = st.fixed_dictionaries({
    "request": anything, "response": anything,
    "target": st.sampled_from(["", "/v1/chat/completions", "/v2/models/m/infer", "/a?b=ada@example.org", "/v1/messages", "\n"]),
    "status": st.none() | st.integers(-5, 700), "started": st.floats(0, 1e12),
    "method": st.sampled_from(["GET", "POST", "", "nonsense"]),
    "request_headers": st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
    "segments": st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
})  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(some)
def test_anything_is_recorded(said: dict[str, Any]) -> None:
    """Nothing that a log may say is raised, or written as it is where it is personal."""
    record = make().record(Logged(**said), 1)
    assert b"ada@" not in encode_record(record)
    assert math.isfinite(record.started + record.duration)
    assert isinstance(record.outcome, Outcome)


def test_it_is_the_same_in_another_process() -> None:
    """With the key, so that equal values have equal pseudonyms."""
    there = msgspec.msgpack.encode([Logged(started=1.0, **CHAT)])
    again = LogRecording.__reduce__(make)
    made = again[0](*again[1])
    (said,) = msgspec.msgpack.decode(there, type=list[Logged])
    assert encode_record(made().record(said, 0)) == encode_record(make().record(said, 0))


@pytest.mark.parametrize("body", [b'{"error": {"message": "no"}}', b'{"error": "no"}'])
def test_an_error_in_a_body_is_a_failure(body: bytes) -> None:
    """Whatever status the log gives it."""
    record = make().record(Logged(started=1.0, outcome=Outcome.OK, **CHAT | {"response": body}), 0)
    assert record.outcome is Outcome.SERVER_ERROR


ROWS = st.builds(
    Logged,
    started=st.sampled_from([1.0, 2.5]), duration=st.sampled_from([None, 0.5]),
    status=st.sampled_from([None, 200, 429]), outcome=st.sampled_from([None, Outcome.CLIENT_GONE]),
    method=st.sampled_from(["GET", "-"]), target=st.sampled_from(["/v1/chat/completions", "/u/ada@example.org", ""]),
    request_size=st.sampled_from([None, 7]), response_size=st.sampled_from([None, 0, 9]),
    model=st.sampled_from(["", "m"]), segments=st.sampled_from([{}, {"host": "a"}, {"host": "b", "ip": "10.0.0.7"}]),
    id=st.sampled_from(["", "i-1"]), trace_id=st.sampled_from(["", "a" * 32]),
    tokens=st.sampled_from([None, Tokens(1, 2)]), response=st.sampled_from([b"", b"{}"]),
)  # fmt: skip


@given(st.lists(ROWS, max_size=12))
@settings(max_examples=30)
def test_rows_that_are_alike_become_what_each_would_alone(rows: list[Logged]) -> None:
    """Whatever was made once for several is as if made for each, but for ids and sizes."""
    shared, by = make(), frozenset(("host",))
    for number, said in enumerate(rows):
        if not (said.response or said.tokens):
            said = msgspec.structs.replace(said, request_size=None, response_size=None, trace_id="")  # noqa: PLW2901
        (record,) = shared.glimpses([Entry(number, 1.0, said)], by)
        assert record == shared._records([(number, said)], by, has_texts=True)[0]


def test_a_classifier_is_as_sure_as_its_rows() -> None:
    """As live."""
    body = b'{"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [1.0]}]}'
    answer = b'{"model_name": "m", "outputs": [{"name": "p", "shape": [1, 2], "datatype": "FP64", "data": [0.75, 0.25]}]}'
    found = seen(
        Logged(started=1.0, status=200, target="/v2/models/m/infer", request=body, response=answer)
    )
    assert found["confidence"] == 0.75
