"""What all receivers are told alike: names of groups, times, lines, bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.notifications import Alert, Notification, bounded, fingerprint, moment


def alert(severity: str, ends: float | None = None, words: str = "w") -> Alert:
    return Alert("f", {"severity": severity}, "s", words, 0.0, ends)


def test_the_worst_that_fires_is_the_severity_of_all() -> None:
    """What is over counts only once nothing fires."""
    mixed = Notification("r", {}, [alert("info"), alert("critical", 5.0)], firing=1)
    assert (mixed.status, mixed.severity) == ("firing", "info")
    over = Notification("r", {}, [alert("warning", 5.0), alert("info", 5.0)], firing=0)
    assert (over.status, over.severity) == ("resolved", "warning")


def test_lines_name_some_and_count_all() -> None:
    """What is not shown and what was left out are one number."""
    told = Notification("r", {}, [alert("info"), alert("info", 1.0)] * 3, firing=3, left_out=1000)
    assert told.lines(2) == ["w", "over: w", "and 1,004 more"]
    assert told.lines(100)[-1] == "and 1,000 more"


@given(st.text())
def test_a_bounded_text_is_one_printable_line(text: str) -> None:
    """Whatever it was."""
    line = bounded(text, 20)
    assert line.isprintable()
    assert len(line) <= 20


@given(st.floats(allow_nan=False))
def test_every_time_is_written(seconds: float) -> None:
    """Also those that no calendar has."""
    assert moment(seconds).endswith("Z")


def test_a_fingerprint_tells_labels_apart_and_not_severities() -> None:
    """So an alert that gets worse stays the same incident."""
    one = {"alertname": "A", "value": "b"}
    assert fingerprint(one) == fingerprint({**one, "severity": "critical"})
    assert fingerprint(one) != fingerprint({"alertname": "A", "valu": "eb"})
