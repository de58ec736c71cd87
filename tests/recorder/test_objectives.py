"""What the recorder counts of an exchange beside histograms: objectives missed, reasons to end."""

from __future__ import annotations

from monitor.recorder.capture import ANSWERS
from tests.recorder.test_capture import (
    KEEPS_NONE,
    capture,
    chat,
    counted,
    exchange,
    reader_of,
    sse,
)


def test_what_takes_longer_than_promised_is_counted_exactly() -> None:
    """An exchange of 0.5 s whose first content came after 0.2 s: at the edge nothing is missed,
    above it each segment misses it too; nothing is counted without an objective."""
    edge, meters = reader_of(objectives={"latency": 0.5, "first_token": 0.2})
    first = {"latency": 0.499, "first_token": 0.199}
    above, late = reader_of(objectives=first)
    without, none = reader_of()
    streamed = exchange(
        chat("hi", stream=True), sse("Hello"), headers={"x-population": "vip"},
        answer_headers={"content-type": "text/event-stream"},
    )  # fmt: skip
    for reader in (edge, above, without):
        reader.read(streamed)
    name, by_segment = "monitor_objective_missed_total", "monitor_segment_objective_missed_total"
    assert counted(meters, name) == {("latency",): 0, ("first_token",): 0}
    assert set(counted(meters, by_segment).values()) == {0}
    assert counted(late, name) == {("latency",): 1, ("first_token",): 1}
    for objective in first:
        assert counted(late, by_segment)["population", "vip", objective] == 1
        assert counted(late, by_segment)["all", "all", objective] == 1
    assert counted(none, name) == counted(none, by_segment) == {}


def test_why_answers_ended_is_counted_in_nine_words() -> None:
    """Whatever an endpoint says, with a Record and without one."""
    (reader, whole), (sampling, part) = capture(), capture()
    answers = [
        b'{"model": "m", "choices": [{"finish_reason": "stop"}, {"finish_reason": "max_tokens"}]}',
        b'{"model": "m", "choices": [{"finish_reason": "' + b"x" * 5000 + b'"}]}',
        b'{"model": "m", "choices": []}',
    ]
    for answer in answers:
        reader.read(exchange(chat("hi"), answer))
        sampling.sample(exchange(chat("hi"), answer), KEEPS_NONE)
    found = counted(whole, "monitor_finish_reasons_total")
    assert {reason: count for (_, reason), count in found.items()} == {
        "stop": 1, "length": 1, "other": 1,
    }  # fmt: skip
    assert counted(part, "monitor_finish_reasons_total") == found
    choices = b",".join([b'{"finish_reason": "tool_calls"}'] * 5000)
    reader.read(exchange(chat("hi"), b'{"model": "m", "choices": [' + choices + b"]}"))
    found = counted(whole, "monitor_finish_reasons_total")
    assert {reason: count for (_, reason), count in found.items()}["tool"] == ANSWERS
