"""What the tests of replay share."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.app.sanitizer import Sanitizer
from monitor.commands import replay
from monitor.settings.schema import Settings


@cache
def _clean() -> Sanitizer:
    return Sanitizer(Settings())


@pytest.fixture
def one_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building one for each table would take most of the time."""
    monkeypatch.setattr(replay, "Sanitizer", lambda settings, outputs: _clean())
