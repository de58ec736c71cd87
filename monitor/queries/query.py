"""What a query is: parameters as text → what was asked, and a list → a page of it."""

from __future__ import annotations

import base64
import binascii
import bisect
import enum
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec

from monitor.decisions import Entry
from monitor.errors import UsageError
from monitor.findings import Drift, ExperimentEffect, Outcomes
from monitor.templates.miner import Known
from monitor.types import Measurement, Record

T = TypeVar("T")

MAX_LIMIT, MAX_TEXT, MAX_CURSOR = 1000, 1000, 4096

Limit = Annotated[
    int, msgspec.Meta(ge=1, le=MAX_LIMIT, extra={"is": f"a whole number from 1 to {MAX_LIMIT:,}"})
]
Cursor = Annotated[
    str, msgspec.Meta(max_length=MAX_CURSOR, extra={"is": "a `cursor` of the page before"})
]
Text = Annotated[
    str,
    msgspec.Meta(max_length=MAX_TEXT, extra={"is": f"a text of {MAX_TEXT:,} characters at most"}),
]
Role = Literal["read", "records", "review"]


_UNKNOWN = "what it must be"


class MissingError(UsageError):
    """What was asked for is not there; the message is one line for a person."""


class Process(msgspec.Struct, frozen=True):
    """A process of this command."""

    role: str
    """What it does: `proxy`, `recorder`, `analyzer`, `pages`, `supervisor`, `store`."""
    index: int
    """Which of several, from 0."""
    pid: int
    """Its process id; 0 while it does not run."""
    restarts: int
    """How often it was started again."""


class Running(msgspec.Struct, frozen=True):
    """Whether the proxy accepts connections, and the processes of this command."""

    ready: bool
    processes: list[Process]


class System(Protocol):
    """What runs and what it has found, as queries see it. Each method raises StreamError where the
    store does not answer, and ConfigError where a setting is in the way."""

    endpoint: str
    """The setting `endpoint`."""
    version: str
    """The version of `monitor`."""

    def now(self) -> float:
        """Return the time in Unix seconds."""

    async def shards(self) -> int:
        """Return how many shards the stream has."""

    async def measurements(self) -> list[Measurement]:
        """Return the samples of all processes, but for what the analyzer finds."""

    async def drift(self) -> Drift:
        """Return what the analyzer found of drift."""

    async def outcomes(self) -> Outcomes:
        """Return what the monitors of outcomes say."""

    async def running(self) -> Running:
        """Return which processes there are."""

    def back(
        self, before: str, *, start: float | None = None
    ) -> AsyncGenerator[tuple[str, Record | None]]:
        """Yield (its place, record) for each entry appended since `start` (Unix seconds), the
        last appended first, behind the place `before`; None for what is no record."""

    async def record(self, id_: str) -> Record | None:
        """Return the record with this id; None where it is not there."""

    async def templates(self) -> dict[str, Known]:
        """Return the prompt templates that recorders share, by id."""

    async def log_access(self, who: str, what: str, record: str) -> None:
        """Write down that somebody was given the content of a record."""

    async def log_reading(self, who: str, effects: list[ExperimentEffect]) -> None:
        """Write down that somebody read the verdicts of experiments, where these are others than
        they last read of the same arms and metrics, or that was long ago."""

    def decisions(self, before: str) -> AsyncGenerator[tuple[str, Entry | None]]:
        """Yield (its place, entry) for each entry of the log of decisions before a place, the
        newest first; None for what is no entry of ours."""

    async def store(self) -> str:
        """Return an empty text where the store answers, else a sentence that says why not."""


Asked = TypeVar("Asked", bound=msgspec.Struct)
Answer = TypeVar("Answer", bound=msgspec.Struct)


@dataclass(frozen=True)
class Query:
    """Something that can be asked: over the API at `/api/v1/{path}`, and by the console's pages.

    The fields of `asked` are its parameters, those in braces in the path among them; the docstring
    of `work` says what it answers.
    """

    path: str
    asked: type[Any]
    answer: type[Any]
    work: Callable[[Any, Any], Awaitable[Any]]
    role: Role = "read"
    content_of: Callable[[Any], str] | None = None
    """Where the answer is the content of a record: its id. Then each answer is logged, and no cache
    may keep it."""
    verdicts_of: Callable[[Any], list[ExperimentEffect]] | None = None
    """Where the answer is the verdicts of experiments: these. Then it is written down who read
    them."""

    @property
    def name(self) -> str:
        """The path without parameters in braces: `records/{id}` is `records`."""
        return self.path.partition("/")[0]

    @property
    def words(self) -> str:
        """What it answers, in a sentence."""
        return " ".join((self.work.__doc__ or "").split("\n\n")[0].split())


async def ask(query: Query, system: System, parameters: Iterable[tuple[str, str]], who: str) -> Any:
    """Return what a query answers to `who`. What reads the content of a record is written down
    before it is answered. Raises what `read` and the methods of System raise, and MissingError."""
    found = await query.work(system, read(parameters, query.asked))
    if query.content_of is not None:
        await system.log_access(who, query.name, query.content_of(found))
    if query.verdicts_of is not None:
        await system.log_reading(who, query.verdicts_of(found))
    return found


class Paged(msgspec.Struct, frozen=True, kw_only=True):
    """What every list can be asked."""

    limit: Limit = 100
    """How many items a page has, at most."""
    cursor: Cursor = ""
    """Where the page begins: the `cursor` of the page before; empty for the first page."""


def read(parameters: Iterable[tuple[str, str]], asked: type[Asked]) -> Asked:
    """Return what parameters ask for. Raises UsageError, which names the parameter and says what
    would be right."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(asked)}
    said: dict[str, Any] = {}
    for name, value in parameters:
        field = fields.get(name)
        if field is None:
            known = f"; its parameters are {', '.join(fields)}" if fields else "; it takes none"
            raise UsageError(f"{name[:50]!r}: is not a parameter here{known}")
        if list in (typing.get_origin(one) for one in (field.type, *typing.get_args(field.type))):
            said.setdefault(name, []).append(value)
        elif name in said:
            raise UsageError(f"{name}: is given twice; give it once")
        else:
            said[name] = value
    for name, value in said.items():
        try:
            msgspec.convert(value, fields[name].type, strict=False)
        except (msgspec.ValidationError, OverflowError):
            raise UsageError(f"{name}: is not {wanted(fields[name].type)}") from None
    try:
        return msgspec.convert(said, asked, strict=False)
    except msgspec.ValidationError as error:  # of several fields together, or one that is missing
        raise UsageError(str(error)) from None


def wanted(hint: Any) -> str:
    """Say what a parameter must be.

    >>> wanted(Limit), wanted(Literal["ok", "drift"]), wanted(bool)
    ('a whole number from 1 to 1,000', 'ok or drift', 'true or false')
    """
    for meta in getattr(hint, "__metadata__", ()):
        if getattr(meta, "extra", None) and "is" in meta.extra:
            return str(meta.extra["is"])
    if typing.get_origin(hint) is Literal:
        *most, last = [one or "empty" for one in typing.get_args(hint)]
        return f"{', '.join(most)} or {last}" if most else last
    if hint is bool:
        return "true or false"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return f"one of {', '.join(str(one.value) for one in hint)}"
    inner = map(wanted, typing.get_args(hint))
    return next((one for one in inner if one != _UNKNOWN), _UNKNOWN)


def page(
    items: Iterable[T], key: Callable[[T], tuple[Any, ...]], asked: Paged
) -> tuple[list[T], str | None]:
    """Return the page of the items in the order of their keys, and the cursor of the next one; None
    behind the last. Raises UsageError for a cursor that is none.

    An item that comes or goes between two pages moves no other one from page to page.
    """
    ordered = sorted(items, key=key)
    start = 0
    if asked.cursor:
        try:
            start = bisect.bisect_right(ordered, place_of(asked.cursor), key=key)
        except TypeError:
            raise UsageError(f"cursor: is not {wanted(Cursor)}") from None
    found = ordered[start : start + asked.limit]
    is_last = start + asked.limit >= len(ordered)
    return found, None if is_last or not found else cursor_of(key(found[-1]))


def cursor_of(place: Sequence[Any]) -> str:
    """Return a cursor that stands behind a place.

    >>> place_of(cursor_of((True, "a", 1.5)))
    (True, 'a', 1.5)
    """
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str) -> tuple[Any, ...]:
    """Return the place that a cursor stands behind, or raise UsageError."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return msgspec.json.decode(
            base64.b64decode(padded, altchars=b"-_", validate=True),
            type=tuple[str | int | float | bool, ...],
        )
    except (UnicodeEncodeError, UnicodeDecodeError, binascii.Error, msgspec.DecodeError):
        raise UsageError(f"cursor: is not {wanted(Cursor)}") from None
