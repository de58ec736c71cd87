"""Nothing is `ok` over what was not looked at, whichever bound it is that leaves something out."""

from __future__ import annotations

import dataclasses
import html
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.analysis.experiments import run as experiment_run
from monitor.analysis.slices import monitor as slices_monitor
from monitor.assembly.outcomes import rules_of
from monitor.cli import main
from monitor.commands import replay as command
from monitor.sources import jsonl
from tests.replay.test_odd_tables import csv_of, gauss

Fill = Callable[[pytest.MonkeyPatch, Path], list[str]]

COLUMNS: dict[str, Sequence[Any]] = {f"x{number}": gauss(number) for number in range(4)}
ROWS = len(gauss(0))
TOLD: dict[str, Sequence[Any]] = {
    "said": [number % 2 for number in range(ROWS)],
    "true": [number % 2 for number in range(ROWS)],
    "score": [0.5] * ROWS,
    "place": [("a", "b", "c")[number % 3] for number in range(ROWS)],
}


def watches(_: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More columns than are watched, in both sides."""
    return [*_sides(tmp, COLUMNS), *_watches(tmp, 3)]


def watches_of_the_reference(_: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More columns in the reference than are watched; those beyond are gone."""
    few: dict[str, Sequence[Any]] = {name: COLUMNS[name] for name in list(COLUMNS)[:3]}
    now, usual = (str(csv_of(tmp / f"{n}.csv", of)) for n, of in (("now", few), ("usual", COLUMNS)))
    return [now, "--reference", usual, *_watches(tmp, 3)]


def watches_of_learned(_: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More columns than are watched, of which the first rows are taken for usual."""
    (tmp / "learn.yaml").write_text("drift: {watches: 3}\nreference: {learn: 200}\n")
    return [str(csv_of(tmp / "now.csv", COLUMNS)), "--config", str(tmp / "learn.yaml")]


def watches_by_segment(_: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More pairs of feature and segment than are watched."""
    columns: dict[str, Sequence[Any]] = {"x": gauss(1), "place": TOLD["place"]}
    return [*_sides(tmp, columns), "--by", "place", *_watches(tmp, 3)]


def watches_of_shards(_: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More columns than are watched, of rows that Dask's workers count."""
    pytest.importorskip("dask")
    return [*watches(_, tmp), "--engine", "dask"]


def columns_of_json(monkeypatch: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More names in JSON than are read of it."""
    monkeypatch.setattr(jsonl, "COLUMNS", 3)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    for name in ("now", "usual"):
        (tmp / f"{name}.jsonl").write_text(text)
    return [str(tmp / "now.jsonl"), "--reference", str(tmp / "usual.jsonl")]


def segments_of_outcomes(monkeypatch: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More segments than outcomes are counted of."""
    rules = rules_of

    def few(settings: Any) -> Any:
        return dataclasses.replace(rules(settings), segments=2)

    monkeypatch.setattr(command, "outcome_rules_of", few)
    return [*_told(tmp), "--by", "place"]


def conditions_of_slices(monkeypatch: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More conditions than slices are made of."""
    monkeypatch.setattr(slices_monitor, "NAMES", 2)
    return [*_told(tmp), "--by", "place", "--slices", "1"]


def arms(monkeypatch: pytest.MonkeyPatch, tmp: Path) -> list[str]:
    """More arms than an experiment compares."""
    monkeypatch.setattr(experiment_run, "ARMS", 2)
    return [*_told(tmp), "--experiment", "place=a"]


FILLS: Mapping[str, tuple[Fill, str, str]] = {
    "watches": (watches, "drift", "--ignore"),
    "watches of a reference": (watches_of_the_reference, "drift", "--config"),
    "watches of what is learned": (watches_of_learned, "drift", "--ignore"),
    "watches by segment": (watches_by_segment, "drift", "fewer --by"),
    "watches of shards": (watches_of_shards, "drift", "--ignore"),
    "columns of JSON": (columns_of_json, "now.jsonl", "out of the file"),
    "segments of outcomes": (segments_of_outcomes, "quality", "fewer columns: --by"),
    "conditions of slices": (conditions_of_slices, "slices", "--ignore"),
    "arms": (arms, "experiments", "`allocation`"),
}
"""How more is asked than has a place, by what that is left out, and what is said to help."""


@pytest.mark.parametrize("name", FILLS)
def test_nothing_is_ok_over_what_had_no_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict, the first sentence, the document, JUnit and the exit code all say so, and what
    helps."""
    fill, by, helps = FILLS[name]
    options = fill(monkeypatch, tmp_path)
    files = [str(tmp_path / one) for one in ("found.json", "junit.xml", "page.html")]
    written = ["--json", files[0], "--junit", files[1], "--html", files[2]]
    assert main(["replay", *options, *written, "--fail-on", "insufficient"]) == 1
    told = capsys.readouterr()
    found = json.loads(Path(files[0]).read_text())
    assert found["verdict"] == "insufficient"
    assert {one["status"] for one in found["features"]} <= {"ok", "insufficient"}
    assert [one for one in found["left_out"] if one["by"].endswith(by) and one["values"] > 0]
    assert "have a place" in told.err
    assert helps in told.err
    assert told.out.startswith("Not judged as a whole")
    assert helps in " ".join(told.out.split())
    failed = ET.fromstring(Path(files[1]).read_text()).findall(".//testcase/failure")
    assert any("have a place" in said and helps in said for said in map(_message, failed))
    page = html.unescape(Path(files[2]).read_text())
    assert "Not judged as a whole" in page
    assert helps in page


@pytest.mark.parametrize("name", sorted(FILLS.keys() - {"watches of what is learned"}))
def test_no_chunk_is_ok_over_what_had_no_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks say it each for itself."""
    fill, *_ = FILLS[name]
    path = tmp_path / "found.json"
    options = fill(monkeypatch, tmp_path)
    assert main(["replay", *options, "--chunks", "2", "--json", str(path)]) == 0
    chunks = json.loads(path.read_text())["chunks"]
    assert [one["verdict"] for one in chunks] == ["insufficient"] * 2
    assert all(one["left_out"] > 0 for one in chunks)


def test_only_insufficient_fails_on_what_could_not_be_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--fail-on drift` names drift and nothing else, which `--help` says."""
    options = watches(monkeypatch, tmp_path)
    for named, code in (("drift", 0), ("drift,insufficient", 1)):
        assert main(["replay", *options, "--fail-on", named]) == code
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["replay", "--help"])
    assert "say drift,insufficient to fail there" in " ".join(capsys.readouterr().out.split())


def test_what_just_has_a_place_is_ok(tmp_path: Path) -> None:
    """A bound that is reached and not passed leaves nothing out."""
    path = tmp_path / "found.json"
    options = [*_sides(tmp_path, COLUMNS), *_watches(tmp_path, len(COLUMNS))]
    assert main(["replay", *options, "--json", str(path), "--fail-on", "insufficient"]) == 0
    found = json.loads(path.read_text())
    assert (found["verdict"], found.get("left_out", [])) == ("ok", [])


def test_an_arm_of_mixed_values_is_not_beyond_the_arms_that_have_a_place(tmp_path: Path) -> None:
    """`other` is never compared, with how many arms there ever is room for."""
    path = tmp_path / "found.json"
    place = [("a", "b", "other")[number % 3] for number in range(ROWS)]
    columns: dict[str, Sequence[Any]] = {"x": gauss(1), **TOLD, "place": place}
    truth = ["--label", "true", "--prediction", "said", "--experiment", "place=a"]
    assert main(["replay", *_sides(tmp_path, columns), *truth, "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    assert (found["verdict"], found.get("left_out", [])) == ("ok", [])


def test_what_drifts_is_drift_whatever_is_left_out(tmp_path: Path) -> None:
    """Drift among what was looked at is told, beside what was not."""
    moved: dict[str, Sequence[Any]] = {
        name: [value + 1 for value in of] for name, of in COLUMNS.items()
    }
    now, usual = (str(csv_of(tmp_path / n, of)) for n, of in (("a.csv", moved), ("b.csv", COLUMNS)))
    path = tmp_path / "found.json"
    options = [now, "--reference", usual, *_watches(tmp_path, 3), "--json", str(path)]
    assert main(["replay", *options, "--fail-on", "drift"]) == 1
    found = json.loads(path.read_text())
    assert (found["verdict"], found["left_out"][0]["values"]) == ("drift", ROWS + 1)


def _message(failure: ET.Element) -> str:
    """What a failure says first."""
    return failure.get("message") or ""


def _sides(tmp: Path, columns: dict[str, Sequence[Any]]) -> list[str]:
    """The same rows on both sides."""
    now, usual = (str(csv_of(tmp / f"{name}.csv", columns)) for name in ("now", "usual"))
    return [now, "--reference", usual]


def _told(tmp: Path) -> list[str]:
    """Rows of which is told what became of them."""
    columns: dict[str, Sequence[Any]] = {"x": gauss(1), **TOLD}
    return [*_sides(tmp, columns), "--label", "true", "--prediction", "said", "--score", "score"]


def _watches(tmp: Path, most: int) -> list[str]:
    config = tmp / "monitor.yaml"
    config.write_text(f"drift: {{watches: {most}}}\n")
    return ["--config", str(config)]
