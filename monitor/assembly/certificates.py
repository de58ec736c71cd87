"""The certificates of the settings → when they end, and why somebody no longer accepts one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitor.certificates import Validity, validities
from monitor.errors import ConfigError, ParseError
from monitor.proxy import tls
from monitor.settings.schema import Settings
from monitor.types import Measurement

LOOK_EVERY = 3600.0
"""Seconds between two warnings of a certificate that is no longer accepted."""


def named(settings: Settings, *, serves: bool = False) -> dict[str, str]:
    """Return the files that hold certificates, by the key of the setting. `tls` is used where there
    is an upstream, or where the process `serves` without one."""
    traffic = settings.tls if settings.upstream or serves else None
    files = {
        "tls.cert": traffic.cert if traffic else "",
        "tls.client_cert": traffic.client_cert if traffic else "",
        "tls.ca": traffic.ca if traffic else "",
        "access.tls.cert": settings.access.tls.cert,
    }
    return {key: file for key, file in files.items() if file}


def flaws(settings: Settings, now: float) -> Iterator[str]:
    """Yield why a certificate is accepted by nobody, or a file cannot be read, a sentence each.
    `now` is in Unix seconds.

    None of it ends anything: the traffic does not end because a certificate has.
    """
    for key, file in named(settings).items():
        try:
            if key in ("tls.cert", "access.tls.cert"):
                section = key.removesuffix(".cert")
                private = (settings.tls if section == "tls" else settings.access.tls).key
                said = tls.flaw(tls.server_context(file, private, section), file, section)
            else:
                said = _ended(key, file, now)
        except ConfigError as error:
            said = str(error)
        if said:
            yield said


def _ended(key: str, file: str, now: float) -> str:
    validity = _read(key, file)
    if now <= validity.not_after:
        return ""
    if key == "tls.ca":
        return f"{key}: every certificate in {file} has expired: no upstream is accepted"
    return f"{key}: {file} has expired: no upstream accepts it"


def _read(key: str, file: str) -> Validity:
    """When the certificate of a file holds: the first one, which is shown; of authorities the one
    that ends last, because a file may hold old ones beside it. Raises ConfigError."""
    try:
        found = validities(Path(file).read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{key}: {file} cannot be read: {reason}") from None
    except ParseError as error:
        raise ConfigError(f"{key}: {file} holds {error}") from None
    return max(found, key=lambda one: one.not_after) if key == "tls.ca" else found[0]


class Validities:
    """When the certificates of the settings hold; a file is read again when it has changed."""

    def __init__(self, settings: Settings, *, serves: bool = False) -> None:
        self._endpoint = settings.endpoint
        files = named(settings, serves=serves)
        self._files = {key: (file, tls.Files(file)) for key, file in files.items()}
        self._known: dict[str, Validity] = {}
        for key, (file, _) in self._files.items():
            self._read(key, file)

    def now(self) -> dict[str, Validity]:
        """Return them by key. Of a file that cannot be read, what it said last."""
        for key, (file, state) in self._files.items():
            if state.changed():
                self._read(key, file)
        return self._known

    def measurements(self) -> list[Measurement]:
        """Return when each begins and ends, in Unix seconds."""
        return [
            Measurement(
                f"monitor_certificate_{edge}_timestamp_seconds",
                {"endpoint": self._endpoint, "certificate": key},
                getattr(one, edge),
            )
            for key, one in self.now().items()
            for edge in Validity._fields
        ]

    def _read(self, key: str, file: str) -> None:
        try:
            self._known[key] = _read(key, file)
        except ConfigError:  # `flaws` says so
            return
