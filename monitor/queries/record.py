"""One record of the stream, whole; each reading is logged."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.queries.query import MissingError, Query, System
from monitor.types import Record


class Asked(msgspec.Struct, frozen=True):
    """Which record is wanted."""

    id: Annotated[
        str, msgspec.Meta(max_length=200, extra={"is": "an id of 200 characters at most"})
    ]
    """The id of the record, which is also in X-Monitor-Exchange-Id."""


async def answer(system: System, asked: Asked) -> Record:
    """All that is kept of an exchange, pseudonymized; that it was read is written down."""
    record = await system.record(asked.id)
    if record is None:
        raise MissingError(f"id: there is no record {asked.id[:60]!r} in the stream")
    return record


QUERY = Query(
    "records/{id}", Asked, Record, answer, role="records", content_of=lambda record: record.id
)
