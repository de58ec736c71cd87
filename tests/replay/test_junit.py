"""JUnit's XML: what failed, what was skipped and why, readable by any reader of XML."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import main
from monitor.findings import ExperimentEffect, Finding, Quality
from monitor.replay import junit
from monitor.replay.document import Replay, SchemaChange


def finding(
    feature: str, status: Any, words: str = "", reason: str = "", value: str = "all"
) -> Finding:
    return Finding(
        feature, "all" if value == "all" else "region", value, 900, 900, {"psi": 0.3}, 12.0, status,
        words=words, reason=reason,
    )  # fmt: skip


def test_each_finding_is_a_case() -> None:
    """Drift, alarms, bad arms and changed columns fail; what was not judged is skipped."""
    found = Replay(
        "drift", 900,
        [
            finding("age", "drift", "mean up 0.7 sd"), finding("age", "ok", value="north"),
            finding("id", "insufficient", reason="nearly all values differ"),
        ],
        quality=[
            Quality("all", "all", "accuracy", 0.7, 0.6, 0.8, 900, "alarm"),
            Quality("all", "all", "f1", 0.7, 0.6, 0.8, 9, "insufficient"),
        ],
        experiments=[ExperimentEffect("e", "b", "clicks", -0.1, -0.2, -0.05, "worse", 900)],
        schema=[SchemaChange("city", "gone")],
    )  # fmt: skip
    root = ET.fromstring(junit.page(found, "today.csv"))
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("skipped")) == (
        "testsuites", "7", "4", "2",
    )  # fmt: skip
    (suite,) = root
    assert suite.get("name") == "today.csv"
    told = {
        (case.get("classname"), case.get("name")): [(one.tag, one.get("message")) for one in case]
        for case in suite
    }
    assert told == {
        ("drift.all", "age"): [("failure", "mean up 0.7 sd")],
        ("drift.region = north", "age"): [],
        ("drift.all", "id"): [("skipped", "nearly all values differ")],
        ("quality.all", "accuracy"): [("failure", "alarm: accuracy of all")],
        ("quality.all", "f1"): [("skipped", "too few labels")],
        ("experiment.b", "e clicks"): [("failure", "clicks of b is worse")],
        ("schema.all", "city"): [("failure", "column 'city' is gone")],
    }


@given(st.text(), st.text())
def test_whatever_things_are_called(name: str, title: str) -> None:
    """Markup, quotes, and characters that XML cannot hold."""
    root = ET.fromstring(
        junit.page(Replay("ok", 1, [finding(name, "drift", name)]), title).encode(errors="replace")
    )
    assert root.get("failures") == "1"


def test_the_option_writes_it(capsys: Any, tmp_path: Path) -> None:
    """Beside what else is asked for, also where the exit code is 1."""
    rng = random.Random(1)
    for name, mean in (("a", 0), ("b", 3)):
        lines = ["x", *(f"{rng.gauss(mean, 1):.3f}" for _ in range(500))]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    out = tmp_path / "junit.xml"
    arguments = [str(tmp_path / "b.csv"), "--reference", str(tmp_path / "a.csv")]
    assert main(["replay", *arguments, "--junit", str(out), "--fail-on", "drift"]) == 1
    (failure,) = ET.parse(out).iter("failure")
    assert "mean up" in str(failure.get("message"))
