"""`monitor schema`: a document's struct → its JSON Schema, with what every key means."""

from __future__ import annotations

import argparse
import json

import msgspec

from monitor.commands.output import document
from monitor.documents import schema
from monitor.feedback import Statement
from monitor.redrive.document import Redrive
from monitor.replay.document import Replay
from monitor.types import Record

VERSION = 1
"""Of all these documents. A key that is added leaves it as it is; one that goes, or means something
else, is another version."""

DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "record": Record,
    "feedback": Statement,
    "replay": Replay,
    "redrive": Redrive,
}
WORDS = {
    "record": "what is kept of an exchange",
    "feedback": "what somebody says later of one",
    "replay": "what `monitor replay --json` writes",
    "redrive": "what `monitor redrive --json` writes",
}
"""The same documents, for a person."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor schema`."""
    parser.add_argument(
        "document",
        choices=DOCUMENTS,
        metavar="DOCUMENT",
        help="; ".join(f"{name}: {WORDS[name]}" for name in DOCUMENTS),
    )


def run(options: argparse.Namespace) -> int:
    """Print the schema as JSON."""
    document(published(options.document).encode())
    return 0


def published(name: str) -> str:
    """Return the schema of a document as `docs/schemas` has it."""
    found = schema(DOCUMENTS[name])
    found = {
        "$schema": found["$schema"],
        "$id": f"urn:monitor:schema:{name}:{VERSION}",
        **found,
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
