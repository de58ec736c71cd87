"""`make bench`: what it costs to take a person out of a large archive, and to prove one Record; to ERASURE.md.

`--rows N` (1000000) of chats in files of `--file N` (50000) rows; one row in `--every N` (1000) names the person. CPU time
is that of this process, memory the most that it had (VmHWM) beyond what it had before, with the libraries loaded.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import TypeVar

import msgspec
from nacl.signing import SigningKey

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.archive import proving
from monitor.archive.chain import Chain, signer
from monitor.archive.erasure import Eraser
from monitor.archive.manifests import NEW, Erasure
from monitor.archive.rows import Kept, Writer
from monitor.archive.storage import Directory
from monitor.audit import proofs
from monitor.audit.merkle import NONCE
from monitor.privacy.pseudonyms import Mentions
from monitor.types import decode_record
from tests.bench import recorded

OUT = Path(__file__).with_name("ERASURE.md")
WHO = "<EMAIL_ADDRESS:k1:abcdefghijklmnopqrstuvwx>"
KEY = SigningKey(bytes(32))
BEGAN = 1_700_000_000_000
DIFFERENT = 500
"""Documents that the rows are made of; each row has an id of its own."""
T = TypeVar("T")


def filled(root: Path, rows: int, size: int, every: int) -> None:
    """Write an archive in which one row of so many names the person."""
    held = recorded.records("chat", DIFFERENT)
    parts = [(decode_record(one), one.partition(b'"')[0] + one[one.index(b'",') :]) for one in held]
    turn = cycle(parts)
    chain = Chain(Directory(root), "bench", 0)
    chain.open()
    for first in range(0, rows, size):
        writer = Writer(chain.storage.scratch(), chain.tree)
        for low in range(first, min(first + size, rows), 1000):
            page = []
            for number, (record, rest) in enumerate(islice(turn, 1000), start=low):
                name = f"{number:032x}"
                user = b',"user":"%s"}' % WHO.encode() if number % every == 7 else b"}"
                document = b'{"id":"' + name.encode() + rest[:-1] + user
                page.append(Kept(f"{BEGAN + number}-0", document, record))
            writer.add(page, os.urandom(NONCE * len(page)))
        file = writer.close("bench", 0)
        chain.storage.publish(writer.path, file.path + NEW)
        new = chain.next_manifest(at=1.7e9, writer="bench", position=file.last, tree=writer.tree)
        assert chain.add(msgspec.structs.replace(new, file=file, files=new.files + 1), signer(KEY))


def costs(work: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and seconds of CPU."""
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def most() -> int:
    """MiB of memory that this process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def erased(root: Path) -> tuple[int, float, float]:
    """(rows that name the person, seconds to find them, seconds to erase them)."""
    chain = Chain(Directory(root), "bench", 0)
    chain.open()
    eraser = Eraser(chain, Mentions([WHO]), lambda _: None, writer="bench")
    found, looking = costs(lambda: sum(eraser.look()))
    how = Erasure("bench", "bench", ["ab" * 32])
    gone, erasing = costs(lambda: sum(eraser.erase(how, signer(KEY), clock=lambda: 1.8e9)))
    assert gone == found
    return found, looking, erasing


def proved(root: Path, row: int) -> tuple[int, int, float, float]:
    """(bytes of a proof, hashes of its path, seconds to make it, seconds to verify it)."""
    chain = Chain(Directory(root), "bench", 0)

    def made() -> proofs.Proof:
        found = proving.find(chain, f"{BEGAN + row}-0", None)
        assert found
        return proving.prove(chain, found, with_record=True)

    proof, making = costs(made)
    data = proofs.encode(proof)
    _, verifying = costs(lambda: proofs.verify(proofs.decode(data), [KEY.verify_key]))
    return len(data), len(proof.path), making, verifying


def page(rows: int, size: int, every: int) -> str:
    """Measure, and say what it took."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "archive"
        if not os.fork():  # so that its memory is not ours
            filled(root, rows, size, every)
            os._exit(0)
        assert os.wait()[1] == 0
        packed = sum(one.stat().st_size for one in root.rglob("*.parquet"))
        proved(root, rows - size // 2)  # libraries are loaded then
        before = most()
        proof, hashes, making, verifying = proved(root, rows - size // 2)
        found, looking, erasing = erased(root)
        memory = most() - before
    files = -(-rows // size)
    return f"""# Erasure and proofs

Written by `tests/bench/bench_erasure.py` on {datetime.now(UTC).date()}: monitor {monitor.__version__}, Python
{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.

{rows:,} Records of chats in {files} files of {size:,} rows, {packed >> 20:,} MiB ({packed / rows:,.0f} bytes a Record). A person is in
{found:,} of them, and in each file.

| | CPU s | CPU µs of a row |
|---|---|---|
| look through all (`--dry-run`) | {looking:.1f} | {1e6 * looking / rows:.1f} |
| then erase: read, copy with tombstones, hash and sync all files | {erasing:.1f} | {1e6 * erasing / rows:.1f} |

Memory: {memory:,} MiB more than before, at most, whatever the size of the archive or of a file.

A proof of one Record has {hashes} hashes and {proof:,} bytes. It takes {1e3 * making:.0f} ms to make (its file is read: {size:,} rows)
and {1e3 * verifying:.1f} ms to verify.
"""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--file", type=int, default=50_000)
    parser.add_argument("--every", type=int, default=1000)
    options = parser.parse_args()
    text = page(options.rows, options.file, options.every)
    OUT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
