"""MLflow's traces, and their traps."""

from __future__ import annotations

from pathlib import Path

from monitor.damage import Damage
from monitor.types import Outcome, Tokens
from tests.sources.logs import golden, recorded, rows, said, source


def test_the_golden_traces_are_read() -> None:
    """One exchange each: the agent's span repeats what the chat's used; attributes are JSON in JSON."""
    answer, failure, _ = recorded("mlflow_traces.jsonl")
    assert (answer.model, answer.requested_model, answer.outcome) == (
        "gpt-4o-2024-08-06",
        "gpt-4o",
        Outcome.OK,
    )
    assert (answer.tokens, answer.finish_reasons) == (
        Tokens(40, 20, cached=8, reasoning=4),
        ["stop"],
    )
    assert said(answer) == (["system", "user"], ["assistant"])
    assert 0 < answer.duration < 1
    assert (answer.segments["team"], answer.segments["trace_name"]) == ("a", "agent")
    assert (failure.outcome, said(failure)[1]) == (Outcome.SERVER_ERROR, ["error"])
    assert answer.trace_id == golden("mlflow_traces.jsonl")["info"]["trace_id"].removeprefix("tr-")


def test_older_traces_are_read(tmp_path: Path) -> None:
    """They say `request_id`, and name times and states otherwise."""
    trace = golden("mlflow_traces.jsonl")
    info, spans = trace["info"], trace["data"]["spans"]
    info = {
        "request_id": info["trace_id"],
        "experiment_id": "1",
        "timestamp_ms": 1,
        "request_metadata": info["trace_metadata"],
        "tags": info["tags"],
    }
    for span in spans:
        span["start_time"], span["end_time"] = (
            span.pop("start_time_unix_nano"),
            span.pop("end_time_unix_nano"),
        )
        span["status_code"] = span.pop("status")["code"]
    path = rows(tmp_path / "a.jsonl", {"info": info, "data": {"spans": spans}})
    assert source(path) == "mlflow_traces"
    (found,), expected = recorded(path), recorded("mlflow_traces.jsonl")[0]
    assert (found.inputs, found.outputs, found.tokens) == (
        expected.inputs,
        expected.outputs,
        expected.tokens,
    )
    assert abs(found.duration - expected.duration) < 1e-5


def test_a_trace_without_spans_is_told(tmp_path: Path) -> None:
    """Its previews are cut, so they are no exchange."""
    trace = golden("mlflow_traces.jsonl")
    damage = Damage()
    path = rows(tmp_path / "a.jsonl", trace, {"info": trace["info"], "data": None}, {"info": 3})
    assert len(recorded(path, damage=damage)) == 1
    assert [one.place for one in damage.listed()] == [f"{path}:2", f"{path}:3"]
