"""`monitor check`: a configuration in sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.analysis.profiles import Profile, dump_profile
from monitor.app.check import explain
from monitor.config import Differential, Drift, Privacy, Reference, Settings
from monitor.errors import ConfigError


def test_it_says_where_everything_is_and_no_password() -> None:
    """One fact a line; what is secret stays so."""
    settings = Settings(upstream="http://127.0.0.1:9000", redis="redis://:hunter2@store:6379/0")
    text = "\n".join(explain(settings))
    for fact in ("http://127.0.0.1:9000", "redis://store:6379/0", "x-population", "1,000"):
        assert fact in text
    assert "hunter2" not in text


def test_without_a_store_it_names_the_embedded_one() -> None:
    """The default is one command on one machine."""
    assert "embedded Valkey under .monitor/store" in "\n".join(explain(Settings()))


def test_references_are_told_and_tried(tmp_path: Path) -> None:
    """What every kind of reference means; what cannot work is an error here, not at the start."""
    usual = Reference(variant="champion", hour_of_week=True)
    text = "\n".join(explain(Settings(reference=usual, drift=Drift(together=5))))
    for fact in ("every other variant is compared with champion", "same hour", "5 records"):
        assert fact in text
    with pytest.raises(ConfigError, match=r"reference\.variant: 'version' is not one of segments"):
        list(explain(Settings(reference=Reference(variant="version=v1"))))
    with pytest.raises(ConfigError, match=r"drift\.features: 'nothing' is not one of"):
        list(explain(Settings(drift=Drift(features=["nothing"]))))
    with pytest.raises(ConfigError, match="cannot be read"):
        list(explain(Settings(reference=Reference(file=str(tmp_path / "none.json")))))
    profile = tmp_path / "usual.json"
    profile.write_bytes(dump_profile(Profile()))
    text = "\n".join(explain(Settings(reference=Reference(file=str(profile)))))
    assert "usual.json, of 0 features" in text


def test_noise_is_stated() -> None:
    """With what it is worth, and how often it is drawn."""
    noise = Differential(epsilon=0.5, period=600)
    text = "\n".join(explain(Settings(privacy=Privacy(differential=noise))))
    assert "noise, told every 600 s: epsilon 0.5, delta 1e-06" in text
