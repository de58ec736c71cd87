"""Files of Records that are looked at in pieces, on all cores, give what they give record by record."""

from __future__ import annotations

import gzip
import os
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import openings
from monitor.analysis import fold
from monitor.assembly.sanitizer import Sanitizer
from monitor.cli import main
from monitor.commands import replay
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.features import FEATURES, MORE
from monitor.interfaces import Feature
from monitor.replay import files, record_files
from monitor.replay.files import ReadOptions
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.sources import records as source
from monitor.tables.blocks import Block
from monitor.tables.columns import Columns
from monitor.types import Observation, Outcome, Part, Record, Verdict, encode_record
from tests.chances import SEEDED
from tests.replay.some_records import record

PIECE = 3000
"""A few Records."""


@cache
def clean() -> Sanitizer:
    return Sanitizer(Settings())


def options(**fields: Any) -> ReadOptions:
    usual = {
        "features": FEATURES,
        "columns": Columns(by=("population", "model")),
        "sanitizer": clean(),
    }
    return ReadOptions(**(usual | fields))


# --- any lines -----------------------------------------------------------------------------------

numbers = st.floats(allow_nan=False) | st.integers(-(10**17), 10**17) | st.integers(0, 3)
BAD = [b"", b" ", b"{}", b'{"id": 1', b"\xff", b"\r", b"[" * 3000]
SEGMENTS: list[dict[str, str]] = [{}, {"population": "a"}, {"population": "ada@example.org"}]


def made(chance: random.Random, some: list[float], texts: list[str]) -> list[bytes]:
    """Lines of Records with these numbers and texts, and some that are none."""
    if chance.random() < 0.2:
        some = [*some, 4111111111111111]  # a card's
    values = [*some, some[:2], None, True, False, "a", "b", "ada@example.org", "2024-02-29"]

    def part() -> Part:
        if chance.random() < 0.5:
            text = chance.choice([*texts, "the of " * 20])
            return Part(role=chance.choice(["user", "assistant"]), text=text)
        alike = chance.random() < 0.5
        data = chance.choices(some if alike else values, k=chance.randint(1, 2 if alike else 4))
        width = chance.choice([1, 1, 1, 2])
        return Part(
            name=chance.choice(["x", "y", "call +49 171 5550187", "duration", ""]),
            datatype=chance.choice(["FP64", "FP64", "INT64", "BOOL", "BYTES", None]),
            shape=[len(data) // width, width], data=data,
        )  # fmt: skip

    def one() -> bytes:
        return encode_record(record(
            chance.randint(0, 200),
            inputs=[part() for _ in range(chance.randrange(4))],
            outputs=[part() for _ in range(chance.randrange(3))],
            outcome=chance.choice([Outcome.OK, Outcome.OK, Outcome.OK, Outcome.CLIENT_ERROR]),
            segments=chance.choice(SEGMENTS), sampled=chance.choice([1.0] * 20 + [0.25]),
        ))  # fmt: skip

    found: list[bytes] = []
    for _ in range(chance.randrange(13)):
        if chance.random() < 0.5:
            found += chance.sample(BAD, chance.randrange(2))
        else:
            found += [one() for _ in range(chance.randint(3, 6))]
    return found


lines = st.builds(
    made, SEEDED, st.lists(numbers, min_size=6, max_size=6),
    st.lists(st.text(max_size=30), min_size=2, max_size=2),
)  # fmt: skip
"""Hypothesis draws the numbers and texts, chance what is made of them: when it drew all of it, that
took nine tenths of the time."""


def one_by_one(path: Path, how: ReadOptions) -> Iterator[Row]:
    yield from files.observe(files.records([(path, source.SOURCE)], how.damage), how)


def in_pieces(path: Path, how: ReadOptions) -> Iterator[Row]:
    for one in files.read_records([(path, source.SOURCE)], how):
        yield from one.rows() if isinstance(one, Block) else (one,)


def told(read: Callable[[Path, ReadOptions], Iterator[Row]], path: Path, **fields: Any) -> Any:
    """Rows, what could not be read, and the error if there is one."""
    how, rows = options(damage=Damage(), **fields), []
    try:
        rows.extend(read(path, how))
    except SourceError as error:
        return rows, how.damage.listed(), str(error)
    return rows, how.damage.listed(), ""


@settings(max_examples=50, deadline=None)
@given(
    lines, st.sampled_from([300, PIECE, 1 << 20]), st.booleans(), st.sampled_from([None, 1050.0])
)
def test_rows_are_the_same_in_pieces(
    some: list[bytes], piece: int, packed: bool, start: float | None
) -> None:
    """Whatever stands in the lines, bit for bit, in order, with the places of what is none."""
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_files, "PIECE", piece)
        path = Path(directory, "a.jsonl")
        path.write_bytes(gzip.compress(b"\n".join(some)) if packed else b"\n".join(some))
        expected, got = (told(read, path, start=start) for read in (one_by_one, in_pieces))
    assert msgspec.msgpack.encode(got[1:]) == msgspec.msgpack.encode(expected[1:])
    assert repr(got[0]) == repr(expected[0])


# --- whole documents -----------------------------------------------------------------------------


@cache
def traffic(seed: int, count: int) -> list[bytes]:
    """Chats, rows and tensors by turns; some late, some refused, some with a column that others lack,
    some with verdicts of checks."""
    chance, found = random.Random(seed), []
    for number in range(count):
        at = 1.7e9 + 0.05 * number - (chance.random() < 0.02) * chance.choice((3, 90))
        moved = 0.8 * (number > 0.7 * count)
        fields: dict[str, Any] = {"segments": {"population": chance.choice("aab")}, "started": at}
        if chance.random() < 0.05:
            fields |= {"outcome": Outcome.CLIENT_ERROR, "status": 404}
        if number % 3:
            fields["inputs"] = [
                Part(name=name, datatype="FP64", shape=[1], data=[chance.gauss(moved, 1)])
                for name in ("x", "y", "z")[: 3 - (chance.random() < 0.1)]
            ]
            fields["outputs"] = [
                Part(name="plan", datatype="BYTES", shape=[1], data=[chance.choice("abc")])
            ]
        wrong = int(chance.random() < 0.1 + moved / 2)
        checks = {"schema": Verdict(not wrong, wrong, 1), "citation": Verdict(not wrong, wrong, 3)}
        fields["checks"] = {name: one for name, one in checks.items() if chance.random() < 0.7}
        found.append(encode_record(record(number, **fields)))
    return found


@pytest.fixture
def documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Callable[..., tuple[bytes, bytes]]:
    """The function (arguments of replay) → documents (in pieces, record by record)."""
    monkeypatch.setattr(replay, "Sanitizer", lambda settings, outputs: clean())
    monkeypatch.setattr(record_files, "PIECE", 32_000)
    monkeypatch.setattr(openings, "WORTH", 0)
    monkeypatch.setattr(fold, "FEW", 8)

    def document(arguments: tuple[str, ...]) -> bytes:
        out = tmp_path / "document.json"
        assert main(["replay", *arguments, "--json", str(out)]) == 0, capsys.readouterr().err
        return out.read_bytes()

    def both(*arguments: str) -> tuple[bytes, bytes]:
        pieces = document(arguments)
        with monkeypatch.context() as patch:
            patch.setattr(files, "KNOWN", ())
            return pieces, document(arguments)

    return both


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("--by", "population"), ("--chunks", "3"), ("--from", "1700000008", "--to", "1700000025"),
        ("--reference", "OTHER"), ("--reference", "OTHER", "--by", "population", "--chunks", "2"),
        ("--reference", "population=a"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_documents_are_the_same(
    arguments: tuple[str, ...], tmp_path: Path, documents: Any, quickest: None
) -> None:
    """Learned, given or another segment's reference; drift in it, late and refused Records."""
    for name, seed in (("current", 1), ("other", 2)):
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(traffic(seed, 700)))
    places = [str(tmp_path / "other.jsonl") if one == "OTHER" else one for one in arguments]
    pieces, plain = documents(str(tmp_path / "current.jsonl"), *places)
    assert pieces == plain
    assert len(pieces) > 5000


def test_other_processes_look_at_a_large_file(
    tmp_path: Path, documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is the same, and the processes end."""
    monkeypatch.setattr(record_files, "WORTH", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    path = tmp_path / "current.jsonl"
    path.write_bytes(b"\n".join(traffic(3, 1500)))
    pieces, plain = documents(str(path))
    assert pieces == plain
    assert not _looking()


def _looking() -> list[psutil.Process]:
    """Processes of ours that were started to look."""
    this = psutil.Process()
    return [one for one in this.children() if one.cmdline() == this.cmdline()]


def test_who_ends_a_process_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was to look at is read here."""
    monkeypatch.setattr(record_files, "WORTH", 0)
    monkeypatch.setattr(record_files, "PIECE", 60_000)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    path = tmp_path / "current.jsonl"
    path.write_bytes(b"\n".join(traffic(4, 1500)))
    expected = list(one_by_one(path, options()))
    rows: list[Row] = []
    for row in in_pieces(path, options()):
        if len(rows) == 300:
            for process in _looking():
                process.send_signal(signal.SIGKILL)
        rows.append(row)
    assert rows == expected


def test_a_file_that_is_moved_away_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs are rotated while they are read: the other processes read what was opened, not a name."""
    monkeypatch.setattr(record_files, "WORTH", 0)
    monkeypatch.setattr(record_files, "PIECE", 60_000)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    path = tmp_path / "current.jsonl"
    path.write_bytes(b"\n".join([*traffic(5, 1200), b"{}", *traffic(6, 300)]))
    expected = list(one_by_one(path, options()))
    rows: list[Row] = []
    for row in in_pieces(path, options()):
        if len(rows) == 300:
            path.rename(tmp_path / "current.jsonl.1")
            path.write_bytes(b"")
        rows.append(row)
    assert rows == expected


def test_somebodys_own_feature_sees_every_record_once(tmp_path: Path) -> None:
    """It may remember what it saw, so that it is asked here, in order."""
    seen: list[str] = []

    def observe(record: Record) -> list[Observation]:
        seen.append(record.id)
        return [Observation("own", "numeric", float(len(seen)))]

    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(encode_record(record(number)) for number in range(50)))
    rows = list(in_pieces(path, options(features=(*FEATURES, *MORE, Feature("own", observe)))))
    assert [row.observations[-1].value for row in rows] == [
        float(number + 1) for number in range(50)
    ]
    assert len(seen) == 50
