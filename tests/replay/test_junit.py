"""JUnit's XML: what failed, what was skipped and why, readable by any reader of XML."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import main
from monitor.findings import ExperimentEffect, Finding, Quality, Slice, SliceCondition
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
            Quality("all", "all", "recall", 0.7, 0.6, 0.8, 900),
        ],
        experiments=[ExperimentEffect("e", "b", "clicks", -0.1, -0.2, -0.05, "worse", 900)],
        schema=[SchemaChange("city", "gone")],
    )  # fmt: skip
    root = ET.fromstring(junit.page(found, "today.csv"))
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("skipped")) == (
        "testsuites", "8", "4", "3",
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
        ("quality.all", "accuracy"): [("failure", "alarm: accuracy of all: 0.700 of 900 labels")],
        ("quality.all", "f1"): [("skipped", "too few labels")],
        ("quality.all", "recall"): [("skipped", "is not watched")],
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


def test_what_moved_in_a_text_is_said_in_words(tmp_path: Path, capsys: Any) -> None:
    """No server of continuous integration is shown hashed cells."""
    chance = random.Random(5)
    for name, words in (("usual", "where is my parcel"), ("now", "refund money back")):
        texts = [" ".join(chance.choices(words.split() * 2, k=20)) for _ in range(400)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["note", *texts]))
    now, usual, out = (str(tmp_path / name) for name in ("now.csv", "usual.csv", "out.xml"))
    assert main(["replay", now, "--reference", usual, "--junit", out]) == 0
    told = {
        (case.get("classname"), case.get("name")): case[0].get("message", "")
        for case in ET.parse(out).iter("testcase")
        if len(case)
    }
    assert told["drift.all", "note"].startswith("note: texts with “back” 0 % → ")
    assert not [one for one in told.values() if "#" in one]


def test_a_slice_that_is_worse_fails() -> None:
    """It is named by its conditions; one that is not believed passes."""
    found = Replay(
        "ok", 900, [],
        slices=[
            Slice(
                [SliceCondition("shop", value)], "error", 300, 0.5, 0.1, 0.4, 0.3, 0.5, evidence,
                status, f"error is worse in {value}",
            )
            for value, status, evidence in (("b", "alarm", 20.0), ("c", "ok", 1.0))
        ],
    )  # fmt: skip
    cases = list(ET.fromstring(junit.page(found, "t.csv")).iter("testcase"))
    assert [one.get("classname") for one in cases] == ["slices.shop = b", "slices.shop = c"]
    assert [[each.get("message") for each in one] for one in cases] == [
        ["error is worse in b"], [],
    ]  # fmt: skip
