"""The files of a batch, joined by `custom_id`."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from monitor.damage import Damage
from monitor.sources import openai_batch
from monitor.types import Outcome, Tokens
from tests.sources.logs import GOLDENS, golden, recorded, rows, said

NAMES = [f"openai_batch.{name}.jsonl" for name in ("input", "output", "errors")]


@pytest.mark.parametrize("kept", [1 << 20, 300, 0], ids=["as they are", "some packed", "packed"])
def test_requests_are_joined_with_answers_and_errors(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the requests, whatever that of the others; an answer that never came is a failure."""
    monkeypatch.setattr(openai_batch, "KEPT", kept)
    found = recorded(*NAMES)
    assert [one.response_id for one in found] == ["chatcmpl-0", "r-1", "chatcmpl-2", "r-3"]
    assert [one.outcome for one in found] == [
        Outcome.OK,
        Outcome.CLIENT_ERROR,
        Outcome.OK,
        Outcome.SERVER_ERROR,
    ]
    assert [said(one) for one in found[:2]] == [
        (["system", "user"], ["assistant"]),
        (["system", "user"], ["error"]),
    ]
    assert found[0].tokens == Tokens(40, 20, cached=8, reasoning=4)


def test_no_file_says_when() -> None:
    """Exchanges are numbered, and have no durations."""
    assert [(one.started, one.duration) for one in recorded(*NAMES)] == [
        (float(n), 0.0) for n in range(4)
    ]


def test_a_directory_is_a_batch(tmp_path: Path) -> None:
    """In whatever order its files come, packed or not."""
    for place, name in enumerate(NAMES):
        shutil.copy(GOLDENS / name, tmp_path / f"{'bca'[place]}.jsonl")
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress((tmp_path / "b.jsonl").read_bytes()))
    (tmp_path / "b.jsonl").unlink()
    assert recorded(tmp_path) == recorded(*NAMES)


@pytest.mark.parametrize(
    ("names", "sides"),
    [(NAMES[:1], [2, 0]), (NAMES[1:2], [0, 1]), (NAMES[1:], [0, 1])],
)
def test_a_file_alone_says_what_it_has(names: list[str], sides: list[int]) -> None:
    """Of requests alone nobody knows how they ended."""
    found = recorded(*names)
    assert {(len(one.inputs), len(one.outputs)) for one in found} == {tuple(sides)}
    assert {bool(one.request.method) for one in found} == {names != NAMES[:1]}


def test_a_request_without_an_answer_is_no_exchange() -> None:
    """The batch was still running, or was cancelled."""
    assert [one.response_id for one in recorded(*NAMES[:2])] == ["chatcmpl-0", "chatcmpl-2"]


def test_ids_that_came_twice_are_not_joined(tmp_path: Path) -> None:
    """Two batches in one directory that both counted from 1: whose answer it is nobody knows."""
    asked, answer = golden(NAMES[0]), golden(NAMES[1], 1)
    rows(tmp_path / "a.jsonl", asked, golden(NAMES[0], 2))
    rows(tmp_path / "b.jsonl", answer, answer, golden(NAMES[1]))
    damage = Damage()
    assert [one.response_id for one in recorded(tmp_path, damage=damage)] == ["chatcmpl-2"]
    assert [one.place for one in damage.listed()] == [f"{tmp_path / 'b.jsonl'}:2"]
    assert "come before" in damage.first()


def test_broken_lines_are_told_where_they_stand(tmp_path: Path) -> None:
    """In each of the files."""
    asked = rows(tmp_path / "a.jsonl", golden(NAMES[0]), {"custom_id": 3}, {"custom_id": "x"})
    answered = rows(tmp_path / "b.jsonl", [1], golden(NAMES[1], 1))
    answered.write_text('{"a": x\n' + answered.read_text())
    damage = Damage()
    assert len(recorded(asked, answered, damage=damage)) == 1
    assert [one.place for one in damage.listed()] == [
        f"{asked}:2",
        f"{asked}:3",
        f"{answered}:1",
        f"{answered}:2",
    ]
