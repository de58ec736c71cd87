"""How an exchange ended whose answer names another place."""

from __future__ import annotations

import json

import pytest

from monitor.types import Outcome
from tests.recorder.test_capture import KEEPS_NONE, capture, chat, counted, exchange


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("200 OK", Outcome.SERVER_ERROR), ("302 Found", Outcome.OK), ("307 Elsewhere", Outcome.OK)],
)
def test_what_a_redirect_says_is_no_answer_that_failed(status: str, outcome: Outcome) -> None:
    """The client goes on to another place; no request was taken, so no answer is judged."""
    (reader, _), (sampling, part) = capture(), capture()
    body = json.dumps({"error": {"message": "log in first", "type": "moved"}}).encode()
    one = exchange(chat("hi"), body, status=status, answer_headers={"location": "/login"})
    record, _ = reader.read(one)
    assert (record.outcome, record.is_accepted) == (outcome, False)
    sampling.sample(one, KEEPS_NONE)
    counts = counted(part, "monitor_segment_exchanges_total")
    assert any(outcome.value in labels for labels in counts)
