"""Archives for tests: some Records in files that a chain lists."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from monitor.archive.chain import Chain, Sign, signer
from monitor.archive.manifests import NEW
from monitor.archive.rows import COLUMNS, Kept, Writer
from monitor.archive.sealing import Seal
from monitor.archive.storage import Directory, Storage
from monitor.audit.merkle import NONCE
from monitor.types import encode_record
from tests.replay.some_records import record

DAY = 86_400_000
BEGAN = 1_700_000_000_000
"""Unix milliseconds at which the first entry was appended."""

Step = Callable[..., Chain]


def kept(first: int, count: int, day: int = 0) -> list[Kept]:
    found = []
    for number in range(first, first + count):
        at = BEGAN + day * DAY + number
        one = record(number, started=at / 1000 - 1)
        found.append(Kept(f"{at}-0", encode_record(one), one))
    return found


unsigned = signer(None)


def add(chain: Chain, rows: list[Kept], sign: Sign = unsigned, seal: Seal | None = None) -> bool:
    """Archive rows as one file, as the archiver does it."""
    columns = () if seal else COLUMNS
    writer = Writer(chain.storage.scratch(), chain.tree, columns, seal)
    writer.add(rows, os.urandom(NONCE * len(rows)))
    file = writer.close(chain.endpoint, chain.shard)
    chain.storage.publish(writer.path, file.path + NEW)
    new = chain.next_manifest(
        at=rows[-1].record.started + 1, writer="test", position=rows[-1].sid, tree=writer.tree
    )
    return chain.add(msgspec.structs.replace(new, file=file, files=new.files + 1), sign)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Directory(tmp_path / "archive")


@pytest.fixture
def step(storage: Storage) -> Step:
    """Archives so many Records as one file of a shard's chain."""

    def made(first: int, count: int, day: int = 0, shard: int = 0, endpoint: str = "bot") -> Chain:
        chain = Chain(storage, endpoint, shard)
        chain.open()
        assert add(chain, kept(first, count, day))
        return chain

    return made
