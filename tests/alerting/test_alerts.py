"""What begins, gets worse and ends is said once each."""

from __future__ import annotations

import msgspec

from monitor.alerting import alerts as module
from monitor.alerting.alerts import Alerts, Followed, Transition
from monitor.alerting.conditions import Condition
from monitor.alerting.table import ALERTS
from monitor.notifications import Severity

JUDGED = frozenset(one.name for one in ALERTS)


def drift(
    severity: Severity = "critical", value: str = "b", since: float | None = 5.0
) -> Condition:
    labels = {"feature": "tokens", "dimension": "population", "value": value}
    return Condition("MonitorDrift", severity, labels, "tokens drifted", since)


def steps(found: list[Transition]) -> list[tuple[str, str]]:
    return [(one.before, one.after) for one in found]


def test_a_condition_is_told_when_it_begins_gets_worse_and_ends() -> None:
    """And while it lasts not at all."""
    alerts = Alerts({"endpoint": "bot"})

    def look(now: float, *found: Condition) -> list[Transition]:
        return list(alerts.follow(found, JUDGED, now=now, clock=now))

    (began,) = look(10.0, drift("warning"))
    assert (began.before, began.after, began.since) == ("ok", "warning", 5.0)
    assert look(20.0, drift("warning")) == []
    assert steps(look(30.0, drift("critical"))) == [("warning", "critical")]
    (over,) = look(40.0)
    told = over.alert("https://example.org/RUNBOOK.md")
    assert (told.starts, told.ends, told.severity) == (5.0, 40.0, "critical")
    assert told.runbook == "https://example.org/RUNBOOK.md#monitordrift"
    assert look(50.0) == []


def test_some_conditions_must_last_and_stay_a_while() -> None:
    """A store that is away for a moment wakes nobody; one that comes and goes is one alert."""
    alerts = Alerts({})
    away = Condition("MonitorStoreDown", "warning", {}, "0 of 1 recorders reach the store")
    found: dict[float, list[tuple[str, str]]] = {}
    for now, held in ((0, True), (20, True), (30, True), (40, False), (90, False), (100, False)):
        found[now] = steps(
            list(alerts.follow([away] * held, JUDGED, now=float(now), clock=float(now)))
        )
    assert {now: told for now, told in found.items() if told} == {
        30: [("ok", "warning")],
        90: [("warning", "ok")],
    }


def test_what_nobody_judged_has_not_become_well() -> None:
    """An analyzer that does not answer ends no drift."""
    alerts = Alerts({})
    list(alerts.follow([drift()], JUDGED, now=0.0, clock=0.0))
    assert list(alerts.follow([], JUDGED - {"MonitorDrift"}, now=9.0, clock=9.0)) == []
    assert steps(list(alerts.follow([], JUDGED, now=10.0, clock=10.0))) == [("critical", "ok")]


def test_a_successor_goes_on() -> None:
    """What fires begins no second time, and ends where it has ended."""
    alerts = Alerts({})
    found = [drift(value="b"), drift(value="c")]
    list(alerts.follow(found, JUDGED, now=10.0, clock=10.0))
    saved = msgspec.json.encode(alerts.state())
    after = Alerts({})
    after.restore(msgspec.json.decode(saved, type=list[Followed]), 0.0)
    assert [one.since for one in after.firing(12.0)] == [5.0, 5.0]
    told = list(after.follow(found[:1], JUDGED, now=20.0, clock=20.0))
    assert [(one.where["value"], one.after) for one in told] == [("c", "ok")]


def test_names_take_no_place_of_ours() -> None:
    """A label that somebody calls as ours is called does not move an alert elsewhere."""
    alerts = Alerts({"endpoint": "bot"})
    odd = Condition("MonitorDrift", "info", {"endpoint": "evil", "alertname": "evil"}, "w")
    (told,) = alerts.follow([odd], JUDGED, now=0.0, clock=0.0)
    assert (told.where["endpoint"], told.where["alertname"]) == ("bot", "MonitorDrift")


def test_what_is_followed_has_a_bound() -> None:
    """Whatever comes."""
    alerts = Alerts({})
    many = [drift(value=str(number)) for number in range(module.MOST + 10)]
    assert len(list(alerts.follow(many, JUDGED, now=0.0, clock=0.0))) == module.MOST
