"""Replay with `--slices`: tables and records, the document, the reports, the exit code."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.analysis.fold import Analysis
from monitor.analysis.join.join import Join
from monitor.analysis.join.predictions import PredictionReader
from monitor.analysis.monitors import at_once_of, outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.slices.losses import MEASURES
from monitor.analysis.slices.monitor import ranked
from monitor.assembly.outcomes import rules_of
from monitor.cli import main
from monitor.findings import Slice
from monitor.settings.schema import Outcomes, Settings, Slices
from monitor.types import Part, Record, Tokens, Verdict, encode_record
from tests.analysis.join.exchanges import BEGIN, record

COUNT = 5000
"""Rows of a table."""

SLOW = 4000
"""Records of which some are slow."""


def is_bad(rng: random.Random, country: str, kind: str) -> bool:
    return rng.random() < (0.45 if (country, kind) == ("de", "invoice") else 0.08)


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Letters, of which German invoices are read badly."""
    rng, path = random.Random(1), tmp_path / "letters.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["country", "kind", "amount", "true", "said", "p"])
        for _ in range(COUNT):
            country, kind = rng.choice(["de", "fr", "us"]), rng.choice(["invoice", "memo"])
            true = rng.choice([0, 1])
            said = 1 - true if is_bad(rng, country, kind) else true
            amount = round(rng.lognormvariate(4, 1), 2)
            writer.writerow([country, kind, amount, true, said, 0.92 if said else 0.08])
    return str(path)


TRUTH = ["--label", "true", "--prediction", "said", "--score", "p"]


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["replay", *arguments, "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def conditions(found: dict[str, Any]) -> dict[str, str]:
    return {one["dimension"]: one["value"] for one in found["conditions"]}


def test_the_worst_slice_of_a_table_is_named(capsys, table: str, tmp_path: Path) -> None:
    """Columns are conditions without being asked for; so many slices are told as were asked for. The
    screen shows them in a table, the page says a sentence for each alarm, and a run may fail on them."""
    page, out = tmp_path / "page.html", tmp_path / "o.json"
    options = ["--slices", "3", "--html", str(page), "--json", str(out), "--fail-on", "slices"]
    assert main(["replay", table, *TRUTH, *options]) == 1
    assert "country = de, kind = invoice" in capsys.readouterr().out
    assert "rows with country = de and kind = invoice" in page.read_text()
    found = json.loads(out.read_text())["slices"]
    assert 1 <= len(found) <= 3
    assert conditions(found[0]) == {"country": "de", "kind": "invoice"}
    assert {one["measure"] for one in found if one["status"] == "alarm"} <= {"error", "calibration"}
    assert found[0]["status"] == "alarm"
    assert "since" not in found[0]  # rows without times are one window
    assert all(1 <= int(one) <= COUNT for one in found[0]["examples"])


def test_without_the_option_there_are_none(capsys, table: str) -> None:
    """And the others have what they had of the error budget."""
    assert "slices" not in document(capsys, table, *TRUTH)


def test_what_needs_the_option_says_so(capsys, table: str) -> None:
    """And that a table needs labels for it."""
    assert main(["replay", table, *TRUTH, "--fail-on", "slices"]) == 2
    assert "--fail-on slices: needs --slices" in capsys.readouterr().err
    assert main(["replay", table, "--slices", "5"]) == 2
    assert "--slices: of a table needs a --label" in capsys.readouterr().err


def test_chunks_say_what_was_known_at_their_end(capsys, table: str) -> None:
    """The slice is found in one of them, and then in all that follow."""
    found = document(capsys, table, *TRUTH, "--slices", "3", "--chunks", "4")
    seen = [
        any(one["status"] == "alarm" and one["measure"] == "error" for one in chunk["slices"])
        for chunk in found["chunks"]
    ]
    assert seen == sorted(seen)
    assert seen[-1]
    assert found["chunks"][-1]["slices"] == found["slices"]


def exchanges(count: int) -> list[Record]:
    """Records of which those of site a with many tokens are slow."""
    rng, found = random.Random(2), []
    for number in range(count):
        site, long = rng.choice("ab"), rng.random() < 0.3
        bad = rng.random() < (0.8 if site == "a" and long else 0.04)
        one = record(f"r{number:05}", 10.0 * number, outputs=[Part(role="assistant", text="hello")])
        one = msgspec.structs.replace(
            one, segments={"site": site}, duration=20.0 if bad else rng.uniform(0.2, 1.0),
            tokens=Tokens(9000 if long else 50, 5),
            checks={"citation": Verdict(passed=rng.random() > 0.1, count=0, of=1)},
        )  # fmt: skip
        found.append(one)
    return found


def replayed(capsys: Any, tmp_path: Path, records: list[Record]) -> list[dict[str, Any]]:
    path, config = tmp_path / "r.jsonl", tmp_path / "monitor.yaml"
    path.write_bytes(b"\n".join(map(encode_record, records)))
    config.write_text(f"outcomes: {{wait: 3000}}\ndata: {tmp_path}\n")
    found: list[dict[str, Any]] = document(
        capsys, str(path), "--config", str(config), "--slices", "50"
    )["slices"]
    return found


def test_the_slices_of_records_are_those_that_were_found_live(capsys, tmp_path: Path) -> None:
    """Records as they came, folded when they were due, in an analyzer that is restarted now and
    then: the same document, bit for bit. Records need no labels to have slow slices: every segment
    is a condition, tokens are in bins, and examples are ids of records."""
    records = exchanges(SLOW)
    found = replayed(capsys, tmp_path, records)
    live = ranked(looked_at(records))
    assert found == msgspec.json.decode(msgspec.json.encode(live))
    alarms = [one for one in found if one["status"] == "alarm"]
    assert [one["measure"] for one in alarms] == ["latency"]
    assert conditions(alarms[0]) == {"site": "a", "input_tokens": "8,000 to 30,000"}
    assert alarms[0]["since"] > BEGIN
    assert all(one.startswith("r") for one in alarms[0]["examples"])


def looked_at(records: list[Record]) -> list[Slice]:
    settings = Settings(outcomes=Outcomes(wait=3000.0), slices=Slices(measures=list(MEASURES)))
    rules = rules_of(settings)
    join, folds = (
        Join(PredictionReader(), wait=3000.0, is_detailed=True),
        [outcomes_of(rules), begun(rules)],
    )
    kept: list[dict[str, bytes]] = [{}, {}]
    for number, one in enumerate(records):
        for row in [*join.advance(one.started + one.duration), *join.add(one)]:
            assert row.truth is not None
            folds[not row.truth.is_due].add_row(row)
        if number % 900 == 0:
            for saved, fold in zip(kept, folds, strict=True):
                saved.update(fold.saved())
            folds = [outcomes_of(rules), begun(rules)]
            for saved, fold in zip(kept, folds, strict=True):
                fold.restore(saved)
    for row in join.advance(float("inf")):
        folds[0].add_row(row)
    return [
        found for fold in folds for one in fold.monitors if one.name == "slices"
        for found in one.findings()
    ]  # fmt: skip


def begun(rules: OutcomeRules) -> Analysis[Any]:
    found = at_once_of(rules)
    assert found is not None
    return found


def test_slow_slices_wait_for_nobody() -> None:
    """What took how long is known when a record has ended: a slice by it is believed while outcomes
    are waited for."""
    rules = rules_of(Settings(slices=Slices(measures=list(MEASURES))))
    join, fold = Join(PredictionReader(), wait=604800.0, is_detailed=True), begun(rules)
    for one in exchanges(SLOW):  # less than a day
        (row,) = join.add(one)
        assert row.truth is not None
        assert not row.truth.is_due
        fold.add_row(row)
    found = [one for one in fold.monitors[0].findings() if one.status == "alarm"]
    assert [one.measure for one in found] == ["latency"]
    late = outcomes_of(rules).monitors[-1]
    assert late.name == "slices"
    assert late._wanted == {"error", "calibration"}
    assert late._alpha == fold.monitors[0]._alpha == rules.alpha / 4 / len(MEASURES)
