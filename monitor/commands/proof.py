"""`monitor records prove` and `monitor verify PROOF`: one Record of an archive, proved alone."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from nacl.signing import VerifyKey

from monitor.archive import proving, reading, storage
from monitor.archive.chain import Chain
from monitor.audit import proofs
from monitor.audit.documents import TwiceError, require_unique_keys
from monitor.audit.proofs import Proof, Wrong
from monitor.commands.output import document, write
from monitor.erasure.store import named
from monitor.errors import ArchiveError, UsageError
from monitor.logs import plain
from monitor.places import is_store
from monitor.replay.archives import absence, split
from monitor.streams.entries import started_by
from monitor.urls import shown

EXIT_MISSING = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor records prove`, beside the common ones."""
    add = parser.add_argument
    add("id", metavar="ID", help="id of the record, or of its entry in the stream")
    add("archive", metavar="ARCHIVE", help="the directory or URL of the archive that has it")
    add("--out", metavar="FILE", help="write the proof to this file; by default to stdout")
    add("--without-record", action="store_true",
        help="leave the record out: its leaf alone is proved, which tells nothing of "
        "it")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Write the proof of a Record; 1 where the archive has none with this id, or only its
    tombstone. Raises UsageError for a person."""
    place = options.archive
    if is_store(place):
        raise UsageError(f"{shown(place)}: is a store; a proof is made of an archive")
    root, endpoint = split(place)
    if storage.is_absent(root):
        raise UsageError(f"{shown(place)}: there is no such file or directory")
    try:
        held = storage.at(root, Path(tempfile.gettempdir()))
        endpoint = _endpoint(reading.endpoints(held), endpoint or options.endpoint or "", place)
        for number in reading.shards(held, endpoint):
            chain = Chain(held, endpoint, number)
            found = proving.find(chain, options.id, started_by(options.id))
            if found is None:
                continue
            if found.record is None and not options.without_record:
                what = "was erased" if found.nonce is None else "is sealed to a key"
                print(
                    f"monitor: {options.id}: {what}; its leaf is left: --without-record",
                    file=sys.stderr,
                )
                return EXIT_MISSING
            proof = proving.prove(chain, found, with_record=not options.without_record)
            data = proofs.encode(proof)
            if options.out:
                write(options.out, data)
            else:
                document(data)
            return 0
    except ArchiveError as error:
        raise UsageError(str(error)) from None
    print(f"monitor: {plain(options.id)}: the archive has no such record", file=sys.stderr)
    return EXIT_MISSING


def _endpoint(inside: list[str], wanted: str, place: str) -> str:
    """The endpoint that is meant; raises UsageError where it is not there, or any of several is."""
    if wanted in inside or (not wanted and len(inside) == 1):
        return wanted or inside[0]
    if not wanted and inside:
        names = ", ".join(inside[:8])
        raise UsageError(f"{shown(place)}: has several endpoints: {names}; --endpoint says which")
    raise UsageError(f"{shown(place)}: {absence(inside, wanted)}")


def lines(name: str, known: Sequence[VerifyKey], wanted: str = "") -> Iterator[str]:
    """Lines about what a proof in a file proves, of the endpoint that is wanted, if one is. Raises
    Wrong where it does not, and UsageError for what is no proof."""
    try:
        with Path(name).open("rb") as file:
            data = file.read(proofs.LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from None
    try:
        proof = proofs.decode(data)
    except ValueError as error:
        raise UsageError(
            f"{name}: {error}; SOURCE is an archive, a store, or what `monitor records prove` wrote"
        ) from None
    try:
        found = proofs.verify(proof, known)
    except Wrong as wrong:
        raise Wrong(f"{name}: {wrong}") from None
    endpoint, _, shard = found.origin.rpartition("/")
    if wanted not in ("", endpoint):
        raise Wrong(f"{name}: it is of endpoint {endpoint}, and not of {wanted}")
    where = f"record {proof.index:,} of {found.size:,}, manifest {found.manifest}"
    yield f"{endpoint}, shard {shard}: {where}{_named(proof)}"
    if proof.record is None:
        yield "proven: this leaf is in the tree of that checkpoint; the record is not in the proof"
    else:
        yield "proven: this record is in the tree of that checkpoint, unaltered"
        if key := _twice(proof.record):
            yield f"in the record {key}: readers of JSON differ about which value counts"
    if not known:
        how = "its signature was not looked at: no --public-key" if found.is_signed else "unsigned"
        yield f"{how}: whoever made it could have made it up"


def _twice(record: str) -> str:
    """Which key a Record has twice, as a sentence; empty where none. No recorder writes such."""
    try:
        require_unique_keys(record.encode(errors="surrogatepass"))
    except TwiceError as error:
        return str(error)
    except (ValueError, RecursionError):  # no JSON, whose bytes are proved all the same
        pass
    return ""


def _named(proof: Proof) -> str:
    """How the Record of a proof is called, if it has one."""
    if proof.record is None:
        return ""
    name = named(proof.record).id  # an old or a foreign one may have none: its bytes are proved
    return f"; id {plain(name)}, entry {proof.sid}" if name else f"; entry {proof.sid}"
