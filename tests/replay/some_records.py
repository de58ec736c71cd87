"""Records of chats that went well, with whatever else a test says."""

from __future__ import annotations

from typing import Any

from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary, Tokens


def record(number: int, **fields: Any) -> Record:
    usual = {
        "id": f"id-{number}", "endpoint": "test", "protocol": "openai_chat", "operation": "chat", "model": "m",
        "started": 1000.0 + number, "duration": 0.5, "time_to_first_token": None, "time_per_output_token": None,
        "status": 200, "outcome": Outcome.OK, "streamed": False, "segments": {"population": "ab"[number % 2]},
        "request": RequestSummary("POST", "/", {}, 1, False), "response": ResponseSummary({}, 1, False),
        "inputs": [Part(role="user", text="Where is the parcel that I sent to you?")],
        "outputs": [Part(role="assistant", text="It is on its way.")], "tokens": Tokens(9, 5), "finish_reasons": ["stop"],
        "pseudonyms": {}, "key": "k1", "trace_id": None,
    }  # fmt: skip
    return Record(**(usual | fields))
