"""Each of our own troubles is seen in the counts, and a healthy system shows none."""

from __future__ import annotations

import pytest

from monitor.alerting.conditions import Condition, Standing
from monitor.alerting.health import Health
from monitor.certificates import Validity
from monitor.types import Measurement

USUAL = {
    ("monitor_exchanges_total", "ok"): 100.0,
    ("monitor_records_appended_total", ""): 100.0,
    ("monitor_exchanges_lost_total", "buffer_full"): 0.0,
    ("monitor_store_up", ""): 1.0,
    ("monitor_redactions_total", "timeout"): 0.0,
    ("monitor_connections_refused_total", ""): 0.0,
    ("monitor_spool_bytes", ""): 0.0,
    ("monitor_buffer_bytes", ""): 10.0,
    ("monitor_key_conflict", ""): 0.0,
    ("monitor_archive_overdue_seconds", ""): 600.0,
    ("monitor_audit_anchor_overdue_seconds", "webhook"): 3600.0,
    ("monitor_part_failures_total", "check mine"): 0.0,
    ("monitor_objective_missed_total", "latency"): 0.0,
    ("monitor_exchange_duration_seconds_count", ""): 100.0,
}
_LABELS = {
    "monitor_exchanges_total": "outcome", "monitor_objective_missed_total": "objective",
    "monitor_audit_anchor_overdue_seconds": "kind",
}  # fmt: skip


def samples(counts: dict[tuple[str, str], float]) -> list[Measurement]:
    found = []
    for (name, label), value in counts.items():
        labels = {_LABELS.get(name, "reason"): label}
        if name == "monitor_part_failures_total":
            labels = dict(zip(("kind", "name"), label.split(), strict=True))
        found.append(Measurement(name, {"endpoint": "bot", **labels}, value))
    return found


def look(health: Health, now: float, restarts: int = 0, **changed: float) -> set[tuple[str, str]]:
    counts = dict(USUAL)
    for key, value in changed.items():
        name, _, label = key.partition("__")
        counts[f"monitor_{name}", label.replace("_of_", " ")] = value
    found = health.look(
        samples(counts), restarts={"recorder": restarts}, limits={"spool": 1000.0, "buffer": 1000.0},
        recorders=1, certificates={}, now=now, clock=now, objectives={"availability": 0.995, "latency": 0.95, "first_token": 0.95},
    )  # fmt: skip
    return {(one.alert, one.severity) for one in found}


@pytest.mark.parametrize(("changed", "told"), [
    ({"exchanges_lost_total__buffer_full": 3.0}, ("MonitorRecordsLost", "warning")),
    ({"exchanges_total__ok": 200.0, "exchanges_lost_total__opaque": 30.0}, ("MonitorRecordsLost", "critical")),
    ({"exchanges_total__upstream_refused": 5.0}, ("MonitorUpstreamDown", "critical")),
    ({"exchanges_total__server_error": 50.0, "exchanges_total__ok": 200.0}, ("MonitorErrorBudgetBurn", "critical")),
    ({"objective_missed_total__latency": 80.0, "exchange_duration_seconds_count__": 200.0}, ("MonitorLatencyBudgetBurn", "critical")),
    ({"store_up__": 0.0}, ("MonitorStoreDown", "warning")),
    ({"spool_bytes__": 900.0}, ("MonitorSpoolFilling", "critical")),
    ({"buffer_bytes__": 900.0}, ("MonitorBufferFilling", "warning")),
    ({"connections_refused_total__": 1.0}, ("MonitorConnectionsRefused", "critical")),
    ({"redactions_total__timeout": 1.0, "records_appended_total__": 300.0}, ("MonitorRedactions", "info")),
    ({"redactions_total__timeout": 9.0, "records_appended_total__": 300.0}, ("MonitorRedactions", "warning")),
    ({"key_conflict__": 1.0}, ("MonitorKeyConflict", "warning")),
    ({"archive_overdue_seconds__": 601.0}, ("MonitorArchiveBehind", "warning")),
    ({"audit_anchor_overdue_seconds__webhook": 3601.0}, ("MonitorArchiveUnanchored", "warning")),
    ({"part_failures_total__check_of_mine": 2.0}, ("MonitorPartFailing", "warning")),
    ({"restarts": 3}, ("MonitorRestarts", "warning")),
])  # fmt: skip
def test_a_trouble_is_seen(changed: dict[str, float], told: tuple[str, str]) -> None:
    """At the next look, and only that one."""
    health = Health()
    assert look(health, 0.0) == look(health, 10.0) == set()
    assert look(health, 20.0, **changed) == {told}  # type: ignore[arg-type]


def test_an_endpoint_that_fails_everybody_is_down_within_seconds() -> None:
    """Where there is traffic, although many were answered minutes ago; a few failures among little
    traffic say so after five minutes without an answer alone."""
    health, few = Health(), Health()
    answered = {"exchanges_total__ok": 100.0}
    for now in range(0, 65, 5):
        answered["exchanges_total__ok"] = 100.0 + 20 * now
        assert look(health, float(now), **answered) == look(few, float(now), **answered) == set()

    def down(health: Health, now: int, failed: float) -> bool:
        told = look(health, float(now), **answered, exchanges_total__server_error=failed)
        return ("MonitorUpstreamDown", "critical") in told

    times = range(65, 400, 5)
    assert [now for now in times if down(health, now, now - 60.0)] == [*times][3:]
    seldom = (65, 100, 200, 300, 350)
    seen = [now for now in times if down(few, now, float(sum(at <= now for at in seldom)))]
    assert seen == [now for now in times if now >= 360]
    answered["exchanges_total__ok"] += 1
    assert not down(health, 400, 400.0)


def test_few_exchanges_burn_no_budget() -> None:
    """Nor does what is within the objective, nor what was bad an hour ago and is well now."""
    health = Health()
    look(health, 0.0)
    few = {"exchanges_total__server_error": 9.0, "exchanges_total__ok": 109.0}
    assert look(health, 10.0, **few) == set()
    many = {"exchanges_total__server_error": 60.0, "exchanges_total__ok": 400.0}
    assert look(health, 20.0, **many) == {("MonitorErrorBudgetBurn", "critical")}
    assert look(health, 400.0, **many) == set()


def test_what_is_as_somebody_asked_is_no_trouble() -> None:
    """What a sample leaves out, and values of fields that are named for credentials."""
    health = Health()
    look(health, 0.0)
    asked = {"exchanges_lost_total__sampled": 90.0, "redactions_total__credential": 9.0}
    assert look(health, 10.0, **asked) == set()


def test_a_count_is_forgotten_after_its_window() -> None:
    """And what was counted before the first look is not held against anybody."""
    health = Health()
    lost = {"exchanges_lost_total__buffer_full": 7.0}
    assert look(health, 0.0, **lost) == set()
    lost = {"exchanges_lost_total__buffer_full": 9.0}
    times = [10.0 * step for step in range(1, 75)]
    seen = [now for now in times if look(health, now, **lost)]
    assert seen == [now for now in times if now < 610]


def test_a_count_that_begins_anew_is_not_lost() -> None:
    """What a new process counts, it counts from 0."""
    health = Health()
    look(health, 0.0, exchanges_lost_total__buffer_full=500.0)
    look(health, 10.0, exchanges_lost_total__buffer_full=500.0)
    told = look(health, 20.0, exchanges_lost_total__buffer_full=3.0)
    assert told == {("MonitorRecordsLost", "warning")}


def test_a_certificate_is_told_of_in_time_and_when_it_is_over() -> None:
    """A week before, or where it holds for hours when a fifth of them is left."""
    day = 86400.0
    held = {"tls.cert": Validity(0.0, 90 * day), "access.tls.cert": Validity(82 * day, 83 * day)}

    def told(clock: float) -> set[tuple[str, str]]:
        found = Health().look(
            [], restarts={}, limits={}, recorders=0, objectives={}, certificates=held, now=0.0,
            clock=clock,
        )  # fmt: skip
        assert {one.alert for one in found} <= {"MonitorCertificateExpiring"}
        return {(one.labels["certificate"], one.severity) for one in found}

    assert told(82.7 * day) == set()
    assert told(82.9 * day) == {("access.tls.cert", "warning")}
    assert told(83.1 * day) == {("access.tls.cert", "critical"), ("tls.cert", "warning")}
    assert told(90 * day) == {("access.tls.cert", "critical"), ("tls.cert", "critical")}


def test_histories_have_a_bound() -> None:
    """An hour, a point each few seconds, whatever is looked at: less than looks of 5,000 s make."""
    health = Health()
    for now in range(0, 5_000, 2):
        look(health, float(now))
    assert max(map(len, health._history.values())) <= 722


def analysis(health: Health, now: float, standing: Standing | None) -> list[Condition]:
    return list(health.analysis(standing, clock=1e9 + now, now=now, has_traffic=True))


def test_an_analyzer_that_is_silent_behind_or_passes_over_is_seen() -> None:
    """And one that has nothing to do is not behind."""
    health = Health()
    look(health, 0.0)
    (absent,) = analysis(health, 0.0, None)
    assert absent.alert == "MonitorAnalysisAbsent"
    old = Standing([], records=9, newest=1e9 - 400, missed=0, set_aside={"failed": 0})
    assert analysis(health, 0.0, old) == []
    look(health, 10.0, records_appended_total__=150.0)
    (late,) = analysis(health, 10.0, old)
    assert late.alert == "MonitorAnalysisLagging"
    new = Standing([], records=9, newest=1e9, missed=4, set_aside={"failed": 2})
    told = {one.alert for one in analysis(health, 20.0, new)}
    assert told == {"MonitorRecordsSetAside", "MonitorRecordsMissed"}
