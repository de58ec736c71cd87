"""Settings → short digests, so that a Record can say under which it was made."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from monitor.settings.schema import Settings

ELSEWHERE = (
    "preset",
    "circumstances",
    "listen",
    "admin",
    "redis",
    "data",
    "log",
    "workers",
    "access",
    "notify",
    "alerts",
    "dashboards",
    "otlp",
    "archive",
    "audit",
    "injector",
    "limits",
)
"""Keys that say where a process runs, who may ask it and whom it tells: replicas differ in them and
record alike. What a preset sets is in the keys that it sets."""


def config(settings: Settings) -> str:
    """A digest of everything that decides what is recorded and judged: 16 hex digits of SHA-256
    over the keys that differ from their defaults. What a named file holds is not in it."""
    plain = Settings()
    default = {name: getattr(plain, name) for name in ELSEWHERE}
    return _digest(msgspec.structs.replace(settings, **default))


def policy(settings: Settings) -> str:
    """The same of `privacy` alone, but for the place of its key."""
    return _digest(msgspec.structs.replace(settings.privacy, key_file=None))


def _digest(section: msgspec.Struct) -> str:
    said = _said(section, type(section)())
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:16]


def _said(section: msgspec.Struct, default: msgspec.Struct) -> dict[str, Any]:
    """What is not as it is by default: a key that a later version adds changes no digest."""
    found: dict[str, Any] = {}
    for name in section.__struct_fields__:
        value, usual = getattr(section, name), getattr(default, name)
        if value == usual:
            continue
        is_section = isinstance(value, msgspec.Struct)
        found[name] = _said(value, usual) if is_section else msgspec.to_builtins(value)
    return found
