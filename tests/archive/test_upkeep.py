"""What is done for files while nothing waits, one run at a time."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import msgspec
import pytest
from pyarrow import parquet

from monitor.archive import chain as module_of_chain
from monitor.archive import manifests, reading
from monitor.archive.chain import Chain
from monitor.archive.storage import Directory, Storage
from monitor.archive.upkeep import OVER, RECENT, Upkeep
from monitor.archive.verification import Verifier
from monitor.damage import Damage
from monitor.errors import ArchiveError
from monitor.sources import archive
from monitor.types import encode_record
from tests.archive import replacing
from tests.archive.conftest import BEGAN, DAY, Step, add, kept, unsigned

STORED = Path(__file__).parents[1] / "stored" / "2026-11-29" / "archive"
"""An archive of before there were hours."""
MIDNIGHT = (BEGAN // DAY + 1) * DAY / 1000
"""When the first day was over."""
ELEVEN = MIDNIGHT - 3600
"""When the hour was over in which the first Records came."""


def opened(storage: Storage, *days: int) -> Chain:
    chain = Chain(storage, "bot", 0)
    chain.open()
    for day in days:
        for first in (0, 2, 4):
            add(chain, kept(first, 2, day))
    return chain


def counts(chain: Chain) -> list[int]:
    return [one.file.rows for one in replacing.current(chain)]


def test_an_hour_is_put_together_an_hour_after_its_end(storage: Storage) -> None:
    """Once; what was replaced goes when it was kept aside for a day; the tree stays as it is."""
    chain = opened(storage, 0, 1)
    tree = chain.tree
    upkeep = Upkeep(chain, unsigned, "t", lambda: True)
    upkeep.turn(ELEVEN + OVER - 1)
    assert counts(chain) == [2] * 6
    for _ in range(3):
        upkeep.turn(ELEVEN + OVER)
        assert counts(chain) == [6, 2, 2, 2]
    assert chain.next_number == 7
    aside = manifests.staging("bot", 0)
    assert len(storage.inside(aside)) == 3
    day = ELEVEN + 86400
    upkeep.turn(day + OVER + 60)
    assert counts(chain) == [6, 6]
    assert len(storage.inside(aside)) == 3
    upkeep.turn(day + 86400 + OVER + 120)
    assert not storage.inside(aside)
    verifier = Verifier(storage)
    assert verifier.shard("bot", 0).last.tree == tree
    verifier.unlisted("")


def test_each_hour_has_its_file_and_what_came_late_is_put_there_a_day_later(
    storage: Storage,
) -> None:
    """Each look goes on behind the last one; once a day all that is recent is looked at."""
    chain = opened(storage)
    upkeep = Upkeep(chain, unsigned, "t", lambda: True)
    hour = 3_600_000
    for number in range(3):
        for first in (0, 2):
            add(chain, kept(first + number * hour, 2))
        upkeep.turn(ELEVEN + number * 3600 + OVER)
        assert counts(chain) == [4] * (number + 1)
    assert [path.count("/hour=") for path in storage.below("") if path.endswith(".parquet")] == [
        1
    ] * 3
    add(chain, kept(2 * hour + 9, 1))
    upkeep.turn(ELEVEN + 5 * 3600 + OVER)
    assert counts(chain) == [4, 4, 4, 1]
    upkeep.turn(ELEVEN + 26 * 3600 + OVER)
    assert counts(chain) == [4, 4, 5]
    Verifier(storage).shard("bot", 0)


def test_an_archive_of_earlier_goes_on_by_the_hour(tmp_path: Path) -> None:
    """Its files stay where they are, are put together by the day and erased there, and what its
    archiver had begun goes with the first step."""
    copytree(STORED, tmp_path / "archive")
    storage = Directory(tmp_path / "archive")
    chain = Chain(storage, "support-bot", 0)
    chain.open()
    was = [one.file.directory for one in replacing.current(chain)]
    assert was == ["endpoint=support-bot/date=2023-11-14/shard=0"] * 2
    begun = f"{was[0]}/{BEGAN + 6000}-0_{BEGAN + 6001}-0_{'ab' * 6}.parquet"
    assert storage.put(begun + manifests.NEW, b"")
    assert add(chain, kept(6000, 2))
    assert add(chain, kept(6002, 2))
    assert not storage.exists(begun + manifests.NEW)
    upkeep = Upkeep(chain, unsigned, "t", lambda: True)
    upkeep.turn(ELEVEN + OVER)
    assert counts(chain) == [3, 3, 4]
    for _ in range(2):
        upkeep.turn(MIDNIGHT + OVER)
    assert counts(chain) == [6, 4]
    replacing.erase(chain, 0, [1])
    day, hour = (one.file.directory for one in replacing.current(chain))
    assert (day, hour) == (was[0], "endpoint=support-bot/date=2023-11-14/hour=22/shard=0")
    verifier = Verifier(storage)
    proved = verifier.shard("support-bot", 0)
    verifier.unlisted("")
    assert (proved.last.size, proved.erased) == (10, 1)
    (shard,) = reading.read(storage, "support-bot", None, None)
    damage = Damage()
    assert sum(1 for path in shard.files for _ in archive.read(path, damage)) == 9


def test_one_run_at_a_time_and_what_others_have_changed_is_looked_at_anew(
    storage: Storage,
) -> None:
    """A person who was erased meanwhile stays erased."""
    chain = opened(storage, 0, 1)
    upkeep = Upkeep(chain, unsigned, "t", lambda: True)
    now = MIDNIGHT + 2 * 86400
    upkeep.turn(now)
    assert counts(chain) == [6, 2, 2, 2]
    other = Chain(storage, "bot", 0)
    other.open()
    replacing.erase(other, 2, [1])
    chain.open()
    upkeep.turn(now)
    assert counts(chain) == [6, 2, 2, 2]
    upkeep.turn(now)
    assert counts(chain) == [6, 6]
    assert Verifier(storage).shard("bot", 0).erased == 1
    upkeep.forget()
    upkeep.turn(now)
    assert counts(chain) == [6, 6]


def test_of_two_who_put_files_together_one_does(storage: Storage) -> None:
    """The other one sees that, and that there is nothing left to do."""
    one, two = opened(storage, 0), Chain(storage, "bot", 0)
    two.open()
    for chain in (one, two):
        upkeep = Upkeep(chain, unsigned, "t", lambda: True)
        for _ in range(3):
            upkeep.turn(MIDNIGHT + 86400)
    assert counts(one) == counts(two) == [6]
    assert len(list(one.links())) == 4
    assert len(storage.inside(manifests.staging("bot", 0))) == 3


def test_what_is_kept_no_longer_or_is_of_long_ago_is_left(storage: Storage) -> None:
    """Days that retention has deleted since the look, and files of long ago."""
    chain = opened(storage, 0, 1)
    upkeep = Upkeep(chain, unsigned, "t", lambda: True)
    upkeep.turn(MIDNIGHT + 2 * 86400)
    new = chain.next_manifest(at=1.0, writer="t", position=chain.position, tree=chain.tree)
    assert chain.add(msgspec.structs.replace(new, kept=6), unsigned)
    upkeep.turn(MIDNIGHT + 2 * 86400)
    assert chain.next_number == 8
    later = Chain(storage, "bot", 0)
    later.open()
    add(later, kept(0, 1, 2))
    number = later.next_number
    Upkeep(later, unsigned, "t", lambda: True).turn(MIDNIGHT + 2 * RECENT)
    assert later.next_number == number


def test_what_was_erased_of_long_ago_is_not_put_together_past_what_is_between(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of an erasure are of today, and replace files of manifests that nobody looks at."""
    for module in (module_of_chain, manifests):
        monkeypatch.setattr(module, "BUCKET", 3)
    chain = opened(storage, 0)
    for day in range(8, 12):
        add(chain, kept(0, 1, day))
    for place in (0, 2):
        replacing.erase(chain, place, [0])
    before = counts(chain)
    upkeep = Upkeep(chain, unsigned, "t", lambda: True)
    for _ in range(2):
        upkeep.turn(MIDNIGHT + 10.5 * 86400 + RECENT)
    assert counts(chain) == before
    assert Verifier(storage).shard("bot", 0).erased == 2


def test_a_damaged_file_is_left_and_said_once(storage: Storage) -> None:
    """What is not what its manifest lists is never made to look whole."""
    chain = opened(storage, 0)
    place = storage.place(replacing.current(chain)[1].file.path)
    parquet.write_table(parquet.read_table(place), place)
    upkeep = Upkeep(chain, unsigned, "t", lambda: True)
    with pytest.raises(ArchiveError, match=r"is not the file that its manifest lists;"):
        upkeep.turn(MIDNIGHT + 86400)
    upkeep.turn(MIDNIGHT + 86400)
    assert chain.next_number == 3
    assert not list(Path(storage.name).rglob("*.part"))


def test_who_was_reading_goes_on_where_the_files_are_kept_aside(
    storage: Storage, step: Step
) -> None:
    """A replay that has read the manifests finds each Record once, whatever was replaced since."""
    for first in (0, 2, 4):
        step(first, 2)
    (shard,) = reading.read(storage, "bot", None, None)
    chain = opened(storage)
    Upkeep(chain, unsigned, "t", lambda: True).turn(MIDNIGHT + 86400)
    assert not any(path.exists() for path in shard.files)
    damage = Damage()
    found = [one for path in shard.files for one in archive.read(path, damage)]
    assert [encode_record(one) for one in found] == [one.document for one in kept(0, 6)]
