"""`monitor records prove`, and `monitor verify` of what it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.signing import SigningKey

from monitor.archive.chain import Chain, signer
from monitor.archive.storage import Directory
from monitor.audit import proofs
from monitor.audit.checkpoints import Checkpoint, signed
from monitor.audit.merkle import Tree, leaf
from monitor.audit.proofs import Proof
from monitor.cli import main
from tests.archive import replacing
from tests.archive.conftest import add, kept
from tests.audit.test_keys import public

ONE = kept(3, 1)[0]


@pytest.fixture
def archive(tmp_path: Path) -> str:
    chain = Chain(Directory(tmp_path / "archive"), "bot", 0)
    chain.open()
    for first in (0, 3):
        assert add(chain, kept(first, 3), signer(SigningKey(bytes(32))))
    (tmp_path / "audit.pub").write_bytes(public(Ed25519PrivateKey.from_private_bytes(bytes(32))))
    return str(tmp_path / "archive")


def test_a_proof_needs_nothing_else(
    archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By id of Record or entry; with the Record or by its leaf; altered, it proves nothing."""
    out, key = tmp_path / "proof.json", ["--public-key", str(tmp_path / "audit.pub")]
    assert main(["records", "prove", ONE.record.id, archive, "--out", str(out)]) == 0
    assert main(["verify", str(out), *key]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"bot, shard 0: record 3 of 6, manifest 1; id {ONE.record.id}, entry {ONE.sid}",
        "proven: this record is in the tree of that checkpoint, unaltered",
    ]
    assert main(["records", "prove", ONE.sid, archive, "--without-record"]) == 0
    bare = capsys.readouterr().out
    assert not json.loads(bare).keys() & {"record", "nonce", "sid"}
    out.write_text(bare)
    assert main(["verify", str(out)]) == 0
    said = capsys.readouterr().out
    assert "the record is not in the proof" in said
    assert "its signature was not looked at" in said
    for endpoint, code in (("bot", 0), ("other", 1)):
        assert main(["verify", str(out), *key, "--endpoint", endpoint]) == code
    said = capsys.readouterr().out
    assert f"violated: {out}: it is of endpoint bot, and not of other\n" in said
    other = tmp_path / "other.pub"
    other.write_bytes(public(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"1")))
    assert main(["verify", str(out), "--public-key", str(other)]) == 1
    assert "its checkpoint is signed by another key" in capsys.readouterr().out
    out.write_text(bare.replace("{", '{"index": 0,', 1))
    assert main(["verify", str(out), *key]) == 2
    assert "is no proof: `index` is there twice" in capsys.readouterr().err
    out.write_text(bare.replace('"index": 3', '"index": 4'))
    assert main(["verify", str(out), *key]) == 1
    assert capsys.readouterr().out == (
        f"violated: {out}: its path does not lead from the leaf to the root of its checkpoint\n"
    )


def test_a_record_that_can_be_read_in_two_ways_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever can write to the stream may have put it there: its bytes are proved, and what they
    say is not plain. Of what is no JSON nothing is said."""
    out = tmp_path / "proof.json"
    for record, words in (
        ('{"id":"a","id":"b"}', "in the record `id` is there twice: "),
        ("x", ""),
    ):
        nonce = bytes(16)
        one = leaf(nonce, b"1-0", record.encode())
        note = signed(Checkpoint("monitor/bot/0", 1, Tree().grown([one]).root, 0, "ab" * 32), None)
        proof = Proof(1, note, 0, [], one.hex(), "1-0", nonce.hex(), record)
        out.write_bytes(proofs.encode(proof))
        assert main(["verify", str(out)]) == 0
        said = capsys.readouterr().out
        assert "proven: this record" in said
        assert words in said
        assert ("twice" in said) == bool(words)


def test_of_an_erased_record_the_leaf_is_proved(
    archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 where the Record is wanted."""
    chain = Chain(Directory(Path(archive)), "bot", 0)
    chain.open()
    replacing.erase(chain, 1, [0], signer(SigningKey(bytes(32))))
    assert main(["records", "prove", ONE.sid, archive]) == 1
    assert "was erased; its leaf is left: --without-record" in capsys.readouterr().err
    out = tmp_path / "proof.json"
    assert main(["records", "prove", ONE.sid, archive, "--without-record", "--out", str(out)]) == 0
    assert main(["verify", str(out)]) == 0
    assert main(["records", "prove", ONE.record.id, archive]) == 1
    assert "the archive has no such record" in capsys.readouterr().err


def test_what_cannot_be_done_is_said(
    archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one sentence, exit code 2."""
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    (tmp_path / "none").mkdir()
    prove = ["records", "prove", "x"]
    for command, words in (
        ([*prove, "redis://127.0.0.1:1"], "is a store; a proof is made of an archive"),
        ([*prove, str(tmp_path / "none")], "has no chain of manifests"),
        ([*prove, str(tmp_path / "gone")], "gone: there is no such file or directory"),
        ([*prove, archive, "--endpoint", "other"], "has no chain of endpoint other; it has bot"),
        ([*prove[:2], ONE.sid, archive, "--out", "/dev/null/x"], "cannot be written"),
        (["verify", str(bad)], "is no proof: Object missing required field `version`; SOURCE is"),
        (["verify", str(bad), "--anchor", str(bad)], "--anchor: "),
        (
            ["verify", str(bad), "--checkpoints", "x"],
            "--checkpoints: is for an archive; a proof has",
        ),
        (["verify", "x" * 5000], "verify"),
    ):
        assert main(command) == 2
        said = capsys.readouterr().err
        assert words in said or words == "verify"
        assert said.count("\n") == 1
