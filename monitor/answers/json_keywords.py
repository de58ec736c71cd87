"""A keyword of JSON Schema → a Test of values, for `json_schemas`."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any

from monitor.marks import PSEUDONYM
from monitor.turns import give_way

MOST_BYTES = 64 << 10
"""A schema has so many bytes at most."""
STRETCH = 256
"""Steps between two moments at which others may have the core."""


class SchemaError(Exception):
    """A schema that cannot be judged by: it is none, too large, or has keywords not known here."""


class Steps:
    """How many steps are left; `take` raises SpentError where there are none."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int = 1) -> None:
        """Take some; gives way to others now and then."""
        before = self.left
        self.left = before - count
        if self.left < 0:
            raise SpentError
        if before // STRETCH != self.left // STRETCH:
            give_way()


class SpentError(Exception):
    """A value takes more steps than it may."""


Test = Callable[[Any, Steps], bool]
"""Whether a value passes; raises SpentError."""


class Compiler(typing.Protocol):
    """What a keyword asks of the schema that it stands in."""

    negates: bool
    """Whether a value may fail because a part of it passes."""

    def test(self, schema: Any, depth: int) -> Test:
        """A Test of all that a schema says."""

    def tests(self, schemas: Any, depth: int) -> list[Test]:
        """Tests of a list of schemas."""

    def named(self, schemas: Any, depth: int) -> dict[str, Test]:
        """Tests of an object of schemas, by the name of each."""

    def searching(self, pattern: Any) -> Callable[[str, Steps], bool]:
        """Whether an expression matches within a text."""


def took(steps: Steps) -> bool:
    """Take a step, for what has no room for a statement; always true."""
    steps.take()
    return True


def kept(kind: Any, value: Any) -> Any:
    """The value where it is of that kind; raises SchemaError."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise SchemaError("a keyword has a value of another kind")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value == value // 1,
}


def _type(_: Compiler, schema: Any, __: int) -> Test:
    said = schema["type"]
    names = said if isinstance(said, list) else [said]
    if not all(isinstance(name, str) and name in _TYPES for name in names):
        raise SchemaError("it has a type that JSON has not")
    if len(names) == 1:
        only = _TYPES[names[0]]
        return lambda value, _: only(value)
    some = [_TYPES[name] for name in names]
    return lambda value, _: any(one(value) for one in some)


def _key(value: Any, steps: Steps) -> Any:
    """What is equal for equal values of JSON: 1 and 1.0 are, 1 and true are not."""
    steps.take()
    if isinstance(value, bool):
        return "b", value
    if isinstance(value, list):
        return "l", tuple([_key(one, steps) for one in value])
    if isinstance(value, dict):
        return "o", frozenset((name, _key(one, steps)) for name, one in value.items())
    return value


def _among(values: list[Any]) -> Test:
    of_schema = Steps(MOST_BYTES)
    keys = {_key(one, of_schema) for one in values}
    has_containers = any(isinstance(one, dict | list) for one in values)

    def test(value: Any, steps: Steps) -> bool:
        if isinstance(value, dict | list):
            return has_containers and _key(value, steps) in keys
        return _key(value, steps) in keys or _is_replaced(value)

    return test


def _is_replaced(value: Any) -> bool:
    return isinstance(value, str) and "<" in value and PSEUDONYM.search(value) is not None


def _length(name: str, kind: type[str] | type[list[Any]] | type[dict[str, Any]], sign: int) -> Any:
    """A keyword that bounds how long a value of a kind is."""

    def make(_: Compiler, schema: Any, __: int) -> Test:
        bound = sign * kept((int, float), schema[name])
        return lambda value, _: (
            not isinstance(value, kind) or sign * len(value) >= bound or _is_replaced(value)
        )

    return make


def _bound(name: str, exclusive: str, sign: int) -> Any:
    """`minimum` or `maximum`; in draft 4 another key says that it is exclusive."""

    def make(_: Compiler, schema: Any, __: int) -> Test:
        bound = sign * kept((int, float), schema[name])
        if schema.get(exclusive) is True:
            return lambda value, _: not _is_number(value) or sign * value > bound
        return lambda value, _: not _is_number(value) or sign * value >= bound

    return make


def _exclusive(name: str, sign: int) -> Any:
    def make(_: Compiler, schema: Any, __: int) -> Test:
        if isinstance(schema[name], bool):
            return lambda *_: True  # draft 4: it belongs to another key
        bound = sign * kept((int, float), schema[name])
        return lambda value, _: not _is_number(value) or sign * value > bound

    return make


def _multiple_of(_: Compiler, schema: Any, __: int) -> Test:
    unit = kept((int, float), schema["multipleOf"])
    if unit <= 0:
        raise SchemaError("a unit is above 0")

    def test(value: Any, _: Steps) -> bool:
        if not _is_number(value):
            return True
        if isinstance(value, int) and isinstance(unit, int):
            return bool(value % unit == 0)
        try:
            times = value / unit
            return bool(abs(times - round(times)) <= 1e-9 * max(1.0, abs(times)))
        except (OverflowError, ValueError):
            return True

    return test


def _pattern(compiler: Compiler, schema: Any, __: int) -> Test:
    found = compiler.searching(schema["pattern"])
    return lambda value, steps: (
        not isinstance(value, str) or found(value, steps) or _is_replaced(value)
    )


def _required(_: Compiler, schema: Any, __: int) -> Test:
    if isinstance(schema["required"], bool):
        return lambda *_: True  # draft 3
    names = [kept(str, name) for name in kept(list, schema["required"])]

    def test(value: Any, steps: Steps) -> bool:
        steps.take(len(names) // 16)
        return not isinstance(value, dict) or all(name in value for name in names)

    return test


def _properties(compiler: Compiler, schema: Any, depth: int) -> Test:
    """`properties`, `patternProperties` and `additionalProperties`, which depend on each other."""
    named = compiler.named(schema.get("properties", {}), depth)
    patterns = [
        (compiler.searching(pattern), compiler.test(one, depth))
        for pattern, one in kept(dict, schema.get("patternProperties", {})).items()
    ]
    other = schema.get("additionalProperties", True)
    rest = None if other is True else compiler.test(other, depth)

    def test(value: Any, steps: Steps) -> bool:
        if not isinstance(value, dict):
            return True
        for name, one in value.items():
            given = named.get(name)
            if given is not None and not given(one, steps):
                return False
            is_known = given is not None
            for found, pattern in patterns:
                if found(name, steps):
                    is_known = True
                    if not pattern(one, steps):
                        return False
            if rest is None or is_known or rest(one, steps):
                continue
            if not _is_replaced(name):
                return False
        return True

    return test


def _property_names(compiler: Compiler, schema: Any, depth: int) -> Test:
    test = compiler.test(schema["propertyNames"], depth)
    return lambda value, steps: (
        not isinstance(value, dict) or all(test(name, steps) for name in value)
    )


def _items(compiler: Compiler, schema: Any, depth: int) -> Test:
    """`prefixItems` and `items`; before 2020 these were `items` and `additionalItems`."""
    first, rest = schema.get("prefixItems"), schema.get("items", True)
    if isinstance(rest, list):
        first, rest = rest, schema.get("additionalItems", True)
    firsts = compiler.tests(first or [], depth)
    other = compiler.test(rest, depth)

    def test(value: Any, steps: Steps) -> bool:
        if not isinstance(value, list):
            return True
        if not all(one(given, steps) for one, given in zip(firsts, value, strict=False)):
            return False
        return all(other(given, steps) for given in value[len(firsts) :])

    return test


def _unique(_: Compiler, schema: Any, __: int) -> Test:
    if not kept(bool, schema["uniqueItems"]):
        return lambda *_: True

    def test(value: Any, steps: Steps) -> bool:
        return not isinstance(value, list) or len({_key(one, steps) for one in value}) == len(value)

    return test


def _contains(compiler: Compiler, schema: Any, depth: int) -> Test:
    compiler.negates = True  # what is replaced may be one of them, or not
    test = compiler.test(schema["contains"], depth)
    least = kept((int, float), schema.get("minContains", 1))
    most = kept((int, float), schema.get("maxContains", MOST_BYTES << 20))
    return lambda value, steps: (
        not isinstance(value, list) or least <= sum(test(one, steps) for one in value) <= most
    )


def _all_of(compiler: Compiler, schema: Any, depth: int) -> Test:
    tests = compiler.tests(schema["allOf"], depth)
    return lambda value, steps: all(one(value, steps) for one in tests)


def _any_of(compiler: Compiler, schema: Any, depth: int) -> Test:
    tests = compiler.tests(schema["anyOf"], depth)
    return lambda value, steps: any(one(value, steps) for one in tests)


def _one_of(compiler: Compiler, schema: Any, depth: int) -> Test:
    compiler.negates = True
    tests = compiler.tests(schema["oneOf"], depth)
    return lambda value, steps: sum(one(value, steps) for one in tests) == 1


def _not(compiler: Compiler, schema: Any, depth: int) -> Test:
    compiler.negates = True
    test = compiler.test(schema["not"], depth)
    return lambda value, steps: not test(value, steps)


def _if(compiler: Compiler, schema: Any, depth: int) -> Test:
    compiler.negates = True
    condition = compiler.test(schema["if"], depth)
    then = compiler.test(schema.get("then", True), depth)
    other = compiler.test(schema.get("else", True), depth)
    return lambda value, steps: (then if condition(value, steps) else other)(value, steps)


def _depending(name: str) -> Any:
    """What a property asks of the whole object: other properties, or a schema."""

    def make(compiler: Compiler, schema: Any, depth: int) -> Test:
        asked: Mapping[str, Any] = {
            of: compiler.test({"required": said} if isinstance(said, list) else said, depth)
            for of, said in kept(dict, schema[name]).items()
        }
        return lambda value, steps: (
            not isinstance(value, dict)
            or all(test(value, steps) for of, test in asked.items() if of in value)
        )

    return make


KEYWORDS: dict[str, Callable[[Compiler, Any, int], Test]] = {
    "type": _type,
    "enum": lambda _, schema, __: _among(kept(list, schema["enum"])),
    "const": lambda _, schema, __: _among([schema["const"]]),
    "required": _required,
    "minLength": _length("minLength", str, 1),
    "maxLength": _length("maxLength", str, -1),
    "minItems": _length("minItems", list, 1),
    "maxItems": _length("maxItems", list, -1),
    "minProperties": _length("minProperties", dict, 1),
    "maxProperties": _length("maxProperties", dict, -1),
    "minimum": _bound("minimum", "exclusiveMinimum", 1),
    "maximum": _bound("maximum", "exclusiveMaximum", -1),
    "exclusiveMinimum": _exclusive("exclusiveMinimum", 1),
    "exclusiveMaximum": _exclusive("exclusiveMaximum", -1),
    "multipleOf": _multiple_of,
    "pattern": _pattern,
    "properties": _properties,
    "patternProperties": lambda compiler, schema, depth: (
        _nothing if "properties" in schema else _properties(compiler, schema, depth)
    ),
    "additionalProperties": lambda compiler, schema, depth: (
        _nothing
        if "properties" in schema or "patternProperties" in schema
        else _properties(compiler, schema, depth)
    ),
    "propertyNames": _property_names,
    "prefixItems": _items,
    "items": lambda compiler, schema, depth: (
        _nothing if "prefixItems" in schema else _items(compiler, schema, depth)
    ),
    "uniqueItems": _unique,
    "contains": _contains,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "dependentRequired": _depending("dependentRequired"),
    "dependentSchemas": _depending("dependentSchemas"),
    "dependencies": _depending("dependencies"),
}
"""In the order in which they are asked: what is quick comes first."""


def _nothing(_: Any, __: Steps) -> bool:
    """Of a keyword that another one has looked at."""
    return True
