"""`monitor schema`: a document's struct → its JSON Schema, with what every key means."""

from __future__ import annotations

import argparse
import ast
import enum
import inspect
import itertools
import json
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from monitor.feedback import Statement
from monitor.replay.document import Replay
from monitor.types import Record

DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "record": Record,
    "feedback": Statement,
    "replay": Replay,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor schema`."""
    parser.add_argument(
        "document",
        choices=DOCUMENTS,
        metavar="DOCUMENT",
        help="record: what is kept of an exchange; feedback: what somebody says later of one; "
        "replay: what `monitor replay --json` writes",
    )


def run(options: argparse.Namespace) -> int:
    """Print the schema as JSON."""
    print(json.dumps(schema(DOCUMENTS[options.document]), indent=1, ensure_ascii=False))
    return 0


def schema(document: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a document; keys that it does not name are allowed, but
    in what others write for us."""
    (root,), parts = msgspec.json.schema_components([document])
    for kind in kinds(document):
        parts[kind.__name__]["description"] = first_paragraph(kind)
        if issubclass(kind, msgspec.Struct):
            said = meanings(kind)
            for key, field in parts[kind.__name__]["properties"].items():
                field["description"] = said[key]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "$defs": parts,
    }


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
    (defined,) = ast.parse(inspect.getsource(struct)).body
    assert isinstance(defined, ast.ClassDef)  # noqa: S101
    keys = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    return {
        keys.get(field.target.id, field.target.id): " ".join(said.value.value.split())
        for field, said in itertools.pairwise(defined.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(said, ast.Expr)
        and isinstance(said.value, ast.Constant)
        and isinstance(said.value.value, str)
    }
