"""What somebody outside is told: alerts, gathered in a notification, and the request that tells it.

Names of segments, features and categories come from strangers. They are bounded texts here; each
notifier makes sure that its receiver shows them as text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, get_args

import msgspec

Severity = Literal["critical", "warning", "info"]
"""critical: look now. warning: look today. info: nothing to do."""
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first."""

MOST = 100
"""Alerts of one notification; more are counted."""
LONGEST = 500
"""Characters of a description."""

Status = Literal["firing", "resolved"]


class Alert(msgspec.Struct, frozen=True):
    """One thing that is not as it should be, or that is well again.

    `labels` say what and where; `severity` is one of them. `fingerprint` is made of the others, so
    that it stays while an alert gets worse. Times are Unix seconds; `ends` is None while it fires.
    """

    fingerprint: str
    labels: dict[str, str]
    summary: str
    description: str
    starts: float
    ends: float | None = None
    runbook: str = ""

    @property
    def status(self) -> Status:
        """resolved once it has ended."""
        return "firing" if self.ends is None else "resolved"

    @property
    def severity(self) -> str:
        """How bad it is, or was."""
        return self.labels.get("severity", "")


class Notification(msgspec.Struct, frozen=True):
    """Alerts of one group for one receiver: those that fire, the worst first, then what is over.

    `group` are the labels that all of them share, `left_out` is how many more there are, `firing`
    how many fire with those.
    """

    receiver: str
    group: dict[str, str]
    alerts: list[Alert]
    firing: int
    left_out: int = 0
    source: str = ""

    @property
    def key(self) -> str:
        """The group's name, equal for all that is ever said of it.

        >>> Notification("oncall", {"alertname": "MonitorDrift"}, [], 0).key
        '{}:{alertname="MonitorDrift"}'
        """
        pairs = ", ".join(f'{name}="{value}"' for name, value in sorted(self.group.items()))
        return "{}:{" + pairs + "}"

    @property
    def status(self) -> Status:
        """firing while any of its alerts is."""
        return "firing" if self.firing else "resolved"

    @property
    def severity(self) -> str:
        """The worst of those that fire, or of all once none does."""
        named = [one.severity for one in self.alerts if one.ends is None or not self.firing]
        return next((one for one in SEVERITIES if one in named), "info")

    @property
    def title(self) -> str:
        """One line: what, how many, where.

        >>> alert = Alert("f", {"severity": "critical"}, "Large drift.", "tokens drifted", 0.0)
        >>> Notification("r", {"alertname": "A", "endpoint": "bot"}, [alert], 1).title
        '[FIRING:1] A on bot'
        """
        count = f":{self.firing}" if self.firing else ""
        name, where = (self.group.get(label, "") for label in ("alertname", "endpoint"))
        return f"[{self.status.upper()}{count}] {name} on {where}"

    def lines(self, most: int) -> list[str]:
        """A line for each of at most so many alerts, and one that counts the others."""
        shown = [
            ("" if one.ends is None else "over: ") + one.description for one in self.alerts[:most]
        ]
        more = len(self.alerts) - len(shown) + self.left_out
        return shown + ([f"and {more:,} more"] if more else [])


class Request(msgspec.Struct, frozen=True):
    """A POST: where to, what, and header fields besides those that every request has."""

    url: str
    body: bytes
    headers: dict[str, str] = {}


def fingerprint(labels: Mapping[str, str]) -> str:
    """A name for what labels say, 16 hex digits, whatever the severity.

    >>> fingerprint({"alertname": "A", "severity": "info"}) == fingerprint({"alertname": "A"})
    True
    """
    named = sorted(item for item in labels.items() if item[0] != "severity")
    return hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:16]


def moment(seconds: float) -> str:
    """Unix seconds as RFC 3339.

    >>> moment(0.5), moment(1e20)
    ('1970-01-01T00:00:00.500Z', '9999-12-31T23:59:59.999Z')
    """
    try:
        at = datetime.fromtimestamp(max(seconds, 0.0), UTC)
    except (ValueError, OverflowError, OSError):
        at = datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bounded(text: str, longest: int = LONGEST) -> str:
    """The text on one line without control characters, cut at so many characters.

    >>> bounded("a\\r\\nb\\u202ec"), bounded("x" * 5, 3)
    ('a  b c', 'xx…')
    """
    line = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def fitting(text: str, longest: int) -> str:
    """The beginning of a text that has at most so many units of UTF-16, in which a receiver may
    count: some characters are two.

    >>> fitting("a😀b", 2), fitting("a😀b", 3)
    ('a', 'a😀')
    """
    return text.encode("utf-16-le", "replace")[: 2 * longest].decode("utf-16-le", "ignore")
