"""JSON Schema against another implementation of it, and against strangers who write schemas."""

from __future__ import annotations

import json
import time
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.answers import json_keywords, json_schemas
from monitor.answers.json_keywords import SchemaError
from monitor.answers.json_schemas import Schema, Schemas, compiled
from tests.pace import is_within

TOKEN = "<EMAIL_ADDRESS:k1:oeoicfmkhghdcaepkjnhepda>"


def fits(schema: Any, value: Any) -> bool | None:
    return Schema(schema).fits(value, json.dumps(value))


# --- the oracle ----------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "ab", "c1"])
NUMBERS = st.integers(-3, 6) | st.sampled_from([0.5, 1.0, 2.5, -1.5])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "ab", "abc", "c1"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
COUNTS = st.integers(0, 4)
PATTERNS = st.sampled_from(["a", "^a$", "[0-9]", "^[a-c]+$", "b|1"])
TYPES = st.sampled_from(["string", "object", "array", "boolean", "null", "number", "integer"])
REFERENCES = st.sampled_from(["#/$defs/a", "#/$defs/b", "#/$defs/a~1b", "#"])


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(NAMES, inner, max_size=3)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3), "const": VALUES,
        "required": st.lists(NAMES, max_size=2, unique=True),
        "minLength": COUNTS, "maxLength": COUNTS, "minItems": COUNTS, "maxItems": COUNTS,
        "minProperties": COUNTS, "maxProperties": COUNTS, "minimum": NUMBERS, "maximum": NUMBERS,
        "exclusiveMinimum": NUMBERS, "exclusiveMaximum": NUMBERS, "multipleOf": st.integers(1, 3),
        "pattern": PATTERNS, "properties": named,
        "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
        "additionalProperties": inner, "propertyNames": inner, "prefixItems": some, "items": inner,
        "uniqueItems": st.booleans(), "contains": inner, "minContains": COUNTS,
        "maxContains": COUNTS, "allOf": some, "anyOf": some, "oneOf": some, "not": inner,
        "if": inner, "then": inner, "else": inner,
        "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
        "dependentSchemas": named, "title": st.just("a"), "format": st.just("date"),
        "$ref": REFERENCES,
    }  # fmt: skip
    return st.lists(st.sampled_from(sorted(keywords)), max_size=4, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: keywords[name] for name in names})
    )


INNER = st.recursive(st.booleans() | st.just({}), schemas, max_leaves=6)
PLAIN = st.recursive(
    st.booleans() | st.just({"type": "string"}) | st.just({"minimum": 1}),
    lambda inner: st.fixed_dictionaries({"properties": st.dictionaries(NAMES, inner, max_size=2)}),
    max_leaves=3,
)
ROOTS = st.tuples(schemas(INNER), st.tuples(PLAIN, PLAIN, PLAIN)).map(
    lambda both: {**both[0], "$defs": dict(zip(("a", "b", "a/b"), both[1], strict=True))}
)


@given(ROOTS, st.lists(VALUES, min_size=1, max_size=4))
def test_it_agrees_with_another_validator(schema: Any, values: list[Any]) -> None:
    """On any schema of the keywords that are known, and any value; where one of them gives up,
    nothing is said."""
    ours, theirs = Schema(schema), jsonschema.Draft202012Validator(schema)
    for value in values:
        found = ours.fits(value, json.dumps(value))
        try:
            expected = theirs.is_valid(value)
        except RecursionError:
            continue
        assert found is None or found is expected
        assert found is not None or "#" in json.dumps(schema)  # a reference that leads round


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"minimum": 1, "exclusiveMinimum": True}, 1, False),
        ({"maximum": 1, "exclusiveMaximum": False}, 1, True),
        ({"items": [{"type": "string"}], "additionalItems": False}, ["a"], True),
        ({"items": [{"type": "string"}], "additionalItems": False}, ["a", 1], False),
        ({"dependencies": {"a": ["b"]}}, {"a": 1}, False),
        ({"dependencies": {"a": {"required": ["b"]}}}, {"a": 1, "b": 2}, True),
        ({"definitions": {"a": {"type": "null"}}, "$ref": "#/definitions/a"}, None, True),
        ({"definitions": {"a": {"type": "null"}}, "$ref": "#/definitions/a"}, 1, False),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "$defs": {"a": True},
          "properties": {"x": {"$ref": "#/$defs/a", "type": "string"}}}, {"x": 1}, True),
        ({"$defs": {"a": True}, "properties": {"x": {"$ref": "#/$defs/a", "type": "string"}}}, {"x": 1}, False),
        ({"multipleOf": 0.1}, 0.3, True),
        ({"multipleOf": 0.01}, 1.005, False),
        ({"type": "integer"}, 2.0, True),
        ({"enum": [1]}, True, False),
        ({"const": {"a": [1.0]}}, {"a": [1]}, True),
    ],
)  # fmt: skip
def test_older_drafts_and_corners(schema: Any, value: Any, expected: bool) -> None:
    """As the drafts say."""
    assert fits(schema, value) is expected


@pytest.mark.parametrize(
    "schema",
    [
        {"minLength": 50}, {"maxLength": 3}, {"pattern": "^[0-9]+$"}, {"enum": ["jo"]},
        {"const": "jo"}, {"type": "string"}, {"anyOf": [{"maxLength": 1}, {"type": "null"}]},
    ],
)  # fmt: skip
def test_what_was_replaced_fits_where_a_text_does(schema: Any) -> None:
    """Nobody knows what it was; a text that holds it likewise."""
    assert fits(schema, TOKEN) is True
    assert fits({"items": schema}, [f"to {TOKEN}"]) is True
    assert fits({"properties": {"a": schema}, "additionalProperties": False}, {TOKEN: 1}) is True


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"const": "jo"}},
        {"oneOf": [{"maxLength": 3}, True]},
        {"if": {"maxLength": 3}, "then": False},
        {"contains": {"const": "a"}},
    ],
)
def test_nothing_is_said_where_it_would_matter_what_it_was(schema: Any) -> None:
    """What is not among some may be; without pseudonyms it is judged."""
    assert fits(schema, TOKEN) is None
    assert fits(schema, "something") is not None
    assert fits({"type": "integer"}, TOKEN) is False


# --- strangers -----------------------------------------------------------------------------------

UNKNOWN: dict[str, Any] = {
    "no schema": 5,
    "a type of another language": {"type": "OBJECT"},
    "a list of names that is none": {"required": "a"},
    "an expression that looks ahead": {"pattern": "(?=a)b"},
    "keywords that are not known": {"unevaluatedProperties": False},
    "a reference to elsewhere": {"$ref": "https://example.org/schema.json"},
    "a reference to a file": {"$ref": "file:///etc/passwd"},
    "a reference to nowhere": {"$ref": "#/$defs/none"},
    "a reference to no schema": {"$ref": "#/title", "title": "a"},
    "too many": {"anyOf": [{}] * (json_schemas.MOST_NODES + 1)},
    "too deep": json.loads('{"not":' * 80 + "{}" + "}" * 80),
    "many expressions": {"anyOf": [{"pattern": f"a{n}"} for n in range(50)]},
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_judged_by_is_said_so(name: str) -> None:
    """Nothing is fetched, and nothing is guessed."""
    with pytest.raises(SchemaError):
        Schema(UNKNOWN[name])
    assert compiled(UNKNOWN[name]) is None


def doubling(keyword: str) -> Any:
    """A schema that asks twice for the next, forty times: 2^40 steps where nobody counts."""
    two = {f"a{n}": {keyword: [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)}
    return {"$defs": {**two, "a40": {"type": "string"}}, "$ref": "#/$defs/a0"}


DEEP: Any = "x"
for _ in range(200):
    DEEP = {"a": DEEP}
BOTH = {"properties": {"a": {"$ref": "#"}}}
HOSTILE: dict[str, tuple[Any, Any]] = {
    "round in a circle": ({"$ref": "#"}, 1),
    "round in two": ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, 1),
    "all twice": (doubling("allOf"), "a"),
    "any twice": (doubling("anyOf"), 1),
    "down twice": ({"allOf": [BOTH, BOTH]}, DEEP),
    "an expression": ({"items": {"pattern": "^(a|a)*(a|a)*(a|a)*$"}}, ["a" * 30 + "b"] * 1000),
    "many values": ({"uniqueItems": True, "items": {"enum": list(range(1500))}}, list(range(100_000))),
    "many alike": ({"uniqueItems": True}, [{"a": [1, 2, 3]}] * 30_000),
    "many names": ({"required": [str(n) for n in range(9000)]}, {str(n): 1 for n in range(9000)}),
    "many lists": ({"items": {"required": [str(n) for n in range(9000)]}}, [{}] * 50_000),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_stranger_takes_a_bounded_time(name: str) -> None:
    """No more than some microseconds for each character of the value."""
    schema, value = HOSTILE[name]
    text = json.dumps(value)
    begun = time.process_time()
    Schema(schema).fits(value, text)
    assert is_within(time.process_time() - begun, 0.3 + 3e-6 * len(text))


def test_schemas_are_compiled_once_and_not_all_are_remembered() -> None:
    """By what they say; those that were asked for last."""
    known = Schemas()
    first = known.compiled({"type": "string", "maxLength": 5})
    assert known.compiled({"type": "string", "maxLength": 5}) is first
    for number in range(100):
        known.compiled({"anyOf": [{"const": n + number * 1000} for n in range(1000)]})
        known.compiled({"type": "string", "maxLength": 5})
        assert known._nodes <= json_schemas.REMEMBERED
    assert len(known._compiled) < 25
    assert known.compiled({"type": "string", "maxLength": 5}) is first
    assert known.compiled({"title": "a" * json_keywords.MOST_BYTES}) is None
    assert known.compiled({"enum": [object()]}) is None
