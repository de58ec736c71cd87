"""Settings → what vouches for an archive: the keys that sign, and where checkpoints are kept.

What is wrong with one of them is told before anything starts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nacl.public import PublicKey
from nacl.signing import SigningKey, VerifyKey

from monitor.archive import rows, sealing, storage
from monitor.assembly.receivers import secret
from monitor.audit import keys
from monitor.errors import ConfigError
from monitor.exporters import spans
from monitor.otlp import grpc
from monitor.settings import archive
from monitor.settings.addresses import url
from monitor.settings.schema import Settings

_EXAMPLE = "https://audit.example.com/monitor"


@dataclass(frozen=True)
class Anchor:
    """A place: its kind (`file`, `webhook`, `otlp`), where it is, and what `key` names it. The
    endpoint is the one whose archive it is."""

    kind: str
    where: str
    key: str
    endpoint: str
    is_grpc: bool = False
    secret_file: str = ""

    def secret(self) -> str:
        """Read the secret as it is now, so that it can be changed; raises ConfigError."""
        return secret(Path(self.secret_file), f"{self.key}.secret") if self.secret_file else ""


def signing_key(settings: Settings) -> SigningKey | None:
    """Return what signs checkpoints; raises ConfigError that names the key."""
    given = settings.audit.sign
    return keys.private(Path(given), "audit.sign") if given else None


def trusted_keys(settings: Settings) -> list[VerifyKey]:
    """Return whose signatures an archiver that signs goes by; raises ConfigError as that."""
    given = settings.audit.sign
    return keys.trusted(Path(given), "audit.sign") if given else []


def recipient_of(settings: Settings) -> PublicKey | None:
    """Return to whom records are sealed; raises ConfigError that names the key."""
    given = settings.archive.encrypt
    return sealing.recipient(Path(given), "archive.encrypt") if given else None


def columns_of(settings: Settings) -> Sequence[str]:
    """Return the columns that are in clear beside records; raises ConfigError."""
    given = settings.archive.columns
    if given is None:
        return () if settings.archive.encrypt else rows.COLUMNS
    if unknown := [one for one in given if one not in rows.COLUMNS]:
        raise ConfigError(
            f"archive.columns: {unknown[0]!r} is no column; there are {', '.join(rows.COLUMNS)}"
        )
    return given


def anchors_of(settings: Settings) -> list[Anchor]:
    """Return the places; raises ConfigError that names the key."""
    return [
        _anchor(f"audit.anchors[{number}]", one, settings)
        for number, one in enumerate(settings.audit.anchors)
    ]


def _anchor(key: str, given: archive.Anchor, settings: Settings) -> Anchor:
    if sum((bool(given.file), bool(given.webhook), given.otlp)) != 1:
        raise ConfigError(f"{key}: give one of `file: PATH`, `webhook: URL` and `otlp: true`")
    if given.secret and not given.webhook:
        raise ConfigError(f"{key}.secret: is for a webhook, whose body it signs")
    if given.file:
        _apart(Path(given.file), f"{key}.file", settings)
        return Anchor("file", given.file, key, settings.endpoint)
    if given.webhook:
        url(given.webhook, f"{key}.webhook", ("http", "https"), _EXAMPLE)
        found = Anchor("webhook", given.webhook, key, settings.endpoint, secret_file=given.secret)
        found.secret()
        return found
    is_grpc = settings.otlp.protocol == "grpc"
    find = grpc.span_endpoint if is_grpc else spans.url_of
    if not (address := find(settings.otlp.endpoint, os.environ, "logs")):
        raise ConfigError(
            f"{key}.otlp: needs the collector at otlp.endpoint, such as http://collector:4318"
        )
    return Anchor("otlp", address, key, settings.endpoint, is_grpc)


def _apart(path: Path, key: str, settings: Settings) -> None:
    """Raise ConfigError for a file that cannot be appended to, or is in the archive: who can write
    there shall not be able to change it as well."""
    root = storage.directory_of(settings.archive.url)
    if root is not None and path.resolve().is_relative_to(root.resolve()):
        raise ConfigError(f"{key}: {path} is in the archive; name a file that is kept elsewhere")
    if path.is_dir():
        raise ConfigError(f"{key}: {path} is a directory; name a file to append to")
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"{key}: {path} is in no directory that is there; make it first")
