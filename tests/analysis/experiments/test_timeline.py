"""What an experiment looked like: few moments, evenly spread, however long it runs."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from monitor.analysis.experiments.timeline import MOST, Timeline
from monitor.findings import ExperimentEffect

PANE = 60.0


def effect(samples: int, **changes: float) -> ExperimentEffect:
    said = {"effect": 0.1, "lower": -0.1, "upper": 0.3} | changes
    return ExperimentEffect("e", "b", "m", **said, verdict="keep_going", samples=samples)


def run(panes: int, timeline: Timeline | None = None, first: int = 1) -> tuple[Timeline, int]:
    """(the timeline, how often the experiment was judged for it)."""
    kept, judged = timeline or Timeline(PANE), 0
    for pane in range(first, panes + 1):
        if kept.is_due(PANE * pane):
            kept.keep(PANE * pane, [effect(pane)])
            judged += 1
    return kept, judged


@given(some.integers(1, 5000))
def test_of_any_number_of_panes_few_are_kept_evenly(panes: int) -> None:
    """The first among them, and the last one a step ago at most; judging is as rare."""
    kept, judged = run(panes)
    (told,) = kept.told([effect(panes)])
    times = [look.at for look in told.looks]
    assert times[0] == PANE
    assert times == sorted(set(times))
    assert len(times) <= MOST
    assert judged <= MOST / 2 * (2 + max(0, (2 * panes // MOST).bit_length()))
    steps = {later - one for one, later in pairwise(times[1:])}
    assert len(steps) <= 1
    assert PANE * panes - times[-1] <= max(steps, default=PANE)
    assert [look.samples for look in told.looks] == [time / PANE for time in times]


@given(some.integers(1, 600), some.integers(0, 600))
def test_a_restart_changes_nothing(panes: int, broken: int) -> None:
    """Saved and restored at any moment, the same moments are kept."""
    straight, _ = run(panes)
    first, _ = run(min(broken, panes))
    again, _ = run(panes, Timeline.restored(first.saved(), PANE), min(broken, panes) + 1)
    assert again.saved() == straight.saved()


def test_what_has_counted_nothing_is_no_moment() -> None:
    """And an effect that is gone from the declaration is not told."""
    timeline = Timeline(PANE)
    timeline.keep(PANE, [effect(0)])
    assert timeline.told([effect(0)]) == []
    assert not timeline.is_changed
    timeline.keep(PANE, [effect(5)])
    assert timeline.is_changed
    assert timeline.told([]) == []
