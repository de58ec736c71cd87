"""Chunks of an hour, a day, a week."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import main
from monitor.errors import SourceError
from monitor.findings import Finding
from monitor.replay import files
from monitor.replay.document import Chunk, Replay
from monitor.replay.periods import PERIODS, fitting
from monitor.replay.timeline import with_timeline
from monitor.types import Part, encode_record
from tests.replay.some_records import record

JANUARY = 1704067200  # 2024-01-01, a Monday
DAY = 86400


@given(st.floats(-1e10, 1e10), st.sampled_from(list(PERIODS.values())))
def test_a_time_lies_in_its_period(at: float, period: Any) -> None:
    """From its start until before the next, alone as in an array."""
    place = period.place(at)
    assert period.start(place) <= at < period.start(place + 1)
    assert period.places(np.array([at])).tolist() == [place]


def test_days_and_weeks_begin_where_people_think() -> None:
    """At midnight UTC; a week on Monday. A timeline takes the longest that there are six of."""
    week, day = PERIODS["week"], PERIODS["day"]
    assert week.start(week.place(JANUARY + 6.9 * DAY)) == JANUARY
    assert day.start(day.place(JANUARY + DAY - 1)) == JANUARY
    named = [fitting(0, span) for span in (3600, 6 * 3600, 6 * DAY, 60 * DAY)]
    assert [one and one.name for one in named] == [None, "hour", "day", "week"]
    with pytest.raises(SourceError, match="more than 10,000; give a longer period"):
        PERIODS["hour"].check(0, 1e9, (1, 2))


def log(path: Path, days: list[int], *, shuffled: bool = False, label: bool = False) -> str:
    """60 rows on each of the days since January 1st; from the sixth on x is larger."""
    chance = random.Random(path.name)
    rows = []
    for day in days:
        for n in range(60):
            score, x = chance.random(), chance.gauss(2.0 * (day >= 5), 1)
            truth = int(chance.random() < score)
            rows.append(f"{JANUARY + day * DAY + n * 600},{x:.3f},{score:.3f},{truth}")
    if shuffled:
        chance.shuffle(rows)
    path.write_text("\n".join(["at,x,score,truth", *rows]))
    return str(path)


def judge(capsys: Any, *arguments: str) -> dict[str, Any]:
    assert main(["replay", *arguments, "--timestamp", "at", "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_days_are_chunks_also_those_without_rows(capsys: Any, tmp_path: Path) -> None:
    """Whatever the order of the rows; the timeline says on which day it began."""
    usual = log(tmp_path / "usual.csv", [0] * 12)
    days = [0, 1, 2, 5, 6]
    options = ["--reference", usual, "--score", "score", "--label", "truth", "--timeline"]
    for shuffled in (False, True):
        now = log(tmp_path / "now.csv", days, shuffled=shuffled)
        found = judge(capsys, now, *options, "--chunks", "day")
        told = [(one["index"], one["records"], one["verdict"]) for one in found["chunks"]]
        quiet = (0, "insufficient")
        assert told == [
            (0, 60, told[0][2]), (1, 60, told[1][2]), (2, 60, told[2][2]),
            (3, *quiet), (4, *quiet), (5, 60, "drift"), (6, 60, "drift"),
        ]  # fmt: skip
        assert "drift" not in {verdict for _, _, verdict in told[:3]}
        third = found["chunks"][3]
        assert (third["start"], third["end"]) == (JANUARY + 3 * DAY, JANUARY + 4 * DAY)
        labels = [one["quality"][0]["labels"] for one in found["chunks"]]
        assert labels == [60, 120, 180, 180, 180, 240, 300]
        estimates = [one.get("performance") for one in found["chunks"]]
        assert [one and one["estimated"]["records"] for one in estimates] == [
            60, 60, 60, None, None, 60, 60,
        ]  # fmt: skip
        (x,) = (one for one in found["timeline"] if one["feature"] == "x")
        assert (x["onset"], x["since"], x.get("until")) == (5, JANUARY + 5 * DAY, None)
        assert x["samples"] == [60, 60, 60, 0, 0, 60, 60]
        assert x["scores"][3] is None
        assert (x["threshold"], x["status"][3], x["status"][6]) == (0.02, "insufficient", "drift")


def test_nothing_is_said_of_days_before_the_first(capsys: Any, tmp_path: Path) -> None:
    """Data that begin on a Wednesday have drifted since that day, not since the Monday before; so
    does the reference begin."""
    usual = log(tmp_path / "usual.csv", [-19, -12, *[-5] * 10])
    now = log(tmp_path / "now.csv", [9, 10, 15])
    found = judge(capsys, now, "--reference", usual, "--timeline", "--chunks", "week")
    spans = [[(one["start"] - JANUARY) / DAY for one in found[key]] for key in ("chunks", "usual")]
    assert spans == [[9, 14], [-19, -14, -7]]
    (x,) = (one for one in found["timeline"] if one["feature"] == "x")
    assert (x["onset"], x["since"]) == (0, JANUARY + 9 * DAY)


def test_a_chunk_of_few_rows_does_not_end_a_drift(capsys: Any, tmp_path: Path) -> None:
    """The last day has just begun: it says neither that x is back nor that it is not. A whole day
    on which it is back does."""
    usual = log(tmp_path / "usual.csv", [0] * 12)
    now = Path(log(tmp_path / "now.csv", [0, 1, 2, 5, 6]))
    chance = random.Random(1)
    for rows, until in ((9, None), (200, JANUARY + 7 * DAY)):
        later = tmp_path / "later.csv"
        more = [f"{JANUARY + 7 * DAY + n},{chance.gauss(0, 1):.3f},0.5,1" for n in range(rows)]
        later.write_text("\n".join([now.read_text(), *more]))
        found = judge(
            capsys, str(later), "--reference", usual, "--timeline", "--chunks", "day",
            "--ignore", "score", "--ignore", "truth",
        )  # fmt: skip
        (x,) = found["timeline"]
        assert (x["onset"], x.get("until")) == (5, until)


@pytest.mark.parametrize("status", ["ok", "insufficient"])
@pytest.mark.parametrize(
    ("evidence", "over"),
    [
        ([3.1, -0.4, 4.2, 1.9, -0.4, 5.0, 0.3, -0.4, 1.2, -0.3], False),  # small, and goes on
        ([22.0, 31.0, 25.0, 28.0, 19.0, -0.4], True),
        ([5.1, 3.0, 6.2, 3.9, 5.4, 6.0, *[-0.4] * 14], True),
        ([6.0, 5.0, -0.4], False),
    ],
)
def test_a_drift_is_over_where_chunks_have_less_evidence_than_it_would_give(
    evidence: list[float], over: bool, status: Literal["ok", "insufficient"]
) -> None:
    """A small drift shows in a small chunk now and then: some quiet ones do not say that it is over.
    Several say so also where each is too small to be judged alone."""
    chunks = [
        Chunk(
            n,
            float(n),
            n + 1.0,
            100,
            status,
            [Finding("x", "all", "all", 100, 900, {}, one, status)],
        )
        for n, one in enumerate(evidence)
    ]
    whole = Finding("x", "all", "all", 100 * len(chunks), 900, {"psi": 0.06}, 40.0, "drift")
    (found,) = with_timeline(Replay("drift", 100, [whole], chunks), 0.02).timeline or []
    assert found.onset == 0
    assert (found.until is not None) is over


def test_a_timeline_needs_no_chunks_and_dask_says_the_same(
    capsys: Any, tmp_path: Path, scheduler: str
) -> None:
    """Days are long enough here; without times there are equal parts, and the onset is a row. The
    reference is told beside, in its newest parts of that length, of which none lies far from all."""
    usual = log(tmp_path / "usual.csv", list(range(-14, 0)))
    now = log(tmp_path / "now.csv", list(range(9)))
    local = judge(capsys, now, "--reference", usual, "--timeline")
    assert [one["records"] for one in local["chunks"]] == [60] * 9
    assert [(one["start"], one["records"]) for one in local["usual"]] == [
        (JANUARY - day * DAY, 60) for day in range(12, 0, -1)
    ]
    (x,) = (one for one in local["timeline"] if one["feature"] == "x")
    assert len(x["usual_scores"]) == len(x["usual_log_evidence"]) == 12
    assert max(x["usual_scores"]) < 0.2
    assert min(x["scores"][5:]) > 1
    far = ["--engine", "dask", "--scheduler", scheduler]
    assert local == judge(capsys, now, "--reference", usual, "--timeline", *far)
    assert (
        main(["replay", now, "--reference", usual, "--ignore", "at", "--timeline", "--json", "-"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    (x,) = (one for one in found["timeline"] if one["feature"] == "x")
    assert len(found["chunks"]) == len(found["usual"]) == len(x["usual_scores"]) == 18
    assert 270 <= x["since"] <= 330


def test_no_chunk_is_well_of_what_was_not_judged(capsys: Any, tmp_path: Path) -> None:
    """Fewer rows than `reference.learn` are all taken for usual, so a chunk is compared with itself
    and the others; one that drifts from them still does."""
    for last, so in ((-1, "insufficient"), (8, "drift")):
        path = log(tmp_path / "t.csv", [-1] * 5 + [last] * 5)
        found = judge(capsys, path, "--chunks", "2")
        assert found["verdict"] == "insufficient"
        for chunk in found["chunks"]:
            statuses = {one["feature"]: one["status"] for one in chunk["features"]}
            assert (chunk["verdict"], statuses["x"]) == (so, so)


def test_what_periods_need_is_said(capsys: Any, tmp_path: Path) -> None:
    """One line, exit code 2."""
    now = log(tmp_path / "now.csv", [0])
    for arguments, said in (
        (["--chunks", "day"], "--chunks day: needs a --timestamp COLUMN for a table"),
        (["--chunks", "month"], "'month' is not a number from 1 to 10000, nor hour, day, week"),
        (["--alpha", "1.5"], "'1.5' is not a number between 0 and 1"),
        (["--tolerance", "x"], "'x' is not a number from 0 on"),
        (["--bins", "10,51"], "'51' is not a whole number from 3 to 50"),
        (["--bins", "4.5"], "'4.5' is not a whole number from 3 to 50"),
    ):
        try:
            code: Any = main(["replay", now, *arguments])
        except SystemExit as stopped:
            code = stopped.code
        assert code == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("referenced", [True, False])
def test_other_settings_judge_the_same_counts(
    capsys: Any, tmp_path: Path, referenced: bool
) -> None:
    """Of several values the first gives the verdict; each pair is as it would be alone."""
    usual, now = (
        log(tmp_path / "usual.csv", [0] * 12),
        log(tmp_path / "now.csv", [0] * 20 + [5] * 3),
    )
    options = ["--reference", usual] if referenced else []
    found = judge(capsys, now, *options, "--tolerance", "0.02,5", "--alpha", "0.05,1e-9")
    assert found["compared"]["tolerance"] == 0.02
    pairs = [(one["alpha"], one["tolerance"]) for one in found["what_if"]]
    assert pairs == [(0.05, 0.02), (0.05, 5.0), (1e-9, 0.02), (1e-9, 5.0)]
    assert found["what_if"][0]["verdict"] == found["verdict"] == "drift"
    assert found["what_if"][1]["verdict"] == "ok"
    for one in found["what_if"]:
        alone = judge(
            capsys,
            now,
            *options,
            "--tolerance",
            str(one["tolerance"]),
            "--alpha",
            str(one["alpha"]),
        )
        drifted = sum(each["status"] == "drift" for each in alone["features"])
        assert (alone["verdict"], drifted) == (one["verdict"], one["drifted"])


@pytest.mark.parametrize("how", ["local", "sorted", "learned", "records"])
def test_other_bins_are_counted_in_the_same_reading(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Each number of them says what it says alone, and nothing is read once more for it: not of a
    table, not where bins are learned. What is hidden in one wide bin shows in narrow ones."""
    if how == "records":
        usual, now = (
            archive(tmp_path / "usual.jsonl", 2000, 0), archive(tmp_path / "now.jsonl", 1500, 25)
        )  # fmt: skip
    else:
        usual, now = narrow(tmp_path / "usual.csv", 3000, how), narrow(tmp_path / "now.csv", 3000)
    read: list[str] = []
    for name in ("read_tables", "read_records"):
        monkeypatch.setattr(files, name, noted(getattr(files, name), read))
    options = [now] if how == "learned" else [now, "--reference", usual]

    def judged(bins: str) -> dict[str, Any]:
        read.clear()
        assert main(["replay", *options, "--json", "-", "--bins", bins]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    found = judged("4,50,10")
    once = len(read)
    assert found["compared"]["bins"] == 4
    assert [one["bins"] for one in found["what_if"]] == [4, 50, 10]
    for one in found["what_if"]:
        alone = judged(str(one["bins"]))
        assert len(read) == once
        assert sum(each["status"] == "drift" for each in alone["features"]) == one["drifted"]
        assert alone["verdict"] == one["verdict"]
        if one is found["what_if"][0]:
            assert alone["features"] == found["features"]
    if how != "learned":
        assert found["what_if"][1]["drifted"] > found["what_if"][0]["drifted"]


def narrow(path: Path, rows: int, how: str = "") -> str:
    """Numbers from 0 to 100; in `now` those of each 4 % lie close together. `y` is as it was."""
    chance = random.Random(path.name)
    xs = [chance.uniform(0, 100) for _ in range(rows)]
    if path.name == "now.csv":
        xs = [x - x % 4 + (x % 4) / 2 for x in xs]
    xs = sorted(xs) if how == "sorted" else xs
    path.write_text("\n".join(["x,y", *(f"{x:.4f},{chance.gauss(0, 1):.4f}" for x in xs)]))
    return str(path)


def archive(path: Path, count: int, close: int) -> str:
    """Records whose durations are of no matter, and whose prompts have 1 to 100 words, more of
    them an even number of tens where they are `close` together."""
    chance = random.Random(path.name)
    lines = []
    for number in range(count):
        words = chance.randrange(1, 100)
        words = words - words % close + (words % close) // 3 + 1 if close else words
        text = " ".join(["word"] * words)
        lines.append(encode_record(record(number, inputs=[Part(role="user", text=text)])))
    path.write_bytes(b"\n".join(lines))
    return str(path)


def noted(read: Any, calls: list[str]) -> Any:
    """The same function, which notes that it was called."""

    def wrapped(*arguments: Any, **others: Any) -> Any:
        calls.append(read.__name__)
        return read(*arguments, **others)

    return wrapped


def test_a_profile_has_its_bins(capsys: Any, tmp_path: Path) -> None:
    """As many as it was built with; other bins need its source, which is said."""
    usual, now = narrow(tmp_path / "usual.csv", 3000), narrow(tmp_path / "now.csv", 3000)
    drifted = []
    for bins in ("4", "50"):
        built = str(tmp_path / f"{bins}.json")
        assert main(["reference", "build", usual, "--bins", bins, "--out", built]) == 0
        assert main(["replay", now, "--reference", built, "--json", "-"]) == 0
        drifted.append(json.loads(capsys.readouterr().out)["verdict"])
    assert drifted == ["ok", "drift"]
    assert main(["replay", now, "--reference", built, "--bins", "4"]) == 2
    assert capsys.readouterr().err.startswith("monitor: --bins: the profile's bins are made; ")


def test_a_page_says_since_when_although_nobody_asks(capsys: Any, tmp_path: Path) -> None:
    """Where a table has times; the document has no chunks that were not asked for."""
    usual, now = log(tmp_path / "usual.csv", [0] * 12), log(tmp_path / "now.csv", list(range(9)))
    out = tmp_path / "page.html"
    found = judge(capsys, now, "--reference", usual, "--html", str(out))
    assert found.keys().isdisjoint({"chunks", "timeline"})
    assert ", since 2024-01-06" in out.read_text().partition("</h1>")[0]


@pytest.mark.parametrize("wrong", ["0001-01-01", "9999-12-31"])
def test_a_row_of_a_time_far_away_is_named(capsys: Any, tmp_path: Path, wrong: str) -> None:
    """Where it is why there are too many periods; `--from` and `--to` leave it out."""
    rows = [f"2026-03-{n % 9 + 1:02}T00:00:0{n % 10},{n % 7}" for n in range(120)]
    rows.insert(70, f"{wrong}T00:00:00,3")
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["at,x", *rows]))
    given = ["replay", str(path), "--timestamp", "at", "--chunks", "day"]
    assert main(given) == 2
    assert "(row 71)" in capsys.readouterr().err
    assert main([*given, "--from", "2026-03-01T00:00:00Z", "--to", "2026-04-01T00:00:00Z"]) == 0
