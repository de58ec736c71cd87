"""Whether all is well: processes, ledger, lag, store, and what is found now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from monitor.errors import SilentError
from monitor.findings import Change, Drift, OfSegment, Outcomes, Slice
from monitor.findings import Status as Verdict
from monitor.queries import samples
from monitor.queries.query import Process, Query, System

NAMES = (
    "monitor_exchanges_total", "monitor_records_appended_total", "monitor_exchanges_lost_total",
    "monitor_records_pending", "monitor_records_analyzed_total", "monitor_records_missed_total",
    "monitor_records_set_aside_total", "monitor_analysis_timestamp_seconds",
    "monitor_connections_open", "monitor_connections_opaque_total", "monitor_spool_bytes",
    "monitor_buffer_bytes", "monitor_process_resident_memory_bytes",
)  # fmt: skip


class Asked(msgspec.Struct, frozen=True):
    """Nothing can be chosen."""


class Ledger(msgspec.Struct, frozen=True):
    """What became of every exchange: `exchanges` = `appended` + `lost` + `pending`, at rest and
    under faults."""

    exchanges: int
    """Exchanges that the proxies saw end."""
    appended: int
    """Of them, those whose Record is in the stream."""
    lost: dict[str, int]
    """Of them, those that left no Record, by reason."""
    pending: int
    """Of them, those on their way."""


class Statuses(msgspec.Struct, frozen=True):
    """Numbers of one monitor of outcomes by what is believed of them; none where all are 0."""

    ok: int
    """Of these no alarm is believed."""
    alarm: int
    """Of these one is."""
    insufficient: int
    """Of these nothing can be said yet."""


class Analysis(msgspec.Struct, frozen=True):
    """How far the analyzer is, and what it says."""

    verdict: Verdict
    """`drift` where any feature drifts, else `ok` where anything can be said."""
    drifting: int
    """Features that drift, each segment of its own."""
    alarms: int
    """Alarms of quality, calibration, coverage, fairness and slices."""
    judged: dict[str, Statuses]
    """By which of these how much was judged: without an alarm nothing is known of what was not."""
    analyzed: int
    """Records that it has counted."""
    missed: int
    """Records that were trimmed from the stream before it read them."""
    set_aside: dict[str, int]
    """Records that it could not count, by reason."""
    newest: float | None
    """Unix time of the newest Record that it counted; null before the first."""
    lag: float | None
    """Seconds since then: without traffic this grows, and nothing is wrong."""


class Health(msgspec.Struct, frozen=True):
    """The state of this command."""

    endpoint: str
    """The setting `endpoint`."""
    version: str
    """The version of `monitor`."""
    now: float
    """When this was answered, in Unix seconds."""
    ready: bool
    """Whether the proxies accept connections."""
    problems: list[str]
    """What is wrong now, a sentence each; empty where all is well."""
    ledger: Ledger
    """What became of exchanges."""
    analysis: Analysis
    """How far the analyzer is."""
    store: str
    """`ok`, or why the store does not answer."""
    connections: int
    """Connections of clients that are open."""
    opaque: dict[str, int]
    """Connections that were passed on but could not be read, by reason."""
    memory: dict[str, int]
    """Resident memory by process, in bytes."""
    processes: list[Process]
    """The processes of this command."""
    changes: list[Change]
    """What serves that has changed, the last first: 50 at most."""


async def answer(system: System, asked: Asked) -> Health:
    """The health of all processes, the ledger of exchanges, and how far the analyzer is."""
    found = samples.by_name(await system.measurements(), NAMES)
    running, store = await system.running(), await system.store()
    silence = ""
    drift, outcomes = Drift(), Outcomes()
    try:
        drift, outcomes = await system.drift(), await system.outcomes()
    except SilentError as error:
        silence = str(error)

    def count(name: str) -> int:
        return int(samples.total(found[name]))

    def counts(name: str, label: str) -> dict[str, int]:
        return {one: int(n) for one, n in samples.sums(found[name], label).items() if n}

    ledger = Ledger(
        count("monitor_exchanges_total"), count("monitor_records_appended_total"),
        counts("monitor_exchanges_lost_total", "reason"), count("monitor_records_pending"),
    )  # fmt: skip
    newest = max((one.value for one in found["monitor_analysis_timestamp_seconds"]), default=0.0)
    now = system.now()
    judged = {
        "quality": _statuses(outcomes.quality),
        "calibration": _statuses(outcomes.calibration),
        "coverage": _statuses(outcomes.coverage),
        "fairness": _statuses(outcomes.fairness),
        "slices": _statuses(outcomes.slices),
    }
    analysis = Analysis(
        drift.verdict,
        sum(one.status == "drift" for one in drift.features),
        sum(one.alarm for one in judged.values()),
        judged,
        count("monitor_records_analyzed_total"),
        count("monitor_records_missed_total"),
        counts("monitor_records_set_aside_total", "reason"),
        newest or None,
        max(0.0, now - newest) if newest else None,
    )
    problems = [f"{one.role} {one.index} does not run" for one in running.processes if not one.pid]
    if not running.ready:
        problems.append("the proxy accepts no connections")
    if store:
        problems.append(f"the store does not answer: {store}")
    if silence:
        problems.append(silence)
    if analysis.missed:
        problems.append(f"{analysis.missed:,} records were trimmed before they were analyzed")
    problems += [
        f"{one.monitor} lacks labels: {one.labels:,} of {one.due:,} records have what it needs"
        for one in outcomes.missing if one.overdue > 0
    ]  # fmt: skip
    return Health(
        system.endpoint, system.version, now, running.ready, problems, ledger, analysis,
        store or "ok", count("monitor_connections_open"),
        counts("monitor_connections_opaque_total", "reason"),
        counts("monitor_process_resident_memory_bytes", "role"), running.processes,
        drift.changes,
    )  # fmt: skip


def _statuses(found: Sequence[OfSegment | Slice]) -> Statuses:
    counts = Counter(one.status for one in found)
    return Statuses(counts["ok"], counts["alarm"], counts["insufficient"])


QUERY = Query("status", Asked, Health, answer)
