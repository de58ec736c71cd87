"""How an exchange ended whose client closed before the end of the body."""

from __future__ import annotations

import json

import msgspec
import pytest

from monitor.types import Outcome, Receipt
from tests.recorder.test_capture import EVENTS, KEEPS_NONE, capture, chat, counted, exchange, sse

END = {"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (b"data: %b\n\n%b" % (json.dumps(END).encode(), DONE), Outcome.OK),
        (b"", Outcome.CLIENT_GONE),
    ],
    ids=["after the last event", "before"],
)
def test_record_receipt_and_counts_agree_on_who_left(end: bytes, outcome: Outcome) -> None:
    """Who leaves a stream after its last event has all of it, whether or not it leaves a Record."""
    (reader, told), (sampling, part) = capture(), capture()
    answer = sse("Ulm.").replace(DONE, end)
    one = msgspec.structs.replace(
        exchange(chat("Where?", stream=True), answer, answer_headers=EVENTS),
        outcome=Outcome.CLIENT_GONE,
    )
    record, _ = reader.read(one)
    receipt = sampling.sample(one, KEEPS_NONE)
    assert isinstance(receipt, Receipt)
    assert [record.outcome, receipt.outcome] == [outcome, outcome]
    for meters in (told, part):
        counts = counted(meters, "monitor_segment_exchanges_total")
        assert {labels[-1] for labels, count in counts.items() if count} == {outcome.value}
