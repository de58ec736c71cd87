"""What a reader of the verdict should know stands wherever the verdict stands."""

from __future__ import annotations

import html
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from monitor.cli import main
from monitor.replay import evidently_report
from tests.replay.test_odd_tables import csv_of, gauss

pytestmark = pytest.mark.usefixtures("quickest")


def test_what_is_said_beside_the_verdict_stands_in_every_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line on stderr is a remark of the document, of the page (before what changed) and of
    JUnit's output: who keeps one of them alone loses nothing."""
    monkeypatch.setattr(evidently_report, "load", lambda: None)
    monkeypatch.setattr(evidently_report, "write", lambda *_: ["--evidently: left out: <b>"])
    rows = len(gauss(1))
    usual = csv_of(tmp_path / "usual.csv", {"x": gauss(1), "gone": gauss(2), "y": gauss(5)})
    times = [f"2024-01-{1 + n * 28 // rows:02}" for n in range(rows)]
    copied = {"x": gauss(3), "new": gauss(4), "at": times, "y": [30.0 * y for y in gauss(6)]}
    now = csv_of(tmp_path / "now.csv", {name: [*of, *of] for name, of in copied.items()})
    names = ("found.json", "page.html", "junit.xml", "theirs.html")
    json_file, page, junit, theirs = (str(tmp_path / name) for name in names)
    files = ["--json", json_file, "--html", page, "--junit", junit, "--evidently", theirs]
    assert main(["replay", str(now), "--reference", str(usual), *files]) == 0
    told = [line.removeprefix("monitor: ") for line in capsys.readouterr().err.splitlines()]
    remarks = json.loads(Path(json_file).read_text())["remarks"]
    assert (told, len(remarks) >= 5) == (remarks, True)
    text = Path(page).read_text(encoding="utf-8").partition("What changed")[0]
    assert all(html.escape(one, quote=False) in text.replace("&#39;", "'") for one in remarks)
    output = ET.fromstring(Path(junit).read_text(encoding="utf-8")).find("testsuite/system-out")
    assert (output.text or "").splitlines() == remarks
