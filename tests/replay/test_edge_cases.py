"""Replay by edge case."""

from __future__ import annotations

from pathlib import Path

import msgspec

from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.assembly.analysis import rules_of
from monitor.cli import main
from monitor.features import FEATURES
from monitor.settings.load import load
from monitor.types import encode_record
from tests.commands.test_replay import document, record


def test_edge_cases_are_judged_as_they_would_be_live(capsys, tmp_path: Path) -> None:
    """`--by edge_case` judges each, in records that are of several and in chunks; they are no groups
    to be compared with each other."""
    records = [
        msgspec.structs.replace(
            record(number, shifted=number > 1800),
            edge_cases=["long_input", "refusal"] if number % 2 else ["refusal"] * (number % 4 == 2),
        )
        for number in range(3600)
    ]
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n".join(map(encode_record, records)))
    found = document(capsys, str(path), "--by", "edge_case", "--chunks", "2")
    live = analysis_of(FEATURES, rules_of(load()), Baseline(learn=1000), dimensions=("edge_case",))
    for one in records:
        live.add(one)
    told = {(f.feature, f.dimension, f.value): f for f in live.findings()}
    assert {value for _, dimension, value in told if dimension == "edge_case"} == {
        "long_input",
        "refusal",
    }
    for one in found["features"]:
        twin = told[one["feature"], one["dimension"], one["value"]]
        assert (one["log_evidence"], one["status"]) == (twin.log_evidence, twin.status)
    assert told["input_text_length", "edge_case", "long_input"].status == "drift"
    assert "edge_case" in {one["dimension"] for one in found["chunks"][1]["features"]}
    assert main(["replay", str(path), "--reference", "edge_case=refusal"]) == 2
    assert "--by edge_case judges each" in capsys.readouterr().err
