"""Whatever is wrong with a receiver is one sentence that names the key; secrets are not repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.assembly.receivers import receivers_of
from monitor.cli import main
from monitor.errors import ConfigError
from monitor.notifications import Alert, Notification
from monitor.settings import load

SLACK = "https://hooks.slack.com/services/T0/B0/XXSECRETXX"


def receivers(tmp_path: Path, *given: dict[str, Any]) -> Any:
    path = tmp_path / "monitor.yaml"
    path.write_text(yaml.safe_dump({"notify": list(given)}))
    return receivers_of(load.load(str(path), environment={}))


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "hook.key"
    path.write_text("s3cret\n")
    return str(path)


def test_every_kind_has_its_address(tmp_path: Path, key: str) -> None:
    """PagerDuty's and Opsgenie's are known; a path is not shown."""
    found = receivers(
        tmp_path,
        {"name": "a", "url": "https://u:pw@hooks.example.com:8443/x?token=t"},
        {"name": "b", "url": SLACK, "kind": "slack"},
        {"name": "c", "kind": "pagerduty", "secret": key},
        {"name": "d", "kind": "opsgenie", "secret": key},
    )
    assert [one.place for one in found] == [
        "https://hooks.example.com:8443", "https://hooks.slack.com", "https://events.pagerduty.com",
        "https://api.opsgenie.com",
    ]  # fmt: skip


def test_a_secret_signs_or_is_the_key(tmp_path: Path, key: str) -> None:
    """And is read again each time, without its last newline."""
    alert = Alert("f", {"severity": "info"}, "s", "d", 0.0)
    told = Notification("r", {"alertname": "A"}, [alert], 1)
    hook, pager = receivers(
        tmp_path,
        {"name": "a", "url": "http://h/", "secret": key},
        {"name": "b", "kind": "pagerduty", "secret": key},
    )
    assert hook.request(told)[1] == "s3cret"
    Path(key).write_text("other \n")
    request, signs = pager.request(told)
    assert b'"routing_key":"other "' in request.body
    assert signs == ""


@pytest.mark.parametrize(("given", "words"), [
    ({"name": "a"}, "notify[0].url: is missing"),
    ({"name": "a", "url": "ftp://h/"}, "notify[0].url: 'ftp://h/' is not a URL"),
    ({"name": "a", "kind": "pagerduty"}, "notify[0].secret: kind pagerduty needs the file with its routing key"),
    ({"name": "a", "url": SLACK, "kind": "slack", "heartbeat": 60}, "notify[0].heartbeat: "),
    ({"name": "a", "url": "http://h/", "secret": "/no/such"}, "notify[0].secret: /no/such: No such file"),
    ({"name": "a", "url": "http://h/", "secret": "/dev/null"}, "notify[0].secret: /dev/null: is not a file"),
    ({"name": "a", "url": "http://h/", "runbook": "RUNBOOK.md"}, "notify[0].runbook: "),
    ({"name": "a", "url": "http://h/", "kind": "email"}, "notify[0].kind: 'email' is not one of alertmanager"),
    ({"name": "a", "url": "http://h/", "severities": []}, "notify[0].severities: "),
    ({"name": "a", "url": "http://h/", "severities": ["page"]}, "notify[0].severities[0]: 'page' is not one of"),
    ({"name": "a", "url": "http://h/", "repeat": 1}, "notify[0].repeat: 1 is not a number"),
    ({"name": "a b", "url": "http://h/"}, "notify[0].name: 'a b' is not a name"),
    ({"url": "http://h/"}, "notify[0]: its key `name` is missing"),
])  # fmt: skip
def test_what_is_wrong_is_one_sentence(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    """That names the place in the list."""
    with pytest.raises(ConfigError) as raised:
        receivers(tmp_path, given)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "XXSECRETXX" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"\xff\xfe", b"x" * 5000, b"a\x00b"])
def test_a_file_without_one_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    """Its content is not repeated."""
    path = tmp_path / "odd"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"notify\[0\]\.secret: "):
        receivers(tmp_path, {"name": "a", "url": "http://h/", "secret": str(path)})


def test_two_receivers_have_two_names(tmp_path: Path) -> None:
    """They are labels of the metric, and what was told is remembered by name."""
    one = {"name": "a", "url": "http://h/"}
    with pytest.raises(ConfigError, match=r"notify\[1\]\.name: a is the name of another receiver"):
        receivers(tmp_path, one, one)


def test_check_says_who_is_told_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without what may be secret in a URL."""
    path = tmp_path / "monitor.yaml"
    path.write_text(yaml.safe_dump({"notify": [{"name": "team", "url": SLACK, "kind": "slack"}]}))
    arguments = ["--admin", "127.0.0.1:0", "--data", str(tmp_path / "data")]
    assert main(["check", "--config", str(path), *arguments]) == 0
    said = capsys.readouterr().out
    assert "notify      team: slack at https://hooks.slack.com, unsigned" in said
    assert "of critical, warning; again every 14,400 s while it goes on" in said
    assert "XXSECRETXX" not in said
