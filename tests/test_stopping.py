"""Ctrl-C and SIGTERM end any command alike: its exit code says which, one line what had been done; never a traceback."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from monitor import stopping
from monitor.cli import main
from monitor.commands import feedback, progress, replay, verify

ENDS = [(KeyboardInterrupt, 130, "Ctrl-C"), (stopping.Terminated, 143, "SIGTERM")]


@pytest.fixture(params=ENDS, ids=[name for _, _, name in ENDS])
def end(request: pytest.FixtureRequest) -> tuple[type[KeyboardInterrupt], int, str]:
    found: tuple[type[KeyboardInterrupt], int, str] = request.param
    return found


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["age", *map(str, range(40))]))
    return str(path)


@pytest.mark.parametrize(
    ("command", "so"),
    [
        (["replay", "{table}", "--reference", "{table}", "--json", "{out}"], "reading the reference was at 40; nothing was judged, and nothing written"),
        (["reference", "build", "{table}", "--out", "{out}"], "reading the reference was at 40; nothing was written"),
    ],
)  # fmt: skip
def test_what_reads_says_how_far_it_came(
    command: list[str], so: str, *, end: Any, table: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """And that nothing was written, which is so."""

    def interrupted(rows: Iterable[Any], what: str, total: int = 0) -> Iterator[Any]:
        yield from progress.watched(rows, what, total)
        raise end[0]

    monkeypatch.setattr(replay, "watched", interrupted)
    out = tmp_path / "out.json"
    assert main([one.format(table=table, out=out) for one in command]) == end[1]
    said = capsys.readouterr()
    assert said.err == f"monitor: stopped by {end[2]}; {so}\n"
    assert (said.out, out.exists()) == ("", False)


def test_what_is_written_may_be_cut_off(
    end: Any, table: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interrupt while results are written is another thing than one before."""

    def tell(*_: object) -> NoReturn:
        raise end[0]

    monkeypatch.setattr(replay, "_tell", tell)
    assert main(["replay", table, "--reference", table]) == end[1]
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.endswith("what it was to write may be missing or cut off; run it again")


def test_an_archive_that_was_not_looked_at_to_its_end_is_not_proven(
    end: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lines(*_: object) -> Iterator[str]:
        yield "shard 0: 9 records"
        raise end[0]

    monkeypatch.setattr(verify, "_archive", lines)
    assert main(["verify", str(tmp_path)]) == end[1]
    said = capsys.readouterr()
    so = "it was not looked at to its end, so nothing is proven"
    assert (said.out, said.err) == ("shard 0: 9 records\n", f"monitor: stopped by {end[2]}; {so}\n")


def test_feedback_says_what_is_in_the_store(
    end: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that to load it again is safe."""
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["id,label", *(f"id-{number},1" for number in range(5))]))

    class Intake:
        def __init__(self, *_: object) -> None:
            self.batches = 0

        async def append(self, batch: list[Any]) -> Any:
            self.batches += 1
            if self.batches > 1:
                raise end[0]
            return type("Done", (), {"accepted": len(batch), "rejected": []})

        async def close(self) -> None:
            pass

    monkeypatch.setattr(feedback, "Intake", Intake)
    monkeypatch.setattr(feedback, "BATCH", 3)
    code = main(["feedback", "load", str(path), "--redis", "redis://127.0.0.1:1/0"])
    assert code == end[1]
    assert capsys.readouterr().err == (
        f"monitor: stopped by {end[2]}; taken are 3 items, up to {path}:4. Load again: each item "
        "counts once\n"
    )
