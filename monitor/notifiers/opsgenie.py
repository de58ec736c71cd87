"""Notification → Opsgenie's Alert API v2: one alert for each group, closed once all is over.

https://docs.opsgenie.com/docs/alert-api
"""

from __future__ import annotations

import hashlib
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from monitor.interfaces import Notifier
from monitor.notifications import Notification, Request, bounded, fitting

SHOWN = 20
"""Alerts that are named."""
MESSAGE, DESCRIPTION = 130, 15000
"""Characters that Opsgenie takes."""
_PRIORITIES = {"critical": "P1", "warning": "P3", "info": "P5"}


def _request(notification: Notification, url: str, secret: str) -> Request:
    # Hex, so that it can stand in a path.
    alias = hashlib.sha256(notification.key.encode()).hexdigest()
    headers = {"Authorization": f"GenieKey {secret}"}
    base = _base(url)
    if not notification.firing:
        end = base._replace(path=f"{base.path}/{alias}/close", query="identifierType=alias")
        return Request(urlunsplit(end), msgspec.json.encode({"source": "monitor"}), headers)
    summaries = dict.fromkeys(one.summary for one in notification.alerts)
    said = "\n".join([*summaries, *notification.lines(SHOWN)])
    document = {
        "message": fitting(bounded(notification.title, MESSAGE), MESSAGE),
        "alias": alias,
        "description": fitting(said, DESCRIPTION),
        "priority": _PRIORITIES[notification.severity],
        "source": "monitor",
        "entity": notification.group.get("endpoint", ""),
        "tags": ["monitor", notification.severity],
        "details": notification.group,
    }
    return Request(urlunsplit(base), msgspec.json.encode(document), headers)


def _base(url: str) -> SplitResult:
    parts = urlsplit(url)
    path = parts.path.rstrip("/") or "/v2/alerts"
    return parts._replace(path=path, query="", fragment="")


NOTIFIER = Notifier(
    "opsgenie", _request, address="https://api.opsgenie.com/v2/alerts", is_keyed=True
)
