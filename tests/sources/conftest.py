"""Records at rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary


@pytest.fixture
def record() -> Callable[..., Record]:
    """The n-th record of a chat, one a second."""

    def make(number: int, text: str = "hello there", **fields: Any) -> Record:
        usual: dict[str, Any] = {
            "id": f"id-{number}", "endpoint": "test", "protocol": "openai_chat",
            "operation": "chat", "model": "m", "started": 1.7e9 + number, "duration": 0.5,
            "time_to_first_token": None, "time_per_output_token": None, "status": 200,
            "outcome": Outcome.OK, "streamed": False, "segments": {"population": "ab"[number % 2]},
            "request": RequestSummary("POST", "/", {}, 1, False),
            "response": ResponseSummary({}, 1, False),
            "inputs": [Part(role="user", text=text)], "outputs": [], "tokens": None,
            "finish_reasons": [], "pseudonyms": {}, "key": "k1", "trace_id": None,
        }  # fmt: skip
        return Record(**usual | fields)

    return make
