"""Measurements of our own processes → Conditions: what the alert rules ask of them, without a
Prometheus.

Windows and bounds are those of `alerts/`, but nothing is predicted, what is counted per second
there is counted since the last minutes here, and an endpoint that is down is seen sooner.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from monitor.alerting.conditions import Condition, Standing
from monitor.certificates import Validity
from monitor.notifications import Severity
from monitor.readable import rounded
from monitor.types import Measurement

MINUTE, HOUR = 60.0, 3600.0
KEPT = HOUR
"""Seconds of the longest window."""
STEP = 5.0
"""Seconds between two points of a history, at least."""
SERIES = 2000
"""Series that have a history: reasons, roles and parts are few, whatever comes."""
FULL = 0.8
"""The share of a bound from which a place is filling."""
ENOUGH = 50
"""Exchanges in ten minutes, or of an objective in an hour, from which a share says something."""
BURN = 14.4
"""So many times too fast the budget of an objective is spent when it is an alert: at that rate a
fiftieth of the budget of 30 days goes in an hour (Google, SRE workbook, chapter 5)."""
SOON = 7 * 24 * HOUR
"""Seconds before its end from which on a certificate expires soon."""
OVERDUE = 600.0
"""Seconds beyond `archive.every` that a record may wait for the archive."""
UNANCHORED = 3600.0
"""Seconds beyond `audit.every` that checkpoints may wait to be kept elsewhere."""
LATE = 300.0
"""Seconds that the newest analyzed record may be old while records come."""

DOWN = ((5 * MINUTE, 3, "5 minutes"), (20.0, 10, "20 seconds"))
"""In so many seconds so many exchanges failed, and none was answered: the endpoint is down. The
rules know the first alone, since a Prometheus seldom scrapes often enough for the other."""
FAILED = ("server_error", "upstream_refused", "upstream_timeout", "upstream_broken")
ANSWERED = ("ok", "client_error", "rate_limited")

Labels = Mapping[str, str]
SeriesKey = tuple[str, str]


class Health:
    """Remembers an hour of what is counted, and says what is wrong.

    The first look says of no counter that it rose: what rose before is not known.
    """

    def __init__(self) -> None:
        self._history: dict[SeriesKey, deque[tuple[float, float]]] = {}
        self._looks = 0
        self._now = 0.0
        self._sums: dict[str, dict[str, float]] = {}

    def look(
        self,
        samples: Iterable[Measurement],
        *,
        restarts: Mapping[str, int],
        limits: Mapping[str, float],
        objectives: Mapping[str, float],
        recorders: int,
        certificates: Mapping[str, Validity],
        now: float,
        clock: float,
    ) -> list[Condition]:
        """Return what the processes beside the traffic show at `now` (seconds of a clock that never
        jumps; `clock` is Unix seconds). `limits` are bounds in bytes by place, `restarts` counts by
        role, `objectives` the shares of exchanges that are to meet each, `certificates` when each
        holds."""
        self._now = now
        self._sums = _added_up(samples)
        self._note("restarts", restarts)
        for name in _COUNTED:
            self._note(name, self._sums.get(name, {}))
        self._looks += 1
        return [
            *self._lost(),
            *self._burns(objectives),
            *self._places(limits),
            *self._store(recorders),
            *self._others(),
            *_ending(certificates, clock),
        ]

    def analysis(
        self, standing: Standing | None, *, clock: float, now: float, has_traffic: bool
    ) -> Iterator[Condition]:
        """Yield what the analyzer's numbers show; None is one that does not answer. `clock` is Unix
        seconds; without traffic of our own nothing says whether records come."""
        self._now = now
        if standing is None:
            words = "the analyzer does not answer, or cannot reach the store"
            yield Condition("MonitorAnalysisAbsent", "warning", {}, words)
            return
        self._note("set_aside", standing.set_aside)
        self._note("missed", {"": standing.missed})
        for reason in standing.set_aside:
            if rose := self._rise("set_aside", 15 * MINUTE, reason):
                words = f"{rose:,.0f} entries of the stream in 15 minutes, reason {reason}"
                yield Condition("MonitorRecordsSetAside", "warning", {"reason": reason}, words)
        if rose := self._rise("missed", 15 * MINUTE, ""):
            words = f"{rose:,.0f} records in 15 minutes"
            yield Condition("MonitorRecordsMissed", "warning", {}, words)
        age = clock - standing.newest
        comes = has_traffic and self._all("monitor_records_appended_total", 5 * MINUTE)
        if comes and standing.newest and age > LATE:
            words = f"the newest analyzed record is {age:,.0f} s old, and records keep coming"
            yield Condition("MonitorAnalysisLagging", "warning", {}, words)

    # --- what is asked -----------------------------------------------------------------------

    def _lost(self) -> Iterator[Condition]:
        ended = self._all("monitor_exchanges_total", 10 * MINUTE)
        reasons = self._sums.get("monitor_exchanges_lost_total", {})
        lost = {
            reason: self._rise("monitor_exchanges_lost_total", 10 * MINUTE, reason)
            for reason in reasons
            if reason != "sampled"
        }
        share = sum(lost.values()) / ended if ended > ENOUGH else 0.0
        if share > 0.1:
            words = f"{rounded(share)} of the exchanges of the last 10 minutes left no record"
            yield Condition("MonitorRecordsLost", "critical", {}, words)
        for reason, count in lost.items():
            if count and reason != "opaque":
                words = f"{count:,.0f} exchanges of the last 10 minutes, reason {reason}"
                yield Condition("MonitorRecordsLost", "warning", {"reason": reason}, words)
        yield from self._down()

    def _down(self) -> Iterator[Condition]:
        """Nobody is answered: of much traffic that is plain at once, of little after minutes."""
        for seconds, least, when in DOWN:
            failed = sum(self._rise("monitor_exchanges_total", seconds, one) for one in FAILED)
            answered = sum(self._rise("monitor_exchanges_total", seconds, one) for one in ANSWERED)
            if failed >= least and not answered:
                words = f"{failed:,.0f} exchanges failed in {when} and none succeeded"
                yield Condition("MonitorUpstreamDown", "critical", {}, words)
                return

    def _burns(self, objectives: Mapping[str, float]) -> Iterator[Condition]:
        """What is spent too fast in the last hour, and in its last five minutes still."""
        for objective, share in objectives.items():
            alert, bad, labels, whole = _OBJECTIVES[objective]
            burns = []
            for seconds in (HOUR, 5 * MINUTE):
                total = self._all(whole, seconds)
                missed = sum(self._rise(bad, seconds, label) for label in labels)
                burns.append(missed / total / (1 - share) if total else 0.0)
            if min(burns) > BURN and self._all(whole, HOUR) > ENOUGH:
                words = (
                    f"over the last hour the {objective} budget was spent {burns[0]:.3g} times as "
                )
                yield Condition(
                    alert, "critical", {"objective": objective}, words + "fast as allowed"
                )

    def _places(self, limits: Mapping[str, float]) -> Iterator[Condition]:
        alerts: tuple[tuple[str, str, str, Severity], ...] = (
            ("spool", "monitor_spool_bytes", "MonitorSpoolFilling", "critical"),
            ("buffer", "monitor_buffer_bytes", "MonitorBufferFilling", "warning"),
        )
        for place, metric, alert, severity in alerts:
            held, limit = sum(self._sums.get(metric, {}).values()), limits.get(place, 0.0)
            if limit and held > FULL * limit:
                words = f"the {place} holds {rounded(held / limit)} of its {limit / 2**20:,.0f} MiB"
                yield Condition(alert, severity, {}, words)

    def _store(self, recorders: int) -> Iterator[Condition]:
        up = self._sums.get("monitor_store_up")
        if up is not None and sum(up.values()) < recorders:
            words = f"{sum(up.values()):.0f} of {recorders} recorders reach the store"
            yield Condition("MonitorStoreDown", "warning", {}, words)

    def _others(self) -> Iterator[Condition]:
        if rose := self._all("monitor_connections_refused_total", 5 * MINUTE):
            words = f"{rose:,.0f} connections in 5 minutes; `limits.connections` bounds them"
            yield Condition("MonitorConnectionsRefused", "critical", {}, words)
        for role in sorted(name for metric, name in self._history if metric == "restarts"):
            if (rose := self._rise("restarts", 30 * MINUTE, role)) > 2:
                words = f"the {role} was restarted {rose:.0f} times in 30 minutes"
                yield Condition("MonitorRestarts", "warning", {"role": role}, words)
        for part in sorted(self._sums.get("monitor_part_failures_total", {})):
            if rose := self._rise("monitor_part_failures_total", 15 * MINUTE, part):
                kind, _, name = part.partition(" ")
                words = f"the {kind} {name} failed {rose:,.0f} times in 15 minutes"
                yield Condition(
                    "MonitorPartFailing", "warning", {"kind": kind, "name": name}, words
                )
        overdue = max(self._sums.get("monitor_archive_overdue_seconds", {}).values(), default=0.0)
        if overdue > OVERDUE:
            words = f"a record has waited {overdue:,.0f} s longer than `archive.every`"
            yield Condition("MonitorArchiveBehind", "warning", {}, words)
        late = self._sums.get("monitor_audit_anchor_overdue_seconds", {})
        for kind in sorted(kind for kind, seconds in late.items() if seconds > UNANCHORED):
            words = f"checkpoints have waited {late[kind]:,.0f} s longer than `audit.every`"
            yield Condition("MonitorArchiveUnanchored", "warning", {"kind": kind}, words)
        yield from self._redactions()
        if sum(self._sums.get("monitor_key_conflict", {}).values()):
            words = "a recorder has a key that the other replicas do not have"
            yield Condition("MonitorKeyConflict", "warning", {}, words)

    def _redactions(self) -> Iterator[Condition]:
        rose = {
            reason: self._rise("monitor_redactions_total", HOUR, reason)
            for reason in self._sums.get("monitor_redactions_total", {})
            if reason != "credential"
        }
        records = self._all("monitor_records_appended_total", HOUR)
        share = sum(rose.values()) / records if records else 0.0
        if share > 0.01:
            words = (
                f"{rounded(share)} as many texts as records were replaced whole in the last hour"
            )
            yield Condition("MonitorRedactions", "warning", {}, words)
        for reason, count in rose.items():
            if count and share <= 0.01:
                words = f"{count:,.0f} texts replaced whole in the last hour, reason {reason}"
                yield Condition("MonitorRedactions", "info", {"reason": reason}, words)

    # --- histories ---------------------------------------------------------------------------

    def _note(self, name: str, counts: Mapping[str, float]) -> None:
        for label, count in counts.items():
            history = self._history.get((name, label))
            if history is None:
                if len(self._history) >= SERIES:
                    continue
                history = self._history[name, label] = deque()
                if self._looks:  # it was not there at the look before
                    history.append((self._now - STEP, 0.0))
            if history and count < history[-1][1]:  # who counts began anew
                history.clear()
                history.append((self._now - STEP, 0.0))
            if not history or self._now - history[-1][0] >= STEP:
                history.append((self._now, count))
            elif len(history) > 1:
                history[-1] = (history[-1][0], count)
            while len(history) > 2 and history[1][0] <= self._now - KEPT:
                history.popleft()

    def _rise(self, name: str, seconds: float, label: str) -> float:
        """How much a count rose in the last seconds, as far as they are remembered."""
        history = self._history.get((name, label))
        if not history:
            return 0.0
        before = history[0][1]
        for at, count in history:
            if at > self._now - seconds:
                break
            before = count
        return history[-1][1] - before

    def _all(self, name: str, seconds: float) -> float:
        return sum(self._rise(name, seconds, one) for one in self._sums.get(name, {}))


def _ending(certificates: Mapping[str, Validity], clock: float) -> Iterator[Condition]:
    """What has expired, or will soon: within a week, and within a fifth of the time that it holds,
    because some hold for hours and are renewed in the last third."""
    for key, validity in certificates.items():
        left = validity.not_after - clock
        labels = {"certificate": key}
        if left <= 0:
            words = f"{key} expired {-left / HOUR:,.1f} hours ago"
            yield Condition("MonitorCertificateExpiring", "critical", labels, words)
        elif left < min(SOON, (validity.not_after - validity.not_before) / 5):
            words = f"{key} expires in {left / HOUR:,.1f} hours"
            yield Condition("MonitorCertificateExpiring", "warning", labels, words)


_OBJECTIVES = {
    "availability": (
        "MonitorErrorBudgetBurn", "monitor_exchanges_total", FAILED, "monitor_exchanges_total",
    ),
    "latency": (
        "MonitorLatencyBudgetBurn", "monitor_objective_missed_total", ("latency",),
        "monitor_exchange_duration_seconds_count",
    ),
    "first_token": (
        "MonitorLatencyBudgetBurn", "monitor_objective_missed_total", ("first_token",),
        "monitor_time_to_first_token_seconds_count",
    ),
}  # fmt: skip
"""Objective → its alert, what counts misses under which labels, and what counts all."""


def _by(label: str) -> Callable[[Labels], str]:
    return lambda labels: labels.get(label, "")


_COUNTED: dict[str, Callable[[Labels], str]] = {
    "monitor_exchanges_total": _by("outcome"),
    "monitor_objective_missed_total": _by("objective"),
    "monitor_exchange_duration_seconds_count": lambda _: "",
    "monitor_time_to_first_token_seconds_count": lambda _: "",
    "monitor_records_appended_total": lambda _: "",
    "monitor_exchanges_lost_total": _by("reason"),
    "monitor_connections_refused_total": lambda _: "",
    "monitor_redactions_total": _by("reason"),
    "monitor_part_failures_total": lambda labels: f"{labels.get('kind')} {labels.get('name')}",
}
"""Counters that are remembered, and which of their labels are told apart."""

_KEYS: dict[str, Callable[[Labels], str]] = {
    **_COUNTED,
    "monitor_audit_anchor_overdue_seconds": _by("kind"),
    **dict.fromkeys(
        (
            "monitor_spool_bytes",
            "monitor_buffer_bytes",
            "monitor_store_up",
            "monitor_key_conflict",
            "monitor_archive_overdue_seconds",
        ),
        lambda _: "",
    ),
}


def _added_up(samples: Iterable[Measurement]) -> dict[str, dict[str, float]]:
    sums: dict[str, dict[str, float]] = {}
    for one in samples:
        if (key := _KEYS.get(one.name)) is not None:
            label = key(one.labels)
            of_metric = sums.setdefault(one.name, {})
            of_metric[label] = of_metric.get(label, 0.0) + one.value
    return sums
