"""A child's answer: the samples that it measured, in pieces that are read one by one."""

from __future__ import annotations

import pytest

from monitor.exporters.prometheus import render
from monitor.framing import Unpacker, pack
from monitor.supervision.child import PIECE, ControlMessage
from monitor.types import Measurement
from tests.app.stretches import LONG, Stretches


def samples(count: int) -> list[Measurement]:
    """As many of one metric."""
    return [
        Measurement("monitor_drift_samples", {"endpoint": "e", "feature": f"f{n}"}, n)
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, PIECE, PIECE + 1, 3 * PIECE - 1])
def test_samples_come_as_they_were_sent(count: int) -> None:
    """All of them, in order, with whose they are."""
    said = ControlMessage("metrics", "proxy", 1, 7, samples(count), b"x")
    (came,) = Unpacker(ControlMessage).feed(pack(said.packed()))
    assert not came.measurements
    assert came.unpacked() == said


def test_a_large_page_leaves_the_core_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 samples are read and written in short stretches; a few calls of the library join the
    lines, and take about a millisecond."""
    (came,) = Unpacker(ControlMessage).feed(
        pack(ControlMessage("metrics", measurements=samples(10_000)).packed())
    )
    stretches = Stretches(monkeypatch)
    page, _ = render(came.unpacked().measurements, "")
    stretches.end()
    assert page.count(b"\n") == 10_002
    assert len(stretches.seconds) > 20
    long = 2 * LONG * stretches.slowness
    assert sum(one > long for one in stretches.seconds) <= 3
