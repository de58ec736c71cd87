"""What may be set of the archive and of what vouches for it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.settings.kinds import Section

ANY = "any"
"""What `archive.follows` says of a store that takes the place of whichever is silent."""


class Archive(Section, frozen=True):
    """Where Records are archived, a directory or a URL; empty: nowhere.

    A file is written `every` so many seconds where anything has come, and sooner when that is
    `rows` of a shard. It is kept for `keep` days; 0 is for ever.

    Records are sealed to the X25519 public key in the PEM file `encrypt`; empty: they are in clear.
    `columns` are written in clear beside them, to filter by: all, or none where they are sealed.

    `follows` is the identity of another store, whose place this one has taken for good: the archive
    goes on with the Records of this one. Empty: none. `any` is whichever has archived nothing for
    twice `every`: for a store that is a new one at each start.
    """

    url: str = ""
    every: Annotated[float, msgspec.Meta(ge=1, le=86400)] = 300.0
    rows: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 50000
    keep: Annotated[int, msgspec.Meta(ge=0, le=36500)] = 0
    encrypt: str = ""
    columns: list[str] | None = None
    follows: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^([0-9a-f]{32}|any)?\Z",
            description="`any`, or the identity of a store, 32 digits and letters from a to f, as "
            "the archiver's log says it",
        ),
    ] = ""


class Anchor(Section, frozen=True, omit_defaults=True):
    """Where the last checkpoints of the archive are kept, apart from it: one of a `file`, to which
    they are appended; a `webhook`, whose POST the file `secret` signs; or `otlp`, log records for
    the collector of `otlp.endpoint`."""

    file: str = ""
    webhook: str = ""
    secret: str = ""
    otlp: bool = False


class Audit(Section, frozen=True):
    """The file with the Ed25519 key that signs the archive's checkpoints; empty: unsigned. They are
    kept elsewhere too, by each of the `anchors`, every `every` seconds and at the end."""

    sign: str = ""
    anchors: Annotated[list[Anchor], msgspec.Meta(max_length=8)] = []
    every: Annotated[float, msgspec.Meta(ge=1, le=604800)] = 3600.0
