"""What a profile says of columns."""

from __future__ import annotations

import random

import msgspec
import pytest

from monitor.analysis.drift.profiles import dump_profile, profile_of
from monitor.recorder.usual import usual
from monitor.rows import Row
from monitor.types import Observation
from monitor.view import Usual


def rows(count: int = 3000) -> list[Row]:
    chance = random.Random(7)
    found = []
    for number in range(count):
        seen = [
            Observation("age", "numeric", chance.gauss(50, 10)),
            Observation("constant", "numeric", 3),
            Observation("plan", "categorical", chance.choice(["basic", "pro"])),
            Observation("id", "categorical", f"u{number}"),
            Observation("ok", "boolean", chance.random() < 0.5),
            Observation("never", "numeric", None),
        ]
        found.append(Row(float(number), {"population": "a"}, seen))
    return found


def test_it_is_what_the_profile_itself_says() -> None:
    """Ranges and deviations of numbers, categories of columns that have few; of the whole alone."""
    profile = profile_of(rows(), ("population",))
    found = usual(dump_profile(profile))
    reference = profile.references["age", "all", "all"]
    window = reference.window()
    assert found["age"].low == reference.bins.edges[0] < 25
    assert found["age"].high == reference.bins.edges[-1] > 75
    assert found["age"].deviation == pytest.approx(window.scale)
    assert 9 < found["age"].deviation < 11
    assert found["constant"] == Usual(3.0, 3.0, 0.0)
    assert found["plan"].categories == {"basic", "pro"}
    assert found["ok"].categories == {"true", "false"}
    assert found.keys() == {"age", "constant", "plan", "ok"}


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b'{"references": [{}]}', b"\xff"])
def test_what_is_no_profile_is_an_error(document: bytes) -> None:
    """One that the caller can tell."""
    with pytest.raises(msgspec.DecodeError):
        usual(document)
