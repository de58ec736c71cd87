"""Settings → what Pods get with the sidecar, and whether a file of settings for one can be read."""

from __future__ import annotations

import tempfile

from monitor.errors import ConfigError
from monitor.inject.container import IMAGE
from monitor.inject.decision import Defaults
from monitor.settings import load
from monitor.settings.schema import Settings


def defaults_of(settings: Settings, *, asked: bool = False, namespace: str = "") -> Defaults:
    """Return what Pods get that say nothing else."""
    given = settings.injector
    return Defaults(
        image=given.image or IMAGE,
        secret=given.secret,
        config=given.config,
        minor=given.kubernetes_minor,
        asked=asked,
        namespace=namespace,
    )


def flaw_of(text: str) -> str:
    """Return what is wrong with the text of a configuration file, empty where it can be read."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        try:
            load.load(file.name, {})
        except ConfigError as error:
            return str(error).removeprefix(file.name).lstrip(": ")
    return ""
