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
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from monitor import expressions
from monitor.answers.json_keywords import (
    KEYWORDS,
    MOST_BYTES,
    SchemaError,
    SpentError,
    Steps,
    Test,
    kept,
    took,
)
from monitor.marks import PSEUDONYM
from monitor.turns import give_way

MOST_NODES, DEPTH = 2000, 64
"""A schema has so many schemas within each other, and levels at most."""
PATTERN = 100
"""So many schemas an expression counts for, by the memory that it may take."""
REMEMBERED = 20_000
"""Schemas within schemas that are remembered when they are compiled."""
STEPS = 10_000
"""Steps for a value, beside one for each character of its text."""

_NOT_KNOWN = (
    "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef",
)  # fmt: skip
_OLD = re.compile("draft-0[1-7]")
"""Drafts in which nothing counts beside a reference."""


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
            return lambda _value, steps: took(steps) and schema
        if not isinstance(schema, dict):
            raise SchemaError("a schema is an object")
        if found := [name for name in _NOT_KNOWN if name in schema]:
            raise SchemaError(f"it has {found[0]}")
        tests = [make(self, schema, depth + 1) for name, make in KEYWORDS.items() if name in schema]
        if "$ref" in schema:
            reference = self.reference(schema["$ref"])
            tests = [reference] if self._is_old else [*tests, reference]
        if len(tests) == 1:
            only = tests[0]
            return lambda value, steps: took(steps) and only(value, steps)

        def all_of(value: Any, steps: Steps) -> bool:
            steps.take(1 + len(tests))
            for one in tests:  # noqa: SIM110  a generator would be another frame
                if not one(value, steps):
                    return False
            return True

        return all_of

    def tests(self, schemas: Any, depth: int) -> list[Test]:
        """Tests of a list of schemas."""
        return [self.test(one, depth) for one in kept(list, schemas)]

    def named(self, schemas: Any, depth: int) -> dict[str, Test]:
        """Tests of schemas by name."""
        return {name: self.test(one, depth) for name, one in kept(dict, schemas).items()}

    def searching(self, pattern: Any) -> Callable[[str, Steps], bool]:
        """Whether an expression matches within a text."""
        self.nodes += PATTERN
        try:
            search = expressions.compiled(kept(str, pattern)).search
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
        cell = self._references.setdefault(kept(str, reference), [])
        return lambda value, steps: took(steps) and cell[0](value, steps)

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
