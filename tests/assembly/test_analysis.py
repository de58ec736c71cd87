"""Settings → features, reference and rules; what is not there is a sentence with its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.assembly.analysis import features_of, read_profile
from monitor.errors import ConfigError, SourceError
from monitor.settings.schema import Drift, Settings


def test_more_features_are_named_in_the_settings() -> None:
    """Ours by name, somebody's own by module; anything else is a sentence with the key."""
    settings = Settings(drift=Drift(features=["latency", "monitor.features.ngrams:FEATURE"]))
    assert [feature.name for feature in features_of(settings)[-2:]] == ["latency", "ngrams"]
    for name in ("latencies", "monitor.nowhere:FEATURE", "monitor.types:Record"):
        with pytest.raises(ConfigError, match=r"^drift\.features: .* is not one of"):
            features_of(Settings(drift=Drift(features=[name])))


def test_a_bad_reference_file_is_named(tmp_path: Path) -> None:
    """Not there, or not a profile: one sentence for the operator."""
    assert read_profile(None) is None
    with pytest.raises(ConfigError, match=r"reference\.file: .*missing\.json cannot be read"):
        read_profile(str(tmp_path / "missing.json"))
    (tmp_path / "bad.json").write_text("[1, 2]")
    with pytest.raises(SourceError, match=r"bad\.json: not a reference profile"):
        read_profile(str(tmp_path / "bad.json"))


def test_a_module_that_cannot_be_imported_is_said_with_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it raises: one sentence, and none of its words."""
    (tmp_path / "theirs.py").write_text("raise ZeroDivisionError('a secret')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"^drift\.features: .* ZeroDivisionError at") as raised:
        features_of(Settings(drift=Drift(features=["theirs:NAME"])))
    assert "secret" not in str(raised.value)
