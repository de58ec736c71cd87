"""Equal configurations have equal digests, wherever they run."""

from __future__ import annotations

import msgspec
import pytest

from monitor.settings import digest
from monitor.settings.schema import Drift, Privacy, Receiver, Settings

BEFORE = Settings(endpoint="loans", drift=Drift(tolerance=0.05))


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"listen": "0.0.0.0:8080"},
        {"redis": "redis://:secret@store:6379"},
        {"data": "/var/lib/monitor", "workers": 4},
        {"notify": [Receiver("team", "https://hooks.slack.com/services/T0/B0/XX", "slack")]},
    ],
    ids=str,
)
def test_where_it_runs_is_not_part_of_it(elsewhere: dict[str, object]) -> None:
    """Replicas record alike, so they say the same."""
    assert digest.config(msgspec.structs.replace(BEFORE, **elsewhere)) == digest.config(BEFORE)


def test_what_decides_is_part_of_it() -> None:
    """Another threshold is another configuration, under the same policy; another rule of privacy
    is both."""
    other = msgspec.structs.replace(BEFORE, drift=Drift(tolerance=0.06))
    assert digest.config(other) != digest.config(BEFORE)
    assert digest.policy(other) == digest.policy(BEFORE)
    ruled = msgspec.structs.replace(BEFORE, privacy=Privacy(paths={"request.user": "drop"}))
    assert digest.config(ruled) != digest.config(BEFORE)
    assert digest.policy(ruled) != digest.policy(BEFORE)


def test_what_is_said_as_it_is_by_default_changes_nothing() -> None:
    """A later version with one more key still gives the same digest to the same configuration."""
    said = msgspec.structs.replace(BEFORE, privacy=Privacy(region="US"))
    assert digest.config(said) == digest.config(BEFORE)
    assert len(digest.config(BEFORE)) == len(digest.policy(BEFORE)) == 16
