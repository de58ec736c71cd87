"""One receiver is told all that is so, once, in groups, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting.alerts import State, Transition
from monitor.alerting.outbox import (
    ASKED_PAUSE,
    FIRST_PAUSE,
    INTERVAL,
    LONGEST_INTERVAL,
    LONGEST_PAUSE,
    WAIT,
    Due,
    Group,
    Outbox,
)
from monitor.notifications import MOST, SEVERITIES, Severity

REPEAT = 3600.0
LABELS = {"endpoint": "bot"}


def nothing(_: Mapping[str, str]) -> bool:
    return False


def everything(_: Mapping[str, str]) -> bool:
    return True


def outbox(*severities: Severity) -> Outbox:
    return Outbox("r", severities=severities or SEVERITIES, repeat=REPEAT, labels=LABELS)


def change(
    key: str, after: State, before: State = "ok", *, what: str = "MonitorDrift", at: float = 0.0
) -> Transition:
    where = {"value": key, "alertname": what, **LABELS}
    return Transition(what, where, before, after, since=0.0, at=at, words=f"{key} drifted")


def said(due: Due | None) -> tuple[str, list[tuple[str, str]]]:
    assert due is not None
    told = due.notification
    return told.status, sorted((one.labels["value"], one.status) for one in told.alerts)


def deliver(box: Outbox, now: float) -> Due:
    due = box.due(now, nothing)
    assert due is not None
    box.told(due, now)
    return due


def test_one_shift_is_one_message() -> None:
    """300 segments that begin to drift within ten seconds, and of the others how many."""
    box = outbox()
    for number in range(300):
        assert box.due(number / 60, nothing) is None
        box.take(change(str(number), "critical"))
    due = deliver(box, WAIT + 1)
    assert len(due.notification.alerts) == MOST
    assert (due.notification.left_out, due.notification.firing) == (200, 300)
    assert box.due(WAIT + 1000, nothing) is None


def test_what_goes_on_is_told_again_after_repeat() -> None:
    """Not before, and not once it is over."""
    box = outbox()
    box.take(change("a", "warning"))
    box.due(0, nothing)
    deliver(box, WAIT)
    assert box.due(WAIT + REPEAT - 1, nothing) is None
    assert said(deliver(box, WAIT + REPEAT)) == ("firing", [("a", "firing")])
    box.take(change("a", "ok", "warning", at=99.0))
    box.due(2 * REPEAT, nothing)
    due = deliver(box, 2 * REPEAT + LONGEST_INTERVAL)
    assert said(due) == ("resolved", [("a", "resolved")])
    assert due.notification.alerts[0].ends == 99.0
    assert box.due(10 * REPEAT, nothing) is None
    assert box.state() == {}


def test_changes_of_a_group_come_less_and_less_often() -> None:
    """A minute after the first message, then two, up to five; what is worse does not wait."""
    box = outbox()
    now = 0.0
    for number in range(8):
        box.take(change(str(number), "warning"))
        box.due(now, nothing)
        earliest = now + WAIT if number == 0 else now + min(INTERVAL * number, LONGEST_INTERVAL)
        assert box.due(earliest - 0.1, nothing) is None
        now = earliest
        deliver(box, now)
    box.take(change("worse", "critical"))
    assert box.due(now + 1, nothing) is None
    assert ("worse", "firing") in said(deliver(box, now + 1 + WAIT))[1]


def test_an_alert_that_gets_worse_is_told_as_what_it_is() -> None:
    """It is the same alert, by its fingerprint."""
    box = outbox()
    box.take(change("a", "warning"))
    box.due(0, nothing)
    first = deliver(box, WAIT).notification.alerts[0]
    box.take(change("a", "critical", "warning"))
    box.due(20, nothing)
    second = deliver(box, 20 + WAIT).notification.alerts[0]
    assert (first.severity, second.severity) == ("warning", "critical")
    assert first.fingerprint == second.fingerprint


def test_a_receiver_hears_of_its_severities_alone() -> None:
    """What becomes less than that is over for it."""
    box = outbox("critical")
    box.take(change("a", "warning"))
    assert box.due(1000, nothing) is None
    box.take(change("a", "critical", "warning"))
    box.due(1000, nothing)
    assert said(deliver(box, 1000 + WAIT)) == ("firing", [("a", "firing")])
    box.take(change("a", "warning", "critical", at=5.0))
    box.due(1100, nothing)
    assert said(deliver(box, 2000)) == ("resolved", [("a", "resolved")])


def test_what_is_silenced_is_neither_told_nor_told_to_be_over() -> None:
    """Until the silence ends."""
    box = outbox()
    box.take(change("a", "warning"))
    assert box.due(0, everything) is box.due(1000, everything) is None
    box.due(1000, nothing)
    deliver(box, 1000 + WAIT)
    assert box.due(1000 + 2 * REPEAT, everything) is None
    box.take(change("a", "ok", "warning"))
    assert box.due(1000 + 3 * REPEAT, everything) is None
    box.due(1000 + 4 * REPEAT, nothing)
    assert said(deliver(box, 1000 + 5 * REPEAT)) == ("resolved", [("a", "resolved")])


def test_what_fails_is_tried_again_after_growing_pauses() -> None:
    """Spread by chance, at most five minutes, or as long as the receiver asks, an hour at most."""
    box = outbox()
    box.take(change("a", "critical"))
    box.due(0, nothing)
    now, pauses = WAIT, []
    for _ in range(12):
        due = box.due(now, nothing)
        assert due is not None
        pauses.append(box.failed(due, now, chance=0.5))
        assert box.due(now + pauses[-1] - 0.1, nothing) is None
        now += pauses[-1]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert box.is_failing
    for chance, asked, pause in ((0.5, 900.0, 900.0), (0.0, 1e9, ASKED_PAUSE), (0.0, -5.0, 225.0)):
        due = box.due(now, nothing)
        assert due is not None
        assert box.failed(due, now, chance=chance, asked=asked) == pause
        now += pause
    deliver(box, now)
    assert not box.is_failing


def test_what_came_and_went_while_a_receiver_was_away_is_told() -> None:
    """As over; nothing is lost."""
    box = outbox()
    box.take(change("a", "critical"))
    box.due(0, nothing)
    due = box.due(WAIT, nothing)
    assert due is not None
    box.failed(due, WAIT, chance=0.5)
    box.take(change("a", "ok", "critical", at=12.0))
    assert said(deliver(box, 1000)) == ("resolved", [("a", "resolved")])
    assert box.due(5000, nothing) is None


def test_what_ends_on_the_way_is_told_next() -> None:
    """With the time at which it ended."""
    box = outbox()
    box.take(change("a", "critical"))
    box.due(0, nothing)
    due = box.due(WAIT, nothing)
    assert due is not None
    box.take(change("a", "ok", "critical", at=12.0))
    box.told(due, WAIT + 5)
    box.due(100, nothing)
    over = deliver(box, 500)
    assert over.notification.alerts[0].ends == 12.0


def test_a_flap_between_two_messages_is_not_told() -> None:
    """What ended and began again is as the receiver knows it."""
    box = outbox()
    box.take(change("a", "critical"))
    box.due(0, nothing)
    deliver(box, WAIT)
    box.take(change("a", "ok", "critical"))
    box.due(WAIT + 1, nothing)
    box.take(change("a", "critical"))
    assert box.due(WAIT + 1000, nothing) is None


def restarted(box: Outbox, now: float) -> Outbox:
    state = msgspec.json.encode(box.state())
    after = outbox()
    after.restore(msgspec.json.decode(state, type=dict[str, Group]), now)
    return after


def test_a_restart_tells_nothing_again() -> None:
    """What was told is known, also when; what ended meanwhile is told."""
    box = outbox()
    box.take(change("a", "critical"))
    box.take(change("b", "critical"))
    box.due(0, nothing)
    deliver(box, WAIT)
    box = restarted(box, 100.0)
    box.take(change("a", "critical"))
    box.take(change("b", "critical"))
    assert box.due(WAIT + REPEAT - 1, nothing) is None
    box.take(change("b", "ok", "critical"))
    box.due(200, nothing)
    assert said(deliver(box, 500)) == ("firing", [("a", "firing"), ("b", "resolved")])


@pytest.mark.parametrize("now", [-1e9, 1e9])
def test_a_clock_that_was_set_tells_at_most_once_more(now: float) -> None:
    """A time that is still to come counts as now, so nothing falls silent for years."""
    box = outbox()
    box.take(change("a", "critical"))
    box.due(0, nothing)
    deliver(box, WAIT)
    box = restarted(box, now)
    box.take(change("a", "critical"))
    told = []
    for step in range(4):
        if (due := box.due(now + step * REPEAT / 2, nothing)) is not None:
            box.told(due, now + step * REPEAT / 2)
            told.append(step)
    assert len(told) == (1 if now < 0 else 2)


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from((*SEVERITIES, "ok")),
        st.sampled_from(("taken", "taken", "refused", "restart", "later")),
    ),
    max_size=30,
)


@given(STEPS, st.booleans())
def test_in_the_end_a_receiver_knows_what_is_so(steps: list[Any], picky: bool) -> None:
    """Whatever changes, fails and starts again: it is told each state once, and nothing else."""
    severities: tuple[Severity, ...] = ("critical",) if picky else SEVERITIES
    box = outbox(*severities)
    truth: dict[str, State] = {}
    known: dict[str, str] = {}
    now, told_at = 0.0, -REPEAT

    def turn(result: str) -> None:
        nonlocal box, now, told_at
        now += 7.0
        due = box.due(now, nothing)
        if result == "restart":
            state = msgspec.json.encode(box.state())
            box = outbox(*severities)
            box.restore(msgspec.json.decode(state, type=dict[str, Group]), now)
            for key, after in truth.items():
                if after != "ok":
                    box.take(change(key, after))
        elif due is not None and result == "refused":
            box.failed(due, now, chance=0.5)
        elif due is not None:
            before = dict(known)
            for one in due.notification.alerts:
                known[one.labels["value"]] = one.severity if one.ends is None else "ok"
            is_news = known != before or any(one.ends for one in due.notification.alerts)
            assert is_news or now - told_at >= REPEAT
            told_at = now
            box.told(due, now)

    for key, after, result in steps:
        if truth.get(key, "ok") != after:
            box.take(change(key, after, truth.get(key, "ok")))
            truth[key] = after
        turn(result)
    for _ in range(300):
        turn("taken")
    wanted = {key: after for key, after in truth.items() if after in severities}
    assert {key: state for key, state in known.items() if state != "ok"} == wanted


def test_news_is_told_once() -> None:
    """Not again while it stands, and not that it is over; the next news is told."""
    box = outbox()
    news = "MonitorLineageChange"
    box.take(change("a", "info", what=news))
    assert box.due(0.0, nothing) is None
    assert said(deliver(box, WAIT)) == ("firing", [("a", "firing")])
    assert box.due(10 * REPEAT, nothing) is None
    after = outbox()
    after.restore(box.state(), 0.0)
    after.take(change("a", "info", what=news))
    for one in (box, after):
        one.take(change("a", "ok", "info", what=news))
        assert one.due(20 * REPEAT, nothing) is None
        one.take(change("b", "info", what=news))
        one.due(20 * REPEAT, nothing)
        assert said(deliver(one, 21 * REPEAT)) == ("firing", [("b", "firing")])


def test_news_that_a_receiver_missed_is_told_when_it_is_back() -> None:
    """Once, as the change that it is: to be told that it is resolved one would take it for undone."""
    box = outbox()
    box.take(change("a", "info", what="MonitorLineageChange"))
    box.due(0.0, nothing)
    due = box.due(WAIT, nothing)
    assert due is not None
    box.failed(due, WAIT, chance=0.5)
    box.take(change("a", "ok", "info", what="MonitorLineageChange", at=50.0))
    assert said(deliver(box, REPEAT)) == ("firing", [("a", "firing")])
    assert box.due(10 * REPEAT, nothing) is None
    assert box.state() == {}


def test_news_that_ends_while_it_is_told_is_not_told_to_be_over() -> None:
    """The receiver has it by then."""
    box = outbox()
    box.take(change("a", "info", what="MonitorLineageChange"))
    box.due(0.0, nothing)
    due = box.due(WAIT, nothing)
    assert due is not None
    box.take(change("a", "ok", "info", what="MonitorLineageChange", at=WAIT))
    box.told(due, WAIT)
    assert box.due(10 * REPEAT, nothing) is None
    assert box.state() == {}
