"""Notification → Request: one file for each kind of receiver."""

from monitor.interfaces import Notifier
from monitor.notifiers import alertmanager, opsgenie, pagerduty, slack, teams

NOTIFIERS: tuple[Notifier, ...] = (
    alertmanager.NOTIFIER,
    slack.NOTIFIER,
    teams.NOTIFIER,
    pagerduty.NOTIFIER,
    opsgenie.NOTIFIER,
)
