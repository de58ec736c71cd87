"""Columns before and now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main


@pytest.mark.parametrize("profiled", [False, True], ids=["source", "profile"])
def test_columns_are_told_before_and_now(capsys: Any, tmp_path: Path, profiled: bool) -> None:
    """Missing cells, ranges, categories that are new or gone; a profile tells them as its source."""
    usual, now = tmp_path / "usual.csv", tmp_path / "now.csv"
    usual.write_text("n,plan,old\n" + "1,free,1\n2,pro,1\n" * 50)
    now.write_text("n,plan,late\n" + "5,free,1\n,team,1\n" * 50 + "5,once,1\n")
    reference = usual
    if profiled:
        reference = tmp_path / "profile.json"
        assert main(["reference", "build", str(usual), "--out", str(reference)]) == 0
    assert main(["replay", str(now), "--reference", str(reference), "--json", "-"]) == 0
    told = {one["feature"]: one for one in json.loads(capsys.readouterr().out)["data_quality"]}
    assert told["n"]["before"] == {
        "values": 100, "kinds": {"number": 100}, "different": 2, "smallest": 1.0, "largest": 2.0,
    }  # fmt: skip
    assert (told["n"]["now"]["missing"], told["n"]["now"]["largest"]) == (50, 5.0)
    assert [(one["bin"], one["before"]) for one in told["plan"]["new"]] == [("team", 0.0)]
    assert [(one["bin"], one["after"]) for one in told["plan"]["lost"]] == [("pro", 0.0)]
    assert "once" not in json.dumps(told)
    assert told["old"]["now"]["missing"] == told["old"]["now"]["values"] == 101
    assert "before" not in told["late"]


def test_numbers_far_outside_the_range_are_said(capsys: Any, tmp_path: Path) -> None:
    """One of 200 that is a thousand times too large moves no bin for certain; nobody should read that
    all is as before, and no more. Dates are later anyway."""
    usual, now = tmp_path / "usual.csv", tmp_path / "now.csv"
    for path, last, day in ((usual, "9", 1), (now, "9000", 9)):
        rows = [f"{n % 10},{n % 7},2026-0{day}-1{n % 9}" for n in range(199)]
        path.write_text("\n".join(["n,m,at", *rows, f"{last},3,2026-0{day}-11"]))
    assert main(["replay", str(now), "--reference", str(usual), "--json", "-"]) == 0
    remarks = json.loads(capsys.readouterr().out)["remarks"]
    said = [one for one in remarks if "outside the range" in one]
    assert len(said) == 1
    assert "the reference: n (0 to 9,000, in the reference 0 to 9); how" in said[0]


@pytest.mark.parametrize("profiled", [False, True], ids=["source", "profile"])
def test_words_that_moved_are_told(capsys: Any, tmp_path: Path, profiled: bool) -> None:
    """As words, with their share of the texts; what is personal only by its kind, and what few texts
    have not at all."""
    usual, now = tmp_path / "usual.csv", tmp_path / "now.csv"
    common = "please refund my order today,1"
    usual.write_text("note,n\n" + f"{common}\n" * 200)
    new = "please refund my spinor of jane.roe@example.org today,1"
    rare = "please call zanzibar about it today,1"
    now.write_text("note,n\n" + f"{common}\n{new}\n" * 100 + f"{rare}\n" * 3)
    reference = usual
    if profiled:
        reference = tmp_path / "profile.json"
        build = ["reference", "build", str(usual), "--out", str(reference)]
        assert main([*build, "--types", str(types(tmp_path))]) == 0
        assert b"refund" not in reference.read_bytes()
    page = tmp_path / "page.html"
    options = ["--reference", str(reference), "--types", str(types(tmp_path))]
    assert main(["replay", str(now), *options, "--json", "-", "--html", str(page)]) == 0
    out = capsys.readouterr().out
    told = {one["feature"]: one for one in json.loads(out)["data_quality"]}
    words = {
        one["bin"]: (one["before"], one["after"]) for one in told["note.unknown_words"]["words"]
    }
    assert words["spinor"][0] == 0
    assert words["spinor"][1] == pytest.approx(100 / 203)
    assert words["order"][1] == pytest.approx(100 / 203)
    assert "zanzibar" not in out
    assert "roe@" not in out + page.read_text()
    assert "Share of the texts that have a word" in page.read_text()


def types(folder: Path) -> Path:
    """A file that says that notes are texts, although they recur."""
    (folder / "types.yaml").write_text("note: text\n")
    return folder / "types.yaml"
