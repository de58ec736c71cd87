"""Manifests: there and back, and what is none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from monitor.archive import manifests
from monitor.archive.manifests import File, Manifest
from monitor.audit.merkle import Tree
from monitor.errors import ArchiveError

EMPTY = Manifest(1, "bot", 0, 0, "", 1.0, "test", "", 0, [], Tree().root.hex())


def test_what_was_sealed_is_opened_byte_for_byte() -> None:
    """The bytes that a checkpoint vouches for come back as they were, and later versions' keys may
    stand in them."""
    body = manifests.encode(EMPTY)[:-1] + b',"later":[1]}'
    link = manifests.opened(manifests.seal(body, "note"), "N")
    assert (link.manifest, link.body, link.checkpoint) == (EMPTY, body, "note")


def test_what_is_no_manifest_is_said() -> None:
    """Broken, of another version, a tree that cannot be."""
    body = manifests.encode(EMPTY)
    for data, words in (
        (b"", "is not a manifest"),
        (b"[" * 100_000, "is not a manifest"),
        (b'{"manifest": {}}', "is not a manifest"),
        (manifests.seal(body.replace(b'"version":1', b'"version":4'), ""), "has version 4"),
        (manifests.seal(body.replace(b'"size":0', b'"size":3'), ""), "its peaks are not"),
        (manifests.seal(b'{"size":7,' + body[1:], ""), "is not a manifest: `size` is there twice"),
        (manifests.seal(body, "x").replace(b"{", b'{"checkpoint":"",', 1), "`checkpoint` is there"),
        (manifests.seal(body.replace(b'"peaks":[]', b'"peaks":["x"]'), ""), "is not a manifest"),
    ):
        with pytest.raises(ArchiveError, match=f"^N: .*{words}"):
            manifests.opened(data, "N")


def test_names_say_what_is_in_them() -> None:
    """A file's by its range and content, in the hour in which that was appended (UTC)."""
    path = manifests.path_of("a.b", 3, "1700000000000-1", "1700000000009-0", "abcdef" * 10)
    hour = "endpoint=a.b/date=2023-11-14/hour=22/shard=3"
    assert path == f"{hour}/1700000000000-1_1700000000009-0_abcdefabcdef.parquet"


def test_what_a_manifest_cannot_say_is_none() -> None:
    """Whoever can write to an archive may have written it: numbers, ids and the path of a file are
    what they can be, or it is not a manifest."""
    digest = "ab" * 32
    path = manifests.path_of("bot", 0, "1-0", "2-0", digest)
    file = File(path, 2, 10, digest, "1-0", "2-0", 0.0, 1.0)
    right = replace(EMPTY, number=1, file=file, position="2-0/2/0", kept=1)
    body = manifests.encode(right)
    assert manifests.opened(manifests.seal(body, ""), "N").manifest == right
    earlier = replace(right, file=replace(file, path=path.replace("/hour=00", "")))
    body = manifests.encode(earlier)
    assert manifests.opened(manifests.seal(body, ""), "N").manifest == earlier
    elsewhere = replace(file, path=path.replace("/hour=00", "/hour=01"))
    for wrong, words in (
        (replace(right, shard=-1), "its numbers"),
        (replace(right, kept=2), "its numbers"),
        (replace(right, unreadable=-1), "its numbers"),
        (replace(right, position="2-0/x/0"), "its position"),
        (replace(right, position="x"), "its position"),
        (replace(right, file=replace(file, first="x-0")), "its file has no ids"),
        (replace(right, file=replace(file, last="٢-0")), "its file has no ids"),
        (replace(right, file=replace(file, sha256="../" * 4)), "its file has no ids"),
        (replace(right, file=replace(file, rows=-1)), "its file's numbers"),
        (replace(right, file=replace(file, bytes=-1)), "its file's numbers"),
        (replace(right, file=replace(file, first="3-0")), "its file's numbers"),
        (replace(right, file=replace(file, path="../x.parquet")), "its file stands elsewhere"),
        (replace(right, file=elsewhere), "its file stands elsewhere"),
        (replace(right, endpoint="other"), "its file stands elsewhere"),
        (replace(right, shard=1), "its file stands elsewhere"),
    ):
        data = manifests.seal(manifests.encode(wrong), "")
        with pytest.raises(ArchiveError, match=f"^N: is not a manifest: {words}"):
            manifests.opened(data, "N")
