"""`make network-test` says in a line what the machine lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.network import __main__ as apart


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PATH", "", "skipped: there is no `ip` (Debian: iproute2, util-linux)\n"),
        ("TUN", Path("/nowhere/tun"), "skipped: /nowhere/tun is not there, or not for this user\n"),
        ("PROBE", "echo why >&2; false", "skipped: this user may not make a network of its own: "),
    ],
)
def test_a_machine_without_the_means_is_told_in_one_line_and_nothing_fails(
    name: str,
    value: object,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No program, no device, no right: an exit code of 0."""
    if name == "PATH":
        monkeypatch.setenv(name, str(value))
    else:
        monkeypatch.setattr(apart, name, value)
        monkeypatch.setattr(apart.shutil, "which", lambda program: f"/usr/bin/{program}")
    if name == "PROBE":
        monkeypatch.setattr(apart, "TUN", Path("/dev/null"))
        monkeypatch.setattr(apart, "apart", lambda: ["env"])
    assert apart.main() == 0
    said = capfd.readouterr()
    assert said.out.startswith(line)
    assert said.out.count("\n") == 1
    assert not said.err
