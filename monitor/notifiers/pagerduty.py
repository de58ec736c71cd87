"""Notification → an event of PagerDuty's Events API v2: one incident for each group.

https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

import hashlib

import msgspec

from monitor.interfaces import Notifier
from monitor.notifications import Notification, Request, bounded, fitting, moment

SHOWN = 20
"""Alerts that are named."""
SUMMARY, KEY = 1024, 255
"""Characters that PagerDuty takes."""


def _request(notification: Notification, url: str, secret: str) -> Request:
    worst = notification.alerts[0]
    event: dict[str, object] = {
        "routing_key": secret,
        "event_action": "trigger" if notification.firing else "resolve",
        "dedup_key": _key(notification.key),
    }
    if notification.firing:
        event["client"] = "monitor"
        event["payload"] = {
            "summary": fitting(bounded(f"{notification.title}: {worst.summary}", SUMMARY), SUMMARY),
            "source": notification.group.get("endpoint", "monitor"),
            "severity": notification.severity,
            "timestamp": moment(min(one.starts for one in notification.alerts)),
            "component": worst.labels.get("feature") or worst.labels.get("role") or "endpoint",
            "class": notification.group.get("alertname", ""),
            "custom_details": {
                "firing": notification.firing,
                "alerts": notification.lines(SHOWN),
            },
        }
        if "://" in worst.runbook:
            event["links"] = [{"href": worst.runbook, "text": "What to do"}]
    return Request(url, msgspec.json.encode(event))


def _key(group: str) -> str:
    """The group's key, or what stands for one that is too long."""
    return group if fitting(group, KEY) == group else hashlib.sha256(group.encode()).hexdigest()


NOTIFIER = Notifier(
    "pagerduty", _request, address="https://events.pagerduty.com/v2/enqueue", is_keyed=True
)
