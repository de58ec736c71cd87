"""Structs of documents → JSON Schemas, with what every key means.

A struct's docstring says what it is, the string below a field what that field means.
"""

from __future__ import annotations

import ast
import enum
import inspect
import itertools
import textwrap
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec


def schema(document: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a document; keys that it does not name are allowed, but
    in what others write for us."""
    (root,), parts = components([document], "#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "$defs": parts,
    }


def components(
    documents: Sequence[type[msgspec.Struct]], at: str
) -> tuple[Sequence[dict[str, Any]], dict[str, Any]]:
    """Return the schemas of documents, and by name those of the structs that they are made of,
    which are referred to as `at` says, as `#/$defs/{name}`."""
    roots, parts = msgspec.json.schema_components(documents, ref_template=at)
    for document in documents:
        for kind in kinds(document):
            full = f"{kind.__module__}.{kind.__qualname__}"  # where two have the same name
            part = parts[kind.__name__ if kind.__name__ in parts else full]
            part["description"] = first_paragraph(kind)
            if issubclass(kind, msgspec.Struct):
                said = meanings(kind)
                for key, field in part["properties"].items():
                    if key in said:
                        field["description"] = said[key]
    return roots, parts


def kinds(document: type[msgspec.Struct]) -> list[type]:
    """Return the structs and enumerations that a document is made of, itself the first."""
    found: list[type] = [document]
    for kind in found:
        if issubclass(kind, msgspec.Struct):
            for hint in typing.get_type_hints(kind).values():
                found += dict.fromkeys(each for each in _kinds(hint) if each not in found)
    return found


def _kinds(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct | enum.Enum):
        yield hint
    for inner in typing.get_args(hint):
        yield from _kinds(inner)


def first_paragraph(kind: type) -> str:
    """Return what the docstring of a type says first, in one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def meanings(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Return what the strings below the fields of a struct say, by key of the document."""
    keys = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    found: dict[str, str] = {}
    for kind in reversed(struct.__mro__):
        if issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct:
            found |= {keys.get(name, name): said for name, said in _said(kind)}
    return found


def _said(struct: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    """(field, what the string below it says) of a struct itself."""
    (defined,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    assert isinstance(defined, ast.ClassDef)  # noqa: S101
    for field, said in itertools.pairwise(defined.body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(said, ast.Expr)
            and isinstance(said.value, ast.Constant)
            and isinstance(said.value.value, str)
        ):
            yield field.target.id, " ".join(said.value.value.split())
