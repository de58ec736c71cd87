"""Conditions, look after look → Transitions: what began, got worse or better, and ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from monitor.alerting.conditions import Condition
from monitor.alerting.table import BY_NAME
from monitor.notifications import Alert, Severity, fingerprint

MOST = 5000
"""Alerts that are followed at a time."""

State = Severity | Literal["ok"]


class Transition(msgspec.Struct, frozen=True):
    """A status that changed: of what (an alert's name), where (its labels without severity), from
    which state to which. It is wrong `since`, and changed `at`, both Unix seconds. `usual` is the
    severity that it would have if nobody had said otherwise."""

    what: str
    where: dict[str, str]
    before: State
    after: State
    since: float
    at: float
    words: str = ""
    usual: Severity | None = None

    @property
    def fingerprint(self) -> str:
        """Return the same 16 hex digits for the same alert and labels."""
        return fingerprint(self.where)

    @property
    def severity(self) -> State:
        """How bad it is, or was before it ended."""
        return self.before if self.after == "ok" else self.after

    def alert(self, runbook: str) -> Alert:
        """What is told of it; `runbook` is the URL of the page that the sections are on."""
        kind = BY_NAME.get(self.what)
        severity = self.severity
        named = self.usual or severity
        summary = kind.summaries.get(named, "") if kind and named != "ok" else ""
        return Alert(
            fingerprint=self.fingerprint,
            labels={**self.where, "severity": severity},
            summary=summary,
            description=self.words,
            starts=self.since,
            ends=self.at if self.after == "ok" else None,
            runbook=f"{runbook}#{kind.anchor}" if kind and runbook else "",
        )


class Followed(msgspec.Struct):
    """A condition that holds or held: since when it is seen, and what was told of it."""

    condition: Condition
    seen: float
    last: float
    since: float
    state: State = "ok"


class Alerts:
    """Follows what is wrong. `now` is seconds of a clock that never jumps, `clock` Unix seconds,
    which alerts bear.

    `endpoint` and, where several processes watch the same endpoint, `instance` are labels of all.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        self._followed: dict[str, Followed] = {}

    def follow(
        self, conditions: Iterable[Condition], judged: Collection[str], *, now: float, clock: float
    ) -> Iterator[Transition]:
        """Yield what changed. Only of alerts whose names are `judged` the absence says anything: a
        process that does not answer has not become well."""
        held = set()
        for one in conditions:
            name = fingerprint(self._where(one))
            held.add(name)
            found = self._followed.get(name)
            if found is None:
                if len(self._followed) >= MOST:
                    continue
                since = clock if one.since is None else min(one.since, clock)
                found = self._followed[name] = Followed(one, now, now, since)
            found.condition, found.last = one, now
            ripe = now - found.seen >= BY_NAME[one.alert].after
            if found.state != one.severity and (found.state != "ok" or ripe):
                yield self._changed(found, one.severity, clock)
        for name, found in list(self._followed.items()):
            kind = BY_NAME.get(found.condition.alert)
            if name in held or (kind is not None and kind.name not in judged):
                continue
            if found.state == "ok" or kind is None or now - found.last >= kind.keep:
                del self._followed[name]
                if found.state != "ok":
                    yield self._changed(found, "ok", clock)

    def firing(self, clock: float) -> Iterator[Transition]:
        """Yield all that fires, as if it had begun now."""
        for found in self._followed.values():
            if found.state != "ok":
                state, found.state = found.state, "ok"
                yield self._changed(found, state, clock)

    def state(self) -> list[Followed]:
        """What a successor needs."""
        return [
            msgspec.structs.replace(one, last=0.0)
            for one in self._followed.values()
            if one.state != "ok"
        ]

    def restore(self, state: Iterable[Followed], now: float) -> None:
        """Go on from what was saved; what is followed already stays as it is."""
        for one in state:
            one.seen, one.last = min(one.seen, now), now
            self._followed.setdefault(fingerprint(self._where(one.condition)), one)

    def _changed(self, found: Followed, after: State, at: float) -> Transition:
        before, found.state = found.state, after
        return Transition(
            what=found.condition.alert,
            where=self._where(found.condition),
            before=before,
            after=after,
            since=found.since,
            at=at,
            words=found.condition.words,
            usual=found.condition.usual,
        )

    def _where(self, condition: Condition) -> dict[str, str]:
        # Ours come last: no name of a stranger takes their place.
        return {**condition.labels, "alertname": condition.alert, **self._labels}
