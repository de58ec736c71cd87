"""JSON Schema → whether a value fits it, in a bounded time, whoever wrote the schema.

A schema comes with a request, so a stranger may have written it: schemas that refer to each other
make other validators work without end. Here a value is looked at in a number of steps that grows
with its text. Expressions are RE2's, which do not backtrack. Nothing is fetched: a reference leads
into the schema itself.

Known are the keywords that assert something in drafts 4 to 2020-12 (https://json-schema.org), but
`unevaluatedItems`, `unevaluatedProperties`, `$dynamicRef` and `$recursiveRef`. As in these drafts
`format` asserts nothing.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from monitor import expressions
from monitor.turns import give_way

MOST_BYTES, MOST_NODES, DEPTH = 64 << 10, 2000, 64
"""A schema has so many bytes, schemas within each other, and levels at most."""
PATTERN = 100
"""So many schemas an expression counts for, by the memory that it may take."""
REMEMBERED = 20_000
"""Schemas within schemas that are remembered when they are compiled."""
STEPS = 10_000
"""Steps for a value, beside one for each character of its text."""
STRETCH = 256
"""Steps between two moments at which others may have the core."""

PSEUDONYM = re.compile(r"<[A-Z_]+:[a-z0-9]+:[A-Za-z0-9_-]{16,}>")

_NOT_KNOWN = (
    "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef",
)  # fmt: skip
_OLD = re.compile("draft-0[1-7]")
"""Drafts in which nothing counts beside a reference."""


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


class Schema:
    """A compiled schema of `nodes` schemas within each other."""

    def __init__(self, root: Any) -> None:
        """Raises SchemaError."""
        compiler = _Compiler(root)
        try:
            self._test = compiler.test(root, 0)
            compiler.resolve()
        except RecursionError:
            raise SchemaError("it is nested too deep") from None
        self.nodes = compiler.nodes
        self._negates = compiler.negates

    def fits(self, value: Any, text: str) -> bool | None:
        """Whether a value, whose JSON is `text`, fits; None where that cannot be said.

        A pseudonym fits wherever a string does: what it stands for is not known.
        """
        if self._negates and "<" in text and PSEUDONYM.search(text):
            return None
        try:
            return self._test(value, Steps(STEPS + len(text)))
        except (SpentError, RecursionError):
            return None


class Schemas:
    """Schemas by their digest, those that were asked for last."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[bytes, Schema | None] = OrderedDict()
        self._nodes = 0

    def compiled(self, schema: Any) -> Schema | None:
        """The schema, compiled once for all that are equal; None where it cannot be judged by."""
        try:
            text = msgspec.json.encode(schema)
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
            return None
        if len(text) > MOST_BYTES:
            return None
        key = blake2b(text, digest_size=16).digest()
        if key in self._compiled:
            self._compiled.move_to_end(key)
            return self._compiled[key]
        try:
            found: Schema | None = Schema(schema)
        except SchemaError:
            found = None
        self._compiled[key] = found
        self._nodes += found.nodes if found else 1
        while self._nodes > REMEMBERED:
            _, oldest = self._compiled.popitem(last=False)
            self._nodes -= oldest.nodes if oldest else 1
        return found


compiled = Schemas().compiled


class _Compiler:
    """Makes Tests of one schema and of those within it."""

    def __init__(self, root: Any) -> None:
        self._root = root
        said = root.get("$schema") if isinstance(root, dict) else None
        self._is_old = isinstance(said, str) and _OLD.search(said) is not None
        self._references: dict[str, list[Test]] = {}
        self.nodes = 0
        self.negates = False

    def test(self, schema: Any, depth: int) -> Test:
        """A Test of all that a schema says."""
        self.nodes += 1
        if self.nodes > MOST_NODES or depth > DEPTH:
            raise SchemaError("it is too large")
        give_way()
        if isinstance(schema, bool):
            return lambda _value, steps: _took(steps) and schema
        if not isinstance(schema, dict):
            raise SchemaError("a schema is an object")
        if found := [name for name in _NOT_KNOWN if name in schema]:
            raise SchemaError(f"it has {found[0]}")
        tests = [
            make(self, schema, depth + 1) for name, make in _KEYWORDS.items() if name in schema
        ]
        if "$ref" in schema:
            reference = self.reference(schema["$ref"])
            tests = [reference] if self._is_old else [*tests, reference]
        if len(tests) == 1:
            only = tests[0]
            return lambda value, steps: _took(steps) and only(value, steps)

        def all_of(value: Any, steps: Steps) -> bool:
            steps.take(1 + len(tests))
            for one in tests:  # noqa: SIM110  a generator would be another frame
                if not one(value, steps):
                    return False
            return True

        return all_of

    def tests(self, schemas: Any, depth: int) -> list[Test]:
        """Tests of a list of schemas."""
        return [self.test(one, depth) for one in _as(list, schemas)]

    def named(self, schemas: Any, depth: int) -> dict[str, Test]:
        """Tests of schemas by name."""
        return {name: self.test(one, depth) for name, one in _as(dict, schemas).items()}

    def searching(self, pattern: Any) -> Callable[[str, Steps], bool]:
        """Whether an expression matches within a text."""
        self.nodes += PATTERN
        try:
            search = expressions.compiled(_as(str, pattern)).search
        except ValueError:
            raise SchemaError("it has an expression that RE2 does not know") from None

        def found(text: str, steps: Steps) -> bool:
            steps.take(1 + len(text) // 64)
            if not text.isascii():
                text = text.encode("utf-8", "replace").decode()  # RE2 knows no halves of characters
            return search(text) is not None

        return found

    def reference(self, reference: Any) -> Test:
        """A Test of what a reference leads to, which is compiled later."""
        cell = self._references.setdefault(_as(str, reference), [])
        return lambda value, steps: _took(steps) and cell[0](value, steps)

    def resolve(self) -> None:
        """Compile what is referred to, and what that refers to."""
        while missing := [name for name, cell in self._references.items() if not cell]:
            for name in missing:
                self._references[name].append(self.test(self._at(name), 0))

    def _at(self, reference: str) -> Any:
        """What a reference leads to."""
        where, hash_, pointer = reference.partition("#")
        if where or not hash_ or (pointer and not pointer.startswith("/")):
            raise SchemaError("a reference leads out of it")
        found = self._root
        for step in pointer.split("/")[1:]:
            name = _unescaped(step)
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise SchemaError("a reference leads nowhere")
        return found


def _unescaped(step: str) -> str:
    return step.replace("%25", "%").replace("~1", "/").replace("~0", "~")


def _took(steps: Steps) -> bool:
    steps.take()
    return True


def _as(kind: Any, value: Any) -> Any:
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


def _type(_: _Compiler, schema: Any, __: int) -> Test:
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

    def make(_: _Compiler, schema: Any, __: int) -> Test:
        bound = sign * _as((int, float), schema[name])
        return lambda value, _: (
            not isinstance(value, kind) or sign * len(value) >= bound or _is_replaced(value)
        )

    return make


def _bound(name: str, exclusive: str, sign: int) -> Any:
    """`minimum` or `maximum`; in draft 4 another key says that it is exclusive."""

    def make(_: _Compiler, schema: Any, __: int) -> Test:
        bound = sign * _as((int, float), schema[name])
        if schema.get(exclusive) is True:
            return lambda value, _: not _is_number(value) or sign * value > bound
        return lambda value, _: not _is_number(value) or sign * value >= bound

    return make


def _exclusive(name: str, sign: int) -> Any:
    def make(_: _Compiler, schema: Any, __: int) -> Test:
        if isinstance(schema[name], bool):
            return lambda *_: True  # draft 4: it belongs to another key
        bound = sign * _as((int, float), schema[name])
        return lambda value, _: not _is_number(value) or sign * value > bound

    return make


def _multiple_of(_: _Compiler, schema: Any, __: int) -> Test:
    unit = _as((int, float), schema["multipleOf"])
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


def _pattern(compiler: _Compiler, schema: Any, __: int) -> Test:
    found = compiler.searching(schema["pattern"])
    return lambda value, steps: (
        not isinstance(value, str) or found(value, steps) or _is_replaced(value)
    )


def _required(_: _Compiler, schema: Any, __: int) -> Test:
    if isinstance(schema["required"], bool):
        return lambda *_: True  # draft 3
    names = [_as(str, name) for name in _as(list, schema["required"])]

    def test(value: Any, steps: Steps) -> bool:
        steps.take(len(names) // 16)
        return not isinstance(value, dict) or all(name in value for name in names)

    return test


def _properties(compiler: _Compiler, schema: Any, depth: int) -> Test:
    """`properties`, `patternProperties` and `additionalProperties`, which depend on each other."""
    named = compiler.named(schema.get("properties", {}), depth)
    patterns = [
        (compiler.searching(pattern), compiler.test(one, depth))
        for pattern, one in _as(dict, schema.get("patternProperties", {})).items()
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


def _property_names(compiler: _Compiler, schema: Any, depth: int) -> Test:
    test = compiler.test(schema["propertyNames"], depth)
    return lambda value, steps: (
        not isinstance(value, dict) or all(test(name, steps) for name in value)
    )


def _items(compiler: _Compiler, schema: Any, depth: int) -> Test:
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


def _unique(_: _Compiler, schema: Any, __: int) -> Test:
    if not _as(bool, schema["uniqueItems"]):
        return lambda *_: True

    def test(value: Any, steps: Steps) -> bool:
        return not isinstance(value, list) or len({_key(one, steps) for one in value}) == len(value)

    return test


def _contains(compiler: _Compiler, schema: Any, depth: int) -> Test:
    compiler.negates = True  # what is replaced may be one of them, or not
    test = compiler.test(schema["contains"], depth)
    least = _as((int, float), schema.get("minContains", 1))
    most = _as((int, float), schema.get("maxContains", MOST_BYTES << 20))
    return lambda value, steps: (
        not isinstance(value, list) or least <= sum(test(one, steps) for one in value) <= most
    )


def _all_of(compiler: _Compiler, schema: Any, depth: int) -> Test:
    tests = compiler.tests(schema["allOf"], depth)
    return lambda value, steps: all(one(value, steps) for one in tests)


def _any_of(compiler: _Compiler, schema: Any, depth: int) -> Test:
    tests = compiler.tests(schema["anyOf"], depth)
    return lambda value, steps: any(one(value, steps) for one in tests)


def _one_of(compiler: _Compiler, schema: Any, depth: int) -> Test:
    compiler.negates = True
    tests = compiler.tests(schema["oneOf"], depth)
    return lambda value, steps: sum(one(value, steps) for one in tests) == 1


def _not(compiler: _Compiler, schema: Any, depth: int) -> Test:
    compiler.negates = True
    test = compiler.test(schema["not"], depth)
    return lambda value, steps: not test(value, steps)


def _if(compiler: _Compiler, schema: Any, depth: int) -> Test:
    compiler.negates = True
    condition = compiler.test(schema["if"], depth)
    then = compiler.test(schema.get("then", True), depth)
    other = compiler.test(schema.get("else", True), depth)
    return lambda value, steps: (then if condition(value, steps) else other)(value, steps)


def _depending(name: str) -> Any:
    """What a property asks of the whole object: other properties, or a schema."""

    def make(compiler: _Compiler, schema: Any, depth: int) -> Test:
        asked: Mapping[str, Any] = {
            of: compiler.test({"required": said} if isinstance(said, list) else said, depth)
            for of, said in _as(dict, schema[name]).items()
        }
        return lambda value, steps: (
            not isinstance(value, dict)
            or all(test(value, steps) for of, test in asked.items() if of in value)
        )

    return make


_KEYWORDS: dict[str, Callable[[_Compiler, Any, int], Test]] = {
    "type": _type,
    "enum": lambda _, schema, __: _among(_as(list, schema["enum"])),
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
