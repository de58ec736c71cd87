"""Settings → receivers of notifications; what is wrong with one is told before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from monitor import small_files
from monitor.errors import ConfigError
from monitor.interfaces import Notifier
from monitor.notifications import Notification, Request
from monitor.notifiers import NOTIFIERS
from monitor.settings import schema
from monitor.settings.addresses import url
from monitor.settings.schema import Settings

MOST_BYTES = 4096
"""Bytes of a secret."""
KINDS = {one.name: one for one in NOTIFIERS}


@dataclass(frozen=True)
class Receiver:
    """Who is told: its settings with the URL that holds, and its kind. `key` names the settings."""

    given: schema.Receiver
    kind: Notifier
    url: str
    key: str

    @property
    def place(self) -> str:
        """Where it is, for a log: a path and a query may be secret."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")

    def secret(self) -> str:
        """Read the secret as it is now, so that it can be changed; raises ConfigError."""
        return secret(Path(self.given.secret), f"{self.key}.secret") if self.given.secret else ""

    def request(self, notification: Notification) -> tuple[Request, str]:
        """Return the request that tells it, and what signs that; raises ConfigError."""
        found = self.secret()
        request = self.kind.request(notification, self.url, found)
        return request, "" if self.kind.is_keyed else found


def receivers_of(settings: Settings) -> list[Receiver]:
    """The receivers; raises ConfigError that names the key."""
    found: list[Receiver] = []
    for place, given in enumerate(settings.notify):
        key = f"notify[{place}]"
        if any(one.given.name == given.name for one in found):
            raise ConfigError(f"{key}.name: {given.name} is the name of another receiver")
        kind = KINDS[given.kind]
        address = given.url or kind.address
        if not address:
            raise ConfigError(
                f"{key}.url: is missing; give where {given.name} is told, as {_EXAMPLE}"
            )
        url(address, f"{key}.url", ("http", "https"), _EXAMPLE)
        if kind.is_keyed and not given.secret:
            raise ConfigError(
                f"{key}.secret: kind {kind.name} needs the file with {_KEYS[kind.name]}"
            )
        if given.heartbeat is not None and kind.name != "alertmanager":
            raise ConfigError(
                f"{key}.heartbeat: is for kind alertmanager alone; a dead man's switch takes that"
            )
        if given.runbook:
            url(given.runbook, f"{key}.runbook", ("http", "https"), "https://wiki.example.com/x")
        receiver = Receiver(given, kind, address, key)
        receiver.secret()
        found.append(receiver)
    return found


_EXAMPLE = "https://hooks.example.com/x"
_KEYS = {"pagerduty": "its routing key", "opsgenie": "its GenieKey"}


def secret(path: Path, key: str) -> str:
    """Return a file's content without its last newline; raises ConfigError in one line."""
    data, _ = small_files.read(path, key, MOST_BYTES)
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not UTF-8 text") from None
    if not text or len(data) > MOST_BYTES or not text.isprintable():
        raise ConfigError(
            f"{key}: {path} must hold the secret alone, one line of up to {MOST_BYTES:,} bytes"
        )
    return text
