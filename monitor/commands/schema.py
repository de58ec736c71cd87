"""`monitor schema`: a document's struct → its JSON Schema, with what every key means."""

from __future__ import annotations

import argparse
import json

import msgspec

from monitor.commands.written import document
from monitor.documents import schema
from monitor.feedback import Statement
from monitor.redrive.document import Redrive
from monitor.replay.document import Replay
from monitor.types import Record

DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "record": Record,
    "feedback": Statement,
    "replay": Replay,
    "redrive": Redrive,
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
    document(
        json.dumps(schema(DOCUMENTS[options.document]), indent=1, ensure_ascii=False).encode()
        + b"\n"
    )
    return 0
