"""What access logs say → exchanges without bodies: what happened, when and how long, never who.

Of a target the path alone stays: a query has keys, tokens and names in it. Addresses of clients,
users, referrers and cookies are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from monitor.counts import count
from monitor.errors import ParseError
from monitor.foreign.fields import moment, name, number
from monitor.logged import Logged
from monitor.types import Outcome

LONGEST = 8192
"""Characters of a path."""

_MONTHS = {one: place for place, one in enumerate(
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1,
)}  # fmt: skip
_COMMON = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)")
_ID = re.compile(r"\d+|(?=[0-9a-fA-F-]*\d)[0-9a-fA-F-]{8,}")
_TRACE = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-.*)?")
_METHOD = re.compile(r"[A-Z]{1,20}")

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def row(line: bytes) -> dict[str, Any]:
    """The object on a line; raises DecodeError. Programs that escape JSON may leave bytes as they
    came that are no UTF-8: these become replacement characters."""
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode(line.decode("utf-8", "replace"))


def chosen(names: Mapping[str, tuple[str, ...]]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What gives the values of a row by what they are: of several names for one the first that it
    has with a value. Empty texts and `-` are none."""

    @lru_cache(maxsize=64)
    def known(keys: tuple[str, ...]) -> list[tuple[str, list[str]]]:
        there = set(keys)
        found = [(what, [one for one in some if one in there]) for what, some in names.items()]
        return [(what, some) for what, some in found if some]

    def choose(said: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for what, some in known(tuple(said)):
            for one in some:
                value = said[one]
                if value is not None and value not in ("", "-"):
                    found[what] = value
                    break
        return found

    return choose


def exchange(
    *,
    started: float | None,
    duration: float | None,
    status: Any,
    outcome: Outcome | None,
    method: Any,
    target: Any,
    host: Any = None,
    received: Any = None,
    sent: Any = None,
    trace: Any = None,
    id_: Any = None,
) -> Logged:
    """What is said of one exchange; raises ParseError where neither a status nor an outcome is."""
    code = count(status)
    if code is not None and not 100 <= code < 1000:
        code = None
    if code is None and outcome is None:
        raise ParseError("says neither a status nor how it ended")
    where = path(target) if isinstance(target, str) else ""
    segments = {"route": route(where)} if where else {}
    if said := name(host):
        segments["host"] = said.lower()
    return Logged(
        started=started,
        duration=duration,
        outcome=outcome,
        status=code,
        method=method_of(method),
        target=where,
        request_size=count(received),
        response_size=count(sent),
        segments=segments,
        trace_id=trace_of(trace),
        id=name(id_),
    )


def method_of(said: Any) -> str:
    """A method; `-` for what is none, as a handshake on a plain port."""
    return said if isinstance(said, str) and _METHOD.fullmatch(said) else "-"


@lru_cache(maxsize=4096)
def path(target: str) -> str:
    """The path of a target, without query and fragment, in whatever form it is (RFC 9112, 3.2).

    >>> path("/v1/chat?key=s3cret#a"), path("http://kim:pw@a.example/v1?x=1"), path("a:443")
    ('/v1/chat', '/v1', '')
    """
    target = target.partition("?")[0].partition("#")[0]
    scheme, colon, rest = target.partition("://")
    if colon and scheme.isalpha():
        _, slash, rest = rest.partition("/")
        target = slash + rest
    return target[:LONGEST] if target.startswith("/") else ""


@lru_cache(maxsize=4096)
def route(where: str) -> str:
    """A path with `{id}` for numbers and digests: what is one place of an application.

    >>> route("/v1/files/12345/content"), route("/jobs/3f2a90b1-c4d7-4a3c"), route("/v1/decade")
    ('/v1/files/{id}/content', '/jobs/{id}', '/v1/decade')
    """
    parts = where.split("/")
    return "/".join("{id}" if _ID.fullmatch(one) else one for one in parts)[:200]


def trace_of(said: Any) -> str:
    """The trace id of a `traceparent`, or a trace id itself; empty where it is none.

    >>> trace_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), trace_of("-")
    ('0af7651916cd43dd8448eb211c80319c', '')
    """
    match = _TRACE.fullmatch(said) if isinstance(said, str) else None
    return match[1] if match else ""


def clock(said: Any) -> float | None:
    """Unix seconds of a time as logs write them; those of the Common Log Format have their own.

    >>> clock("28/Nov/2026:21:44:20 +0200"), clock("2026-11-28T19:44:20.5Z"), clock(1795895060.5)
    (1795895060.0, 1795895060.5, 1795895060.5)
    """
    return _clock(said) if isinstance(said, str) else moment(said)


@lru_cache(maxsize=1024)
def _clock(said: str) -> float | None:
    match = _COMMON.fullmatch(said)
    if match is None:
        return moment(said)
    day, month, year, time, hours, minutes = match.groups()
    return moment(f"{year}-{_MONTHS.get(month, 0):02}-{day}T{time}{hours}:{minutes}")


def ended_at(at: float | None, duration: float | None) -> float | None:
    """When an exchange began that was logged at its end."""
    return None if at is None else at - (duration or 0.0)


def total(tries: Iterable[str]) -> float | None:
    """The sum of the numbers among texts; None where none is one.

    >>> total(["0.5", "-", "0.25"]), total(["-"])
    (0.75, None)
    """
    found = [one for one in map(number, tries) if one is not None and one >= 0]
    return sum(found) if found else None
