"""What a scenario shows: its story, overall accuracy, and beside it what was found."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from monitor.demo.alarms import Alarm, missing
from monitor.demo.scenario import Scenario
from monitor.findings import Quality

MORE = 8
"""Alarms besides the signals that are named."""


def welcome(scenario: Scenario, *, problem: bool) -> RenderableType:
    """What is about to happen, and what of it is real."""
    story = scenario.story if problem else (
        "The same traffic without the problem that the scenario plants: nothing should alarm."
    )  # fmt: skip
    lines = (
        Text(story),
        Text(),
        Text(f"Behind the sidecar stands {scenario.models}."),
        Text("The sidecar is told nothing of this; it must find out in two minutes."),
    )
    return Panel(Group(*lines), title=f"monitor demo: {scenario.name}", box=box.ROUNDED)


def overall(
    scenario: Scenario, before: Quality | None, now: Quality | None, sent: int
) -> RenderableType:
    """The one number that most people look at, and how many of `sent` are not in it."""
    name = f"overall accuracy ({scenario.accuracy})"
    if now is None or now.number is None:
        return Text(f"{name}: not known")
    words = f"{name}: {now.number:.3f} of {now.labels:,} labels"
    if now.labels < sent:
        words += f" ({sent - now.labels:,} of {sent:,} sent are not counted in it)"
    if before is not None and before.number is not None and now.labels > before.labels:
        right = now.number * now.labels - before.number * before.labels
        after = right / (now.labels - before.labels)
        share, both = now.number, 1 / before.labels + 1 / (now.labels - before.labels)
        chance = 1.96 * math.sqrt(share * (1 - share) * both)
        words += f"; {before.number:.3f} before the change, {after:.3f} after it"
        words += f", where chance alone makes a difference of up to {chance:.2f}"
    return Text(words, style="bold")


def late(counted: float, sent: int) -> RenderableType | None:
    """That not all is counted, where time was up before: what is not found may be found later."""
    if counted >= sent:
        return None
    return Text(
        f"{counted:,.0f} of {sent:,} exchanges and their outcomes were counted in time: this "
        "machine is busy. What is not found may be found later; `--keep` leaves it running.",
        style="bold",
    )


def found(scenario: Scenario, alarms: Sequence[Alarm], *, problem: bool) -> RenderableType:
    """The signals with DIMENSION=VALUE and measure, then what else alarms."""
    lines: list[Text] = []
    wanted = scenario.signals if problem else ()
    lost = set(missing(wanted, alarms))
    by_place = {one.place: one for one in alarms}
    for signal in wanted:
        where = f"{signal.dimension}={signal.value} by {signal.measure}"
        if signal in lost:
            lines.append(Text(f"not found: {where} ({signal.words})", style="red"))
            continue
        alarm = by_place[signal.measure, signal.dimension, signal.value]
        lines.append(Text(f"found: {where}", style="bold red", no_wrap=True))
        lines.append(Text(f"  {signal.words}; {alarm.monitor}: {alarm.words}"))
    places = {(one.measure, one.dimension, one.value) for one in wanted}
    others = [one for one in alarms if one.place not in places]
    lines += [Text(f"also: {one.dimension}={one.value} by {one.measure}") for one in others[:MORE]]
    if len(others) > MORE:
        lines.append(Text(f"and {len(others) - MORE} more"))
    if not alarms:
        lines.append(Text("nothing alarms"))
    return Panel(Group(*lines), title="what was found", box=box.ROUNDED)
