"""Settings: three sources, one order, errors that name the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import config
from monitor.errors import ConfigError


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "monitor.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_command_line_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    """Each source overrides the one below it, key by key."""
    file = write(tmp_path, "endpoint: file\nlisten: 127.0.0.1:1\nadmin: 127.0.0.1:1\n")
    environment = {"MONITOR_LISTEN": "127.0.0.1:2", "MONITOR_ADMIN": "127.0.0.1:2"}
    settings = config.load(file, environment, {"admin": "127.0.0.1:3", "redis": None})
    assert (settings.endpoint, settings.listen, settings.admin) == (
        "file", "127.0.0.1:2", "127.0.0.1:3",
    )  # fmt: skip


def test_a_variable_sets_a_nested_key() -> None:
    """Dots are underscores; numbers are numbers."""
    settings = config.load(None, {"MONITOR_CAPTURE_MAX_BODY_BYTES": "17"})
    assert settings.capture.max_body_bytes == 17


def test_a_text_setting_takes_its_variable_as_it_is() -> None:
    """`123` is a name, not a number, where a name is wanted."""
    assert config.load(None, {"MONITOR_ENDPOINT": "123"}).endpoint == "123"


def test_the_documented_file_is_accepted(tmp_path: Path) -> None:
    """Every key that others rely on exists."""
    file = write(
        tmp_path,
        """
endpoint: support-bot
upstream: http://127.0.0.1:9000
listen: 0.0.0.0:8080
admin: 0.0.0.0:9464
redis: redis://redis:6379/0
data: /var/lib/monitor
segments:
  population: {header: x-population}
  template: {header: x-template}
  variant: {header: x-variant}
capture: {max_body_bytes: 1048576, buffer_bytes: 67108864}
privacy: {key_file: /etc/monitor/privacy.key}
stream: {shards: 1, max_length: 1000000}
spool: {max_bytes: 1073741824}
windows: {pane: 60, lateness: 5}
reference: {learn: 1000}
drain: {delay: 0, timeout: 30}
""",
    )
    assert config.load(file, {}).segments["variant"].header == "x-variant"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("captur: {}", "captur: unknown key; did you mean capture?"),
        ("capture: {max_body_byte: 1}", "capture.max_body_byte: unknown key; did you mean"),
        ("capture: {buffer_bytes: 0}", "capture.buffer_bytes: expected `int` >= 1"),
        ("capture: many", "capture: expected `object`, got `str`"),
        ("listen: 8080", "listen: expected `str`, got `int`"),
        ("listen: localhost", "listen: 'localhost' is not HOST:PORT"),
        ("listen: localhost:99999", "listen: 'localhost:99999' is not HOST:PORT"),
        ("upstream: 127.0.0.1:9000", "upstream: '127.0.0.1:9000' is not a URL"),
        ("redis: localhost", "redis: 'localhost' is not a URL like redis://"),
        ("segments: {all: {header: x}}", "segments.all: a dimension is a word"),
        ("- a list", "must be a mapping"),
        ("a: [", ":1: not YAML"),
    ],
)
def test_a_wrong_key_is_named_with_what_would_be_right(
    tmp_path: Path, text: str, message: str
) -> None:
    """One line, the key first."""
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text), {})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_variable_and_a_missing_file_are_named(tmp_path: Path) -> None:
    """The user reads where to look."""
    with pytest.raises(ConfigError, match="MONITOR_WORKERS: workers"):
        config.load(None, {"MONITOR_WORKERS": "two"})
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        config.load(str(tmp_path / "nowhere.yaml"), {})


def test_variables_that_kubernetes_makes_are_not_called_unknown() -> None:
    """A Service named `monitor` puts such variables into every pod."""
    environment = {
        "MONITOR_PORT": "tcp://10.0.0.1:80",
        "MONITOR_SERVICE_HOST": "10.0.0.1",
        "MONITOR_PORT_80_TCP": "tcp://10.0.0.1:80",
        "MONITOR_UPSTRAEM": "http://x",
        "MONITOR_ENDPOINT": "a",
    }
    assert config.unknown_variables(environment) == ["MONITOR_UPSTRAEM"]


def test_a_password_is_never_in_a_message() -> None:
    """A broken store URL is not repeated."""
    with pytest.raises(ConfigError) as caught:
        config.load(None, {"MONITOR_REDIS": "redi://:secret@host"})
    assert "secret" not in str(caught.value)
