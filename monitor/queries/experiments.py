"""Experiments: what each arm does to each metric, and the verdict."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.findings import ExperimentEffect
from monitor.queries.query import Paged, Query, System, Text, page


class Asked(Paged, frozen=True, kw_only=True):
    """Which effects of which experiment are wanted."""

    name: Text = ""
    """Only those of this experiment."""
    verdict: Literal["", "better", "worse", "no_difference", "keep_going", "invalid"] = ""
    """Only those with this verdict."""


class Experiments(msgspec.Struct, frozen=True):
    """A page of the effects of arms beside the control."""

    total: int
    """Effects that were asked for, on all pages."""
    items: list[ExperimentEffect]
    """By experiment, arm and metric."""
    cursor: str | None
    """Ask for the next page with it; null on the last one."""


async def answer(system: System, asked: Asked) -> Experiments:
    """What each arm of an experiment does to each of its metrics, beside the control."""
    chosen = [
        one
        for one in (await system.outcomes()).experiments
        if asked.name in ("", one.name) and asked.verdict in ("", one.verdict)
    ]
    items, cursor = page(chosen, lambda one: (one.name, one.variant, one.metric), asked)
    return Experiments(len(chosen), items, cursor)


QUERY = Query("experiments", Asked, Experiments, answer, verdicts_of=lambda found: found.items)
