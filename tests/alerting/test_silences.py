"""Which alerts a silence holds for."""

from __future__ import annotations

import time

import pytest

from monitor.alerting.silences import Silence, matcher, read, silenced
from monitor.errors import UsageError

ALERT = {"alertname": "MonitorDrift", "value": "b", "severity": "warning"}


def silence(*matchers: str, starts: float = 0.0, ends: float = 100.0) -> Silence:
    return Silence("id", [matcher(one) for one in matchers], starts, ends, 0.0, "ann", "")


@pytest.mark.parametrize(("matchers", "holds"), [
    (["alertname=MonitorDrift"], True),
    (["alertname=MonitorDrift", "value=c"], False),
    (["alertname=MonitorDrift", "value!=c"], True),
    (["severity=~info|warning"], True),
    (["severity=~warn"], False),  # all of it must match
    (["severity!~warn.*"], False),
    (["feature="], True),  # what is not there is empty
    (["feature!="], False),
])  # fmt: skip
def test_all_matchers_must_match(matchers: list[str], holds: bool) -> None:
    """Values whole, as Alertmanager does it."""
    assert silenced([silence(*matchers)], 50.0)(ALERT) is holds


def test_a_silence_holds_from_its_start_to_its_end() -> None:
    """The end excluded."""
    one = silence("value=b", starts=10.0, ends=20.0)
    holds = [silenced([one], clock)(ALERT) for clock in (9.9, 10.0, 19.9, 20.0)]
    assert holds == [False, True, True, False]


def test_no_expression_takes_long() -> None:
    """RE2 looks at each character once."""
    one = silence("value=~(a*)*b")
    begun = time.monotonic()
    assert not silenced([one], 50.0)({"value": "a" * 200 + "c"})
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("text", ["", "alertname", "=x", "a!b", "!=x"])
def test_what_is_no_matcher_is_said(text: str) -> None:
    """With what would be right."""
    with pytest.raises(UsageError, match="NAME=VALUE"):
        matcher(text)


def test_a_silence_of_everything_is_refused() -> None:
    """As Alertmanager does: it is nearly always a mistake."""
    document = {
        "matchers": [{"name": "a", "value": "", "isRegex": False}], "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2100-01-01T00:00:00Z", "createdBy": "ann", "comment": "",
    }  # fmt: skip
    with pytest.raises(UsageError, match="empty"):
        read(document, new_id="x", clock=0.0)
