"""`monitor schema`: a document's struct → its JSON Schema, with what every key means."""

from __future__ import annotations

import argparse
import ast
import functools
import inspect
import itertools
import json
from typing import Any

import msgspec

from monitor import types

DOCUMENTS: dict[str, type[msgspec.Struct]] = {"record": types.Record, "replay": types.Replay}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor schema`."""
    parser.add_argument(
        "document",
        choices=DOCUMENTS,
        metavar="DOCUMENT",
        help="record: what is kept of an exchange; replay: what `monitor replay --json` writes",
    )


def run(options: argparse.Namespace) -> int:
    """Print the schema as JSON."""
    print(json.dumps(schema(DOCUMENTS[options.document]), indent=1, ensure_ascii=False))
    return 0


def schema(document: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a document; keys that it does not name are allowed."""
    (root,), structs = msgspec.json.schema_components([document])
    for name, struct in structs.items():
        kind = getattr(types, name)
        struct["description"] = first_paragraph(kind)
        said = meanings(name)
        for key, field in struct.get("properties", {}).items():
            field["description"] = said[key]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "$defs": structs,
    }


def first_paragraph(kind: type) -> str:
    """Return what the docstring of a type says first, in one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def meanings(struct: str) -> dict[str, str]:
    """Return what the strings below the fields of a struct of `monitor.types` say, by field."""
    return {
        field.target.id: " ".join(said.value.value.split())
        for field, said in itertools.pairwise(_body(struct))
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(said, ast.Expr)
        and isinstance(said.value, ast.Constant)
        and isinstance(said.value.value, str)
    }


@functools.lru_cache(maxsize=64)
def _body(struct: str) -> list[ast.stmt]:
    tree = ast.parse(inspect.getsource(types))
    (found,) = (
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == struct
    )
    return found.body
