"""What has no place among what is watched is known to have none."""

from __future__ import annotations

from dataclasses import replace

from tests.analysis.test_fold import RULES, fold, profile, row


def test_what_had_no_place_of_late_is_known() -> None:
    """As long as values have no place, and until panes were closed twice without one."""
    analysis = fold([], rules=replace(RULES, watches=1), dimensions=())
    (drift,) = analysis.monitors
    left_out = []
    for pane in range(6):
        more = {"other": 1.0} if pane < 3 else {}
        analysis.add_row(row(pane * 10.0 + 5.0, x=0.0, **more))
        left_out.append(drift.watches.left_out > 0)
    assert left_out == [True, True, True, True, False, False]


def test_a_reference_without_a_place_is_left_out() -> None:
    """Whether its values come or not: nobody would see that they do not."""
    analysis = fold([row(0.0, x=0.0)], profile=profile(), rules=replace(RULES, watches=0))
    (drift,) = analysis.monitors
    assert drift.watches.left_out > drift.watches.overflow > 0
