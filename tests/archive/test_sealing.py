"""Records that only the holder of a private key can read; what is proved without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from pyarrow import parquet

from monitor.archive import compaction, proving, reading, rows, sealing
from monitor.archive.chain import Chain
from monitor.archive.erasure import Eraser
from monitor.archive.manifests import Erasure
from monitor.archive.sealing import KEY, Opener, Seal
from monitor.archive.storage import Storage
from monitor.archive.verification import Verifier, Violation
from monitor.audit import proofs
from monitor.damage import Damage
from monitor.errors import ArchiveError, ConfigError, SourceError
from monitor.replay import files
from monitor.types import decode_record, encode_record
from tests.archive import replacing
from tests.archive.conftest import add, kept, unsigned

PEM = serialization.Encoding.PEM


def private(path: Path, *keys: Any) -> Path:
    """A file of private keys that only its owner may read."""
    form, without = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(b"".join(key.private_bytes(PEM, form, without) for key in keys))
    path.chmod(0o600)
    return path


def public(path: Path, key: Any) -> Path:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(key.public_key().public_bytes(PEM, form))
    return path


KEYS = [x25519.X25519PrivateKey.generate() for _ in range(2)]


@pytest.fixture
def seal(tmp_path: Path) -> Callable[[int], Seal]:
    """A new one for each file, to one of two keys."""

    def made(number: int = 0) -> Seal:
        known = sealing.recipient(public(tmp_path / "to.pub", KEYS[number]), "archive.encrypt")
        return Seal(known, bytes([number] * KEY))

    return made


def opener(tmp_path: Path, *numbers: int) -> Opener:
    path = private(tmp_path / "private.key", *(KEYS[number] for number in numbers or (0,)))
    found = sealing.opener_of(str(path))
    assert found
    return found


@pytest.fixture
def sealed(storage: Storage, seal: Callable[[int], Seal]) -> Chain:
    """Three files of two rows each."""
    chain = Chain(storage, "bot", 0)
    chain.open()
    for first in (0, 2, 4):
        assert add(chain, kept(first, 2), seal=seal(0))
    return chain


def proven(storage: Storage, found: Opener | None = None) -> Verifier:
    verifier = Verifier(storage, opener=found)
    verifier.shard("bot", 0)
    verifier.unlisted("")
    return verifier


def read(storage: Storage, found: Opener | None, damage: Damage | None = None) -> list[bytes]:
    damage = damage or Damage()
    listed = files.find([storage.name], damage=damage, opener=found)
    return [encode_record(one) for one in files.records(listed, damage)]


def test_nothing_of_a_record_is_in_clear_and_its_holder_reads_it_again(
    storage: Storage, sealed: Chain, tmp_path: Path
) -> None:
    """Not in a column, and not in a name; every document comes back byte for byte, by replay, in a
    range and from one file, too."""
    documents = [one.document for one in kept(0, 6)]
    for path in Path(storage.name).rglob("*"):
        if path.is_file():
            assert b"parcel" not in path.read_bytes()
    (shard,) = reading.read(storage, "bot", None, None)
    assert parquet.read_schema(shard.files[0]).names == [*rows.PROOF, *rows.SEALED]
    known = opener(tmp_path)
    assert read(storage, known) == documents
    listed = files.find([str(shard.files[1])], opener=known)
    assert [encode_record(one) for one in files.records(listed, Damage())] == documents[2:4]


def test_without_the_key_all_is_proven_but_what_is_in_it(
    storage: Storage, sealed: Chain, tmp_path: Path
) -> None:
    """Leaves are over what is sealed. With the key each record opens, too; with another one it
    cannot be told."""
    assert proven(storage).sealed == 6
    assert proven(storage, opener(tmp_path)).sealed == 6
    with pytest.raises(ArchiveError, match=r"parquet: is sealed to the key [0-9a-f]{16}, and the"):
        proven(storage, opener(tmp_path, 1))


def test_a_key_that_is_missing_or_another_one_is_one_sentence(
    storage: Storage, sealed: Chain, tmp_path: Path
) -> None:
    """Of a replay, before anything is counted."""
    for found, what in (
        (None, r"its records are sealed to a key; --private-key FILE opens them$"),
        (opener(tmp_path, 1), r"is sealed to the key [0-9a-f]{16}, and the private key is of "),
    ):
        with pytest.raises(SourceError, match=what):
            read(storage, found)


def test_a_file_with_several_keys_opens_what_was_sealed_to_any(
    storage: Storage, sealed: Chain, seal: Callable[[int], Seal], tmp_path: Path
) -> None:
    """After a change of keys; and records from before anything was sealed are read beside them."""
    add(sealed, kept(6, 2), seal=seal(1))
    add(sealed, kept(8, 2))
    documents = [one.document for one in kept(0, 10)]
    assert read(storage, opener(tmp_path, 0, 1)) == documents
    assert proven(storage, opener(tmp_path, 0, 1)).sealed == 8


def changed(path: Path, name: str, change: Callable[[list[Any]], None], seals: bool) -> None:
    """The same file with another column, and the leaves that go with it."""
    table = parquet.read_table(path, partitioning=None)
    columns = table.to_pydict()
    change(columns[name])
    if seals:
        for row in range(table.num_rows):
            said = columns["sealed_key"][row] + columns["sealed"][row]
            nonce, sid = columns["nonce"][row], columns["sid"][row]
            columns["leaf"][row] = rows.leaves(nonce, [sid.encode()], [said])[0]
    parquet.write_table(pa.table(columns, schema=table.schema), path)


def flip(values: list[Any]) -> None:
    values[1] = values[1][:-1] + bytes([values[1][-1] ^ 1])


def test_what_was_changed_is_named(storage: Storage, sealed: Chain, tmp_path: Path) -> None:
    """A sealed record or key, without any key. Who writes the leaf anew as well is found by the
    root; and one that was never sealed to this key by its holder."""
    (shard,) = reading.read(storage, "bot", None, None)
    path = shard.files[0]
    whole = path.read_bytes()
    for name in rows.SEALED:
        changed(path, name, flip, seals=False)
        with pytest.raises(Violation, match=r"row 2: record 1 \(\S+\) was altered$"):
            proven(storage)
        path.write_bytes(whole)
    changed(path, "sealed", flip, seals=True)
    with pytest.raises(Violation, match=r"records were altered: the root over its rows"):
        proven(storage)
    damage = Damage()
    assert len(read(storage, opener(tmp_path), damage)) == 5
    assert [one.error[:12] for one in damage.listed()] == ["not a record"]


def test_a_record_opens_in_its_own_place_alone(seal: Callable[[int], Seal], tmp_path: Path) -> None:
    """Not under another id or nonce, not with another key of the same pair, not when it is
    altered."""
    one, known = seal(0), opener(tmp_path)
    nonce = bytes(range(16))
    found = one.document(b"words", b"1-0", nonce)
    assert known(one.key, nonce, b"1-0", found) == b"words"
    other = Seal(sealing.recipient(tmp_path / "to.pub", "archive.encrypt"), bytes(range(KEY)))
    for key, at, sid, said in (
        (one.key, nonce, b"2-0", found),
        (one.key, bytes(16), b"1-0", found),
        (other.key, nonce, b"1-0", found),
        (one.key, nonce, b"1-0", found[:-1]),
        (one.key[:-1], nonce, b"1-0", found),
        (one.key, nonce, b"1-0", b""),
    ):
        assert known(key, at, sid, said) is None


def test_small_files_are_put_together_without_any_private_key(
    storage: Storage, sealed: Chain, tmp_path: Path
) -> None:
    """Each row keeps its data key; the tree stays, and all of it can be read."""
    tree = sealed.tree
    path = storage.scratch()
    run = next(compaction.runs(replacing.current(sealed), "2023-11-20"))
    done, file = compaction.written(sealed, run, path, lambda: True)
    assert file
    new = compaction.step(sealed, done, file, at=2e9, writer="t")
    storage.publish(path, new.unnamed)
    assert sealed.add(new, unsigned)
    assert (len(replacing.current(sealed)), sealed.tree) == (1, tree)
    assert proven(storage, opener(tmp_path)).sealed == 6
    assert read(storage, opener(tmp_path)) == [one.document for one in kept(0, 6)]


class Mentions:
    """Who is meant, by the id of one of their Records."""

    def __init__(self, name: str) -> None:
        self.needles = (f'"{name}"',)

    def __call__(self, document: str, /) -> bool:
        return self.needles[0] in document


def test_a_person_is_erased_with_the_private_key(
    storage: Storage, sealed: Chain, tmp_path: Path
) -> None:
    """Without it nobody can be found, and that is said; what is left is proven and read."""
    documents = [one.document for one in kept(0, 6)]
    names = Mentions(decode_record(documents[3]).id)
    told: list[str] = []

    def eraser(found: Opener | None) -> Eraser:
        return Eraser(sealed, names, told.append, writer="t", opener=found)

    with pytest.raises(ArchiveError, match=r"so nobody can be found in them; --private-key FILE"):
        list(eraser(None).look())
    with pytest.raises(ArchiveError, match=r"is sealed to the key"):
        list(eraser(opener(tmp_path, 1)).look())
    one = eraser(opener(tmp_path))
    assert sum(one.look()) == 1
    how = Erasure("somebody", "ticket", ["ab" * 32])
    assert list(one.erase(how, unsigned, clock=lambda: 2e9)) == [1]
    verifier = Verifier(storage, opener=opener(tmp_path))
    assert verifier.shard("bot", 0).erased == 1
    assert read(storage, opener(tmp_path)) == [*documents[:3], *documents[4:]]


def test_files_of_tombstones_alone_ask_for_no_private_key(
    storage: Storage, sealed: Chain, tmp_path: Path
) -> None:
    """Nothing sealed is left in them: they are looked through, and read, without it."""
    everybody = Mentions("id")
    how = Erasure("somebody", "ticket", ["ab" * 32])

    def eraser(found: Opener | None) -> Eraser:
        return Eraser(sealed, everybody, lambda _: None, writer="t", opener=found)

    with_key = eraser(opener(tmp_path)).erase(how, unsigned, clock=lambda: 2e9)
    assert list(with_key) == [2, 2, 2]
    one = eraser(None)
    assert list(one.look()) == [0, 0, 0]
    assert list(one.erase(how, unsigned, clock=lambda: 2e9)) == []
    damage = Damage()
    with pytest.raises(SourceError, match=r"parquet: all its records were erased$"):
        read(storage, None, damage)
    assert damage.erasures == 6


def test_a_file_without_the_right_key_is_one_sentence(tmp_path: Path) -> None:
    """It names the key, and says what would be right; a private key is refused where records are
    written."""
    path = tmp_path / "key.pem"
    path.write_text("nothing")
    for name in (path, private(tmp_path / "sign.key", ed25519.Ed25519PrivateKey.generate())):
        with pytest.raises(ConfigError, match=r"^archive.encrypt: .* holds no X25519 public key"):
            sealing.recipient(name, "archive.encrypt")
        with pytest.raises(ConfigError, match=r"^--private-key: .* holds no X25519 private key"):
            sealing.opener_of(str(name))
    mine = private(tmp_path / "x.key", KEYS[0])
    with pytest.raises(ConfigError, match=r"^archive.encrypt: .* holds a private key, which must"):
        sealing.recipient(mine, "archive.encrypt")
    mine.chmod(0o644)
    with pytest.raises(ConfigError, match=r"others may read it \(mode 0644\); chmod 600 it$"):
        sealing.opener_of(str(mine))
    assert sealing.opener_of(None) is None
    with pytest.raises(ConfigError, match=r"^archive.encrypt: .* cannot be read: "):
        sealing.recipient(tmp_path / "none.pem", "archive.encrypt")


def test_chosen_columns_are_in_clear(storage: Storage, seal: Callable[[int], Seal]) -> None:
    """Others are not there; a file that can be filtered says nothing else."""
    chain = Chain(storage, "bot", 0)
    chain.open()
    writer = rows.Writer(storage.scratch(), chain.tree, ("outcome", "model"), seal(0))
    writer.add(kept(0, 2), bytes(32))
    writer.close("bot", 0)
    found = parquet.read_table(writer.path)
    assert found.column_names == ["model", "outcome", *rows.PROOF, *rows.SEALED]
    assert found.column("outcome").to_pylist() == ["ok", "ok"]


def test_the_leaf_of_a_sealed_record_is_proved_alone(sealed: Chain) -> None:
    """By the id of its entry, since its own stands nowhere: that is said."""
    one = kept(2, 1)[0]
    found = proving.find(sealed, one.sid, None)
    assert found
    assert (found.record, found.nonce is None) == (None, False)
    proof = proving.prove(sealed, found, with_record=True)
    assert (proof.record, proof.index) == (None, 2)
    proofs.verify(proof, [])
    with pytest.raises(ArchiveError, match=r"has no column `id`, since its records are sealed;"):
        proving.find(sealed, one.record.id, None)
