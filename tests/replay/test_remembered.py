"""A reference of Records is looked at once where it is little, and what is said of it is the same."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.assembly.sanitizer import Sanitizer
from monitor.cli import main
from monitor.damage import Damage
from monitor.features import FEATURES, latency
from monitor.replay import files, remembered
from monitor.replay.files import ReadOptions
from monitor.replay.remembered import Remembered
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.tables.blocks import Block, Labels
from monitor.tables.columns import Columns
from monitor.types import Part, encode_record
from tests.replay.some_records import record

NOON = 1_764_000_000.0
USUAL = ReadOptions(features=FEATURES, sanitizer=Sanitizer(Settings()), damage=Damage())


def log(path: Path, hours: int, *, long: int) -> str:
    """60 Records an hour, each of two minutes; in the last two hours texts are `long`."""
    lines = []
    for n in range(hours * 60):
        words = "where is it " * (1 + n % 5 + long * (n >= (hours - 2) * 60))
        one = record(
            n, started=NOON + n * 60, duration=120.0, inputs=[Part(role="user", text=words)],
        )  # fmt: skip
        lines.append(encode_record(one))
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


@pytest.fixture
def counted(tmp_path: Path) -> tuple[Remembered, list[ReadOptions]]:
    """A log that is remembered, and how it was read."""
    found = files.find([log(tmp_path / "usual.jsonl", 3, long=0)])
    asked: list[ReadOptions] = []

    def read(options: ReadOptions) -> Iterator[Row | Block]:
        asked.append(options)
        return files.read_records(found, options)

    return Remembered(read), asked


def rows(found: Iterator[Row | Block]) -> list[str]:
    return [
        repr(row) for one in found for row in (one.rows() if isinstance(one, Block) else (one,))
    ]


def test_what_was_seen_is_seen_again(counted: tuple[Remembered, list[ReadOptions]]) -> None:
    """Also of a part of the time; what ended in it is there."""
    read, asked = counted
    first = rows(read(USUAL))
    assert len(first) == 180
    assert rows(read(dataclasses.replace(USUAL, damage=Damage()))) == first
    later = rows(read(dataclasses.replace(USUAL, start=NOON + 60 * 50)))
    assert later == first[48:]
    assert asked == [USUAL]


def test_what_began_before_an_end_is_seen_again_when_it_ended_behind_it(
    counted: tuple[Remembered, list[ReadOptions]],
) -> None:
    """Also with a later start."""
    read, asked = counted
    ended = dataclasses.replace(USUAL, end=NOON + 60 * 100)
    first = rows(read(ended))
    assert len(first) == 100
    assert rows(read(ended)) == first
    assert rows(read(dataclasses.replace(ended, start=NOON + 60 * 50))) == first[48:]
    assert asked == [ended]


@pytest.mark.parametrize(
    "other",
    [{"features": FEATURES[:3]}, {"features": ()}, {"columns": Columns(by=("model",))}, {"end": NOON}],
    ids=["fewer features", "no features", "a dimension", "an end"],
)  # fmt: skip
def test_what_is_asked_otherwise_is_read(
    counted: tuple[Remembered, list[ReadOptions]], other: dict[str, Any]
) -> None:
    """Other features, dimensions, and another end."""
    read, asked = counted
    assert rows(read(USUAL))
    changed = dataclasses.replace(USUAL, **other)
    rows(read(changed))
    assert asked == [USUAL, changed]
    assert len(rows(read(USUAL))) == 180
    assert len(asked) == 2


@pytest.mark.parametrize("why", ["much", "partly", "rows"])
def test_what_was_not_kept_is_read_again(
    counted: tuple[Remembered, list[ReadOptions]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is more than may be kept, was not read to its end, or came Row by Row."""
    read, asked = counted
    options = USUAL
    if why == "much":
        monkeypatch.setattr(remembered, "KEPT", 20_000)
    if why == "rows":
        options = dataclasses.replace(USUAL, features=(*FEATURES, latency.FEATURE))
    if why == "partly":
        next(read(options))
    else:
        rows(read(options))
    assert len(rows(read(options))) == 180
    assert len(asked) == 2


def test_what_dimensions_say_counts_as_much(
    counted: tuple[Remembered, list[ReadOptions]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long value for each Record takes more than all that was seen of them."""
    read, _ = counted
    (block,) = (one for one in read(USUAL) if isinstance(one, Block))
    names = [f"{n} {'x' * 1000}" for n in range(len(block.at))]
    labels = Labels(np.arange(len(names)), names)
    asked = 0

    def made(_: ReadOptions) -> Iterator[Block]:
        nonlocal asked
        asked += 1
        yield dataclasses.replace(block, segments={"who": labels})

    monkeypatch.setattr(remembered, "KEPT", 1000 * len(names))
    again = Remembered(made)
    assert list(again(USUAL))
    assert list(again(USUAL))
    assert asked == 2


@pytest.mark.parametrize("cut", [[], ["--chunks", "hour"], ["--chunks", "7"]])
def test_a_timeline_is_the_same_from_memory(
    cut: list[str], tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a reference with more hours than are told."""
    usual, now = log(tmp_path / "usual.jsonl", 15, long=0), log(tmp_path / "now.jsonl", 9, long=4)
    said = []
    for kept in (remembered.KEPT, 0):
        monkeypatch.setattr(remembered, "KEPT", kept)
        assert main(["replay", now, "--reference", usual, "--timeline", *cut, "--json", "-"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0] == said[1]
    assert any("drift" in one["status"] for one in said[0]["timeline"])
    assert len(said[0]["usual"]) > 5
