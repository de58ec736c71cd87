"""`monitor review`: the review queue from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from monitor.assembly import build, keyring
from monitor.assembly.reviewing import arms_of, queue_of
from monitor.commands import account
from monitor.commands.output import document
from monitor.errors import StreamError, UsageError
from monitor.feedback import Feedback, Statement
from monitor.logs import plain
from monitor.privacy import keys
from monitor.readable import as_set, percent
from monitor.review.desk import REFUSED, Desk, Task, said
from monitor.review.queue import ReviewQueue, Stats
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.urls import shown

EXIT_NOTHING = 1
CERTAIN = 3.0
"""ln E from which on more answers are bad than asked about: an error of 5 % over all looks."""
T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor review next`, `submit` and `stats`."""
    actions = parser.add_subparsers(metavar="COMMAND", required=True, dest="action")

    def add(name: str, what: str, more: str) -> argparse.ArgumentParser:
        action = actions.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}. {more}",
            formatter_class=parser.formatter_class,
        )
        common(action, "endpoint", "redis", "data")
        return action

    following = add("next", "print the exchange to judge next",
        "It is yours for `review.lease` seconds. Neither the model's confidence nor a check nor "
        "the arm of an experiment is shown. Exit code 1: nothing waits for you.")  # fmt: skip
    submit = add("submit", "say what you think of an exchange",
        "Say --passed, --failed or --skip; the first answer counts.")  # fmt: skip
    submit.add_argument("item", metavar="ITEM", help="its id, as `monitor review next` prints it")
    said = submit.add_mutually_exclusive_group(required=True)
    said.add_argument("--passed", action="store_true", help="the answer will do")
    said.add_argument("--failed", action="store_true", help="the answer will not do")
    said.add_argument("--skip", action="store_true", help="you cannot say")
    submit.add_argument("--label", metavar="TEXT", help="what the answer should have been")
    submit.add_argument("--note", metavar="TEXT", help="why, in words")
    stats = add("stats", "print the queue in numbers, and how far readers agree", "")
    stats.add_argument("--at-most", metavar="SHARE", type=_share,
        help="say how certain it is that more answers than that are bad, 0 to 1")  # fmt: skip
    for one in (following, submit):
        one.add_argument("--reviewer", metavar="NAME", default=account.name(),
            help="your name; by default that of your account")  # fmt: skip
    for one in (following, stats):
        one.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Do one step; returns the exit code. Raises UsageError for a person."""
    with opened(settings.redis, Path(settings.data)) as url:
        return {"next": _next, "submit": _submit, "stats": _stats}[options.action](
            options, settings, url
        )


def _next(options: argparse.Namespace, settings: Settings, url: str) -> int:
    task = _at_desk(settings, url, lambda desk: desk.next(options.reviewer, time.time()))
    if task is None:
        print("monitor: nothing waits for you", file=sys.stderr)
        return EXIT_NOTHING
    if options.json:
        document(msgspec.json.encode(task) + b"\n")
    else:
        print("\n".join(_lines_of(task)))
    return 0


def _submit(options: argparse.Namespace, settings: Settings, url: str) -> int:
    answer = said({
        "reviewer": options.reviewer,
        "passed": None if options.skip else options.passed,
        "label": options.label,
        "note": options.note,
        "skip": options.skip,
    })  # fmt: skip
    done = _at_desk(settings, url, lambda desk: desk.answer(options.item, answer, time.time()))
    if done in REFUSED:
        raise UsageError(f"{plain(options.item)}: {REFUSED[done]}")
    return 0


def _stats(options: argparse.Namespace, settings: Settings, url: str) -> int:
    stats = _asked(settings, url, lambda queue: queue.stats(time.time(), at_most=options.at_most))
    if options.json:
        document(msgspec.json.encode(stats) + b"\n")
    else:
        print("\n".join(_numbers(stats, options.at_most)))
    return 0


def _at_desk(settings: Settings, url: str, step: Callable[[Desk], Awaitable[T]]) -> T:
    """The result of one step. Raises UsageError for a person."""
    privacy = build.privacy(settings, keys.read(keyring.key_file(settings)))

    async def safe(said: Statement) -> Feedback:
        return privacy.feedback(said)

    return _asked(settings, url, lambda queue: step(Desk(queue, safe, arms_of(settings))))


def _asked(settings: Settings, url: str, step: Callable[[ReviewQueue], Awaitable[T]]) -> T:
    async def ask() -> T:
        queue = queue_of(settings, url)
        try:
            return await step(queue)
        finally:
            await queue.close()

    try:
        return asyncio.run(ask())
    except StreamError as error:
        raise UsageError(f"{shown(url)}: {error}") from None


def _lines_of(task: Task) -> Iterator[str]:
    yield f"item        {plain(task.item)}"
    yield f"why         {plain(task.reason)}, one of {round(1 / task.propensity):,}"
    yield f"yours until {time.strftime('%H:%M:%S UTC', time.gmtime(task.until))}"
    for side, title in (("inputs", "ASKED"), ("outputs", "ANSWERED")):
        for part in task.record[side]:
            yield ""
            yield f"{title} {plain(part.get('role') or part.get('name') or '')}".rstrip()
            yield from _lines(part)


def _lines(part: dict[str, Any]) -> Iterator[str]:
    text = part.get("text")
    if text is None:
        text = json.dumps(part.get("data"), ensure_ascii=False)
    for line in text.split("\n"):
        yield f"  {plain(line)}"


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{plain(text)} is not a share between 0 and 1, as 0.05")
    return share


def _numbers(stats: Stats, at_most: float | None) -> Iterator[str]:
    yield f"waiting     {stats.waiting:,}"
    yield f"being read  {stats.leased:,}"
    yield f"passed      {stats.passed:,}"
    yield f"failed      {stats.failed:,}"
    yield f"skipped     {stats.skipped:,}"
    if stats.expired or stats.thinned:
        yield f"dropped     {stats.expired:,} expired, {stats.thinned:,} of too many"
    if stats.least_failed is not None and stats.most_failed is not None:
        yield (
            f"bad         {percent(stats.least_failed)} of the answers; "
            f"{percent(stats.most_failed)} if each skipped one were"
        )
    found = stats.estimate
    if found is not None:
        ends = "no interval yet"
        if found.lower is not None and found.upper is not None:
            ends = f"{percent(found.lower)} to {percent(found.upper)}"
        yield f"of all      {percent(found.failed)} are bad ({ends})"
        worth = f"worth {found.effective:,.0f} even ones"
        yield f"            by {found.verdicts:,} first verdicts, {worth}"
        if found.log_evidence is not None and at_most is not None:
            how = "certainly" if found.log_evidence >= CERTAIN else "not certainly"
            yield (
                f"            {how} more than {as_set(at_most)} "
                f"(ln E {found.log_evidence:.1f}; {CERTAIN:.1f} is certain)"
            )
    yield from _agreement(stats)


def _agreement(stats: Stats) -> Iterator[str]:
    found = stats.agreement
    if not found.pairs:
        return
    yield f"agreement   of {found.pairs:,} items read twice"
    for name, number in (
        ("all", found.raw), ("on bad ones", found.on_failed), ("on good ones", found.on_passed),
        ("Cohen's kappa", found.kappa), ("Krippendorff's alpha", found.alpha),
        ("Gwet's AC1", found.gwet_ac1),
    ):  # fmt: skip
        yield f"  {name:20} {'-' if number is None else f'{number:.2f}'}"
