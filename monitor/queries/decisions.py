"""The log of decisions: which verdicts of experiments changed when, and who read them."""

from __future__ import annotations

import contextlib
import re
from typing import Literal

import msgspec

from monitor.decisions import Decision, Entry
from monitor.errors import UsageError
from monitor.findings import ExperimentEffect
from monitor.queries.query import Cursor, Limit, Query, System, Text
from monitor.streams.entries import LARGEST

SCANNED = 20_000
"""Entries of the log that are looked through for one page."""
_PLACE = re.compile(r"(0|[1-9][0-9]{0,19})-(0|[1-9][0-9]{0,19})")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of the log are wanted."""

    experiment: Text = ""
    """Only those of this experiment."""
    what: Literal["", "verdict", "read"] = ""
    """Only verdicts that changed, or only who read them."""
    limit: Limit = 100
    """How many entries a page has, at most."""
    cursor: Cursor = ""
    """Where the page begins: the `cursor` of the page before; empty for the first page."""


class LogEntry(msgspec.Struct, frozen=True):
    """A verdict that changed, or somebody who read verdicts."""

    at: float
    """When, in Unix seconds."""
    what: Literal["verdict", "read"]
    """`verdict`: one changed. `read`: somebody read them."""
    experiments: list[str]
    """The experiments that it is about; of a verdict one."""
    who: str = ""
    """Who read them: the holder of a token, or the account at a terminal; empty for a verdict."""
    through: str = ""
    """How they read them: `api`, the console too, or `terminal`; empty for a verdict."""
    arm: str = ""
    """The arm of the verdict."""
    metric: str = ""
    """The metric of the verdict."""
    before: str = ""
    """The verdict before."""
    verdict: str = ""
    """The verdict from then on."""
    effect: float | None = None
    """The effect that it stands on: the arm's number minus the control's."""
    lower: float | None = None
    """The lower end of its interval."""
    upper: float | None = None
    """The upper end of its interval."""
    samples: int = 0
    """Exchanges of the arm that it stands on."""
    declared: str = ""
    """A digest of the experiment's settings as they were."""
    reason: str = ""
    """What a reader should know of it."""


class DecisionLog(msgspec.Struct, frozen=True):
    """A page of the log of decisions, the newest entries first."""

    items: list[LogEntry]
    """The entries that were found."""
    scanned: int
    """Entries of the log that were looked through for this page."""
    cursor: str | None
    """Ask for the next page with it, also where this one has few items or none: more was not looked
    through. Null where there are no older entries."""


async def answer(system: System, asked: Asked) -> DecisionLog:
    """Which verdicts of experiments changed when, and who read them, the newest first."""
    if asked.cursor and not _is_place(asked.cursor):
        raise UsageError("cursor: is not a `cursor` of the page before")
    found: list[LogEntry] = []
    scanned = 0
    async with contextlib.aclosing(system.decisions(asked.cursor)) as entries:
        async for place, entry in entries:
            scanned += 1
            one = None if entry is None else told(entry)
            if (
                one is not None
                and asked.what in ("", one.what)
                and (not asked.experiment or asked.experiment in one.experiments)
            ):
                found.append(one)
            if len(found) == asked.limit or scanned == SCANNED:
                return DecisionLog(found, scanned, place)
    return DecisionLog(found, scanned, None)


def told(entry: Entry) -> LogEntry:
    """Return an entry of the log as it is told."""
    if isinstance(entry, Decision):
        return LogEntry(
            entry.at, "verdict", [entry.experiment], arm=entry.arm, metric=entry.metric,
            before=entry.before, verdict=entry.verdict, effect=entry.effect, lower=entry.lower,
            upper=entry.upper, samples=entry.samples, declared=entry.declared,
            reason=entry.reason,
        )  # fmt: skip
    return LogEntry(entry.at, "read", entry.experiments, entry.who, entry.through)


def _read(found: DecisionLog) -> list[ExperimentEffect]:
    """The verdicts that somebody learns from a page."""
    return [
        ExperimentEffect(
            one.experiments[0], one.arm, one.metric, one.effect, one.lower, one.upper,
            one.verdict, one.samples,  # type: ignore[arg-type]
        )
        for one in found.items if one.what == "verdict"
    ]  # fmt: skip


def _is_place(cursor: str) -> bool:
    """Whether an entry can be there: two numbers of 64 bits, of which not both are 0."""
    match = _PLACE.fullmatch(cursor)
    return match is not None and 0 < max(map(int, match.groups())) <= LARGEST


QUERY = Query("decisions", Asked, DecisionLog, answer, verdicts_of=_read)
