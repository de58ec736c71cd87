"""A person is taken out of an archive: tombstones that verify, whatever is killed or written
meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nacl.signing import SigningKey
from pyarrow import parquet

from monitor.archive import manifests, reading
from monitor.archive.chain import Chain, signer
from monitor.archive.erasure import Eraser
from monitor.archive.manifests import Erasure
from monitor.archive.rows import Kept
from monitor.archive.storage import Directory, Storage, at
from monitor.archive.verification import Shard, Verifier
from monitor.errors import ArchiveError
from monitor.privacy.pseudonyms import Mentions
from monitor.types import encode_record
from tests.archive import replacing
from tests.archive.conftest import add, kept
from tests.archive.test_chain import Killed, Mortal

KEY = SigningKey(bytes(32))
HERS = "<EMAIL_ADDRESS:k1:abcdefghijklmnopqrstuvwx>"
HIS = "<EMAIL_ADDRESS:k1:zzzzefghijklmnopqrstuvwx>"
HOW = Erasure("somebody (uid 7)", "ticket 7", ["ab" * 32])


def named(rows: list[Kept], *places: int, who: str = HERS) -> list[Kept]:
    """The same Records, some of which name somebody."""
    found = []
    for place, one in enumerate(rows):
        user = {"user": who} if place in places else {}
        record = msgspec.structs.replace(one.record, segments={**one.record.segments, **user})
        found.append(one._replace(record=record, document=encode_record(record)))
    return found


def opened(storage: Any, *keys: SigningKey) -> Chain:
    chain = Chain(storage, "bot", 0, [key.verify_key for key in keys])
    chain.open()
    return chain


def filled(storage: Storage) -> Chain:
    """Three signed files of four Records each: of the first two are hers, of the last all."""
    chain = opened(storage)
    for number, hers in enumerate(([1, 3], [], [0, 1, 2, 3])):
        assert add(chain, named(kept(4 * number, 4), *hers), signer(KEY))
    return chain


def eraser(chain: Chain, *who: str) -> Eraser:
    return Eraser(chain, Mentions(who or [HERS]), lambda _: None, writer="test")


def erase(storage: Any, *who: str) -> list[int]:
    """How many rows each file loses."""
    one = eraser(opened(storage, KEY), *who)
    return list(one.erase(HOW, signer(KEY), clock=lambda: 2e9))


def verify(storage: Storage) -> Shard:
    verifier = Verifier(storage, [KEY.verify_key])
    verifier.irregular("")
    found = verifier.shard("bot", 0)
    verifier.unlisted("")
    return found


def rows(storage: Storage) -> Iterator[dict[str, Any]]:
    """All rows that are read, in order."""
    for shard in reading.read(storage, "bot", None, None):
        for path in shard.files:
            yield from parquet.ParquetFile(path).read().to_pylist()


def everything(root: Path) -> bytes:
    """All that is on the disk, hidden files too, and what is in columns."""
    found = [path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()]
    found += [str(row).encode() for row in rows(Directory(root))]
    return b"\n".join(found)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def test_tombstones_stand_where_a_person_was(root: Path) -> None:
    """With number, id and leaf, and nothing else; the other rows are as they were; nothing on the
    disk has the pseudonym any more, and the archive is proven by the same key and root."""
    storage = Directory(root)
    chain = filled(storage)
    before, tree = list(rows(storage)), chain.tree
    assert HERS.encode() in everything(root)
    assert erase(storage) == [2, 4]
    found = verify(storage)
    assert (found.last.size, found.files, found.erased) == (12, 3, 6)
    assert (found.manifests, found.signed, found.last.tree) == (5, 5, tree)
    for old, new in zip(before, rows(storage), strict=True):
        if HERS in old["record"]:
            assert {name for name, value in new.items() if value is not None} == {
                "number", "sid", "leaf",
            }  # fmt: skip
            assert all(new[name] == old[name] for name in ("number", "sid", "leaf"))
        else:
            assert new == old
    assert HERS[1:-1].encode() not in everything(root)
    said = [link.manifest for link in opened(storage).links(3)]
    assert [one.erasure.rows for one in said if one.erasure] == [2, 4]
    assert all(one.erasure and one.erasure.reason == "ticket 7" for one in said)


def test_what_is_erased_is_erased_once(root: Path) -> None:
    """Again there is nothing to do, and no step; another person goes by a step of their own, out of
    a file that was replaced before."""
    storage = Directory(root)
    chain = opened(storage)
    add(chain, named(named(kept(0, 4), 0), 2, who=HIS), signer(KEY))
    assert erase(storage) == [1]
    assert erase(storage) == []
    assert opened(storage).next_number == 2
    assert erase(storage, HERS, HIS) == [1]
    assert [row["record"] is None for row in rows(storage)] == [True, False, True, False]
    assert verify(storage).erased == 2


def test_a_file_that_names_nobody_stays_as_it_is(root: Path) -> None:
    """So does an archive in which nobody is found; a part of a pseudonym, or a forged one, is
    none."""
    storage = Directory(root)
    chain = opened(storage)
    for number, other in enumerate((HERS[:-2] + "yy>", f"<LIT:{HERS[1:]}", HERS[1:-1])):
        add(chain, named(kept(4 * number, 4), 0, 1, who=other), signer(KEY))
    before = everything(root)
    assert erase(storage) == []
    assert everything(root) == before


def test_what_is_found_is_told_before_anything_is_done(root: Path) -> None:
    """The documents, and how many there are in each file."""
    storage = Directory(root)
    filled(storage)
    before = everything(root)
    documents: list[str] = []
    one = Eraser(opened(storage), Mentions([HERS]), documents.append, writer="test")
    assert list(one.look()) == [2, 0, 4]
    assert list(one.look()) == []
    assert [json.loads(document)["segments"]["user"] for document in documents] == [HERS] * 6
    assert everything(root) == before


@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_and_run_again_it_ends_right(tmp_path: Path, after: bool) -> None:
    """Before and after each change of the disk: an archiver may go on in between, each Record is
    there once or erased, and at the end nothing has the pseudonym."""
    kills = 0
    for left in range(9):
        root = tmp_path / f"{left}"
        storage = Directory(root)
        chain = opened(storage)
        for number in (0, 1):
            add(chain, named(kept(2 * number, 2), 1), signer(KEY))
        tree = chain.tree
        mortal: Any = Mortal(storage, left, after=after)
        try:
            erase(mortal)
        except Killed:
            kills += 1
        assert [row["number"] for row in rows(storage)] == list(range(4))
        chain = opened(storage, KEY)
        assert chain.tree == tree
        if left % 3 == 0:
            assert add(chain, named(kept(4, 2), 1), signer(KEY))
        erase(storage)
        assert verify(storage).erased == 2 + (left % 3 == 0)
        assert HERS[1:-1].encode() not in everything(root)
        listed = {one.file.path for one in replacing.current(opened(storage))}
        assert {str(path.relative_to(root)) for path in root.rglob("*.parquet*")} == listed
        assert not storage.inside(manifests.staging("bot", 0))
    assert kills >= 8


class Busy:
    """A storage in which somebody else puts a manifest just before another one does."""

    def __init__(self, inner: Storage, steps: Iterator[list[Kept]]) -> None:
        self.inner, self.steps = inner, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def put(self, path: str, data: bytes) -> bool:
        if (new := next(self.steps, None)) is not None:
            assert add(opened(self.inner, KEY), new, signer(KEY))
        return self.inner.put(path, data)


def test_an_archiver_may_be_first_each_time(root: Path) -> None:
    """The erasure goes on behind, with the copy that it has, and takes out of what came meanwhile
    as well."""
    storage = Directory(root)
    filled(storage)
    more = iter([named(kept(12, 2), 0), kept(14, 2), named(kept(16, 2), 0, 1)])
    busy: Any = Busy(storage, more)
    assert sorted(erase(busy)) == [1, 2, 2, 4]
    assert verify(storage).erased == 9
    assert HERS[1:-1].encode() not in everything(root)
    assert not storage.inside(manifests.staging("bot", 0))


def test_two_who_erase_at_once_erase_once(root: Path) -> None:
    """Of two one is the first; the other finds nothing left."""
    storage = Directory(root)
    filled(storage)
    one, two = eraser(opened(storage, KEY)), eraser(opened(storage, KEY))
    assert sum(one.look()) == sum(two.look()) == 6
    assert list(one.erase(HOW, signer(KEY), clock=lambda: 2e9)) == [2, 4]
    assert list(two.erase(HOW, signer(KEY), clock=lambda: 2e9)) == []
    assert verify(storage).erased == 6


def test_what_an_archiver_has_read_and_not_written_is_not_brought_back(root: Path) -> None:
    """A step that says what was erased of the stream is before it; it opens the chain anew, and
    reads the stream again."""
    storage = Directory(root)
    filled(storage)
    archiver = opened(storage, KEY)
    chain = opened(storage, KEY)
    how = msgspec.structs.replace(HOW, entries=3)
    assert eraser(chain).note(how, signer(KEY), clock=lambda: 2e9)
    assert not add(archiver, named(kept(12, 2), 0), signer(KEY))
    assert verify(storage).last.size == 12
    assert opened(storage).link(3).manifest.erasure == how


def test_an_altered_file_is_never_made_to_look_whole(root: Path) -> None:
    """What is not the file that is listed stays as it is; nothing is signed over it."""
    storage = Directory(root)
    filled(storage)
    path = root / replacing.current(opened(storage))[2].file.path
    table = parquet.read_table(path, partitioning=None)
    parquet.write_table(table.replace_schema_metadata({"a": "b"}), path)
    with pytest.raises(ArchiveError, match=r"is not the file that its manifest lists; it is left"):
        erase(storage)
    assert opened(storage).next_number == 4
    path.write_bytes(b"PAR1")
    with pytest.raises(ArchiveError, match=r"parquet: cannot be read: "):
        erase(storage)
    path.unlink()
    with pytest.raises(ArchiveError, match=r"parquet: is missing$"):
        erase(storage)
    assert not list((root / ".scratch").iterdir())


def test_an_object_store_is_erased_as_a_disk_is(tmp_path: Path) -> None:
    """What is renamed there is copied; the old object is deleted."""
    storage = at(f"memory://{tmp_path.name}", tmp_path)
    filled(storage)
    assert erase(storage) == [2, 4]
    assert erase(storage) == []
    assert verify(storage).erased == 6
    paths = [path for path in storage.below("endpoint=bot") if ".json" not in path]
    assert paths == sorted(one.file.path for one in replacing.current(opened(storage)))
    assert not any(HERS[1:-1].encode() in (storage.read(path) or b"") for path in paths)
