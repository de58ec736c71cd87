"""Notification → the webhook of Alertmanager, version 4, which most receivers understand.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.interfaces import Notifier
from monitor.notifications import Alert, Notification, Request, moment

NEVER = "0001-01-01T00:00:00Z"
"""When an alert ends that fires."""


def _request(notification: Notification, url: str, _secret: str) -> Request:
    document = {
        "version": "4",
        "groupKey": notification.key,
        "truncatedAlerts": notification.left_out,
        "status": notification.status,
        "receiver": notification.receiver,
        "groupLabels": notification.group,
        "commonLabels": _common([one.labels for one in notification.alerts]),
        "commonAnnotations": _common([_annotations(one) for one in notification.alerts]),
        "externalURL": notification.source,
        "alerts": [_alert(one, notification.source) for one in notification.alerts],
    }
    return Request(url, msgspec.json.encode(document))


def _alert(alert: Alert, source: str) -> dict[str, object]:
    return {
        "status": alert.status,
        "labels": alert.labels,
        "annotations": _annotations(alert),
        "startsAt": moment(alert.starts),
        "endsAt": NEVER if alert.ends is None else moment(alert.ends),
        "generatorURL": source,
        "fingerprint": alert.fingerprint,
    }


def _annotations(alert: Alert) -> dict[str, str]:
    said = {"summary": alert.summary, "description": alert.description}
    return said | ({"runbook_url": alert.runbook} if alert.runbook else {})


def _common(each: Sequence[dict[str, str]]) -> dict[str, str]:
    """What all of them have."""
    first, *others = each or [{}]
    return {k: v for k, v in first.items() if all(one.get(k) == v for one in others)}


NOTIFIER = Notifier("alertmanager", _request)
