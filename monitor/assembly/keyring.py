"""Settings → the key file that they name, and the keys in it while it may be rotated."""

from __future__ import annotations

import os
from pathlib import Path

from monitor.privacy import keys
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.settings.schema import Settings

LOOK_EVERY = 2.0
"""Seconds until a running recorder has seen that its key file was changed."""
OF_THIS_RUN = "run"
"""Id of a key that is made for one run, where there is no key file."""


def key_file(settings: Settings) -> Path:
    """Where the keys are: as configured, or in the data directory."""
    return Path(settings.privacy.key_file or Path(settings.data) / "privacy.key")


def keyring(settings: Settings) -> Keyring:
    """The keys to use; a first one is made in the data directory unless a file was named."""
    path = key_file(settings)
    return keys.read(path) if settings.privacy.key_file else keys.load(path, os.urandom)


def at_rest(settings: Settings) -> Keyring:
    """The configured keys; without any, one of this run that nobody else ever has."""
    path = key_file(settings)
    if settings.privacy.key_file or path.exists():
        return keys.read(path)
    return Keyring((Key(OF_THIS_RUN, os.urandom(32)),))


class KeyFile:
    """A key file that may be rotated while it is in use (a mounted secret is a link that moves)."""

    def __init__(self, settings: Settings) -> None:
        self._path = key_file(settings)
        self._seen = self._stamp()

    def changed(self) -> Keyring | None:
        """The keys, when the file is not the one that was there before; None otherwise.

        Raises ConfigError, once for each change, where it cannot be read or is no key file.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        return keys.read(self._path)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns
