"""JSON → Statement, what somebody says later of an exchange; Feedback, what is kept of it.

A `Statement` is raw and lives in memory only. Only `monitor.privacy` makes `Feedback` of it, which
may be written down.
"""

from __future__ import annotations

import codecs
import datetime
import io
import itertools
import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec

MAX_NAME = 200
"""Characters of a name, an id or a value that is one of few."""
MAX_TEXT = 65_536
"""Characters of a label, a correction or a note."""
MAX_ATTRIBUTES = 16
MAX_ITEMS = 10_000
"""Items of one request."""
LATEST = 253_402_300_799.0
"""The last second of the year 9999, in Unix time."""

NAMES = ("id", "trace_id", "response_id", "business")
"""The keys that may name the exchange; an item has one of them."""
KINDS = ("label", "attributes", "correction", "rating", "event", "verdict")
"""The keys of what may be said; an item has one of them, which is its kind."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
TraceId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{32}\Z")]
Moment = Annotated[datetime.datetime, msgspec.Meta(tz=True)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LATEST)]
Whole = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Label = Whole | float | bool | Text
Business = Annotated[dict[Name, Name], msgspec.Meta(max_length=1)]
Attributes = Annotated[dict[Name, Name], msgspec.Meta(max_length=MAX_ATTRIBUTES)]


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a reviewer said of an answer."""

    reviewer: Name
    """Who said it."""
    passed: bool
    """Whether the answer will do."""
    label: Label | None = None
    """What the answer should have been."""
    note: Text | None = None
    """Why, in words."""


class Statement(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What somebody says later of an exchange. It names the exchange by one of `id`, `trace_id`,
    `response_id` and `business`, and says one of `label`, `attributes`, `correction`, `rating`,
    `event` and `verdict`.

    A key that is null counts as not there.
    """

    id: Name | None = None
    """Names the exchange by the id of its record, which is also in X-Monitor-Exchange-Id."""
    trace_id: TraceId | None = None
    """Names it by the 32 hex digits of the trace id in its `traceparent`."""
    response_id: Name | None = None
    """Names it by the id that the endpoint gave its answer."""
    business: Business | None = None
    """Names it by a key of the application, as {"order": "o-17"}; one name and its value."""
    label: Label | None = None
    """What was true: a class, a number or a text."""
    attributes: Attributes | None = None
    """Protected attributes of whom it was about, as {"sex": "f"}; up to 16. They stand in no
    Record."""
    correction: Text | None = None
    """The answer as it should have been."""
    rating: float | None = None
    """What somebody gave it."""
    event: Name | None = None
    """The name of what happened after it, as `order_placed`."""
    verdict: Verdict | None = None
    """What a reviewer said of it."""
    name: Name | None = None
    """Which label it is, where there are several; `label` where it is left out."""
    value: float | None = None
    """The value of the event, such as an amount; 1 where it is left out."""
    at: Moment | Seconds | None = None
    """When it became known: RFC 3339 with a time zone, or Unix seconds. Where it is left out, the
    moment when it came."""
    key: Name | None = None
    """Makes the item idempotent: what has the same key counts once."""

    def __post_init__(self) -> None:
        """Raise ValueError where the item does not name one exchange and say one thing of it."""
        named = [key for key in NAMES if getattr(self, key)]
        said = [key for key in KINDS if getattr(self, key) not in (None, {})]
        if len(named) != 1:
            raise ValueError(_one_of("names the exchange", NAMES, named))
        if len(said) != 1:
            raise ValueError(_one_of("says", KINDS, said))
        if self.value is not None and self.event is None:
            raise ValueError("value: belongs to an `event`, and there is none")
        if isinstance(self.at, datetime.datetime) and self.at.timestamp() < 0:
            raise ValueError("at: is before 1970")

    @property
    def kind(self) -> str:
        """What it says: one of `KINDS`."""
        return next(key for key in KINDS if getattr(self, key) not in (None, {}))

    @property
    def subject(self) -> tuple[str, str]:
        """(which, value) of the name of the exchange; `business.order` for a key of that name."""
        if self.business:
            ((name, value),) = self.business.items()
            return f"business.{name}", value
        which = next(key for key in NAMES if getattr(self, key))
        return which, getattr(self, which)


class Feedback(Statement, frozen=True, forbid_unknown_fields=False, kw_only=True):
    """A Statement that may be kept: pseudonymized. Only `monitor.privacy` makes one.

    The JSON document in the stream is this struct (`encode_feedback`); a label that is true or
    false is a text in it.
    """

    at: float | None = None
    """When it became known, in Unix seconds."""
    pseudonymized: Name
    """The id of the key that made the pseudonyms."""
    continues: dict[str, str] = {}
    """During a key rotation: the new pseudonym, and the one of the key before that it takes the
    place of."""
    propensity: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """The probability with which somebody was asked: a verdict of the review queue stands for
    1 / `propensity` exchanges."""


encode_feedback = msgspec.json.Encoder().encode

_decode_statement = msgspec.json.Decoder(Statement).decode
_decode_feedback = msgspec.json.Decoder(Feedback).decode

_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_MAX_COMMAS = 50 * MAX_ITEMS
"""Commas of a list of so many items: a list of numbers takes nine times its size to be read."""

T = TypeVar("T")

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_PATH = re.compile(r" - at `(?P<of_key>key` in `)?\$(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<key>\w+)`")

_WANTED = {
    "id": f"the id of a record, a text of up to {MAX_NAME} characters",
    "trace_id": "the 32 hex digits of a trace id",
    "response_id": f"the id of an answer, a text of up to {MAX_NAME} characters",
    "business": f'one key and its value, as {{"order": "o-17"}}, of up to {MAX_NAME} characters '
    "each",
    "label": f"a text of 1 to {MAX_TEXT:,} characters, a number, true or false",
    "attributes": f'up to {MAX_ATTRIBUTES} texts by name, as {{"sex": "f"}}, of up to {MAX_NAME} '
    "characters each",
    "correction": f"a text of 1 to {MAX_TEXT:,} characters",
    "rating": "a number",
    "event": f"a name of 1 to {MAX_NAME} characters, as order_placed",
    "verdict": 'an object, as {"reviewer": "kim", "passed": true}',
    "verdict.reviewer": f"a name of 1 to {MAX_NAME} characters",
    "verdict.passed": "true or false",
    "verdict.label": f"a text of 1 to {MAX_TEXT:,} characters, a number, true or false",
    "verdict.note": f"a text of 1 to {MAX_TEXT:,} characters",
    "name": f"a name of 1 to {MAX_NAME} characters",
    "value": "a number",
    "at": "a time as 2026-11-28T10:00:00Z, or Unix seconds",
    "key": f"a text of 1 to {MAX_NAME} characters",
}


class FeedbackError(ValueError):
    """What somebody said cannot be taken; the message is one sentence that quotes none of it."""


class NotJsonError(FeedbackError):
    """A document is no JSON, or nested too deep to be read."""


class TooManyError(FeedbackError):
    """A request has more items than one may have; the message is one sentence."""


def items(body: bytes, *, are_lines: bool) -> list[bytes] | list[msgspec.Raw]:
    """Return the documents in a body, each still to be read: a JSON object, a list of objects, or a
    document a line, after a byte order mark or without. Raises FeedbackError where there is none to
    be found, and TooManyError."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise FeedbackError("the body is empty")
    if are_lines:
        lines = filter(bytes.strip, io.BytesIO(body))
        return _bounded(list(itertools.islice(lines, MAX_ITEMS + 1)))
    start = body.lstrip()[:1]
    if start == b"{":
        return [body]
    if start != b"[":
        raise FeedbackError("the body is neither a JSON object nor a list of objects")
    if body.count(b",") > _MAX_COMMAS:
        raise TooManyError(f"send at most {MAX_ITEMS:,} items in a request")
    try:
        return _bounded(_decode_list(body))
    except RecursionError:
        raise FeedbackError("the body is nested too deep") from None
    except _UNREADABLE:
        raise FeedbackError("the body is not JSON") from None


def _bounded(found: list[T]) -> list[T]:
    if len(found) > MAX_ITEMS:
        raise TooManyError(f"send at most {MAX_ITEMS:,} items in a request")
    return found


def read(document: bytes | msgspec.Raw) -> Statement:
    """Return what a JSON object says. Raises FeedbackError with one sentence, NotJsonError where it
    is no JSON at all."""
    try:
        return _decode_statement(document)
    except msgspec.ValidationError as error:
        raise FeedbackError(_sentence(error)) from None
    except RecursionError:
        raise NotJsonError("is nested too deep") from None
    except _UNREADABLE:
        raise NotJsonError("is not JSON") from None


def convert(tree: Any) -> Statement:
    """Return what a tree of cells says, whose texts may stand for numbers, true and false. Raises
    FeedbackError with one sentence."""
    try:
        return msgspec.convert(tree, Statement, strict=False)
    except (msgspec.ValidationError, OverflowError) as error:
        raise FeedbackError(_sentence(error)) from None


def stored(document: bytes) -> Statement | None:
    """Return what stands in the stream: Feedback, or a Statement where somebody else wrote it, who
    has pseudonymized nothing; None for what is neither."""
    for decode in (_decode_feedback, _decode_statement):
        try:
            return decode(document)
        except _UNREADABLE:
            continue
    return None


def _one_of(what: str, keys: Sequence[str], found: Sequence[str]) -> str:
    listed = ", ".join(keys)
    if not found:
        return f"{what} by none of {listed}" if keys is NAMES else f"{what} none of {listed}"
    return f"{what} by {' and '.join(found)}; give one" if keys is NAMES else (
        f"{what} {' and '.join(found)}; give one, and each other in an item of its own"
    )  # fmt: skip


def _sentence(error: msgspec.ValidationError | OverflowError) -> str:
    """What is wrong, without a word of what was said."""
    message = str(error)
    place = _PATH.search(message)
    path = place["path"].removeprefix(".") if place else ""
    message = message[: place.start()] if place else message
    if unknown := _UNKNOWN.fullmatch(message):
        return f"{_shown(path, unknown['key'])}: is no key of an item"
    if missing := _MISSING.fullmatch(message):
        return f"{path or 'item'}: its key `{missing['key']}` is missing"
    known = path if path in _WANTED else path.partition(".")[0].partition("[")[0]
    if known in _WANTED:
        return f"{known}: is not {_WANTED[known]}"
    return "is not an object, as {…}" if message.startswith("Expected `object`") else message


def _shown(path: str, key: str) -> str:
    """An unknown key as a sentence may repeat it: short, on one line, only if it looks like one."""
    name = key if re.fullmatch(r"[A-Za-z_.-]{1,24}[0-9]{0,2}", key) else "a key"
    return f"{path}.{name}" if path else name
