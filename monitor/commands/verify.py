"""`monitor verify`: an archive, or a stream → proven, or the first place that is wrong."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from nacl.signing import VerifyKey

from monitor import stopping
from monitor.archive import reading, storage
from monitor.archive.sealing import opener_of
from monitor.archive.verification import Shard, Verifier, Violation, endpoint_of, parse_anchors
from monitor.audit import keys
from monitor.audit.proofs import Wrong
from monitor.commands import audit_log, proof
from monitor.commands.output import need, note, write
from monitor.errors import ArchiveError, StreamError, UsageError
from monitor.places import is_store
from monitor.replay.archives import ENDPOINT, absence, directory_of, split
from monitor.settings.schema import Settings
from monitor.streams.entries import ShardPosition
from monitor.streams.redis import RedisStream
from monitor.texts import printable
from monitor.urls import shown

EXIT_VIOLATED = 1

NOT_PROVEN = "it was not looked at to its end, so nothing is proven"


def add_arguments(parser: argparse.ArgumentParser, common: Callable[..., None]) -> None:
    """The options of `monitor verify`."""
    add = parser.add_argument
    add("source", metavar="SOURCE",
        help="a directory or URL of an archive; a file that `monitor records prove` wrote; an "
        "audit log (erase.jsonl, reveal.jsonl); or the URL of a store, whose stream is looked "
        "through")  # fmt: skip
    add("--public-key", metavar="FILE",
        help="every manifest must be signed by a key of this PEM file, which may hold "
        "several")  # fmt: skip
    add("--anchor", metavar="FILE", action="append", default=[],
        help="checkpoints that were kept elsewhere, which the archive must still have; of a log "
        "the digests of lines")  # fmt: skip
    add("--private-key", metavar="FILE",
        help="open each record that is sealed, with a key of this PEM file")  # fmt: skip
    add("--checkpoints", metavar="FILE",
        help="write the checkpoints of what is proven here, to be kept elsewhere")  # fmt: skip
    common(parser, "endpoint")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """`monitor verify`; returns the exit code. Raises UsageError where nothing can be told."""
    known = keys.public(Path(options.public_key), "--public-key") if options.public_key else []
    is_log = options.source.endswith(audit_log.SUFFIX) and _is_file(options.source)
    anchors = [] if is_log else [one for name in options.anchor for one in _anchors(name)]
    so_far = _SoFar()
    need(options.checkpoints)
    try:
        if is_store(options.source):
            _only_archives(options, "a stream has neither signatures nor tree", "public_key")
            lines = _stream(options.source, settings, so_far)
        elif is_log:
            for option in ("public_key", "private_key", "checkpoints"):
                if getattr(options, option):
                    raise UsageError(f"--{option.replace('_', '-')}: is for an archive, not a log")
            lines = audit_log.lines(Path(options.source), list(map(Path, options.anchor)))
        elif _is_file(options.source):
            _only_archives(options, "a proof has one checkpoint, and no chain")
            lines = proof.lines(options.source, known, options.endpoint or "")
        else:
            lines = _archive(options, known, anchors, so_far)
        with stopping.leaves(lambda: so_far.words() + NOT_PROVEN):
            for line in lines:
                print(printable(line))
    except (Violation, Wrong) as wrong:
        print(printable(f"violated: {wrong}"))
        return EXIT_VIOLATED
    except (ArchiveError, StreamError) as error:
        raise UsageError(f"{shown(options.source)}: cannot be told: {error}") from None
    return 0


@dataclass
class _SoFar:
    """How far it has come, as the beginning of a sentence."""

    words: Callable[[], str] = str


def _archive(
    options: argparse.Namespace, known: list[VerifyKey], anchors: list[str], so_far: _SoFar
) -> Iterator[str]:
    """Lines about what is proven of an archive."""
    place = options.source
    root, endpoint = split(place)
    if options.endpoint and endpoint not in ("", options.endpoint):
        raise UsageError(
            f"--endpoint {options.endpoint}: {shown(place)} names another one; give one of the two"
        )
    endpoint = endpoint or options.endpoint or ""
    top = directory_of(endpoint) if endpoint else ""
    held = storage.at(root, Path(tempfile.gettempdir()))
    if not any(name.startswith(ENDPOINT) for name in held.inside("")):
        lack = f"; it has no directory {ENDPOINT}NAME"
        why = ": there is no such file or directory" if storage.is_absent(root) else lack
        raise UsageError(f"{shown(place)}: is not an archive{why}")
    asked = [one for one in anchors if endpoint in ("", endpoint_of(one))]
    verifier = Verifier(held, known, asked, opener_of(options.private_key))
    verifier.irregular(top)
    endpoints = [endpoint] if endpoint else reading.endpoints(held)
    found = [(one, number) for one in endpoints for number in reading.shards(held, one)]
    so_far.words = lambda: _reached(verifier, len(found))
    shards = [verifier.shard(one, number) for one, number in found]
    verifier.unlisted(top)
    if lost := [one for one in asked if one not in verifier.seen]:
        origin = lost[0].partition("\n")[0].removeprefix("monitor/")
        raise Violation(
            origin, "a checkpoint of this shard was kept, and the archive has none of it"
        )
    if not shards:
        raise UsageError(f"{shown(root)}: {absence(reading.endpoints(held), endpoint)}")
    for one in endpoints:
        verifier.gaps(one, shards)
    yield from map(_words, shards)
    yield from _mixed(shards)
    if options.checkpoints:
        write(options.checkpoints, "".join(shard.checkpoint for shard in shards).encode())
    yield "proven: all that is listed is there, unaltered and in order"
    if not known:
        is_signed = any(shard.signed for shard in shards)
        how = "signatures were not looked at: no --public-key" if is_signed else "unsigned"
        yield f"{how}: whoever can write here could have written all of it anew"
    if verifier.sealed:
        how = (
            "each opens with the private key"
            if options.private_key
            else ("what is in them was not looked at: no --private-key")
        )
        yield f"{verifier.sealed:,} records are sealed: {how}"
    if others := len(anchors) - len(asked):
        yield f"{others:,} checkpoints of other endpoints were left out"
    if not asked:
        yield (
            "unanchored: that nothing was cut off at the end, nor the last shards or a whole "
            "endpoint, can be told by checkpoints alone that are kept elsewhere (--checkpoints, "
            "--anchor)"
        )


def _reached(verifier: Verifier, shards: int) -> str:
    rest = f", nor in {verifier.reached}, with their files" if verifier.reached else ""
    return f"nothing was wrong in {verifier.whole:,} of {shards:,} shards{rest}; "


def _mixed(shards: Sequence[Shard]) -> Iterator[str]:
    """A line for each endpoint whose shards are not of one store."""
    for one in dict.fromkeys(shard.last.endpoint for shard in shards):
        stores = {shard.last.store for shard in shards if shard.last.endpoint == one} - {""}
        if len(stores) > 1:
            yield (
                f"{one}: its shards go on with records of {len(stores)} stores: one has taken the "
                "place of another and not of all shards yet, or shards of several archives were "
                "put together"
            )


def _words(shard: Shard) -> str:
    last = shard.last
    told = [
        f"{last.size:,} records", f"{shard.manifests:,} manifests", f"{shard.files:,} files",
        f"{shard.deleted:,} deleted by archive.keep" if shard.deleted else "",
        f"{shard.erased:,} erased" if shard.erased else "",
        f"{last.unreadable:,} entries were no record" if last.unreadable else "",
        f"{missed:,} missed" if (missed := ShardPosition.of(last.position).missed) else "",
        f"{shard.signed:,} signed" if shard.signed else "",
        f"{shard.stores} stores one after the other" if shard.stores > 1 else "",
    ]  # fmt: skip
    return f"{last.endpoint}, shard {last.shard}: {', '.join(filter(None, told))}; root {last.root}"


def _anchors(name: str) -> list[str]:
    try:
        found = parse_anchors(Path(name).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is no text"
        raise UsageError(f"--anchor: {name} cannot be read: {why}") from None
    if not found:
        raise UsageError(f"--anchor: {name} holds no checkpoint, as --checkpoints writes them")
    return found


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # no name of a file, and perhaps one of an archive
        return False


def _only_archives(options: argparse.Namespace, why: str, *more: str) -> None:
    for option in (*more, "private_key", "anchor", "checkpoints"):
        if getattr(options, option):
            raise UsageError(f"--{option.replace('_', '-')}: is for an archive; {why}")


# --- a stream ------------------------------------------------------------------------------------


def _stream(url: str, settings: Settings, so_far: _SoFar) -> Iterator[str]:
    """Lines about the stream of a store."""
    from monitor.replay.stored import Store, absence

    store = Store.parse(url, settings.endpoint, settings.stream.shards, 0.0)
    found: list[int] = []
    so_far.words = lambda: f"nothing was wrong in {sum(found):,} records; "
    asyncio.run(_looked_through(store.url, store.endpoint, store.shards, found))
    if not any(found):
        why = absence(store.url, store.endpoint) or "its stream is empty"
        raise UsageError(f"{store.name}: {why}")
    for number, count in enumerate(found):
        yield f"{store.endpoint}, shard {number}: {count:,} records"
    yield "proven: every entry is a record, and none is there twice"
    note("a stream has no chain: what its store deleted or changed cannot be told; archive it")


async def _looked_through(url: str, endpoint: str, shards: int, found: list[int]) -> None:
    """Say in `found` how many Records each shard has; raises Violation for the first entry that is
    none, or that has the id of another one."""
    seen: set[bytes] = set()
    stream = RedisStream(url, endpoint, shards=shards)
    try:
        await stream.widen()
        for shard in range(len(stream.keys)):
            stream.only(shard)
            position = ""
            found.append(0)
            while True:
                position, entries = await stream.next(position, block=0.001)
                if not entries:
                    break
                for entry in entries:
                    place = f"{entry.key} {entry.id}"
                    if (record := entry.record()) is None:
                        raise Violation(place, "is not a record")
                    digest = blake2b(record.id.encode(), digest_size=12).digest()
                    if digest in seen:
                        raise Violation(place, f"record {record.id} is there twice")
                    seen.add(digest)
                    found[-1] += 1
    finally:
        await stream.close()
