"""Whoever changes an archive is found, and the first place that is wrong is named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from nacl.signing import SigningKey
from pyarrow import parquet

from monitor.archive import manifests
from monitor.archive.chain import Chain, signer
from monitor.archive.manifests import NEW
from monitor.archive.storage import Directory
from monitor.archive.verification import Verifier, Violation, parse_anchors
from monitor.audit.merkle import leaf
from monitor.errors import ArchiveError
from tests.archive import replacing
from tests.archive.conftest import add, kept

KEY = SigningKey(bytes(32))
ROWS = 3


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files of three rows each, in two shards, signed."""
    root = tmp_path_factory.mktemp("written") / "archive"
    for shard in (0, 1):
        chain = Chain(Directory(root), "bot", shard)
        chain.open()
        for first in range(0, 4 * ROWS, ROWS):
            assert add(chain, kept(first, ROWS), signer(KEY))
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(written, tmp_path / "archive"))


def file(root: Path, number: int) -> Path:
    """The file of a manifest of shard 0."""
    return sorted(root.glob("endpoint=bot/date=*/hour=*/shard=0/*.parquet"))[number]


def manifest(root: Path, number: int) -> Path:
    return root / manifests.name_of("bot", 0, number)


def verify(root: Path, *keys: SigningKey, anchors: list[str] | None = None) -> Verifier:
    verifier = Verifier(Directory(root), [key.verify_key for key in keys], anchors or [])
    verifier.irregular("")
    for shard in (0, 1):
        verifier.shard("bot", shard)
    verifier.unlisted("")
    return verifier


def rewritten(path: Path, change: Callable[[dict[str, list[Any]]], None]) -> None:
    """The same file with other rows."""
    table = parquet.read_table(path)
    columns = table.to_pydict()
    change(columns)
    parquet.write_table(pa.table(columns, schema=table.schema), path)


def edited(path: Path, **changes: Any) -> None:
    """The same manifest with other facts."""
    document = json.loads(path.read_bytes())
    document["manifest"] |= changes
    path.write_text(json.dumps(document))


def test_what_was_written_is_proven(root: Path) -> None:
    """By the key, without it, and where the last file has not been given its name yet."""
    verify(root)
    shard = verify(root, KEY).shard("bot", 0)
    assert (shard.last.size, shard.manifests, shard.signed, shard.files) == (12, 4, 4, 4)
    last = file(root, 3)
    last.rename(last.with_name(last.name + NEW))
    verify(root, KEY)


def drop(columns: dict[str, list[Any]], row: int) -> None:
    for values in columns.values():
        del values[row]


def swap(columns: dict[str, list[Any]]) -> None:
    for values in columns.values():
        values[0], values[1] = values[1], values[0]


def alter(columns: dict[str, list[Any]], *, hides: bool = False) -> None:
    columns["record"][1] = columns["record"][1].replace("parcel", "letter")
    if hides:
        nonce, sid, said = (columns[name][1] for name in ("nonce", "sid", "record"))
        columns["leaf"][1] = leaf(nonce, sid.encode(), said.encode())


def more(columns: dict[str, list[Any]]) -> None:
    for name, values in columns.items():
        values.append(values[-1] + 1 if name == "number" else values[-1])
    columns["sid"][-1] = "1999999999999-0"
    said = columns["record"][-1].encode()
    columns["leaf"][-1] = leaf(columns["nonce"][-1], b"1999999999999-0", said)


HASH = "1700000000011-0_0123456789ab"
"""How the name of a file ends."""


def slipped(root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True, parents=True)
    shutil.copy(file(root, 1), root / name)


def linked(root: Path, name: str) -> None:
    (root.parent / "outside").mkdir()
    (root / name).symlink_to(root.parent / "outside")


def replaced(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda root: file(root, 1).unlink(), r"parquet: is missing$"),
        (lambda root: file(root, 3).unlink(), r"parquet: is missing$"),
        (lambda root: file(root, 1).write_bytes(b"PAR1"), r"row 1: cannot be read: it is damaged$"),
        (
            lambda root: file(root, 1).write_bytes(file(root, 1).read_bytes()[:-9]),
            r"row 1: cannot be read: it is damaged$",
        ),
        (lambda root: rewritten(file(root, 1), alter), r"row 2: record 4 \(\S+\) was altered$"),
        (
            lambda root: rewritten(file(root, 1), lambda rows: alter(rows, hides=True)),
            r"parquet: records were altered: the root over its rows is not the one",
        ),
        (lambda root: rewritten(file(root, 1), swap), r"row 1: record 3 is missing before it$"),
        (
            lambda root: rewritten(file(root, 1), lambda rows: drop(rows, 1)),
            r"row 2: record 4 is missing before it$",
        ),
        (
            lambda root: rewritten(file(root, 1), lambda rows: drop(rows, 2)),
            r"parquet: is truncated: 1 rows from row 3 on are missing$",
        ),
        (lambda root: rewritten(file(root, 1), more), r"row 4: has 1 rows more than its manifest"),
        (
            lambda root: rewritten(file(root, 1), lambda rows: rows["model"].__setitem__(0, "x")),
            r"is not the file that its manifest lists, although its records are the same$",
        ),
        (
            lambda root: rewritten(file(root, 1), lambda rows: rows["record"].__setitem__(0, None)),
            r"row 1: has no record, or no proof of one$",
        ),
        (
            lambda root: file(root, 1).write_bytes(file(root, 2).read_bytes()),
            r"row 1: record 3 is missing before it$",
        ),
        (
            lambda root: shutil.copy(file(root, 1), root / "endpoint=bot" / "x.parquet"),
            r"^endpoint=bot/x.parquet: is listed by no manifest$",
        ),
        (lambda root: manifest(root, 1).unlink(), r"00000001.json: is missing$"),
        (lambda root: manifest(root, 1).write_text("{}"), r"00000001.json: is not a manifest$"),
        (
            lambda root: manifest(root, 1).write_bytes(manifest(root, 2).read_bytes()),
            r"00000001.json: is manifest 2 of bot, shard 0$",
        ),
        (
            lambda root: (manifest(root, 1).unlink(), os.mkfifo(manifest(root, 1))),
            r"00000001.json: is no file$",
        ),
        (
            lambda root: edited(manifest(root, 1), at=5.0),
            r"00000001.json: its checkpoint is about something else$",
        ),
        (lambda root: edited(manifest(root, 1), root="zz"), r"00000001.json: is not a manifest$"),
        (
            lambda root: (manifest(root, 1).parent / "extra.json").write_text(""),
            r"extra.json: is not a manifest$",
        ),
        (
            lambda root: shutil.rmtree(manifest(root, 0).parents[1]),
            r"shard=0: its manifests are missing$",
        ),
        (lambda root: shutil.rmtree(root / "endpoint=bot" / "_manifests"), r"manifests are missing"),
        (lambda root: manifest(root, 3).unlink(), r"parquet: is listed by no manifest$"),
        *(
            (lambda root, name=name: slipped(root, name), rf"^{name}: is listed by no manifest$")
            for name in (
                "x.PARQUET", ".scratch/x.parquet", "endpoint=bot/_manifests/x.parquet",
                "endpoint=bot/date=2023-11-14/shard=0/rows",
            )
        ),
        *(
            (lambda root, name=name: slipped(root, name), rf"^{name}: is of no step that is unfin")
            for name in (
                "x.parquet.new", "endpoint=bot/date=2023-11-14/shard=0/x.parquet.new",
                f"endpoint=bot/date=2023-11-14/shard=0/1700000000000-0_{HASH}.parquet.new",
                f"endpoint=bot/date=2023-11-15/shard=0/1700000000009-0_{HASH}.parquet.new",
                f"endpoint=bot/date=2023-11-14/hour=21/shard=0/1700000000009-0_{HASH}.parquet.new",
            )
        ),
        (
            lambda root: linked(root, "endpoint=bot/x.parquet"),
            r"^endpoint=bot/x.parquet: is a symbolic link: an archive has none$",
        ),
        (
            lambda root: linked(root, "endpoint=bot/date=2023-11-16"),
            r"^endpoint=bot/date=2023-11-16: is a symbolic link: an archive has none$",
        ),
        (lambda root: os.mkfifo(root / "x"), r"^x: is no file$"),
        (
            lambda root: replaced(file(root, 3)),
            r"^endpoint=bot/date=\S+parquet: is no file$",
        ),
        (
            lambda root: replaced(manifest(root, 3)),
            r"^endpoint=bot/_manifests/\S+3.json: is no file$",
        ),
        (
            lambda root: manifest(root, 1).write_text("{}"),
            r"^endpoint=bot/_manifests/shard=0/00000000/00000001.json: is not a manifest$",
        ),
    ],
)  # fmt: skip
def test_what_was_changed_is_named(root: Path, spoil: Callable[[Path], None], what: str) -> None:
    """Missing, altered, out of order, cut off, slipped in: files, rows and manifests, without any
    key."""
    spoil(root)
    with pytest.raises(Violation, match=what):
        verify(root)


def forged(root: Path, key: SigningKey | None) -> None:
    """Shard 0 written anew from its second file on, each step as it should be."""
    for number in range(1, 4):
        file(root, 1).unlink()
        manifest(root, number).unlink()
    chain = Chain(Directory(root), "bot", 0)
    chain.open()
    for first in range(ROWS, 4 * ROWS, ROWS):
        assert add(chain, kept(first + 100, ROWS), signer(key))


def test_who_has_not_the_key_can_forge_nothing(root: Path) -> None:
    """An archive that is right in itself, and signed by nobody or by somebody else; keys of before
    count where they are given."""
    other = SigningKey(bytes(range(32)))
    forged(root, None)
    verify(root)
    with pytest.raises(Violation, match=r"00000001.json: is signed by nobody$"):
        verify(root, KEY)
    forged(root, other)
    with pytest.raises(Violation, match=r"00000001.json: is signed by another key$"):
        verify(root, KEY)
    verify(root, KEY, other)


def test_what_was_cut_off_or_written_anew_is_found_by_a_checkpoint_of_before(root: Path) -> None:
    """Also where the writer has the key; a chain that has grown since still has it."""
    storage = Directory(root)
    link = Chain(storage, "bot", 0).link(3)
    anchors = parse_anchors(f"{Chain(storage, 'bot', 1).link(3).checkpoint}\n{link.checkpoint}")
    assert verify(root, KEY, anchors=anchors).seen == set(anchors)
    chain = Chain(storage, "bot", 0)
    chain.open()
    add(chain, kept(50, 1), signer(KEY))
    verify(root, KEY, anchors=anchors)
    for number in (4, 3):
        file(root, number).unlink()
        manifest(root, number).unlink()
    verify(root, KEY)
    with pytest.raises(
        Violation, match=r"00000003.json: is missing: .* was cut off since, or that checkpoint"
    ):
        verify(root, KEY, anchors=anchors)
    again = Chain(storage, "bot", 0)
    again.open()
    add(again, kept(60, ROWS), signer(KEY))
    with pytest.raises(
        Violation, match=r"00000003.json: .* the chain was rewritten, or that checkpoint"
    ):
        verify(root, KEY, anchors=anchors)


def test_files_that_are_kept_no_longer_are_not_missed(root: Path) -> None:
    """The tree goes on from the peaks that the manifests state; what is not deleted yet is no
    stranger."""
    chain = Chain(Directory(root), "bot", 0)
    chain.open()
    new = chain.next_manifest(at=1.0, writer="t", position=chain.position, tree=chain.tree)
    held = file(root, 0).read_bytes(), file(root, 0)
    assert chain.add(manifests.Manifest(**{**_facts(new), "kept": 2}), signer(KEY))
    assert verify(root, KEY).shard("bot", 0).files == 2
    held[1].write_bytes(held[0])
    verify(root, KEY)
    held[1].write_bytes(b"PAR1")
    with pytest.raises(Violation, match=r"is not the file that archive.keep is deleting$"):
        verify(root, KEY)
    held[1].unlink()
    chain.open()
    assert add(chain, kept(50, 1), signer(KEY))
    verify(root, KEY)
    held[1].write_bytes(held[0])
    with pytest.raises(Violation, match=r"is there, although archive.keep has deleted it$"):
        verify(root, KEY)
    held[1].unlink()
    file(root, 2).unlink()
    with pytest.raises(Violation, match=r"is missing$"):
        verify(root, KEY)


def _facts(one: manifests.Manifest) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def test_a_step_that_is_being_made_is_no_stranger(root: Path) -> None:
    """Its file has its name with `.new` behind it until a manifest lists it; so has that of another
    writer of the last step."""
    for first in (9, 12):
        slipped(
            root,
            f"endpoint=bot/date=2023-11-14/shard=0/17000000000{first:02}-0_{HASH}.parquet.new",
        )
        slipped(
            root,
            f"endpoint=bot/date=2023-11-14/hour=22/shard=0/17000000000{first:02}-0_{HASH}.parquet.new",
        )
    slipped(root, "_notes")
    slipped(root, "endpoint=bot/date=2023-11-14/.hidden")
    verify(root, KEY)


def test_a_step_of_a_store_that_follows_may_begin_before_the_last_one(tmp_path: Path) -> None:
    """Its stream is another one."""
    storage = Directory(tmp_path)
    chain = Chain(storage, "bot", 0)
    chain.store = "a" * 32
    assert add(chain, kept(6, 3))
    new = f"endpoint=bot/date=2023-11-14/hour=22/shard=0/1700000000001-0_{HASH}.parquet.new"
    (tmp_path / new).write_bytes(b"")
    with pytest.raises(Violation, match=r"is of no step that is unfinished$"):
        Verifier(storage).unlisted("")
    chain.store = "b" * 32
    step = chain.succession(at=1.0, writer="test", position="0-0/0/0")
    assert chain.add(step, signer(None))
    Verifier(storage).unlisted("")
    assert Verifier(storage).shard("bot", 0).stores == 2


def test_a_shard_that_is_gone_from_among_the_others_is_missed(tmp_path: Path) -> None:
    """Chance leaves one empty only while the others have few records: then nothing is told."""
    storage = Directory(tmp_path)
    verifier = Verifier(storage)
    for shard in (0, 2):
        chain = Chain(storage, "bot", shard)
        chain.open()
        assert add(chain, kept(0, 31))
    shards = [verifier.shard("bot", number) for number in (0, 2)]
    with pytest.raises(ArchiveError, match=r"shard=1 is not there, .* too few records to tell"):
        verifier.gaps("bot", shards)
    assert add(chain, kept(31, 1))
    shards[1] = verifier.shard("bot", 2)
    with pytest.raises(
        Violation, match=r"^endpoint=bot/_manifests/shard=1: is missing, and shards"
    ):
        verifier.gaps("bot", shards)
    verifier.gaps("bot", shards[:1])
    verifier.gaps("other", shards)


def test_checkpoints_are_taken_out_of_a_mail(root: Path) -> None:
    """Quoted, once or twice, with words around them."""
    checkpoint = Chain(Directory(root), "bot", 0).link(3).checkpoint
    mail = "Hello,\n\n" + "".join(f"> > {line}\r\n" for line in checkpoint.splitlines())
    assert parse_anchors(mail + "\nBye") == parse_anchors(checkpoint)
    assert verify(root, KEY, anchors=parse_anchors(mail)).seen


def test_a_manifest_of_a_later_version_cannot_be_told(root: Path) -> None:
    """That is no violation: a newer monitor may know."""
    edited(manifest(root, 0), version=4)
    with pytest.raises(ArchiveError, match=r"has version 4; this monitor reads versions 1 to 3$"):
        verify(root)


def opened(root: Path) -> Chain:
    chain = Chain(Directory(root), "bot", 0, [KEY.verify_key])
    chain.open()
    return chain


def erase(root: Path, place: int, rows: list[int], **changes: Any) -> None:
    replacing.erase(opened(root), place, rows, signer(KEY), **changes)


def test_tombstones_verify_where_a_signed_step_says_so(root: Path) -> None:
    """Each row that is left is proved as before; of the others the leaf is. A file may be replaced
    more than once, and the file before it need not have been deleted yet, if it is the same."""
    before = file(root, 1)
    data = before.read_bytes()
    erase(root, 1, [0, 2])
    shard = verify(root, KEY).shard("bot", 0)
    assert (shard.last.size, shard.manifests, shard.files, shard.erased) == (12, 5, 4, 2)
    before.write_bytes(data)
    verify(root, KEY)
    before.write_bytes(b"PAR1")
    with pytest.raises(
        Violation, match=r"is not the file that another one is taking the place of$"
    ):
        verify(root, KEY)
    before.unlink()
    erase(root, 1, [0, 1, 2])
    assert verify(root, KEY).shard("bot", 0).erased == 3
    before.write_bytes(data)
    with pytest.raises(Violation, match=r"is there, although another one has taken its place$"):
        verify(root, KEY)


def test_a_file_that_is_replaced_while_it_is_verified_is_not_missed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later manifest says so, which was not there when the verification began."""
    numbered = Verifier._numbered

    def late(self: Verifier, chain: Chain) -> int:
        found = numbered(self, chain)
        if chain.shard == 0:
            erase(root, 1, [0])
        return found

    monkeypatch.setattr(Verifier, "_numbered", late)
    verify(root, KEY)


@pytest.mark.parametrize(
    ("rows", "changes", "what"),
    [
        (
            [0, 1],
            {"erasure": replacing.HOW},
            r"4.json: erases 2 records and says that it erases 0$",
        ),
        ([0, 1], {"erasure": None}, r"4.json: erases 2 records and says that it erases 0$"),
        (
            [],
            {"erasure": manifests.Erasure("a", "b", [], rows=1)},
            r"4.json: erases 0 records and says that it erases 1$",
        ),
    ],
)
def test_a_step_takes_away_what_it_says(
    root: Path, rows: list[int], changes: dict[str, Any], what: str
) -> None:
    """No more, and no less, whoever signed it."""
    erase(root, 1, rows, **changes)
    with pytest.raises(Violation, match=what):
        verify(root, KEY)


def test_a_step_replaces_what_is_read(root: Path) -> None:
    """Not what another one has replaced, nor a part of it."""
    chain = opened(root)
    held = replacing.current(chain)[1]
    new = replacing.rewritten(chain, held.file, [0])
    copy = file(root, 1).read_bytes()
    assert chain.add(replacing.step(chain, held, new, 1), signer(KEY))
    file(root, 1).with_name(Path(held.file.path).name).write_bytes(copy)
    new = replacing.rewritten(chain, held.file, [0, 1])
    assert chain.add(replacing.step(chain, held, new, 2), signer(KEY))
    with pytest.raises(Violation, match=r"5.json: replaces other files than the manifests before"):
        verify(root, KEY)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (
            lambda rows: [rows[name].__setitem__(1, None) for name in ("record", "nonce")],
            r"row 2: has no record, or no proof of one$",
        ),
        (alter, r"row 2: record 4 \(\S+\) was altered$"),
        (
            lambda rows: rows["leaf"].__setitem__(0, bytes(32)),
            r"records were altered: the root over its rows",
        ),
        (lambda rows: rows["leaf"].__setitem__(0, None), r"row 1: record 3 \(\S+\) was altered$"),
    ],
)
def test_a_replaced_file_is_looked_at_as_any_other(
    root: Path, spoil: Callable[[dict[str, list[Any]]], None], what: str
) -> None:
    """One row more without its record, one that was altered, a tombstone with another leaf."""
    erase(root, 1, [0])
    rewritten(file(root, 1), spoil)
    with pytest.raises(Violation, match=what):
        verify(root, KEY)


def test_less_may_not_be_erased_than_is_listed(root: Path) -> None:
    """A record that somebody has put back is found, although its leaf is right."""
    whole = file(root, 1).read_bytes()
    erase(root, 1, [0])
    file(root, 1).write_bytes(whole)
    with pytest.raises(Violation, match=r"has 0 erased records, and its manifest lists 1$"):
        verify(root, KEY)
