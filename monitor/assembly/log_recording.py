"""Settings → what makes Records of other people's logs, in this process and in others."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import msgspec

from monitor.assembly import build
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Keyring
from monitor.replay.recording import Recording
from monitor.settings.schema import Settings


class LogRecording:
    """Gives the Recording that the settings mean, made when it is first asked for.

    It can be sent to another process of this machine, with the keys: pseudonyms are the same there.
    A `compiled` scanner of the same settings spares the time to make one.
    Names that a model would find are not looked for, and nothing is sealed.
    """

    def __init__(
        self, settings: Settings, keys: Callable[[], Keyring], compiled: Scanner | None = None
    ) -> None:
        privacy = msgspec.structs.replace(settings.privacy, seal_to=None, key_file=None)
        self._settings = Settings(
            privacy=privacy, segments=settings.segments, endpoint=settings.endpoint
        )
        self._keys = lru_cache(maxsize=1)(keys)
        self._compiled = compiled
        self._made: Recording | None = None

    def __call__(self) -> Recording:
        """See Recording."""
        if self._made is None:
            dimensions, crossed = build.dimensions(self._settings)
            self._made = Recording(
                self._settings.endpoint,
                build.privacy(self._settings, self._keys(), compiled=self._compiled),
                dimensions,
                crossed,
            )
        return self._made

    def __reduce__(self) -> tuple[type[LogRecording], tuple[Settings, Callable[[], Keyring]]]:
        return LogRecording, (self._settings, partial(_same, self._keys()))


def _same(keyring: Keyring) -> Keyring:
    return keyring
