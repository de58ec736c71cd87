"""Boxes: opened by the right key for the right pseudonym, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.privacy.sealing import make_pair, opener, sealer


def pair(directory: Path, seed: int = 1) -> tuple[Path, Path]:
    return make_pair(directory, lambda size: bytes([seed]) * size)


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(value=st.text(max_size=40))
def test_what_is_sealed_is_opened_by_the_private_key_alone(tmp_path: Path, value: str) -> None:
    """Any value; equal values make different boxes; a moved or damaged box stays shut."""
    if not (tmp_path / "a").exists():
        pair(tmp_path / "a")
        pair(tmp_path / "b", seed=2)
    seal = sealer(tmp_path / "a" / "reveal.pub")
    box = seal("<T:k1:x>", value)
    assert box != seal("<T:k1:x>", value)
    ours, theirs = (opener(tmp_path / name / "reveal.key") for name in "ab")
    assert ours("<T:k1:x>", box) == value
    assert ours("<T:k1:y>", box) is None
    assert theirs("<T:k1:x>", box) is None
    assert ours("<T:k1:x>", box[:-4] + "AAAA") in {None, value}
    assert ours("<T:k1:x>", "not a box") is None


def test_keys_are_made_once_and_kept_apart(tmp_path: Path) -> None:
    """The private one is for its owner; neither passes for the other."""
    public, private = pair(tmp_path)
    assert private.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="exists"):
        pair(tmp_path)
    with pytest.raises(ConfigError, match=r"privacy\.seal_to: .* is not a public key"):
        sealer(private)
    with pytest.raises(ConfigError, match="is not a private key"):
        opener(public)
    private.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read it"):
        opener(private)
    with pytest.raises(ConfigError, match="No such file"):
        sealer(tmp_path / "nothing")
