"""A shard's chain: one writer is the first, and a kill at any moment leaves an archive that is whole."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nacl.signing import SigningKey

from monitor.archive import manifests, reading
from monitor.archive.chain import Chain, signer
from monitor.archive.manifests import NEW
from monitor.archive.storage import Directory, Storage
from monitor.errors import ArchiveError
from tests.archive import replacing
from tests.archive.conftest import Step, add, kept, unsigned


def names(root: Path) -> set[str]:
    """What is visible as Parquet."""
    return {str(path.relative_to(root)) for path in root.rglob("*.parquet")}


def listed(storage: Storage) -> list[manifests.File]:
    links = Chain(storage, "bot", 0).links()
    return [link.manifest.file for link in links if link.manifest.file]


class Killed(BaseException):
    """The end of a process."""


class Mortal:
    """A storage whose user is killed before its n-th change, or right after it."""

    CHANGES = ("put", "publish", "rename", "delete")

    def __init__(self, inner: Storage, left: int, *, after: bool) -> None:
        self.inner, self.left, self.after = inner, left, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in self.CHANGES:
            return found

        def change(*arguments: Any) -> Any:
            self.left -= 1
            if self.left < 0 and not self.after:
                raise Killed
            result = found(*arguments)
            if self.left < 0:
                raise Killed
            return result

        return change


@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_each_record_is_there_once(tmp_path: Path, after: bool) -> None:
    """Before and after each change of the disk; nothing that no manifest lists is ever visible as
    Parquet, and who comes next goes on where the last manifest ends."""
    kills = 0
    for left in range(12):
        root = tmp_path / f"{left}"
        storage = Directory(root)
        wanted, done = kept(0, 6), 0
        is_killed = False
        while done < 6:
            mortal: Any = storage if is_killed else Mortal(storage, left, after=after)
            try:
                chain = Chain(mortal, "bot", 0)
                chain.open()
                while (done := chain.tree.size) < 6:
                    add(chain, wanted[done : done + 2])
            except Killed:
                is_killed = True
                kills += 1
            assert names(root) <= {file.path for file in listed(storage)}
        assert names(root) == {file.path for file in listed(storage)}
        assert [file.rows for file in listed(storage)] == [2, 2, 2]
        assert not list(root.rglob("*.new"))
    assert kills >= 9


def test_of_two_writers_one_is_the_first(storage: Storage) -> None:
    """The other one finds that out as it puts its manifest, removes its file, and goes on behind."""
    one, two = Chain(storage, "bot", 0), Chain(storage, "bot", 0)
    one.open()
    two.open()
    assert add(one, kept(0, 3))
    assert not add(two, kept(0, 2))
    assert (two.position, two.tree) == (one.position, one.tree)
    assert add(two, kept(3, 1))
    assert [file.rows for file in listed(storage)] == [3, 1]
    assert not [path for path in storage.below("endpoint=bot") if path.endswith(NEW)]
    one.open()
    assert one.tree.size == 4


def test_an_answer_that_never_came_is_no_second_manifest(storage: Storage) -> None:
    """Who put a manifest, and does not know that, sees at the next attempt that it is its own."""
    chain = Chain(storage, "bot", 0)
    chain.open()
    new = chain.next_manifest(at=1.0, writer="t", position="1-0", tree=chain.tree)
    body = manifests.encode(new)
    storage.put(manifests.name_of("bot", 0, 0), manifests.seal(body, unsigned(new, body)))
    assert chain.add(new, unsigned)
    assert chain.position == "1-0"


def test_links_name_the_one_before(step: Step) -> None:
    """Each has the digest of the whole document before it."""
    step(0, 2)
    chain = step(2, 2)
    first, second = chain.links()
    assert first.manifest.previous == ""
    assert second.manifest.previous == first.digest
    assert (second.manifest.number, second.manifest.size, second.manifest.files) == (1, 4, 2)


def test_a_long_chain_is_opened_and_searched_without_reading_it(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its directories hold so many manifests each; what is older than a time is not looked at."""
    for module in ("manifests", "chain"):
        monkeypatch.setattr(f"monitor.archive.{module}.BUCKET", 4)
    chain = Chain(storage, "bot", 0)
    for number in range(18):
        new = chain.next_manifest(
            at=float(number), writer="t", position=f"{number}-0", tree=chain.tree
        )
        assert chain.add(new, unsigned)
    again = Chain(storage, "bot", 0)
    again.open()
    assert again.next_number == 18
    assert [link.manifest.number for link in again.since(9.0)] == list(range(8, 18))
    assert [link.manifest.number for link in again.since(-1.0)] == list(range(18))
    assert list(Chain(storage, "other", 0).since(0.0)) == []


def test_nothing_is_written_behind_the_heads_of_two_archives(
    storage: Storage, step: Step, tmp_path: Path
) -> None:
    """Where somebody put them together: the last one does not follow the one before it."""
    for first in (0, 2, 4):
        step(first, 2)
    other = Chain(Directory(tmp_path / "other"), "bot", 0)
    for first in (10, 13):
        assert add(other, kept(first, 3))
    name = manifests.name_of("bot", 0, 1)
    Path(storage.name, name).write_bytes(Path(other.storage.name, name).read_bytes())
    chain = Chain(storage, "bot", 0)
    with pytest.raises(ArchiveError, match=rf"{name}: is not the one that manifest 2 was written"):
        chain.open()


def test_an_archiver_whose_clock_was_behind_leaves_nothing_out(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a range: its steps say that they are older than what they hold."""
    for module in ("manifests", "chain"):
        monkeypatch.setattr(f"monitor.archive.{module}.BUCKET", 2)
    chain = Chain(storage, "bot", 0)
    for number in range(8):
        new = chain.next_manifest(
            at=number - 5.0, writer="t", position=f"{number * 1000}-0", tree=chain.tree
        )
        assert chain.add(new, unsigned)
    assert [link.manifest.number for link in chain.since(3.0)] == list(range(2, 8))


def test_files_that_are_kept_no_longer_go_once_a_manifest_says_so(
    storage: Storage, step: Step
) -> None:
    """By the day on which they were appended; a kill in between is finished by who comes next."""
    for day in range(3):
        step(0, 2, day=day)
    chain = Chain(storage, "bot", 0)
    chain.open()
    assert chain.expired(manifests.day(kept(0, 1)[0].sid)) == 0
    assert chain.expired(manifests.day(kept(0, 1, day=2)[0].sid)) == 2
    new = chain.next_manifest(at=1.0, writer="t", position=chain.position, tree=chain.tree)
    with pytest.raises(Killed):
        Chain.add(_dying(chain), msgspec.structs.replace(new, kept=2), unsigned)
    assert sum(storage.exists(file.path) for file in listed(storage)) == 3
    again = Chain(storage, "bot", 0)
    again.open()
    assert [storage.exists(file.path) for file in listed(storage)] == [False, False, True]
    assert len([one for one in storage.inside("endpoint=bot") if one.startswith("date=")]) == 1
    assert again.tree.size == 6


def _dying(chain: Chain) -> Chain:
    dying = Chain(Mortal(chain.storage, 1, after=False), "bot", 0)  # type: ignore[arg-type]
    dying.head = chain.head
    return dying


def test_a_damaged_chain_is_said(storage: Storage, step: Step, tmp_path: Path) -> None:
    """Nothing is written behind a manifest that cannot be read, or a directory without any."""
    step(0, 1)
    path = tmp_path / "archive" / manifests.name_of("bot", 0, 0)
    path.write_bytes(b"{}")
    with pytest.raises(ArchiveError, match=r"00000000.json: is not a manifest$"):
        Chain(storage, "bot", 0).open()
    path.unlink()
    with pytest.raises(ArchiveError, match=r"its last directory has no manifest$"):
        Chain(storage, "bot", 0).open()


def forge(storage: Directory, chain: Chain, **changes: Any) -> None:
    """Write the next manifest as somebody does it who can write to the archive and has no key."""
    new = chain.next_manifest(at=9e9, writer="x", position=chain.position, tree=chain.tree)
    new = msgspec.structs.replace(new, **changes)
    body = manifests.encode(new)
    data = manifests.seal(body, unsigned(new, body))
    name = manifests.name_of("bot", 0, new.number)
    assert storage.put(name, data)
    chain.head = manifests.Link(new, sha256(data).hexdigest(), body, "")


def everything(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "path", ["../victim.txt", "/victim.txt", "endpoint=bot/../../victim.txt", "endpoint=a/x"]
)
def test_a_forged_manifest_makes_nobody_touch_another_file(
    storage: Directory, step: Step, tmp_path: Path, path: str
) -> None:
    """A file is listed where it belongs by its own ids and content alone: none elsewhere is read,
    and none is deleted where a later manifest says that it is kept no longer."""
    chain = step(0, 2)
    (tmp_path / "victim.txt").write_text("precious")
    (file,) = listed(storage)
    forge(storage, chain, file=msgspec.structs.replace(file, path=path))
    before = everything(tmp_path)
    with pytest.raises(ArchiveError, match=r"00000001.json: .*its file stands elsewhere$"):
        Chain(storage, "bot", 0).open()
    forge(storage, chain, kept=2)
    before |= everything(tmp_path)
    with pytest.raises(ArchiveError, match=r"00000001.json: .*its file stands elsewhere$"):
        Chain(storage, "bot", 0).open()
    with pytest.raises(ArchiveError, match=r"its file stands elsewhere$"):
        reading.read(storage, "bot", None, None)
    assert everything(tmp_path) == before


def test_who_signs_does_nothing_by_the_word_of_another_one(
    storage: Directory, step: Step, tmp_path: Path
) -> None:
    """Signed by nobody, by another key, or by the right one for another manifest: nothing is
    deleted, nor written behind it. A key of before counts where it is given."""
    mine, other = SigningKey(bytes(32)), SigningKey(bytes(range(32)))
    chain = Chain(storage, "bot", 0)
    chain.open()
    for first in (0, 2):
        assert add(chain, kept(first, 2), signer(mine))
    again = Chain(storage, "bot", 0, [mine.verify_key])
    again.open()
    assert again.tree.size == 4
    rotated = Chain(storage, "bot", 0, [other.verify_key, mine.verify_key])
    rotated.open()
    assert add(rotated, kept(4, 1), signer(other))
    before = everything(tmp_path)
    with pytest.raises(ArchiveError, match=r"00000002.json: is signed by no key of audit.sign;"):
        again.open()
    rotated.open()
    forge(storage, chain := _at_end(storage), kept=2)
    before |= everything(tmp_path)
    with pytest.raises(ArchiveError, match=r"00000003.json: is signed by no key of audit.sign;"):
        rotated.open()
    path = tmp_path / "archive" / manifests.name_of("bot", 0, 3)
    assert chain.head
    note = Chain(storage, "bot", 0).link(2).checkpoint
    path.write_bytes(manifests.seal(chain.head.body, note))
    before |= everything(tmp_path)
    with pytest.raises(ArchiveError, match=r"00000003.json: is signed by no key of audit.sign;"):
        rotated.open()
    assert everything(tmp_path) == before


def _at_end(storage: Storage) -> Chain:
    chain = Chain(storage, "bot", 0)
    chain.open()
    return chain


def test_a_manifest_stands_where_it_says(storage: Storage, step: Step, tmp_path: Path) -> None:
    """One of another shard, or with another number, is none."""
    step(0, 1, shard=1)
    step(0, 1)
    names = [tmp_path / "archive" / manifests.name_of("bot", shard, 0) for shard in (0, 1)]
    names[0].write_bytes(names[1].read_bytes())
    with pytest.raises(ArchiveError, match=r"00000000.json: is manifest 0 of bot, shard 1$"):
        Chain(storage, "bot", 0).open()


def test_what_came_in_a_far_future_is_kept_as_long_as_all_else(storage: Storage) -> None:
    """By the day on which it was archived: an id may say any."""
    chain = Chain(storage, "bot", 0)
    chain.open()
    far = kept(0, 1)[0]._replace(sid="18446744073709551000-0")
    assert add(chain, [far])
    assert add(chain, kept(1, 1, day=1))
    assert "date=9999-12-31" in listed(storage)[0].path
    assert chain.expired("2023-11-15") == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_file_is_replaced_or_stands_whatever_is_killed(tmp_path: Path, after: bool) -> None:
    """Before and after each change of the disk: who opens the chain next finds one of the two, and
    never both for long."""
    kills = 0
    for left in range(6):
        storage = Directory(tmp_path / f"{left}")
        chain = Chain(storage, "bot", 0)
        chain.open()
        add(chain, kept(0, 3))
        add(chain, kept(3, 3))
        mortal: Any = Mortal(storage, left, after=after)
        dying = Chain(mortal, "bot", 0)
        dying.head = chain.head
        try:
            replacing.erase(dying, 0, [1])
        except Killed:
            kills += 1
        again = Chain(storage, "bot", 0)
        again.open()
        held = replacing.current(again)
        assert names(tmp_path / f"{left}") == {one.file.path for one in held}
        assert again.tree == chain.tree
        assert [one.file.erased for one in held] in ([0, 0], [1, 0])
        assert (held[0].file.erased == 1) is (again.next_number == 3)
    assert kills >= 4


def test_who_adds_rows_leaves_a_staged_file_alone(storage: Storage, step: Step) -> None:
    """It is of the same day, and lists no row behind those that are there."""
    chain = step(0, 2)
    held = replacing.current(chain)[0]
    new = replacing.rewritten(chain, held.file, [0])
    other = step(2, 2)
    late = replacing.step(chain, held, new, 1)
    assert not chain.add(late, unsigned)
    said = replacing.step(chain, held, new, 1)
    storage.rename(late.unnamed, said.unnamed)
    assert chain.add(said, unsigned)
    assert [one.file.erased for one in replacing.current(chain)] == [1, 0]
    assert not other.add(other.next_manifest(at=1.0, writer="t", position="9-0", tree=other.tree),
                         unsigned)  # fmt: skip
    assert (other.tree, other.next_number) == (chain.tree, 3)


def test_what_has_replaced_a_file_goes_with_it(storage: Storage, step: Step) -> None:
    """By the day of its rows, not by that on which it was replaced."""
    for day in range(3):
        chain = step(0, 2, day=day)
    replacing.erase(chain, 1, [0])
    assert chain.expired(manifests.day(kept(0, 1, day=2)[0].sid)) == 2
    new = chain.next_manifest(at=1.0, writer="t", position=chain.position, tree=chain.tree)
    assert chain.add(msgspec.structs.replace(new, kept=2), unsigned)
    assert len(names(Path(storage.name))) == 1
    assert len(reading.read(storage, "bot", None, None)[0].files) == 1
