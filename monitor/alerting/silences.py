"""Silences, as Alertmanager's API v2 has them: JSON → what is not to be told, until when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from monitor.errors import UsageError
from monitor.notifications import moment

MOST = 1000
"""Silences at a time."""
MATCHERS = 20
"""Matchers of one silence."""
KEPT = 120 * 3600.0
"""Seconds for which an expired silence is still shown, as Alertmanager does it."""
LONGEST = 1000
"""Characters of a text."""

State = Literal["active", "pending", "expired"]


class Matcher(msgspec.Struct, frozen=True, rename="camel"):
    """What a label's value is, or is not: the value itself, or what all of it matches (RE2).

    A label that is not there has the value "".
    """

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


class Posted(msgspec.Struct, frozen=True, rename="camel"):
    """A silence as somebody sends it."""

    matchers: list[Matcher]
    """What an alert's labels must be; all of them."""
    starts_at: datetime
    """When it begins; a time in the past is now."""
    ends_at: datetime
    """When it ends."""
    created_by: str
    """Who wants it."""
    comment: str
    """Why, in words."""
    id: str = ""
    """The silence whose place it takes; empty for a new one."""


class SilenceStatus(msgspec.Struct, frozen=True):
    """Whether a silence holds."""

    state: State


class Shown(msgspec.Struct, frozen=True, rename="camel"):
    """A silence as the API tells it."""

    id: str
    status: SilenceStatus
    matchers: list[Matcher]
    starts_at: str
    ends_at: str
    updated_at: str
    created_by: str
    comment: str


class Silence(msgspec.Struct, frozen=True):
    """Of alerts that all its matchers match nothing is told from `starts` until `ends`, in Unix
    seconds."""

    id: str
    matchers: list[Matcher]
    starts: float
    ends: float
    updated: float
    created_by: str
    comment: str

    def state(self, clock: float) -> State:
        """Whether it holds at a moment."""
        if clock >= self.ends:
            return "expired"
        return "active" if clock >= self.starts else "pending"

    def shown(self, clock: float) -> Shown:
        """Return it as the API tells it, with its state at Unix time `clock`."""
        return Shown(
            id=self.id,
            status=SilenceStatus(self.state(clock)),
            matchers=self.matchers,
            starts_at=moment(self.starts),
            ends_at=moment(self.ends),
            updated_at=moment(self.updated),
            created_by=self.created_by,
            comment=self.comment,
        )


def read(document: object, *, new_id: str, clock: float) -> Silence:
    """Return what somebody sent as a silence; raises UsageError that says what would be right.

    A beginning in the past is now. One with an `id` is to take that one's place.
    """
    try:
        posted = msgspec.convert(document, Posted)
    except msgspec.ValidationError as error:
        raise UsageError(f"the silence cannot be read: {error}") from None
    starts, ends = (_seconds(at) for at in (posted.starts_at, posted.ends_at))
    starts = max(starts, clock)
    if ends <= starts:
        raise UsageError("endsAt: is not after startsAt and after now")
    if not 0 < len(posted.matchers) <= MATCHERS:
        raise UsageError(f"matchers: give 1 to {MATCHERS}, as {_EXAMPLE}")
    for text in (posted.created_by, posted.comment, posted.id):
        if len(text) > LONGEST:
            raise UsageError(f"createdBy, comment and id have at most {LONGEST:,} characters")
    matches = [_matches(one) for one in posted.matchers]
    if all(one("") for one in matches):
        raise UsageError("matchers: at least one must not match an empty value")
    return Silence(
        id=posted.id or new_id,
        matchers=posted.matchers,
        starts=starts,
        ends=ends,
        updated=clock,
        created_by=posted.created_by,
        comment=posted.comment,
    )


_EXAMPLE = '{"name": "alertname", "value": "MonitorDrift", "isRegex": false}'


def matcher(text: str) -> Matcher:
    """Read `NAME=VALUE`, `NAME!=VALUE`, `NAME=~REGEX` or `NAME!~REGEX`, the value in double quotes
    or not; raises UsageError.

    >>> matcher("severity=~warning|info")
    Matcher(name='severity', value='warning|info', is_regex=True, is_equal=True)
    >>> matcher(r'value="a \\"b\\""').value
    'a "b"'
    """
    for place, sign in enumerate(text):
        if sign in "=!":
            name, operator = text[:place].strip(), text[place : place + 2]
            size = 2 if operator in ("!=", "=~", "!~") else 1
            if not name or (sign == "!" and size == 1):
                break
            value = _unquoted(text[place + size :].strip())
            if value is None:
                break
            return Matcher(name, value, is_regex="~" in operator[:size], is_equal=sign == "=")
    raise UsageError(f"{text[:60]!r} is not NAME=VALUE, NAME!=VALUE, NAME=~REGEX or NAME!~REGEX")


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\([\\\"n])")


def _unquoted(value: str) -> str | None:
    """A value as Alertmanager reads it: bare, or in quotes with escapes of a quote, a backslash and
    a line's end; None where a quote has no other one."""
    if not value.startswith('"'):
        return None if value.endswith('"') else value
    found = _QUOTED.fullmatch(value)
    if found is None:
        return None
    return _ESCAPED.sub(lambda one: "\n" if one[1] == "n" else one[1], found[1])


def filtered(silences: Iterable[Silence], filters: Iterable[str]) -> list[Silence]:
    """Return the silences whose own matchers have the names and values that all filters ask for,
    whatever their operators are, as Alertmanager's API v2 does it; raises UsageError."""
    asked = [(one.name, _matches(one)) for one in map(matcher, filters)]
    found = []
    for silence in silences:
        values = {one.name: one.value for one in silence.matchers}
        if all(is_met(values.get(name, "")) for name, is_met in asked):
            found.append(silence)
    return found


def silenced(silences: Iterable[Silence], clock: float) -> Callable[[Mapping[str, str]], bool]:
    """Return what says whether labels are silenced at a moment."""
    active = [
        [(one.name, _matches(one)) for one in silence.matchers]
        for silence in silences
        if silence.state(clock) == "active"
    ]

    def is_silenced(labels: Mapping[str, str]) -> bool:
        return any(all(ok(labels.get(name, "")) for name, ok in each) for each in active)

    return is_silenced


def _matches(one: Matcher) -> Callable[[str], bool]:
    if len(one.name) > LONGEST or len(one.value) > LONGEST or not one.name:
        raise UsageError(f"a matcher's name and value have 1 to {LONGEST:,} characters")
    if not one.is_regex:
        return lambda value: (value == one.value) == one.is_equal
    import re2

    try:
        pattern = re2.compile(one.value, _quiet())
    except re2.error:
        raise UsageError(
            f"a matcher's {one.value[:60]!r} is not a regular expression that RE2 knows"
        ) from None
    return lambda value: (pattern.fullmatch(value) is not None) == one.is_equal


def _quiet() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True  # as Prometheus 3 has it
    return options


def _seconds(at: datetime) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
