"""Experiments in tables: which columns tell of what."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main

DECLARED = """
experiments:
  - name: new-prompt
    dimension: variant
    control: a
    allocation: {a: 0.5, b: 0.5}
    minimum_effect: 0.03
    metrics:
      - {name: converted, event: converted}
      - {name: revenue, event: revenue, aggregate: mean, bounds: [0, 500]}
      - {name: slow, latency_above: 2.0, guardrail: true, margin: 0.05}
      - {name: errors, outcome: server_error, guardrail: true, margin: 0.05}
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """4,000 rows: the variant converts better, and is slow."""
    rng = random.Random(2)
    lines = ["variant,converted,revenue,duration,outcome,true,said"]
    for _ in range(4000):
        arm = rng.choice("ab")
        bought = rng.random() < (0.10 if arm == "a" else 0.20)
        slow = rng.random() < (0.05 if arm == "a" else 0.25)
        lines.append(
            f"{arm},{'yes' if bought else ''},{rng.uniform(1, 9) if bought else 0:.2f},"
            f"{3 if slow else 1},{'server_error' if rng.random() < 0.03 else 'ok'},"
            f"{int(rng.random() < 0.5)},{int(rng.random() < 0.5)}"
        )
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def replay(table: Path, *arguments: str, declared: str = "") -> tuple[int, dict[str, Any]]:
    config, out = table.parent / "monitor.yaml", table.parent / "found.json"
    config.write_text(declared or "{}")
    code = main(["replay", str(table), "--config", str(config), "--json", str(out), *arguments])
    return code, json.loads(out.read_bytes()) if out.exists() else {}


def test_a_declared_experiment_is_judged_by_its_columns(table: Path) -> None:
    """Empty, 0 and no event are the same; a guardrail that breaks is worse, and can fail a build."""
    code, found = replay(table, "--fail-on", "experiment", declared=DECLARED)
    verdicts = {one["metric"]: one["verdict"] for one in found["experiments"]}
    assert verdicts == {
        "converted": "better", "revenue": "better", "slow": "worse", "errors": "no_difference"
    }  # fmt: skip
    assert code == 1
    effects = {one["metric"]: one["effect"] for one in found["experiments"]}
    assert effects["converted"] == pytest.approx(0.1, abs=0.03)
    assert effects["slow"] == pytest.approx(0.2, abs=0.03)


def test_each_chunk_says_what_was_known_at_its_end(table: Path) -> None:
    """As a person who looks every day would have seen it."""
    _, found = replay(table, "--chunks", "4", declared=DECLARED)
    samples = [
        sum(one["samples"] for one in chunk["experiments"] if one["metric"] == "converted")
        for chunk in found["chunks"]
    ]
    assert samples == sorted(samples)
    assert found["chunks"][-1]["experiments"] == found["experiments"]


def test_a_dimension_alone_compares_what_the_columns_tell(table: Path) -> None:
    """The means of label and prediction; no allocation is known."""
    _, found = replay(table, "--experiment", "variant=a", "--label", "true", "--prediction", "said")
    assert [(one["name"], one["metric"]) for one in found["experiments"]] == [
        ("variant", "label"), ("variant", "prediction"),
    ]  # fmt: skip
    assert {one["verdict"] for one in found["experiments"]} == {"keep_going"}


KIDNEY_STONES = {  # Charig and others 1986: (treatment, size): (successes, all)
    ("open", "small"): (81, 87), ("open", "large"): (192, 263),
    ("puncture", "small"): (234, 270), ("puncture", "large"): (55, 80),
}  # fmt: skip


@pytest.mark.parametrize(("confounded", "told"), [(True, 1), (False, 0)])
def test_arms_that_are_unlike_are_said(tmp_path: Path, confounded: bool, told: int) -> None:
    """Of stones of either size fewer are cured by the puncture, of all more are: small ones come to
    it. Where sizes are divided by lot nothing is said."""
    rng, rows = random.Random(3), []
    for (arm, size), (cured, count) in KIDNEY_STONES.items():
        rows += [(arm, size, int(number < cured)) for number in range(count)]
    rng.shuffle(rows)
    path = tmp_path / "stones.csv"
    path.write_text("arm,size,cured\n" + "\n".join(
        f"{arm},{size if confounded else rng.choice(('small', 'large'))},{cured}"
        for arm, size, cured in rows
    ))  # fmt: skip
    _, found = replay(path, "--experiment", "arm=open", "--label", "cured", "--by", "size")
    said = [one for one in found["remarks"] if "differ in" in one]
    assert len(said) == told
    if told:
        assert said[0].startswith("experiment arm: puncture and open differ in size (")


def test_metrics_without_a_column_are_named(table: Path) -> None:
    """They are left out, and the others stay."""
    lines = table.read_text().splitlines()
    table.write_text("\n".join(",".join(line.split(",")[:2]) for line in lines) + "\n")
    _, found = replay(table, declared=DECLARED)
    assert [one["metric"] for one in found["experiments"]] == ["converted"]
    (remark,) = [one for one in found["remarks"] if "new-prompt" in one]
    assert remark == "experiment new-prompt: no table has revenue or duration or outcome"


def test_a_ramp_is_by_the_times_of_a_table(table: Path) -> None:
    """Without these it is not judged, and said."""
    rng, lines = random.Random(2), ["when,variant,converted"]
    for at in range(4000):
        is_late = at >= 2000
        arm = "b" if rng.random() < (0.5 if is_late else 0.1) else "a"
        lines.append(
            f"{1796083200 - 2000 + at},{arm},{int(rng.random() < (0.6 if is_late else 0.1))}"
        )
    table.write_text("\n".join(lines) + "\n")
    later = "{from: 2026-12-01T00:00:00Z, a: 0.5, b: 0.5}"
    declared = DECLARED.replace("{a: 0.5, b: 0.5}", "[{a: 0.9, b: 0.1}, " + later + "]")
    _, found = replay(table, "--timestamp", "when", declared=declared)
    (one,) = [one for one in found["experiments"] if one["metric"] == "converted"]
    assert one["verdict"] == "keep_going"
    assert abs(one["effect"]) < 0.03
    _, found = replay(table, declared=declared)
    assert not found.get("experiments")
    assert any("its shares change with time: name" in one for one in found["remarks"])


def test_users_of_a_table_are_followed_by_its_times(table: Path) -> None:
    """Each counts once, by what it did in its time. Without times they are not judged, and said."""
    lines = ["when,variant,user,converted"]
    lines += [f"{at},{'ab'[at % 2]},u{at % 500},{int(at >= 1500)}" for at in range(2000)]
    table.write_text("\n".join(lines) + "\n")
    followed = "control: a\n    unit: user\n    follow_up: 640"
    declared = "outcomes: {key: {user: request.user}}\n" + DECLARED
    declared = declared.replace("control: a", followed)
    _, found = replay(table, "--timestamp", "when", declared=declared)
    (one,) = [one for one in found["experiments"] if one["metric"] == "converted"]
    assert (one["samples"], one["effect"]) == (500, 0.0)
    _, found = replay(table, declared=declared)
    assert not found.get("experiments")
    assert any("its units are followed in time: name" in one for one in found["remarks"])


def test_arms_of_a_table_are_compared_by_its_times(table: Path) -> None:
    """Where they are paired by these; no column has to be called so."""
    lines = ["when,variant,converted"]
    lines += [f"{30 * at},{'ab'[at % 2]},{int(at % 6 < 2)}" for at in range(1000)]
    table.write_text("\n".join(lines) + "\n")
    declared = DECLARED.replace("control: a", "control: a\n    paired: minute")
    _, found = replay(table, "--timestamp", "when", declared=declared)
    (one,) = [one for one in found["experiments"] if one["metric"] == "converted"]
    assert (one["samples"], one["effect"]) == (500, 0.0)
    _, found = replay(table, declared=declared)
    assert any("its arms are compared by time: name" in one for one in found["remarks"])


def test_an_experiment_of_another_table_is_left_alone(table: Path) -> None:
    """Where its dimension is no column, nothing is said of it."""
    table.write_text("x\n" + "\n".join(str(place % 7) for place in range(3000)) + "\n")
    code, found = replay(table, declared=DECLARED)
    assert code == 0
    assert found.get("experiments", []) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--experiment", "variant"), "is not DIMENSION=CONTROL"),
        (("--experiment", "variant=a"), "no table has a --label or a --score or a --prediction"),
        (("--experiment", "arm=a", "--label", "true"), "no table has a column 'arm'"),
    ],
)
def test_what_cannot_be_compared_is_said(
    table: Path, arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 2."""
    try:
        code, _ = replay(table, *arguments)
    except SystemExit as ended:
        code = int(str(ended.code))
    assert code == 2
    assert sentence in capsys.readouterr().err


def test_a_table_is_judged_by_its_users(tmp_path: Path) -> None:
    """Their column may hold e-mail addresses: each stays its own user, and none is told."""
    rng = random.Random(5)
    lines = ["variant,who,clicks,views"]
    for user in range(800):
        arm = "ab"[user % 2]
        often = rng.random() * (0.5 if arm == "a" else 1.0)
        who = f"{arm},u{user}@example.com"
        lines += [f"{who},{int(rng.random() < often)},2" for _ in range(5)]
    table = tmp_path / "rows.csv"
    table.write_text("\n".join(lines) + "\n")
    declared = DECLARED.partition("    metrics")[0] + (
        "    unit: who\n    metrics: [{name: ratio, event: clicks, per: views}]\n"
        "outcomes: {key: {who: request.user}}\n"
    )
    _, found = replay(table, declared=declared)
    (one,) = found["experiments"]
    assert (one["verdict"], one["samples"], one.get("reason", "")) == ("better", 2000, "")
    assert one["effect"] == pytest.approx(0.125, abs=0.03)
    assert "example.com" not in json.dumps(found)


def test_rows_of_no_arm_are_counted(tmp_path: Path) -> None:
    """Nobody who reads of 300 rows believes that all 400 were compared."""
    path = tmp_path / "rows.csv"
    arms = ["a", "b", "", "a"] * 100
    path.write_text("\n".join(["arm,label", *(f"{arm},{n % 3 % 2}" for n, arm in enumerate(arms))]))
    _, found = replay(path, "--experiment", "arm=a", "--label", "label")
    assert found["experiments"][0]["samples"] == 100
    assert (
        "experiment arm: 100 of 400 rows are of no arm (arm is empty), and are not compared"
        in found["remarks"]
    )


def test_values_that_bounds_cut_are_counted(tmp_path: Path) -> None:
    """A refund that counts as nothing, and an order that counts as 500, make another quantity of it:
    here the sign of the effect turns."""
    path = tmp_path / "rows.csv"
    rows = [("a", -30), ("b", 0), ("a", 20), ("b", 10), ("", -5)] * 80 + [("a", 900)]
    path.write_text("\n".join(["arm,revenue", *(f"{arm},{paid}" for arm, paid in rows)]))
    declared = (
        "segments: {arm: {header: x-arm}}\nexperiments: [{name: e, dimension: arm, control: a, metrics: "
        "[{name: revenue, event: revenue, aggregate: mean, bounds: [0, 500]}]}]"
    )
    _, found = replay(path, declared=declared)
    (said,) = (one for one in found["remarks"] if "bounds" in one)
    assert said.startswith(
        "experiment e: 81 values of revenue are outside 0 to 500 (bounds) and count"
    )
