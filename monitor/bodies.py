"""Body bytes → JSON values and text, as tolerant as the servers and clients that wrote them.

msgspec reads what is strict JSON. The rest is real too: Python servers write `NaN`, tokenizers cut
surrogate pairs, editors leave a byte order mark.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Self, TypeVar, get_args

import msgspec

from monitor.errors import ParseError
from monitor.partial_json import closed

T = TypeVar("T")

_decode_any = msgspec.json.Decoder().decode
_NOT_JSON = object()
_MOSTLY_TEXT = 0.05  # as many control characters or undecodable bytes a text may hold
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"


class Kept(str):
    """A string of a JSON body that the operator's rules let through where it stands.

    The mark is on the object, not on its text: an equal string elsewhere has none, and whatever is
    made of it (joined, cut, stripped) loses it, and is scanned like any other text.
    """

    __slots__ = ()


class Body(bytes):
    """The body of a message, which is parsed at most once, whoever asks for its JSON value.

    All who ask get the same value, so nobody may change it.
    """

    _known: Any = msgspec.UNSET

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the body of a JSON value."""
        body = cls(dump(value).encode())
        body._known = value
        return body

    @property
    def value(self) -> Any:
        """The JSON value; raises ParseError, nothing else."""
        if self._known is msgspec.UNSET:
            try:
                self._known = _parse(self)
            except ParseError:
                self._known = _NOT_JSON
        if self._known is _NOT_JSON:
            raise ParseError("the body is not JSON")
        return self._known


class Cut(Body):
    """The beginning of a body, whose end the proxy did not keep, or nobody can decode."""

    _begun: Any = msgspec.UNSET

    @property
    def beginning(self) -> Any:
        """What is certain of the JSON value; raises ParseError, nothing else."""
        if self._begun is msgspec.UNSET:
            try:
                self._begun = _parse(closed(self))
            except ParseError:
                self._begun = _NOT_JSON
        if self._begun is _NOT_JSON:
            raise ParseError("the body is not JSON")
        return self._begun


class Document(Body):
    """A JSON body written from a value that its bytes do not tell all of: strings may be `Kept`, or
    numbers not finite."""


def written(value: Any) -> Body:
    """Return the body of a JSON value: a `Document` where its bytes say null in place of a number
    that is not finite.

    >>> type(written([1.5, None])).__name__, type(written([float("inf"), None])).__name__
    ('Body', 'Document')
    """
    body = Body.of(value)
    try:
        tells_all = body.find(b"null") < 0 or _decode_any(body) == value
    except RecursionError:  # too deep to be compared
        tells_all = False
    return body if tells_all else Document.of(value)


def document(body: bytes) -> Any:
    """Return the JSON value of a body; raises ParseError, nothing else.

    >>> document(b'{"a": [1, NaN]}')
    {'a': [1, nan]}
    """
    return body.value if isinstance(body, Body) else _parse(body)


def beginning(body: bytes) -> Any:
    """Return the JSON value of a body, of a `Cut` one what is certain of it; raises ParseError.

    >>> beginning(Cut(b'{"a": "Good day to yo')), beginning(b"7")
    ({'a': 'Good day to '}, 7)
    """
    return body.beginning if isinstance(body, Cut) else document(body)


def _parse(body: bytes) -> Any:
    if not body:
        raise ParseError("the body is not JSON")
    try:
        return _decode_any(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _clean(json.loads(body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        raise ParseError("the body is not JSON") from None


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The JSON object of a body as `decoder`'s Struct; raises ParseError, nothing else.

    A scalar or object of another type than the dialect says is as good as absent and costs nothing
    else; a list of something else than the dialect's objects is another shape. Of a `Cut` body it
    is the beginning.
    """
    try:
        if not isinstance(body, Document):
            return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    found = _fit(beginning(body), decoder.type)
    if not isinstance(found, msgspec.Struct):
        raise ParseError("the body is not of the shape its protocol has")
    return found  # type: ignore[return-value]


def _fit(value: Any, kind: Any) -> Any:
    """`value` as `kind`, without those of its members that do not fit; UNSET where it does not."""
    struct, is_list = _struct_of(kind)
    if struct is not None and is_list:
        given = value if isinstance(value, list) else [value]
        found = [_fit(one, struct) for one in given if one is not None]
        if msgspec.UNSET in found:
            raise ParseError("the body is not of the shape its protocol has")
        return found
    if struct is not None and isinstance(value, dict):
        fitting = {
            name: _fit(value[written], inner)
            for written, name, inner in _fields(struct)
            if written in value
        }
        return struct(**{n: one for n, one in fitting.items() if one is not msgspec.UNSET})
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError):
        return msgspec.UNSET


@cache
def _struct_of(kind: Any) -> tuple[Any, bool]:
    """The Struct in a field's type (`S`, `S | None`, `list[S] | None`); whether it is a list's."""
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one, getattr(kind, "__origin__", None) is list
        inner = get_args(one)
        if getattr(one, "__origin__", None) is list and isinstance(inner[0], type):
            return (inner[0], True) if issubclass(inner[0], msgspec.Struct) else (None, False)
    return None, False


@cache
def _fields(struct: type[msgspec.Struct]) -> tuple[tuple[str, str, Any], ...]:
    """Of each member its name in JSON, that in the struct, and its type."""
    fields = msgspec.structs.fields(struct)
    return tuple((field.encode_name, field.name, field.type) for field in fields)


def parsed(text: str) -> Any:
    """The JSON value of a text; None where it is none.

    >>> parsed('{"a": 1}'), parsed("a")
    ({'a': 1}, None)
    """
    try:
        return _parse(text.encode("utf-8", "replace"))
    except ParseError:
        return None


def text(body: bytes) -> str | None:
    """The body as text, or None where it is binary.

    >>> text(b"caf\\xc3\\xa9"), text(b"\\x89PNG\\x00\\x01\\x02")
    ('café', None)
    """
    if not body:
        return None
    start = body[:65536]
    found = body.decode("utf-8", "replace")
    broken = found[:65536].count("�") + len(start) - len(start.translate(None, _CONTROLS))
    return None if broken > max(1, len(start) * _MOSTLY_TEXT) else found


def dump(value: Any) -> str:
    """A value as JSON text.

    >>> dump({"a": 1})
    '{"a":1}'
    """
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except (ValueError, TypeError, RecursionError):
        return ""


def _plain(value: Any) -> str:
    if isinstance(value, str):  # `Kept`, or one with media
        return str(value)
    raise TypeError


def _clean(value: Any) -> Any:
    """Lone surrogates, which no UTF-8 can carry, replaced."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value
