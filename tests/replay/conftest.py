"""What tests of replay share."""

from __future__ import annotations

import pytest

import monitor.commands.replay_options  # noqa: F401  what it makes of BUFFER is not made by who is quick
from monitor.analysis.drift import reference as bins
from monitor.replay import reference
from monitor.tables import inference

FIRST = 500
"""So many rows make the bins and tell how columns are read where a test is `quick`; else 1,000."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables may have half of the rows: what is learned of the first of them is learned of fewer."""
    monkeypatch.setenv("MONITOR_REFERENCE_LEARN", str(FIRST))
    monkeypatch.setattr(inference, "SAMPLE", FIRST)
    for module in (bins, reference):
        monkeypatch.setattr(module, "BUFFER", FIRST)
