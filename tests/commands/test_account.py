"""The name of who runs a command."""

from __future__ import annotations

import getpass
import os

import pytest

from monitor.commands import account


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container under a number that the platform chose; Python raises one of two errors."""
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert account.name() == "ada"
    for error in (KeyError("uid not found"), OSError("no username")):

        def fails(error: Exception = error) -> str:
            raise error

        monkeypatch.setattr(getpass, "getuser", fails)
        assert account.name() == f"uid-{os.getuid()}"
