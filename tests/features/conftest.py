"""Records to look at: plain ones, and anything a decoder could let through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary, Tokens


@pytest.fixture
def record() -> Callable[..., Record]:
    """A record of a chat that went well, with whatever fields a test says."""

    def make(**fields: Any) -> Record:
        usual: dict[str, Any] = {
            "id": "0190a8f0-0000-7000-8000-000000000001",
            "endpoint": "test",
            "protocol": "openai_chat",
            "operation": "chat",
            "model": "m",
            "started": 1.7e9,
            "duration": 0.5,
            "time_to_first_token": None,
            "time_per_output_token": None,
            "status": 200,
            "outcome": Outcome.OK,
            "streamed": False,
            "segments": {},
            "request": RequestSummary("POST", "/v1/chat/completions", {}, 10, False),
            "response": ResponseSummary({}, 10, False),
            "inputs": [Part(role="user", text="Where is my order?")],
            "outputs": [Part(role="assistant", text="On its way.")],
            "tokens": Tokens(5, 4),
            "finish_reasons": ["stop"],
            "pseudonyms": {},
            "key": "k1",
            "trace_id": None,
        }
        return Record(**usual | fields)

    return make


@pytest.fixture
def seen() -> Callable[..., dict[str, list[Any]]]:
    """(feature, record) → {observed feature: values}."""

    def look(feature: Any, record: Record) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for observation in feature.observe(record):
            found.setdefault(observation.feature, []).append(observation.value)
        return found

    return look
