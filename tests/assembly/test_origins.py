"""What `monitor check` says of a preset."""

from __future__ import annotations

from monitor.assembly import explanation, origins
from monitor.settings import load


def test_every_key_is_told_with_who_said_it_and_why() -> None:
    """And what the user says instead; without a preset nothing is told."""
    tree = {
        "preset": "legal",
        "circumstances": {"cost_tight": True, "latency_budget": 2.5},
        "calibration": {"tolerance": 0.2},
        "segments": {"clause": None},
    }
    told = list(origins.lines(tree))
    assert told[0] == "preset      legal: clauses, drafts and citations that a lawyer signs"
    assert "of which you set 2 otherwise" in told[1]
    text = "\n".join(line.strip() for line in told)
    assert "\nreview.control 0.00390625 (by legal, cost_tight): 1 of 256 at random" in text
    assert "\ncalibration.tolerance 0.2 (yours; 0.05 by legal): a score sorts" in text
    assert "\nsegments.clause {header: x-clause} (by legal; taken away by you): recall" in text
    assert "\nobjectives.latency {seconds: 2.5, share: 0.95} (by legal, latency_budget)" in text
    high = {"preset": "legal", "circumstances": {"high_consequence": True}}
    said = "\n".join(explanation.explain(load.checked(high)))
    assert "who lacks labels for 30 days is told (MonitorOutcomesMissing), once 1,600 rec" in said
    tight = {"preset": "legal", "circumstances": {"cost_tight": True}}
    said = "\n".join(explanation.explain(load.checked(tight)))
    assert (
        said.count("; of 0.25 of the exchanges") == 4
    )  # citation, quote, consistency, unsupported_number
    assert "\nanswer      cost_tight: People read 1 of 256 exchanges at random, unless" in text
    assert "\nalerts.severities.MonitorDrift warning (by legal): " in text
    assert list(origins.lines({"endpoint": "e"})) == []


def test_how_bad_alerts_are_is_told_with_how_prometheus_gets_to_know() -> None:
    """Without a word about them, nothing is."""
    said = {"MonitorDrift": "warning", "MonitorCostSurge": "none", "MonitorStoreDown": "warning"}
    settings = load.checked({"alerts": {"severities": said}, "dashboards": {"rows": ["Now"]}})
    lines = [
        one for one in explanation.explain(settings) if one[:10].strip() in ("alerts", "dashboards")
    ]
    assert lines == [
        "alerts      warning, whatever the rules say: MonitorDrift, MonitorStoreDown",
        "alerts      told to nobody, whatever the rules say: MonitorCostSurge",
        "dashboards  first the rows Now",
    ]
    usual = "\n".join(explanation.explain(load.checked({})))
    assert "monitor files" not in usual


def test_records_that_go_before_their_outcomes_count_are_told_of() -> None:
    """With the preset that waits for 30 days; not with one that waits for a week, or for ever."""
    said = {
        (name, answer): explanation.forgotten(
            load.checked({"preset": name, "circumstances": {"data_sensitive": answer}})
        )
        for name in ("finance", "support")
        for answer in (True, False)
    }
    assert said["finance", True].startswith(
        "records are deleted after 7 days, and outcomes count after 30 days: "
    )
    assert said["finance", True].endswith("unless `archive.url` keeps them")
    assert [key for key, words in said.items() if words] == [("finance", True)]
    told = explanation.explain(
        load.checked({"preset": "finance", "circumstances": {"data_sensitive": True}})
    )
    assert any(said["finance", True] in line for line in told)


def test_an_edge_case_that_is_off_is_not_read_either() -> None:
    """Though the preset's list of what people read still names it."""
    for given, is_read in (({}, True), ({"edge_cases": {"repeated_request": None}}, False)):
        told = explanation.explain(load.checked({"preset": "support", **given}))
        lines = [line for line in told if line.startswith("review")]
        assert any(line.endswith("edge case repeated_request") for line in lines) is is_read
        assert any(line.endswith("edge case refusal") for line in lines)
