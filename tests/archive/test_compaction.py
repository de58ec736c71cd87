"""Small files become few: the same rows, the same tree, whoever is killed or reads meanwhile."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nacl.signing import SigningKey
from pyarrow import parquet

from monitor.archive import compaction, manifests, reading
from monitor.archive.chain import Chain, Sign, signer
from monitor.archive.held import Held
from monitor.archive.manifests import NEW, OLD
from monitor.archive.storage import Directory, Storage
from monitor.archive.verification import Verifier, Violation
from monitor.errors import ArchiveError
from tests.archive import replacing
from tests.archive.conftest import Step, add, kept, unsigned
from tests.archive.test_chain import Killed, Mortal

LATER = "2023-11-20"


def opened(storage: Storage, *keys: SigningKey) -> Chain:
    chain = Chain(storage, "bot", 0, [key.verify_key for key in keys])
    chain.open()
    return chain


def stands(chain: Chain) -> list[Held]:
    return replacing.current(chain)


def compact(chain: Chain, sign: Sign = unsigned, at: float = 2e9) -> bool:
    """Make one file of the first files that are worth it."""
    run = next(compaction.runs(stands(chain), LATER))
    path = chain.storage.scratch()
    done, file = compaction.written(chain, run, path, lambda: True)
    assert file
    new = compaction.step(chain, done, file, at=at, writer="test")
    chain.storage.publish(path, new.unnamed)
    return chain.add(new, sign)


def verify(storage: Storage, *keys: SigningKey) -> Any:
    verifier = Verifier(storage, [key.verify_key for key in keys])
    found = verifier.shard("bot", 0)
    verifier.unlisted("")
    return found


def rows(storage: Storage) -> list[tuple[Any, ...]]:
    """All rows as replay reads them."""
    found = []
    for shard in reading.read(storage, "bot", None, None):
        for path in shard.files:
            columns = parquet.read_table(path).to_pydict()
            found += list(zip(*columns.values(), strict=True))
    return found


def visible(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*.parquet")}


def test_a_day_becomes_one_file_with_the_same_rows_and_tree(
    storage: Storage, tmp_path: Path
) -> None:
    """Signed, proven, read in order, more than once; days that are not over stay as they are."""
    key = SigningKey(bytes(32))
    chain = opened(storage)
    for day in (0, 1, 6):
        for first in (0, 2, 4):
            add(chain, kept(first, 2, day), signer(key))
    before, tree = rows(storage), chain.tree
    assert compact(chain, signer(key))
    assert [one.file.rows for one in stands(chain)] == [6, 2, 2, 2, 2, 2, 2]
    assert compact(chain, signer(key))
    assert [one.file.rows for one in stands(chain)] == [6, 6, 2, 2, 2]
    assert not list(compaction.runs(stands(chain), LATER))
    assert rows(storage) == before
    assert chain.tree == tree
    add(chain, kept(6, 1, 6), signer(key))
    found = verify(storage, key)
    assert (found.files, found.manifests, found.signed, found.deleted) == (6, 12, 12, 0)
    assert visible(tmp_path / "archive") == {one.file.path for one in stands(chain)}
    assert opened(storage, key).tree == chain.tree


def test_what_was_replaced_is_kept_aside_for_who_reads_it(storage: Storage, step: Step) -> None:
    """So long, and no longer; once a person is erased, no copy of before is either."""
    for first in (0, 2, 4):
        step(first, 2)
    chain = opened(storage)
    old = [one.file for one in stands(chain)]
    assert compact(chain, at=100.0)
    top = manifests.staging("bot", 0)
    names = storage.inside(top)
    assert [name.removeprefix("00000003_") for name in names] == [
        file.path.rpartition("/")[2].replace(".parquet", OLD) for file in old
    ]
    chain.clear(100.0 + compaction.ASIDE - 1)
    assert storage.inside(top) == names
    chain.clear(100.0 + compaction.ASIDE)
    assert not storage.inside(top)
    step(0, 2, day=1)
    step(2, 2, day=1)
    chain = opened(storage)
    assert compact(chain)
    assert storage.inside(top)
    replacing.erase(chain, 0, [1])
    assert not storage.inside(top)
    assert verify(storage).erased == 1
    step(4, 2, day=1)
    chain = opened(storage)
    assert compact(chain)
    assert [one.file.rows for one in stands(chain)] == [6, 6]
    assert verify(storage).erased == 1


@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_the_rows_are_there_once(tmp_path: Path, after: bool) -> None:
    """Before and after each change of the disk: whoever reads by the manifests finds each row, and
    who opens the chain next finishes what was begun."""
    kills = 0
    for left in range(8):
        storage = Directory(tmp_path / f"{left}")
        chain = opened(storage)
        for first in (0, 2, 4):
            add(chain, kept(first, 2))
        before = rows(storage)
        try:
            mortal: Any = Mortal(storage, left, after=after)
            compact(opened(mortal))
        except Killed:
            kills += 1
        assert rows(storage) == before
        Verifier(storage).shard("bot", 0)
        again = opened(storage)
        assert verify(storage).last.size == 6
        assert rows(storage) == before
        assert visible(tmp_path / f"{left}") == {one.file.path for one in stands(again)}
        add(again, kept(6, 1))
        again.clear(9e9)
        assert not storage.inside(manifests.staging("bot", 0))
        if len(stands(again)) == 4:
            assert compact(again)
        assert rows(storage)[:6] == before
    assert kills >= 6


def test_of_two_who_take_the_same_number_one_replaces(storage: Storage, step: Step) -> None:
    """The other one removes its file, and sees what is there now; what is stored aside by who is
    ahead is left alone."""
    for first in (0, 2):
        step(first, 2)
    one, two = opened(storage), opened(storage)
    assert add(one, kept(4, 2))
    assert not compact(two)
    assert not storage.inside(manifests.staging("bot", 0))
    ahead = f"{manifests.staging('bot', 0)}/00000003_x.parquet{NEW}"
    behind = f"{manifests.staging('bot', 0)}/00000002_x.parquet{NEW}"
    for name in (ahead, behind):
        storage.put(name, b"")
    two.clear(0.0)
    assert storage.exists(ahead)
    assert not storage.exists(behind)
    assert compact(two)
    assert [one.file.rows for one in stands(two)] == [6]


def test_files_that_are_kept_no_longer_go_with_their_days(storage: Storage, step: Step) -> None:
    """Also where another file stands in their place."""
    for day in (0, 1):
        for first in (0, 2):
            step(first, 2, day=day)
    chain = opened(storage)
    while list(compaction.runs(stands(chain), LATER)):
        assert compact(chain)
    assert chain.expired("2023-11-15") == 2
    new = chain.next_manifest(at=1.0, writer="t", position=chain.position, tree=chain.tree)
    assert chain.add(msgspec.structs.replace(new, kept=2), unsigned)
    first, second = stands(chain)
    assert not storage.exists(first.file.path)
    assert storage.exists(second.file.path)
    found = verify(storage)
    assert (found.files, found.deleted) == (1, 2)
    assert len(rows(storage)) == 4


def test_what_was_changed_is_named(storage: Storage, step: Step) -> None:
    """A row of the file, its bytes, one that is missing; a file that was replaced and is there
    again."""
    for first in (0, 2):
        step(first, 2)
    chain = opened(storage)
    old = stands(chain)[0].file
    bytes_of_old = storage.read(old.path) or b""
    assert compact(chain)
    (now,) = stands(chain)
    place = storage.place(now.file.path)
    whole = place.read_bytes()
    table = parquet.read_table(place)

    def wrong(what: str) -> None:
        with pytest.raises(Violation, match=what):
            verify(storage)

    parquet.write_table(table.slice(0, 3), place)
    wrong(r"parquet: is truncated: 1 rows from row 4 on are missing$")
    parquet.write_table(table, place)
    wrong(r"is not the file that its manifest lists, although its records are the same$")
    place.write_bytes(b"PAR1")
    wrong(r"row 1: cannot be read")
    place.unlink()
    wrong(r"parquet: is missing$")
    place.write_bytes(whole)
    storage.place(old.path).write_bytes(bytes_of_old)
    verify(storage)  # as by a kill before it was put aside
    storage.place(old.path).write_bytes(b"PAR1")
    wrong(r"is not the file that another one is taking the place of$")
    storage.place(old.path).write_bytes(bytes_of_old)
    add(chain, kept(4, 1))
    wrong(r"is there, although another one has taken its place$")


def test_a_damaged_file_is_never_made_to_look_whole(storage: Storage, step: Step) -> None:
    """What is read must be what is listed; and nobody goes on who is told not to."""
    for first in (0, 2):
        step(first, 2)
    chain = opened(storage)
    run = next(compaction.runs(stands(chain), LATER))
    assert compaction.written(chain, run, storage.scratch(), lambda: False)[1] is None
    place = storage.place(run[1].file.path)
    table = parquet.read_table(place)
    parquet.write_table(table, place)
    with pytest.raises(ArchiveError, match=r"parquet: is not the file that its manifest lists;"):
        compact(chain)


def test_only_small_neighbours_in_order_become_one(
    storage: Storage, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a large file, not more than so many bytes or files, not entries that go back."""
    for first in (2, 4, 0, 6, 8, 10):
        step(first, 2)
    chain = opened(storage)

    def counts() -> list[int]:
        return [len(run) for run in compaction.runs(stands(chain), LATER)]

    assert counts() == [2, 4]
    monkeypatch.setattr(compaction, "MOST_REPLACED", 3)
    assert counts() == [2, 3]
    sizes = [one.file.bytes for one in stands(chain)]
    monkeypatch.setattr(compaction, "LARGE", 2 * max(sizes))
    assert counts() == [2, 2, 2]
    monkeypatch.setattr(compaction, "SMALL", 1)
    assert counts() == []


def test_who_reads_while_files_are_replaced_is_no_violation(
    storage: Storage, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verify proves up to the manifests that there were when it began."""
    for first in (0, 2):
        step(first, 2)
    verifier = Verifier(storage)
    follows = verifier._follows
    chain = opened(storage)

    def meanwhile(*given: Any) -> bool:
        if chain.next_number == 2:
            assert compact(chain)
        return follows(*given)

    monkeypatch.setattr(verifier, "_follows", meanwhile)
    assert verifier.shard("bot", 0).files == 2
    assert verify(storage).files == 1


def test_rows_of_another_table_are_left_as_they_are(storage: Storage, step: Step) -> None:
    """Such as those of a later version: what has the same columns becomes one file."""
    for first in (0, 2, 4):
        step(first, 2)
    chain = opened(storage)
    run = stands(chain)
    place = storage.place(run[0].file.path)
    parquet.write_table(parquet.read_table(place).drop_columns(["key"]), place)
    data = place.read_bytes()
    file = msgspec.structs.replace(run[0].file, sha256=sha256(data).hexdigest())
    path = storage.scratch()
    done, new = compaction.written(
        chain, [run[0]._replace(file=file), *run[1:]], path, lambda: True
    )
    assert ([one.first for one in done], new) == ([0], None)
    done, new = compaction.written(chain, run[1:], path, lambda: True)
    assert ([one.first for one in done], new and new.rows) == ([1, 2], 4)
