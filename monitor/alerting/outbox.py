"""Transitions → what one receiver is told, and when: grouped, de-duplicated, repeated, resolved.

The groups are those of `alerts/alertmanager.yml`: one for each name of an alert. There is no queue:
what a receiver could not be told is found by comparing what it was told with what is the case. So
nothing piles up while it is away, and what is told then is true then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import msgspec

from monitor.alerting.alerts import Transition
from monitor.alerting.table import BY_NAME
from monitor.notifications import MOST, SEVERITIES, Notification, Severity

WAIT = 10.0
"""Seconds from the first change of a group until it is told: what else changes goes with it."""
INTERVAL, LONGEST_INTERVAL = 60.0, 300.0
"""Seconds between two messages about a group that fires; a minute more each time, up to so many."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds until what failed is tried again; doubled each time."""
ASKED_PAUSE = 3600.0
"""Seconds that a receiver may ask to be left alone, at most."""
MISSED = 1000
"""Alerts of a group that came and went untold."""

Silenced = Callable[[Mapping[str, str]], bool]
"""Whether labels, with the severity, are silenced now."""


class Group(msgspec.Struct):
    """What is the case and what was told, of alerts with one name, by fingerprint."""

    current: dict[str, Transition] = {}
    told: dict[str, Transition] = {}
    missed: dict[str, Transition] = {}
    told_at: float | None = None
    changed_at: float | None = None
    messages: int = 0
    is_failing: bool = False


class Due(msgspec.Struct, frozen=True):
    """A notification that is due, the group that it is about, and what is then told of it."""

    name: str
    notification: Notification
    view: dict[str, Transition]
    missed: list[str]


class Outbox:
    """One receiver's. `severities` are those that it hears of; what goes on is told again after
    `repeat` seconds. `labels` are those of every group, `runbook` and `source` URLs or empty.

    All times are seconds of a clock that never jumps.
    """

    def __init__(
        self,
        receiver: str,
        *,
        severities: Iterable[Severity],
        repeat: float,
        labels: Mapping[str, str],
        runbook: str = "",
        source: str = "",
    ) -> None:
        self._receiver = receiver
        self._severities = frozenset(severities)
        self._repeat = repeat
        self._labels = dict(labels)
        self._runbook = runbook
        self._source = source
        self._groups: dict[str, Group] = {}
        self._failures = 0
        self._not_before = -math.inf

    def take(self, transition: Transition) -> None:
        """Note a change. What is not, or no longer, for this receiver is over for it."""
        name, key = transition.what, transition.fingerprint
        if transition.after in self._severities:
            group = self._groups.setdefault(name, Group())
            group.current[key] = transition
            group.missed.pop(key, None)
            if (was := group.told.get(key)) is not None and was.after == "ok":
                # It ended and began again before the receiver was told that it had ended.
                group.told[key] = msgspec.structs.replace(was, after=was.before)
            return
        found = self._groups.get(name)
        if found is None:
            return
        ended = found.current.pop(key, None)
        if ended is None:
            return
        if _is_news(name):  # told as what it is, also late: a change is not over
            if found.told.pop(key, None) is None and len(found.missed) < MISSED:
                found.missed[key] = ended
        elif key in found.told:
            found.told[key] = _over(found.told[key], transition.at)
        elif len(found.missed) < MISSED:
            found.missed[key] = _over(ended, transition.at)

    def due(self, now: float, is_silenced: Silenced) -> Due | None:
        """Return what is to be told now, None where nothing is.

        A silenced alert is neither told nor told to be over.
        """
        for name in list(self._groups):
            group = self._groups[name]
            if not group.is_failing:
                group.missed.clear()  # it came and went before there was anything to tell
            view = self._view(group, is_silenced)
            changed = any(
                key not in group.told or group.told[key].after != one.after
                for key, one in view.items()
            )
            over = [key for key in group.told if key not in view]
            if changed or over or group.missed:
                if group.changed_at is None:
                    group.changed_at = now
                at = self._when(group, group.changed_at, view)
            else:
                group.changed_at = None
                if not (group.told or group.current):
                    del self._groups[name]
                    continue
                if group.told_at is None or _is_news(name) or not self._speaks(view, is_silenced):
                    continue
                at = group.told_at + self._repeat
            if now >= max(at, self._not_before):
                return self._made(name, group, view, over)
        return None

    def told(self, due: Due, now: float) -> None:
        """Note that the receiver took what was `due` at Unix time `now`."""
        self._failures, self._not_before = 0, -math.inf
        group = self._groups.setdefault(due.name, Group())
        for key in due.missed:
            group.missed.pop(key, None)
        # What ended while it was on its way is to be told next.
        ended = {key: group.missed.pop(key) for key in due.view if key in group.missed}
        ended |= {key: one for key, one in group.told.items() if one.after == "ok"}
        if _is_news(due.name):
            group.told = {key: one for key, one in due.view.items() if key in group.current}
        else:
            group.told = {key: ended.get(key, one) for key, one in due.view.items()}
        group.told_at, group.changed_at, group.is_failing = now, None, False
        group.messages += 1
        if not group.told and not group.missed and not group.current:
            del self._groups[due.name]

    def failed(self, due: Due, now: float, *, chance: float, asked: float | None = None) -> float:
        """The receiver has not taken it; return the seconds until it is tried again.

        `chance` is a number from 0 to 1 that spreads the attempts of many; `asked` is for how many
        seconds the receiver wants to be left alone.
        """
        pause = min(FIRST_PAUSE * 2.0 ** min(self._failures, 20), LONGEST_PAUSE)
        pause *= 0.75 + 0.5 * chance
        if asked is not None:
            pause = max(pause, min(max(asked, 0.0), ASKED_PAUSE))
        self._failures += 1
        self._not_before = now + pause
        if (group := self._groups.get(due.name)) is not None:
            group.is_failing = True
        return pause

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def state(self) -> dict[str, Group]:
        """What a successor needs: what was told, and when."""
        return {
            name: msgspec.structs.replace(group, current={}, changed_at=None)
            for name, group in self._groups.items()
            if group.told or group.missed
        }

    def restore(self, groups: Mapping[str, Group], now: float) -> None:
        """Go on from what was saved. What is the case now comes by `take`.

        A time that is still to come was written before the clock was set back.
        """
        for name, saved in groups.items():
            ours = self._groups.setdefault(name, Group())
            ours.told = saved.told | ours.told
            ours.missed = saved.missed | ours.missed
            ours.is_failing = ours.is_failing or saved.is_failing
            ours.messages += saved.messages
            if ours.told_at is None and saved.told_at is not None:
                ours.told_at = min(saved.told_at, now)

    def _view(self, group: Group, is_silenced: Silenced) -> dict[str, Transition]:
        """What the receiver is to know: what is the case, and of what is silenced what it knows."""
        view = {}
        for key, one in group.current.items():
            if not is_silenced(_labels(one)):
                view[key] = one
            elif key in group.told:
                view[key] = group.told[key]
        return view | {
            key: one
            for key, one in group.told.items()
            if key not in group.current and is_silenced(_labels(one))
        }

    @staticmethod
    def _speaks(view: Mapping[str, Transition], is_silenced: Silenced) -> bool:
        return any(one.after != "ok" and not is_silenced(_labels(one)) for one in view.values())

    @staticmethod
    def _when(group: Group, changed_at: float, view: Mapping[str, Transition]) -> float:
        at = changed_at + WAIT
        if group.told_at is None or not group.told:
            return at
        worst = min(map(_rank, view.values()), default=len(SEVERITIES))
        if worst < min(map(_rank, group.told.values())):
            return at  # it has become worse
        return max(at, group.told_at + min(INTERVAL * group.messages, LONGEST_INTERVAL))

    def _made(self, name: str, group: Group, view: dict[str, Transition], over: list[str]) -> Due:
        firing = sorted(view.values(), key=_order)
        firing = [one for one in firing if one.after != "ok"]
        told = [*firing, *(_over(group.told[key]) for key in over), *group.missed.values()]
        notification = Notification(
            receiver=self._receiver,
            group={"alertname": name, **self._labels},
            alerts=[one.alert(self._runbook) for one in told[:MOST]],
            firing=sum(one.after != "ok" for one in told),
            left_out=max(0, len(told) - MOST),
            source=self._source,
        )
        return Due(name, notification, view, list(group.missed))


def _is_news(name: str) -> bool:
    kind = BY_NAME.get(name)
    return kind is not None and kind.is_news


def _labels(transition: Transition) -> dict[str, str]:
    return {**transition.where, "severity": transition.severity}


def _rank(transition: Transition) -> int:
    return SEVERITIES.index(transition.severity) if transition.severity != "ok" else len(SEVERITIES)


def _order(transition: Transition) -> tuple[int, bool, float, str]:
    is_segment = transition.where.get("dimension", "all") != "all"
    return _rank(transition), is_segment, transition.since, transition.fingerprint


def _over(transition: Transition, at: float | None = None) -> Transition:
    """The same as ended; where nobody saw when, it ended when it was last heard of."""
    if transition.after == "ok":
        return transition
    ends = transition.at if at is None else at
    return msgspec.structs.replace(transition, before=transition.after, after="ok", at=ends)
