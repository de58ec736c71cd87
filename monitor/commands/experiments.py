"""`monitor experiments`: what can be said of each arm now, as the analyzer last saved it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from rich.console import Console

from monitor import decisions
from monitor.analysis.checkpoint import Checkpoint
from monitor.analysis.experiments.declared import horizons_of
from monitor.analyzer.decision_log import entries
from monitor.assembly.experiments import experiments_of
from monitor.assembly.outcomes import outcomes_of
from monitor.commands import account
from monitor.commands.output import document
from monitor.errors import StreamError, UsageError
from monitor.findings import ExperimentEffect
from monitor.logs import plain
from monitor.replay import report, wording
from monitor.settings.schema import Settings
from monitor.streams.entries import Entry
from monitor.streams.redis import RedisStream
from monitor.supervision.embedded_store import opened
from monitor.urls import shown

WIDTH = 120
MOST = 1000
"""Entries of the log that are printed."""

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor experiments`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document, a list")
    parser.add_argument("--log", action="store_true",
        help="print which verdicts changed when, and who read them, the newest first")  # fmt: skip
    common(parser, "config", "endpoint", "redis", "data")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print a table to stdout; returns the exit code. Raises UsageError for a person."""
    if not experiments_of(settings):
        raise UsageError(
            "experiments: none is declared; name the configuration that declares them with --config"
        )
    with opened(settings.redis, Path(settings.data)) as url:
        here = msgspec.structs.replace(settings, redis=url)
        if options.log:
            return _print_log(_asked(here, _log), is_json=options.json)
        found = _asked(here, _found)
    if options.json:
        document(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
        return 0
    width = None if sys.stdout.isatty() else WIDTH
    Console(file=sys.stdout, width=width).print(report.experiments(found))
    if not any(one.samples or one.verdict == "invalid" for one in found):
        horizons = horizons_of(experiments_of(settings))
        wait, key = min([
            (settings.outcomes.wait, "outcomes.wait"), *((one, "its horizon") for one in horizons)
        ])  # fmt: skip
        print(
            f"monitor: no exchange of an arm is counted yet; each is {wait:,.0f} s after it ended "
            f"({key})",
            file=sys.stderr,
        )
    return 0


async def _found(settings: Settings) -> list[ExperimentEffect]:
    """What the counts say that the analyzer saved, at most some seconds ago. Who reads it is
    written down."""
    checkpoint = Checkpoint(settings.redis, settings.endpoint)
    outcomes = outcomes_of(settings, _pass_over)
    stream = RedisStream(settings.redis, settings.endpoint)
    try:
        _, state = await checkpoint.load()
        outcomes.restore(state)
        found: list[ExperimentEffect] = [
            found
            for monitor in outcomes.monitors
            if monitor.name == "experiments"
            for found in monitor.findings()
        ]
        names = list(dict.fromkeys(one.name for one in found))
        readout = decisions.Readout(time.time(), account.name(), "terminal", names)
        await stream.notes.log_decisions([decisions.encode(readout)])
        return found
    finally:
        await stream.close()
        await outcomes.close()
        await checkpoint.close()


async def _log(settings: Settings) -> list[decisions.Entry]:
    stream = RedisStream(settings.redis, settings.endpoint)
    found: list[decisions.Entry] = []
    try:
        async with contextlib.aclosing(entries(stream)) as log:
            async for _, one in log:
                found += [] if one is None else [one]
                if len(found) == MOST:
                    break
    finally:
        await stream.close()
    return found


def _asked(settings: Settings, work: Callable[[Settings], Coroutine[Any, Any, T]]) -> T:
    try:
        return asyncio.run(work(settings))
    except StreamError as error:
        raise UsageError(f"{shown(settings.redis)}: {error}") from None


def _print_log(found: Sequence[decisions.Entry], *, is_json: bool) -> int:
    if is_json:
        document(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
        return 0
    for one in found:
        print(plain(_line(one)))
    if not found:
        print("monitor: no verdict has changed yet, and nobody has read any", file=sys.stderr)
    return 0


def _line(one: decisions.Entry) -> str:
    """An entry of the log in a line.

    >>> print(_line(decisions.Readout(0.0, "ann", "api", ["new-prompt"])))
    1970-01-01 00:00:00Z  ann read new-prompt (api)
    """
    when = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(one.at))
    if isinstance(one, decisions.Readout):
        return f"{when}  {one.who} read {', '.join(one.experiments)} ({one.through})"
    said = f"{one.before} -> {one.verdict}".replace("_", " ")
    ends = ""
    if one.lower is not None and one.upper is not None:
        ends = f", {wording.share(one.lower)} to {wording.share(one.upper)}"
    number = "" if one.effect is None else f": {wording.share(one.effect)}{ends}"
    why = f"; {one.reason}" if one.reason else ""
    return (
        f"{when}  {one.experiment} {one.arm} {one.metric}: {said}{number} "
        f"({one.samples:,} exchanges, declared as {one.declared}){why}"
    )


def _pass_over(entry: Entry, error: Exception) -> None:
    """Nothing is read from the stream here."""
