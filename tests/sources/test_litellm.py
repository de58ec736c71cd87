"""LiteLLM's spend logs, and their traps."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from monitor.types import Outcome, Tokens
from tests.sources.logs import golden, recorded, rows, said, source


def row(**fields: Any) -> dict[str, Any]:
    return golden("litellm.jsonl") | fields


def test_the_golden_rows_are_read() -> None:
    """An answer, a failure, a call of another API, embeddings; the hit of the cache is none of a model."""
    answer, failure, other, vectors = recorded("litellm.jsonl")
    assert (answer.started, answer.duration, answer.time_to_first_token) == (1793610000.0, 2.0, 0.5)
    assert (answer.model, answer.requested_model, answer.outcome) == (
        "gpt-4o-2024-08-06",
        "gpt-4o",
        Outcome.OK,
    )
    assert (answer.tokens, answer.finish_reasons) == (
        Tokens(40, 20, cached=8, reasoning=4),
        ["stop"],
    )
    assert said(answer) == (["system", "user"], ["assistant"])
    assert answer.cost is not None
    assert answer.cost.amount == 0.00123
    assert (answer.segments["team_id"], answer.segments["provider"]) == ("team-a", "openai")
    assert (failure.status, failure.outcome, failure.tokens, failure.cost) == (
        429,
        Outcome.RATE_LIMITED,
        None,
        None,
    )
    assert (other.protocol, vectors.operation) == ("anthropic_messages", "embeddings")
    assert vectors.tokens == Tokens(12, 0)


def test_a_latency_that_was_not_measured_is_none() -> None:
    """A failed row ends when it starts; a stream of Anthropic's API is logged as beginning with its first token."""
    _, failure, other, _ = recorded("litellm.jsonl")
    assert (failure.duration, failure.time_to_first_token) == (0.0, None)
    assert (other.duration, other.time_to_first_token) == (0.0, None)


def test_times_without_an_offset_are_utc(tmp_path: Path) -> None:
    """As the database has them; an answer that was not streamed has no first token."""
    path = rows(
        tmp_path / "a.jsonl",
        row(
            startTime="2026-11-02 09:00:00",
            endTime="2026-11-02T09:00:03.5",
            completionStartTime="2026-11-02 09:00:03.5",
        ),
    )
    (found,) = recorded(path)
    assert (found.started, found.duration, found.time_to_first_token, found.streamed) == (
        1793610000.0,
        3.5,
        None,
        False,
    )


def test_a_request_is_read_where_messages_are_not_kept(tmp_path: Path) -> None:
    """What the proxy was sent; without either nothing was said."""
    sent = json.dumps({"messages": [{"role": "user", "content": "Hi"}], "tools": []})
    path = rows(
        tmp_path / "a.jsonl",
        row(messages="{}", proxy_server_request=sent),
        row(messages="{}", proxy_server_request="{}", response="{}"),
    )
    one, none = recorded(path)
    assert [part.text for part in one.inputs] == ["Hi"]
    assert (none.inputs, none.outputs, none.tokens) == (
        [],
        [],
        Tokens(40, 20, cached=8, reasoning=4),
    )


def test_a_table_of_it_is_read(tmp_path: Path) -> None:
    """CSV has texts for everything, and `None` for nothing."""
    path = tmp_path / "spend.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(row()))
        writer.writeheader()
        writer.writerows([row(), row(cache_hit="True"), row(cache_hit="None", model_group="None")])
    assert source(path) == "litellm"
    first, second = recorded(path)
    assert first.tokens == second.tokens == Tokens(40, 20, cached=8, reasoning=4)
    assert "model_group" not in second.segments


def test_half_the_names_are_a_table(tmp_path: Path) -> None:
    """Another product's export."""
    path = rows(tmp_path / "a.jsonl", {"request_id": "a", "startTime": "2026-11-02", "model": "m"})
    assert source(path) == "jsonl"
