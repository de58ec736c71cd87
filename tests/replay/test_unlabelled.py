"""A label that has not come is no value of its column; other labels are watched as before."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from tests.replay.test_odd_tables import csv_of

Columns = dict[str, Sequence[Any]]


def rows(seed: int, known: float, positive: float = 0.5, count: int = 2000) -> Columns:
    """Rows of a model, of which a share `known` have a label."""
    rng = random.Random(seed)
    true = [int(rng.random() < positive) for _ in range(count)]
    return {
        "x": [round(rng.gauss(0, 1), 4) for _ in range(count)],
        "said": true,
        "true": [one if rng.random() < known else "" for one in true],
    }


def replayed(tmp_path: Path, now: Columns, usual: Columns | None, *options: str) -> dict[str, Any]:
    """The document on these rows."""
    path = tmp_path / "found.json"
    arguments = [str(csv_of(tmp_path / "now.csv", now)), *options, "--json", str(path)]
    if usual is not None:
        arguments += ["--reference", str(csv_of(tmp_path / "usual.csv", usual))]
    assert main(["replay", *arguments, "--label", "true", "--prediction", "said"]) == 0
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def built(tmp_path: Path, usual: Columns, *options: str) -> str:
    """The file of a profile of these rows."""
    profile = str(tmp_path / "profile.json")
    source = str(csv_of(tmp_path / "usual.csv", usual))
    assert main(["reference", "build", source, *options, "--out", profile]) == 0
    return profile


def of_label(found: dict[str, Any]) -> dict[str, Any]:
    """The finding of the label."""
    (label,) = [one for one in found["features"] if one["feature"] == "true"]
    return dict(label)


@pytest.mark.parametrize("engine", ["local", "dask"])
@pytest.mark.parametrize(("before", "now"), [(1.0, 0.3), (0.3, 1.0)])
def test_late_labels_are_no_drift(before: float, now: float, engine: str, tmp_path: Path) -> None:
    """On either side; a remark and what columns hold tell of them."""
    if engine == "dask":
        pytest.importorskip("dask")
    found = replayed(tmp_path, rows(1, now), rows(2, before), "--engine", engine)
    assert found["verdict"] == of_label(found)["status"] == "ok"
    (held,) = [one for one in found["data_quality"] if one["feature"] == "true"]
    assert any(held[side].get("missing", 0) > 1000 for side in ("before", "now"))
    assert any("have no label" in one for one in found.get("remarks", [])) is (now < 1)


@pytest.mark.parametrize("engine", ["local", "dask"])
@pytest.mark.parametrize(("before", "now"), [(1.0, 0.3), (0.3, 1.0)])
def test_late_labels_beside_a_profile_are_no_drift(
    before: float, now: float, engine: str, tmp_path: Path
) -> None:
    """A profile that was told which column is the label does not count what is missing there."""
    if engine == "dask":
        pytest.importorskip("dask")
    profile = built(tmp_path, rows(2, before), "--label", "true")
    options = ["--reference", profile, "--engine", engine, "--chunks", "2"]
    found = replayed(tmp_path, rows(1, now), None, *options)
    assert found["verdict"] == of_label(found)["status"] == "ok"
    assert [chunk["verdict"] for chunk in found["chunks"]] == ["ok"] * 2
    (held,) = [one for one in found["data_quality"] if one["feature"] == "true"]
    assert any(held[side].get("missing", 0) > 1000 for side in ("before", "now"))
    moved = replayed(tmp_path, rows(1, now, positive=0.8), None, *options)
    assert of_label(moved)["status"] == "drift"


def test_a_label_that_a_profile_knows_is_no_new_column(tmp_path: Path) -> None:
    """Also where the replay does not say which column it is, and labels are late."""
    profile = built(tmp_path, rows(2, 1.0), "--label", "true")
    now, path = str(csv_of(tmp_path / "now.csv", rows(1, 0.3))), tmp_path / "found.json"
    told = ["--json", str(path), "--fail-on", "schema,drift"]
    assert main(["replay", now, "--reference", profile, *told]) == 0
    found = json.loads(path.read_text())
    assert (found.get("schema", []), of_label(found)["status"]) == ([], "ok")


def test_a_profile_that_knows_no_label_counts_what_is_missing(tmp_path: Path) -> None:
    """As it is on its side, so it is on the other; that is of profiles made before, too."""
    profile = built(tmp_path, rows(2, 0.3))
    for known, status in ((0.3, "ok"), (1.0, "drift")):
        found = replayed(tmp_path, rows(1, known), None, "--reference", profile)
        assert of_label(found)["status"] == status


def test_no_labels_at_all_are_not_judged(tmp_path: Path) -> None:
    """What has not come is neither well nor drift."""
    found = replayed(tmp_path, rows(1, 0.0), rows(2, 1.0))
    assert (found["verdict"], of_label(found)["status"]) == ("ok", "insufficient")


def test_labels_that_came_are_watched(tmp_path: Path) -> None:
    """Other labels than before are drift, however many are late."""
    found = replayed(tmp_path, rows(1, 0.3, positive=0.8), rows(2, 1.0))
    assert of_label(found)["status"] == "drift"


def test_late_labels_of_chunks_are_no_drift(tmp_path: Path) -> None:
    """Without a reference, too."""
    one, other = rows(1, 1.0), rows(2, 0.3)
    both = {name: [*one[name], *other[name]] for name in one}
    found = replayed(tmp_path, both, None, "--chunks", "4")
    assert [chunk["verdict"] for chunk in found["chunks"]] == ["ok"] * 4
