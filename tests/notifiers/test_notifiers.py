"""Every kind of receiver gets what its documentation asks for, and hostile names stay text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.interfaces import Notifier
from monitor.notifications import LONGEST, MOST, Alert, Notification
from monitor.notifiers import NOTIFIERS, alertmanager, opsgenie, pagerduty, slack, teams
from monitor.settings.schema import Receiver

ROOT = Path(__file__).parents[2]

NAMES = (
    "<script>alert(1)</script>", "<!everyone>", "<@U012AB3CD>", "*bold* _i_ ~s~ `c`", '"},{"a":"',
    "\r\nX-Evil: 1\r\n\r\n", "\x1b[31m", "\u202etxt", "[a](javascript:alert(1))", "{{ $labels }}",
    "a" * 200, "\x00", "@channel", "&lt;", "ünï|cödé=",
)  # fmt: skip
"""What somebody may call a segment, a feature or a category."""

URL = "https://hooks.example.com/x"
GROUP = {"alertname": "MonitorDrift", "endpoint": "bot"}


def alert(value: str = "b", severity: str = "critical", ends: float | None = None) -> Alert:
    labels = {**GROUP, "dimension": "population", "value": value, "severity": severity}
    return Alert(
        "f" * 16, labels, "Large drift.", f"tokens in population {value} drifted", 0.0, ends
    )


def notification(*alerts: Alert, left_out: int = 0) -> Notification:
    firing = sum(one.ends is None for one in alerts)
    return Notification("oncall", GROUP, list(alerts), firing, left_out)


def body(kind: Notifier, told: Notification, secret: str = "key") -> Any:
    return json.loads(kind.request(told, URL, secret).body)


@pytest.mark.parametrize("kind", NOTIFIERS, ids=lambda kind: kind.name)
def test_a_kind_can_be_set_and_is_explained(kind: Notifier) -> None:
    """What is listed here is at `kind` of `Receiver` in settings/schema.py, and in the page."""
    kinds = get_args(get_type_hints(Receiver)["kind"])
    assert kind.name in kinds, f"settings/schema.py: add {kind.name!r} to `kind` of Receiver"
    page = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
    assert f"`{kind.name}`" in page, f"docs/notifications.md: name `{kind.name}` at `kind`"
    assert f"\n**{kind.name}**: " in page, f"docs/notifications.md, Kinds: explain {kind.name}"


def test_alertmanager_is_the_webhook_of_version_4() -> None:
    """With its key, labels in common, and times as Go writes them."""
    told = body(alertmanager.NOTIFIER, notification(alert("b"), alert("c", ends=60.0), left_out=2))
    assert {
        "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels",
        "commonLabels", "commonAnnotations", "externalURL", "alerts",
    } == set(told)  # fmt: skip
    assert (told["version"], told["status"], told["truncatedAlerts"]) == ("4", "firing", 2)
    assert told["groupKey"] == '{}:{alertname="MonitorDrift", endpoint="bot"}'
    assert told["commonLabels"] == {**GROUP, "dimension": "population", "severity": "critical"}
    assert told["commonAnnotations"] == {"summary": "Large drift."}
    fires, over = told["alerts"]
    assert (fires["status"], fires["endsAt"]) == ("firing", "0001-01-01T00:00:00Z")
    assert (over["status"], over["endsAt"]) == ("resolved", "1970-01-01T00:01:00.000Z")
    assert fires["fingerprint"] == "f" * 16


def test_slack_shows_names_as_plain_text() -> None:
    """Neither mentions nor links nor formatting come out of a name."""
    hostile = "<!channel> *b* <https://evil.example|click> &"
    told = body(slack.NOTIFIER, notification(alert(hostile)))
    kinds = {one["text"]["type"] for one in told["blocks"] if "text" in one}
    assert kinds == {"plain_text"}
    assert told["mrkdwn"] is False
    (text,) = [one["text"]["text"] for one in told["blocks"] if one["type"] == "section"]
    assert "&lt;!channel&gt; *b* &lt;https://evil.example|click&gt; &amp;" in text
    assert "<" not in json.dumps(told)


def test_teams_gets_a_card_without_markdown() -> None:
    """Text stands in runs, which know none."""
    told = body(teams.NOTIFIER, notification(alert("[click](https://evil.example) **b**")))
    (attachment,) = told["attachments"]
    assert (told["type"], attachment["contentType"]) == (
        "message", "application/vnd.microsoft.card.adaptive",
    )  # fmt: skip
    card = attachment["content"]
    assert {one["type"] for one in card["body"]} == {"RichTextBlock"}
    runs = [run["text"] for one in card["body"] for run in one["inlines"]]
    assert "[click](https://evil.example) **b**" in runs[-1]


def test_pagerduty_opens_one_incident_and_closes_it() -> None:
    """By the same key, with the worst severity."""
    opened = body(pagerduty.NOTIFIER, notification(alert(), alert("c", "warning")), "routing")
    closed = body(pagerduty.NOTIFIER, notification(alert(ends=1.0)), "routing")
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]
    assert opened["routing_key"] == "routing"
    assert opened["payload"]["severity"] == "critical"
    assert len(opened["payload"]["summary"]) <= 1024
    long = Notification("r", {"alertname": "x" * 300}, [alert()], 1)
    assert len(body(pagerduty.NOTIFIER, long)["dedup_key"]) <= 255


def test_opsgenie_opens_one_alert_and_closes_it() -> None:
    """By its alias, in the region that the URL names; the key is in a header alone."""
    for url, base in (
        ("https://api.eu.opsgenie.com", "https://api.eu.opsgenie.com/v2/alerts"),
        ("https://api.opsgenie.com/v2/alerts", "https://api.opsgenie.com/v2/alerts"),
    ):
        opened = opsgenie.NOTIFIER.request(notification(alert()), url, "key")
        closed = opsgenie.NOTIFIER.request(notification(alert(ends=1.0)), url, "key")
        alias = json.loads(opened.body)["alias"]
        assert opened.url == base
        assert closed.url == f"{base}/{alias}/close?identifierType=alias"
        assert opened.headers == {"Authorization": "GenieKey key"}
        assert json.loads(opened.body)["priority"] == "P1"
        assert len(json.loads(opened.body)["message"]) <= 130


@pytest.mark.parametrize("kind", NOTIFIERS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_stays_one_text(kind: Notifier, name: str) -> None:
    """It changes neither where the request goes nor its header, and JSON stays JSON."""
    plain = kind.request(notification(alert("b")), URL, "key")
    hostile = kind.request(notification(alert(name)), URL, "key")
    assert (plain.url, plain.headers) == (hostile.url, hostile.headers)
    assert shape(json.loads(plain.body)) == shape(json.loads(hostile.body))


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("kind", NOTIFIERS, ids=lambda kind: kind.name)
def test_a_message_has_a_bound(kind: Notifier) -> None:
    """Of a hundred alerts with long names, as much as the receiver takes."""
    many = [alert("ü" * 200 + str(number)) for number in range(MOST)]
    size = len(kind.request(notification(*many, left_out=900), URL, "key").body)
    assert size < {"teams": 28_000, "alertmanager": 200_000}.get(kind.name, 20_000)


LIMITS = {
    "slack": [("blocks", 0, "text", "text", 150), ("blocks", 1, "text", "text", 3000)],
    "pagerduty": [("payload", "summary", 1024), ("dedup_key", 255)],
    "opsgenie": [("message", 130), ("description", 15000)],
}
"""Where in a message which number of characters is allowed."""


@pytest.mark.parametrize("letter", ["x", "😀", "&", '"', "\\"])
@pytest.mark.parametrize("kind", NOTIFIERS, ids=lambda kind: kind.name)
def test_each_text_fits_its_receiver(kind: Notifier, letter: str) -> None:
    """Ten thousand segments whose names are long: a receiver refuses a message that is too long as
    a whole, and one that counts in UTF-16 counts some characters twice."""
    one = alert(letter * 200)
    one = msgspec.structs.replace(one, description=letter * LONGEST)
    group = {"alertname": "MonitorDrift", "endpoint": letter * 200}
    told = Notification("oncall", group, [one] * MOST, 10_000, 10_000 - MOST)
    sent = kind.request(told, URL, "key").body
    assert len(sent) < 512_000
    for *path, last, most in LIMITS.get(kind.name, ()):
        place: Any = json.loads(sent)
        for step in path:
            place = place[step]
        assert 0 < len(place[last].encode("utf-16-le")) // 2 <= most


@pytest.mark.parametrize("kind", NOTIFIERS, ids=lambda kind: kind.name)
@given(st.text(), st.text(), st.sampled_from(("critical", "warning", "info")), st.booleans())
def test_any_texts_make_a_request(
    kind: Notifier, value: str, words: str, severity: str, is_over: bool
) -> None:
    """Total, and valid UTF-8 JSON whatever the texts hold, surrogates left out."""
    one = msgspec.structs.replace(
        alert(value.encode("utf-8", "replace").decode(), severity, 9.0 if is_over else None),
        description=words.encode("utf-8", "replace").decode(),
    )
    request = kind.request(notification(one), URL, "key")
    assert json.loads(request.body)
    assert all(re.fullmatch(r"[ -~]*", field) for field in request.headers.values())
