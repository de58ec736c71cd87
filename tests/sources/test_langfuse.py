"""Langfuse's observations, and their traps."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.damage import Damage
from monitor.sources import langfuse
from monitor.types import Outcome, Tokens
from tests.sources.logs import GOLDENS, recorded, rows, said, source

PAGE: list[dict[str, Any]] = json.loads((GOLDENS / "langfuse.json").read_text())["data"]


def test_the_golden_page_is_read() -> None:
    """Generations alone: an answer, a failure, and one that has not ended."""
    answer, failure, open_ = recorded("langfuse.json")
    assert (answer.started, answer.duration) == (1793610000.0, 2.0)
    assert answer.time_to_first_token == pytest.approx(0.4)
    assert (answer.model, answer.outcome, said(answer)) == (
        "gpt-4o",
        Outcome.OK,
        (["system", "user"], ["assistant"]),
    )
    assert answer.trace_id == f"{1:032x}"
    assert {
        "environment": "production",
        "prompt_name": "support",
        "prompt_version": "4",
    }.items() <= answer.segments.items()
    assert (failure.outcome, failure.tokens, failure.cost) == (Outcome.SERVER_ERROR, None, None)
    assert (open_.duration, said(open_)) == (0.0, (["system", "user"], ["assistant"]))


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"input": 32, "input_cached_tokens": 8, "output": 16, "output_reasoning_tokens": 4, "total": 60}, Tokens(40, 20, cached=8, reasoning=4)),
        ({"input": 40, "input_cached_tokens": 8, "output": 20, "total": 60}, Tokens(40, 20, cached=8)),
        ({"input": 40, "output": 20, "total": 60}, Tokens(40, 20)),
        ({"input": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2, "output": 3}, Tokens(17, 3, cached=5, cache_write=2)),
        ({"total": 60}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_sums_are_not_added_twice(tmp_path: Path, usage: dict[str, int], tokens: Tokens) -> None:
    """The total says whether the parts of a cache stand beside the rest or in it."""
    (found,) = recorded(rows(tmp_path / "a.jsonl", PAGE[0] | {"usageDetails": usage}))
    assert found.tokens == tokens


def test_costs_are_not_added_twice(tmp_path: Path) -> None:
    """Of a sum and its parts the sum counts."""
    path = rows(
        tmp_path / "a.jsonl",
        PAGE[0],
        PAGE[0] | {"costDetails": {"input": 0.5, "output": 0.25}},
        PAGE[0] | {"costDetails": {}, "totalCost": 2},
    )
    assert [one.cost and one.cost.amount for one in recorded(path)] == [0.0006, 0.75, 2.0]


def test_every_form_of_an_export_is_read(tmp_path: Path) -> None:
    """A list, lines, names with underscores, and CSV, whose cells are texts of JSON."""
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps(PAGE, indent=2))
    lined = rows(tmp_path / "a.jsonl", *PAGE)
    back = {value: key for key, value in langfuse._NAMES.items()}
    snake = rows(
        tmp_path / "b.jsonl",
        *({back.get(key, key): value for key, value in one.items()} for one in PAGE),
    )
    table = tmp_path / "c.csv"
    names = list(dict.fromkeys(key for one in PAGE for key in one))
    with table.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(
            [json.dumps(one.get(n)) if isinstance(one.get(n), dict) else one.get(n) for n in names]
            for one in PAGE
        )
    expected = recorded("langfuse.json")
    for path in (listed, lined, snake, table):
        assert source(path) == "langfuse"
        assert [one.inputs for one in recorded(path)] == [one.inputs for one in expected]
        assert [one.tokens for one in recorded(path)] == [one.tokens for one in expected]


def test_what_is_no_observation_is_told(tmp_path: Path) -> None:
    """By its line."""
    damage = Damage()
    path = rows(tmp_path / "a.jsonl", PAGE[0], {"id": 1}, [1], PAGE[0] | {"type": 3})
    assert len(recorded(path, damage=damage)) == 1
    assert [one.place for one in damage.listed()] == [f"{path}:{line}" for line in (2, 3, 4)]
