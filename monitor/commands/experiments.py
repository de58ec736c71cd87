"""`monitor experiments`: what can be said of each arm now, as the analyzer last saved it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console

from monitor.analysis.checkpoint import Checkpoint
from monitor.app.experiments import experiments_of
from monitor.app.outcomes import Outcomes
from monitor.errors import StreamError, UsageError
from monitor.findings import ExperimentEffect
from monitor.replay import report
from monitor.settings.schema import Settings
from monitor.streams.entries import Entry
from monitor.supervision.embedded_store import opened
from monitor.urls import shown

WIDTH = 120


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor experiments`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document, a list")
    common(parser, "config", "endpoint", "redis", "data")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print a table to stdout; returns the exit code. Raises UsageError for a person."""
    if not experiments_of(settings):
        raise UsageError(
            "experiments: none is declared; name the configuration that declares them with --config"
        )
    with opened(settings.redis, Path(settings.data)) as url:
        found = _found(msgspec.structs.replace(settings, redis=url))
    if options.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n")
        return 0
    width = None if sys.stdout.isatty() else WIDTH
    Console(file=sys.stdout, width=width).print(report.experiments(found))
    if not any(one.samples for one in found):
        wait = settings.outcomes.wait
        print(
            f"monitor: no exchange of an arm is counted yet; each is {wait:,.0f} s after it ended "
            "(outcomes.wait)",
            file=sys.stderr,
        )
    return 0


def _found(settings: Settings) -> list[ExperimentEffect]:
    """What the counts say that the analyzer saved, at most some seconds ago."""

    async def load() -> list[ExperimentEffect]:
        checkpoint = Checkpoint(settings.redis, settings.endpoint)
        outcomes = Outcomes(settings, _pass_over)
        try:
            _, state = await checkpoint.load()
            outcomes.restore(state)
            return [
                found
                for monitor in outcomes.monitors
                if monitor.name == "experiments"
                for found in monitor.findings()
            ]
        finally:
            await outcomes.close()
            await checkpoint.close()

    try:
        return asyncio.run(load())
    except StreamError as error:
        raise UsageError(f"{shown(settings.redis)}: {error}") from None


def _pass_over(entry: Entry, error: Exception) -> None:
    """Nothing is read from the stream here."""
