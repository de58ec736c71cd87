"""One experiment from its beginning on: the effects of its arms, with intervals."""

from __future__ import annotations

import msgspec

from monitor.findings import ExperimentEffect, ExperimentTimeline
from monitor.queries.query import MissingError, Query, System, Text


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which experiment is wanted, and what of it."""

    id: Text
    """The experiment's name."""
    variant: Text = ""
    """Only this arm."""
    metric: Text = ""
    """Only this metric."""


class ExperimentHistory(msgspec.Struct, frozen=True):
    """What an experiment was known to show at some moments, and what it shows now."""

    name: str
    """The experiment."""
    now: list[ExperimentEffect]
    """What each arm does to each metric, as of now."""
    items: list[ExperimentTimeline]
    """What was known of each at some moments, from the beginning on."""


async def answer(system: System, asked: Asked) -> ExperimentHistory:
    """What was known of an experiment from its beginning on, at 64 moments at most.

    Raises MissingError where there is no such experiment.
    """
    found = await system.outcomes()
    if not any(one.name == asked.id for one in found.experiments):
        raise MissingError(f"id: there is no experiment {asked.id[:60]!r} that has begun")

    def fits(one: ExperimentEffect | ExperimentTimeline) -> bool:
        is_asked = asked.variant in ("", one.variant) and asked.metric in ("", one.metric)
        return one.name == asked.id and is_asked

    return ExperimentHistory(
        asked.id, list(filter(fits, found.experiments)), list(filter(fits, found.timelines))
    )


QUERY = Query(
    "experiments/{id}", Asked, ExperimentHistory, answer, verdicts_of=lambda found: found.now
)
