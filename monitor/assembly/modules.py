"""`package.module:NAME`, as a setting says it → somebody's own part."""

from __future__ import annotations

import importlib
from typing import TypeVar

from monitor import logs
from monitor.errors import ConfigError
from monitor.settings.validation import told

Kind = TypeVar("Kind")


def named(key: str, name: str) -> object:
    """Return what `name` names, None where nothing is there.

    Raises ConfigError, which names the setting `key`, where the module itself fails.
    """
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, TypeError, ValueError):
        return None
    except Exception as error:  # noqa: BLE001  whatever somebody's own module raises
        raise ConfigError(
            f"{key}: {told(name)}: {told(module)} raises {logs.place(error)}"
        ) from None


def part(key: str, name: object, kind: type[Kind]) -> Kind:
    """Return the part of that kind which `name` names; raises ConfigError with the setting `key`
    where it is none."""
    found = named(key, name) if isinstance(name, str) else None
    if not isinstance(found, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise ConfigError(
            f"{key}: {told(name)} is not the name of {article} {kind.__name__}, as in "
            "package.module:NAME"
        )
    return found
