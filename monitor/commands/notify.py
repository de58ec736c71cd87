"""`monitor notify`: a test of the receivers, and silences, from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import monitor
from monitor.alerting.delivery import Courier
from monitor.alerting.silences import Silence, matcher, read
from monitor.alerting.store import AlertStore
from monitor.alerting.table import TEST
from monitor.assembly.receivers import Receiver, receivers_of
from monitor.commands import account
from monitor.errors import ConfigError, StreamError, UsageError
from monitor.logs import plain
from monitor.notifications import Alert, Notification, fingerprint, moment
from monitor.settings.schema import Settings
from monitor.supervision.embedded_store import opened
from monitor.urls import shown

EXIT_FAILED = 1
T = TypeVar("T")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor notify test`, `silences`, `silence` and `unsilence`."""
    actions = parser.add_subparsers(metavar="COMMAND", required=True, dest="action")

    def add(name: str, what: str, more: str, *settings: str) -> argparse.ArgumentParser:
        action = actions.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}. {more}",
            formatter_class=parser.formatter_class,
        )
        common(action, "endpoint", *settings)
        return action

    store = ("redis", "data")
    add("test", "send a test notification to every receiver of `notify`",
        "Prints what became of each. Exit code 1: one was not delivered. Incidents that it opens "
        "at PagerDuty and Opsgenie are yours to close.")  # fmt: skip
    add("silences", "list the silences that have not ended", "", *store)
    silence = add("silence", "tell nobody of some alerts for a while",
        "Prints the silence's id.", *store)  # fmt: skip
    silence.add_argument("matchers", metavar="MATCHER", nargs="+",
        help="as alertname=MonitorDrift, value!=b, feature=~input.*; all must match")  # fmt: skip
    silence.add_argument("--for", dest="duration", metavar="TIME", default="2h",
        help="for how long, as 30m, 2h or 7d; by default 2h")  # fmt: skip
    silence.add_argument("--comment", metavar="TEXT", default="", help="why, in words")
    silence.add_argument("--author", metavar="NAME", default=None,
        help="your name; by default that of your account")  # fmt: skip
    end = add("unsilence", "end a silence now", "", *store)
    end.add_argument("id", metavar="ID", help="its id, as `monitor notify silences` prints it")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked; returns the exit code. Raises UsageError for a person."""
    if options.action == "test":
        return _test(settings)
    with opened(settings.redis, Path(settings.data)) as url:
        steps = {"silences": _list, "silence": _silence, "unsilence": _end}
        return steps[options.action](options, settings, url)


def _test(settings: Settings) -> int:
    receivers = receivers_of(settings)
    if not receivers:
        raise ConfigError("notify: names no receiver; give one, as in docs/notifications.md")
    width = max(len(one.given.name) for one in receivers)
    taken = True
    for one in receivers:
        begun = time.monotonic()
        is_taken, words = _delivered(one, settings.endpoint)
        taken = taken and is_taken
        result = "delivered" if is_taken else "failed"
        where = f"{one.kind.name} at {one.place}"
        print(
            f"{one.given.name:{width}}  {result:9}  {where}: {words} "
            f"({time.monotonic() - begun:.1f} s)",
            flush=True,
        )
    return 0 if taken else EXIT_FAILED


def _delivered(receiver: Receiver, endpoint: str) -> tuple[bool, str]:
    labels = {"alertname": TEST, "endpoint": endpoint}
    severity = receiver.given.severities[0]
    alert = Alert(
        fingerprint=fingerprint(labels),
        labels={**labels, "severity": severity},
        summary="This is a test; nothing is wrong.",
        description="somebody ran `monitor notify test`",
        starts=time.time(),
    )
    notification = Notification(receiver.given.name, labels, [alert], 1)
    request, secret = receiver.request(notification)
    courier = Courier(version=monitor.__version__)
    answer = courier.send(request, secret=secret, clock=time.time())
    return answer.is_taken, answer.words


def _list(_options: argparse.Namespace, settings: Settings, url: str) -> int:
    now = time.time()
    for one in _asked(settings, url, lambda store: store.silences(now)):
        if one.state(now) != "expired":
            print("\n".join(_lines(one, now)))
    return 0


def _lines(one: Silence, now: float) -> Iterator[str]:
    yield f"{plain(one.id)}  {one.state(now)} until {moment(one.ends)}, by {plain(one.created_by)}"
    for each in one.matchers:
        operator = ("=" if each.is_equal else "!") + ("~" if each.is_regex else "=")
        operator = "=" if operator == "==" else operator
        yield f"  {plain(each.name)}{operator}{plain(each.value)}"
    if one.comment:
        yield f"  {plain(one.comment)}"


def _silence(options: argparse.Namespace, settings: Settings, url: str) -> int:
    now = time.time()
    start = datetime.fromtimestamp(now, UTC)
    try:
        end = start + timedelta(seconds=_seconds(options.duration))
    except OverflowError:
        raise UsageError(f"--for: {plain(options.duration)} is longer than time lasts") from None
    document = {
        "matchers": [
            {"name": one.name, "value": one.value, "isRegex": one.is_regex, "isEqual": one.is_equal}
            for one in map(matcher, options.matchers)
        ],
        "startsAt": start,
        "endsAt": end,
        "createdBy": options.author or account.name(),
        "comment": options.comment,
    }
    silence = read(document, new_id=str(uuid.uuid4()), clock=now)
    _asked(settings, url, lambda store: store.silence(silence))
    print(silence.id)
    return 0


def _end(options: argparse.Namespace, settings: Settings, url: str) -> int:
    if not _asked(settings, url, lambda store: store.expire(options.id, time.time())):
        raise UsageError(
            f"{plain(options.id)}: there is no silence with this id that has not ended"
        )
    return 0


def _seconds(text: str) -> float:
    """A duration in seconds; raises UsageError.

    >>> _seconds("1h30m"), _seconds("45s")
    (5400.0, 45.0)
    """
    parts = re.findall(r"(\d{1,9})([smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"--for: {plain(text)[:60]!r} is not a time, as 30m, 2h or 7d")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _asked(settings: Settings, url: str, step: Callable[[AlertStore], Awaitable[T]]) -> T:
    async def ask() -> T:
        store = AlertStore(url, settings.endpoint)
        try:
            return await step(store)
        finally:
            await store.close()

    try:
        return asyncio.run(ask())
    except StreamError as error:
        raise UsageError(f"{shown(url)}: {error}") from None
