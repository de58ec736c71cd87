"""Notification → a message of a Slack incoming webhook, in blocks.

https://docs.slack.dev/reference/block-kit/blocks. What strangers may have named stands in plain
text, where Slack knows no formatting, no links and no mentions; `&`, `<` and `>` are escaped as
Slack asks for everywhere.
"""

from __future__ import annotations

import msgspec

from monitor.interfaces import Notifier
from monitor.notifications import Notification, Request, bounded

SHOWN = 10
"""Alerts that are named."""
HEADER, SECTION = 150, 2900
"""Characters that Slack takes, about."""
_SIGNS = {"critical": "🔴", "warning": "🟠", "info": "🔵"}


def _request(notification: Notification, url: str, _secret: str) -> Request:
    is_over = notification.status == "resolved"
    sign = "🟢" if is_over else _SIGNS[notification.severity]
    title = _escaped(f"{sign} {notification.title}", HEADER)
    summaries = list(dict.fromkeys(one.summary for one in notification.alerts))
    said = [*summaries, *(f"• {line}" for line in notification.lines(SHOWN))]
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": _plain(title)},
        {"type": "section", "text": _plain(_escaped("\n".join(said), SECTION))},
    ]
    links = dict.fromkeys(one.runbook for one in notification.alerts if "://" in one.runbook)
    if links:
        link = f"<{_url(next(iter(links)))}|What to do>"
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": link}]})
    message = {
        "text": title, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False,
        "blocks": blocks,
    }  # fmt: skip
    return Request(url, msgspec.json.encode(message))


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str, longest: int) -> str:
    """What Slack shows as `text`, in at most so many units of UTF-16, in which Slack may count:
    some characters are two. Never half an escape.

    >>> _escaped("<!channel> & you", 100), _escaped("a<b", 4), _escaped("a😀", 2)
    ('&lt;!channel&gt; &amp; you', 'a', 'a')
    """
    kept, size = [], 0
    for one in "\n".join(bounded(line, longest) for line in text.split("\n")):
        said = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(one, one)
        size += len(said) + (one > "\uffff")
        if size > longest:
            break
        kept.append(said)
    return "".join(kept)


def _url(url: str) -> str:
    return url.translate({ord(one): f"%{ord(one):02X}" for one in "<>| \n\r"})


NOTIFIER = Notifier("slack", _request)
