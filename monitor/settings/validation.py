"""A tree of values and the struct it should be → what does not fit, in words for a person."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from monitor.urls import shown

LONGEST = 60
"""Characters of a value that are repeated in a message."""
HUGE = 1_000_000_000
"""An upper bound from here on is told to those alone who are above it."""

RENAMED = {"drift.together": "drift.design_effect"}
"""Keys of earlier versions, and what they are called now."""


def complaint(tree: object, struct: type[msgspec.Struct]) -> str | None:
    """Return one line about the first value that does not fit `struct`, None where all do.

    It begins with the path of the key (`capture.buffer_bytes`). Texts with control characters and
    numbers that are not finite fit nowhere.
    """
    if not _fits(tree, struct):
        return _blame(tree, struct, "", struct)
    return next(_unusable(tree, ""), None)


def paths(struct: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    """Yield the path of every key of `struct`, a section before what is in it."""
    for field in msgspec.structs.fields(struct):
        here = before + field.encode_name
        yield here
        if _is_struct(field.type):
            yield from paths(field.type, here + ".")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest of some names or paths, or nothing.

    >>> did_you_mean("EMAIL", ["EMAIL_ADDRESS", "PERSON"]), did_you_mean("qqq", ["PERSON"])
    ('; did you mean EMAIL_ADDRESS?', '')
    >>> did_you_mean("buffer_byte", ["capture", "capture.buffer_bytes"])
    '; did you mean capture.buffer_bytes?'
    >>> did_you_mean("capture.bogus", ["capture"])  # it is there, and does not have it
    ''
    """
    names = [one for one in known if not name.startswith(one + ".")]
    last = {one.rpartition(".")[2]: one for one in reversed(names)}
    near = (
        difflib.get_close_matches(name, names, 1)
        or [one for one in names if len(name) > 2 and one.startswith(name)]
        or [last[one] for one in difflib.get_close_matches(name.rpartition(".")[2], last, 1)]
    )
    return f"; did you mean {near[0]}?" if near else ""


def told(value: object, path: str = "") -> str:
    """A value as a message may repeat it: short, on one line, a URL without its secrets.

    >>> told("two"), told("redis://:secret@h"), told({"a": 1}), told(None)
    ("'two'", "'redis://h'", 'a mapping', 'nothing')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            secret = "://" in value or "@" in value
            text = repr(shown(value) if secret else value)
        case dict():
            return "a mapping"
        case list() | set() | tuple():
            return "a list" if value else "an empty list"
        case _:
            text = str(value) if isinstance(value, float) or _is_short(value) else "a huge number"
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _is_short(value: object) -> bool:
    return not isinstance(value, int) or value.bit_length() < 200


def _fits(value: object, annotation: Any) -> bool:
    try:
        msgspec.convert(value, annotation)
    except (msgspec.ValidationError, ValueError, ArithmeticError, RecursionError):
        return False
    return True


def _blame(value: object, annotation: Any, path: str, whole: type[msgspec.Struct]) -> str:
    """About the first part of `value`, which does not fit, that does not; `whole` has all keys."""
    annotation = _alternative(annotation, value)
    if isinstance(value, dict) and (wrong := _wrong_key(value, annotation, path, whole)):
        return wrong
    for where, each, kind in _parts(value, annotation, path):
        if not _fits(each, kind):
            return _blame(each, kind, where, whole)
    if not _is_struct(annotation):
        kind = inspect.type_info(annotation)
        return f"{path}: {told(value)} is not {_wanted(kind, value)}{_instead(kind, value)}"
    fields = msgspec.structs.fields(annotation)
    if isinstance(value, dict):
        missing = [
            f"`{one.encode_name}`"
            for one in fields
            if one.required and one.encode_name not in value
        ]
        lacks = f"key {missing[0]} is" if len(missing) == 1 else f"keys {_listed(missing)} are"
        return f"{path}: its {lacks} missing"
    keys = _listed([one.encode_name for one in fields])
    return f"{path or 'configuration'}: {told(value)} is not a mapping; its keys are {keys}"


def _listed(names: list[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))


def _wrong_key(
    value: dict[Any, object], annotation: Any, path: str, whole: type[msgspec.Struct]
) -> str | None:
    """About the first key of a mapping that may not stand in it, None where all may."""
    names, kind = None, None
    if _is_struct(annotation):
        names = [one.encode_name for one in msgspec.structs.fields(annotation)]
    elif get_origin(annotation) is dict:
        kind = get_args(annotation)[0]
    for name in value:
        if not isinstance(name, str):
            return f"{_join(path, told(name))}: this key is not a text; put it in quotes"
        if names is not None and name not in names:
            full = _join(path, name)
            near = did_you_mean(full, [*(_join(path, one) for one in names), *paths(whole)])
            near = f"; it is called {RENAMED[full]} now" if full in RENAMED else near
            return f"{full}: unknown key{near}"
        if kind is not None and not _fits(name, kind):
            if get_origin(kind) is Literal and (near := did_you_mean(name, get_args(kind))):
                return f"{path}: unknown key {told(name)}{near}"
            return f"{path}: the key {told(name)} is not {_wanted(inspect.type_info(kind), name)}"
    return None


def _alternative(annotation: Any, value: object) -> Any:
    """What a key takes, of two kinds the one that `value` is like; without the bounds that it keeps
    to."""
    if get_origin(annotation) is Annotated and isinstance(value, dict | list):
        plain = get_args(annotation)[0]
        return annotation if _fits(value, plain) else plain
    if get_origin(annotation) in {Union, UnionType} and isinstance(value, list | dict):
        kind = type(value)
        for one in get_args(annotation):
            plain = _alternative(one, value)
            if get_origin(get_args(plain)[0] if get_origin(plain) is Annotated else plain) is kind:
                return plain
    return annotation


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _parts(value: object, annotation: Any, path: str) -> Iterator[tuple[str, object, Any]]:
    """What `value` is made of: (path, value, annotation)."""
    if isinstance(value, dict) and get_origin(annotation) is dict:
        for name, each in value.items():
            yield _join(path, name), each, get_args(annotation)[1]
    elif isinstance(value, dict) and _is_struct(annotation):
        for field in msgspec.structs.fields(annotation):
            if field.encode_name in value:
                yield _join(path, field.encode_name), value[field.encode_name], field.type
    elif isinstance(value, list) and get_origin(annotation) is list:
        for place, each in enumerate(value):
            yield f"{path}[{place}]", each, get_args(annotation)[0]


def _join(path: str, name: str) -> str:
    name = shown(name) if "://" in name or "@" in name else name
    name = name if name.isprintable() else ascii(name)
    name = name if len(name) <= LONGEST else name[:LONGEST] + "…"
    return f"{path}.{name}" if path else name


def _wanted(kind: inspect.Type, value: object) -> str:
    """What a key takes.

    >>> _wanted(inspect.IntType(ge=1, le=64), 0), _wanted(inspect.FloatType(gt=0, le=1e9), 0)
    ('a whole number from 1 to 64', 'a number above 0')
    """
    match kind:
        case inspect.Metadata():
            said = (kind.extra_json_schema or {}).get("description")
            words = str(said) if said else _wanted(kind.type, value)
        case inspect.UnionType():
            words = " or ".join(_wanted(one, value) for one in kind.types)
        case inspect.IntType():
            words = "a whole number" + _bounds(kind, value)
        case inspect.FloatType():
            words = "a number" + _bounds(kind, value)
        case inspect.LiteralType():
            words = "one of " + ", ".join(str(one) for one in kind.values if one != "")
        case inspect.StrType():
            words = "a text with something in it" if value == "" else "a text in quotes"
        case inspect.ListType() if isinstance(value, list):
            low, high = kind.min_length or 0, kind.max_length or HUGE
            words = (
                f"a list of {low} to {high:,} entries" if low < high else f"one of {low} entries"
            )
        case _:
            words = _OTHER[type(kind)]
    return words


_OTHER: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.ListType: "a list in brackets",
    inspect.DictType: "a mapping, as in {NAME: …}",
    inspect.NoneType: "null",
}


def _bounds(kind: inspect.IntType | inspect.FloatType, value: object) -> str:
    low, high = kind.ge, kind.le
    if high is not None and high >= HUGE and not (_is_number(value) and value > high):
        high = None  # nobody is near it
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    bounds = (("above", kind.gt), ("of at least", low), ("below", kind.lt), ("up to", high))
    return "".join(
        f" {'and ' if number and bounds[0][1] is not None else ''}{word} {bound:,}"
        for number, (word, bound) in enumerate(bounds)
        if bound is not None
    )


def _instead(kind: inspect.Type, value: object) -> str:
    """What to write where a text stands and a number is wanted, or a number that could be a name.

    >>> _instead(inspect.FloatType(gt=0), "60s"), _instead(inspect.IntType(), "8_080")
    ('; write the number alone (CONFIGURATION.md says its unit)', '; write it without quotes')
    >>> _instead(inspect.IntType(), "1e9")
    '; write all its digits, for to YAML 1e9 is a text'
    >>> _instead(inspect.StrType(pattern="[0-9a-z]+"), 5)
    '; put it in quotes'
    """
    inner = kind.type if isinstance(kind, inspect.Metadata) else kind
    if isinstance(inner, inspect.StrType) and inner.pattern and type(value) in (int, float):
        return "; put it in quotes" if re.search(inner.pattern, str(value)) else ""
    kinds = inner.types if isinstance(inner, inspect.UnionType) else (inner,)
    if not isinstance(value, str) or not any(isinstance(one, _NUMBERS) for one in kinds):
        return ""
    if _POWER.fullmatch(value):
        return f"; write all its digits, for to YAML {value} is a text"
    if not (found := _NUMBER_AND_UNIT.fullmatch(value)):
        return ""
    if found[1]:
        return "; write the number alone (CONFIGURATION.md says its unit)"
    return "; write it without quotes"


_NUMBERS = (inspect.IntType, inspect.FloatType)
_POWER = re.compile(r"\d[\d.]{0,20}[eE]\+?\d{1,3}")
_NUMBER_AND_UNIT = re.compile(r"\s*[\d._]{1,20}\s*([A-Za-zµ%]{0,12})\s*")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float)


def _unusable(value: object, path: str) -> Iterator[str]:
    match value:
        case dict():
            for name, each in value.items():
                if not name.isprintable():
                    yield f"{_join(path, name)}: this key has a control character in it"
                yield from _unusable(each, _join(path, name))
        case list():
            for place, each in enumerate(value):
                yield from _unusable(each, f"{path}[{place}]")
        case str():
            if not value.isprintable():
                yield f"{path}: {told(value)} has a control character in it"
        case float():
            if not math.isfinite(value):
                yield f"{path}: {told(value)} is not a finite number"
