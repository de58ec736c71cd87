"""Notification → an adaptive card for a webhook of Microsoft Teams (Workflows).

https://adaptivecards.io/explorer/RichTextBlock.html: of all that shows text, a TextRun alone knows
no Markdown, so what strangers may have named stays text.
"""

from __future__ import annotations

import msgspec

from monitor.interfaces import Notifier
from monitor.notifications import Notification, Request

SHOWN = 10
"""Alerts that are named: a card may have 28 KB."""
_COLOURS = {"critical": "attention", "warning": "warning", "info": "accent"}


def _request(notification: Notification, url: str, _secret: str) -> Request:
    is_over = notification.status == "resolved"
    colour = "good" if is_over else _COLOURS[notification.severity]
    title = {"text": notification.title, "weight": "bolder", "size": "medium", "color": colour}
    summaries = dict.fromkeys(one.summary for one in notification.alerts)
    body = [_paragraph(title), *(_paragraph({"text": one}) for one in summaries)]
    body += [_paragraph({"text": f"• {line}"}) for line in notification.lines(SHOWN)]
    links = dict.fromkeys(one.runbook for one in notification.alerts if "://" in one.runbook)
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": "What to do", "url": one} for one in [*links][:1]
        ],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": kind, "contentUrl": None, "content": card}
    return Request(url, msgspec.json.encode({"type": "message", "attachments": [attachment]}))


def _paragraph(run: dict[str, str]) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run}]}


NOTIFIER = Notifier("teams", _request)
