"""The demo from end to end, as a newcomer runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.timeout(200)
def test_the_demo_finds_its_shift_and_ends_well() -> None:
    """It names feature and population, shows a pseudonymized record, accounts for all, exits 0."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}
    result = subprocess.run(
        [sys.executable, "-m", "monitor", "demo"],
        capture_output=True, text=True, timeout=180, check=False,
        env={**environment, "COLUMNS": "200"},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    assert "mean texture in population south drifted" in result.stdout
    assert "<EMAIL_ADDRESS:k1:" in result.stdout
    assert "+ 0 lost + 0 pending" in result.stdout
    assert "\x1b[" not in result.stdout, "no colours where there is no terminal"
