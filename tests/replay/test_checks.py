"""Replay of Records with verdicts of checks."""

from __future__ import annotations

from pathlib import Path

import msgspec

from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.assembly.analysis import rules_of
from monitor.features import FEATURES
from monitor.settings.load import load
from monitor.types import Record, Verdict, encode_record
from tests.commands.test_replay import document, record


def judged(number: int) -> Record:
    """Citations get worse after half of the Records; a third of the answers has none."""
    wrong = number % 4 if number > 1800 else number % 8 == 1
    checks = {"refusal": Verdict(number % 50 != 0, int(number % 50 == 0), 1)}
    if number % 3:
        checks["citation"] = Verdict(not wrong, int(wrong), 4)
    return msgspec.structs.replace(record(number, shifted=False), checks=checks)


def test_verdicts_are_judged_as_they_would_be_live(capsys, tmp_path: Path) -> None:
    """A check that fails more often has drifted, and so has the share that is wrong; another one has
    not, and what was skipped is no value."""
    records = [judged(number) for number in range(3600)]
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n".join(map(encode_record, records)))
    found = document(capsys, str(path), "--chunks", "2")
    live = analysis_of(FEATURES, rules_of(load()), Baseline(learn=1000))
    for one in records:
        live.add(one)
    told = {(f.feature, f.dimension, f.value): f for f in live.findings()}
    statuses = {}
    for one in found["features"]:
        twin = told[one["feature"], one["dimension"], one["value"]]
        assert (one["log_evidence"], one["status"]) == (twin.log_evidence, twin.status)
        if one["feature"].startswith("check.") and one["dimension"] == "all":
            statuses[one["feature"]] = one["status"]
    assert statuses == {
        "check.refusal": "ok", "check.citation": "drift", "check.citation.share": "drift",
    }  # fmt: skip
