"""OpenTelemetry's spans of model calls, by old names and new, and their traps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.damage import Damage
from monitor.sources import otel_genai
from monitor.types import Outcome, Tokens
from tests.sources.logs import golden, recorded, rows, said, source


@pytest.mark.parametrize("name", ["otel_genai.jsonl", "otel_console.json"])
def test_the_golden_spans_are_read(name: str) -> None:
    """By the new names, the old, a failure, and OpenLLMetry's; the span of an agent repeats what they used, and is none."""
    new, old, failure, numbered = recorded(name)
    assert (new.started, new.duration, new.time_to_first_token) == (1793610000.0, 2.0, 0.25)
    assert (new.model, new.requested_model, new.response_id) == (
        "gpt-4o-2024-08-06",
        "gpt-4o",
        "chatcmpl-1",
    )
    assert (new.tokens, new.finish_reasons) == (Tokens(40, 20, cached=8), ["stop"])
    assert said(new) == (["system", "user"], ["assistant"])
    assert {
        "service": "support",
        "environment": "production",
        "provider": "openai",
    }.items() <= new.segments.items()
    assert (old.duration, old.tokens, said(old)) == (3.0, Tokens(40, 20), (["user"], ["assistant"]))
    assert (failure.status, failure.outcome) == (429, Outcome.RATE_LIMITED)
    assert said(numbered) == (["user"], ["assistant"])
    assert new.trace_id is not None
    assert {one.trace_id for one in (new, old, failure, numbered)} == {new.trace_id}


def test_messages_may_be_structured(tmp_path: Path) -> None:
    """Lists and objects of OTLP instead of texts of JSON."""

    def value(given: object) -> dict[str, object]:
        if isinstance(given, dict):
            return {
                "kvlistValue": {
                    "values": [{"key": key, "value": value(one)} for key, one in given.items()]
                }
            }
        return (
            {"arrayValue": {"values": [value(one) for one in given]}}
            if isinstance(given, list)
            else {"stringValue": given}
        )

    messages = [{"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}]
    attributes = [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.input.messages", "value": value(messages)},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}},
    ]  # fmt: skip
    span = {
        "name": "chat",
        "startTimeUnixNano": "1793610000000000000",
        "endTimeUnixNano": 1793610001000000000,
        "attributes": attributes,
    }
    path = rows(tmp_path / "a.jsonl", {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    (found,) = recorded(path)
    assert [part.text for part in found.inputs] == ["Where is it?"]
    assert (found.duration, found.tokens) == (1.0, Tokens(7, None))


def test_spans_of_other_things_are_none(tmp_path: Path) -> None:
    """Nor are logs and metrics between them."""
    span = {
        "name": "GET",
        "startTimeUnixNano": "1",
        "attributes": [{"key": "http.method", "value": {"stringValue": "GET"}}],
    }
    damage = Damage()
    path = rows(
        tmp_path / "a.jsonl",
        golden("otel_genai.jsonl"),
        {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]},
        {"resourceLogs": []},
        {"a": 1},
    )
    assert source(path) == "otel_genai"
    assert len(recorded(path, damage=damage)) == 2
    assert [one.place for one in damage.listed()] == [f"{path}:4"]


def test_nesting_has_an_end() -> None:
    """A value within values, however deep, is no reason to stop."""
    deep: dict[str, object] = {"stringValue": "x"}
    for _ in range(200):
        deep = {"arrayValue": {"values": [deep]}}
    span = {
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.prompt", "value": deep},
            3,
            {"key": 4},
        ]
    }
    row = json.dumps({"resourceSpans": [3, {"scopeSpans": [{"spans": [span, 7]}]}]}).encode()
    assert len(otel_genai.read(row)) == 1
