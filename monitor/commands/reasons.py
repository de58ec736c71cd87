"""Why somebody did something, in their words → whether it may be written down for good."""

from __future__ import annotations

import os

import msgspec

from monitor.errors import ConfigError
from monitor.marks import PSEUDONYM
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.settings.schema import Settings
from monitor.texts import printable

LONGEST = 1000
"""Characters of a reason."""


def check(reason: str, settings: Settings, where: str) -> None:
    """Raise ConfigError for a `--reason` that cannot stand `where` it is kept for good: an empty or
    a long one, and one in which a recorder would replace something."""
    if not reason.strip() or len(reason) > LONGEST:
        raise ConfigError(f"--reason: say why in up to {LONGEST:,} characters; {where} keeps it")
    if printable(reason) != reason:
        raise ConfigError(
            f"--reason: has line ends or control characters, and {where} keeps it; give one line "
            "of plain text"
        )
    if PSEUDONYM.search(reason):
        raise ConfigError(
            f"--reason: names a pseudonym, which would stay in {where} for good; name a ticket"
        )
    if found := _personal(reason, settings):
        raise ConfigError(
            f"--reason: holds {found}, which would stay in {where} for good; name a ticket"
        )


def _personal(text: str, settings: Settings) -> str:
    """What a recorder would replace in a text; empty where it would keep it as it is."""
    from monitor.assembly import build  # it knows all recognizers

    unsealed = msgspec.structs.replace(settings.privacy, seal_to=None)
    given = msgspec.structs.replace(settings, privacy=unsealed)
    safe = build.privacy(given, Keyring((Key("run", os.urandom(32)),))).text(text)
    if safe == text:
        return ""
    entities = dict.fromkeys(one[1:].partition(":")[0] for one in PSEUDONYM.findall(safe))
    return " and ".join(entities) or "what a recorder would not keep"
