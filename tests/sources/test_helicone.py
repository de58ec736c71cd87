"""Helicone's requests, and their traps."""

from __future__ import annotations

import json
from pathlib import Path

from monitor.types import Outcome, Tokens
from tests.sources.logs import GOLDENS, recorded, said


def test_the_golden_rows_are_read() -> None:
    """An answer, one without bodies, a refusal, one that was cut; the hit of the cache is none of a model."""
    answer, bare, refused, cut = recorded("helicone.jsonl")
    assert (answer.started, answer.duration, answer.time_to_first_token) == (
        1793610000.0,
        2.0,
        0.35,
    )
    assert (answer.model, answer.tokens, said(answer)) == (
        "gpt-4o-2024-08-06",
        Tokens(40, 20),
        (["user"], ["assistant"]),
    )
    assert (answer.segments["team"], answer.segments["prompt"]) == ("a", "support")
    assert (refused.status, refused.outcome) == (429, Outcome.RATE_LIMITED)
    assert (cut.status, cut.outcome, cut.duration) == (None, Outcome.UPSTREAM_BROKEN, 0.0)
    assert (bare.model, bare.inputs, bare.outputs) == ("gpt-4o", [], [])


def test_bodies_elsewhere_are_not_fetched() -> None:
    """What the row itself counts is read: tokens, and what it cost."""
    bare = recorded("helicone.jsonl")[1]
    assert bare.tokens == Tokens(40, 20, cached=0, cache_write=0)
    assert bare.cost is not None
    assert bare.cost.amount == 0.0006


def test_a_page_of_the_api_is_read(tmp_path: Path) -> None:
    """`{"data": […], "error": null}`, also where it is longer than what tells the format."""
    some = [json.loads(line) for line in (GOLDENS / "helicone.jsonl").read_text().splitlines()]
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": some * 40, "error": None}))
    assert path.stat().st_size > 1 << 16
    assert len(recorded(path)) == 160
