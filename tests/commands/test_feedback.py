"""`monitor feedback load`, into a real store: an embedded one at rest, or one that is away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from monitor.cli import main
from monitor.privacy import keys
from monitor.supervision.embedded_store import open_embedded
from tests.commands.conftest import Run

COMMAND = "feedback"
STREAM = "monitor:{default}:feedback"
ID = "019ad2b6-6800-7def-9abc-e20000000001"


@pytest.fixture(scope="module")
def filled(ended_run: Any) -> Path:
    async def nothing(_: object) -> None:
        """No record has to be there."""

    directory: Path = ended_run(nothing)
    keys.load(directory / "privacy.key", bytes)
    return directory


@pytest.fixture
def data(filled: Path) -> Path:
    with open_embedded(filled) as url, redis.Redis.from_url(url) as client:
        client.delete(STREAM)
    return filled


def stored(data: Path) -> list[dict[str, Any]]:
    with open_embedded(data) as url, redis.Redis.from_url(url) as client:
        entries: Any = client.xrange(STREAM)
    return [json.loads(fields[b"feedback"]) for _, fields in entries]


def test_files_are_loaded_pseudonymized_and_wrong_lines_named(
    run: Run, data: Path, tmp_path: Path
) -> None:
    """Exit code 1 where a line was not taken; the others are in the store, in order."""
    table, lines = tmp_path / "a.csv", tmp_path / "b.jsonl"
    table.write_text(f"record,label,at\n{ID},1,2026-11-28T10:00:00Z\n{ID},1,yesterday\n")
    lines.write_text(
        '{"business": {"customer": "jo@example.org"}, "rating": 5, "key": "k"}\n'
        '{"id": "a", "rating": 4012888888881881}\n'
    )
    code, out, told = run("load", str(table), "--id-column", "record")
    assert (code, out) == (1, "")
    assert told == (
        f"monitor: {table}:3: at: is not a time as 2026-11-28T10:00:00Z, or Unix seconds\n"
        "1 items taken, 1 not\n"
    )
    code, _, told = run("load", str(lines))
    assert code == 1
    assert f"{lines}:2: personal data in it cannot be replaced safely (personal data)" in told
    first, second = stored(data)
    assert (first["id"], first["label"], first["at"]) == (ID, "1", 1795860000.0)
    assert second["business"]["customer"].startswith("<EMAIL_ADDRESS:k1:")
    assert second["key"] == "k"


def test_a_file_that_is_loaded_twice_says_the_same_twice(
    run: Run, data: Path, tmp_path: Path
) -> None:
    """With the same keys: whoever counts them counts each once. All taken is exit code 0."""
    path = tmp_path / "a.csv"
    path.write_text("id,label\n" + "".join(f"r{n},{n % 2}\n" for n in range(6_000)))
    for _ in range(2):
        assert run("load", str(path)) == (0, "", "6,000 items taken, 0 not\n")
    found = [item["key"] for item in stored(data)]
    assert found[:6_000] == found[6_000:]
    assert len(set(found)) == 6_000


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main([COMMAND, "load", *arguments])
    return code, capsys.readouterr().err


def test_what_is_wrong_is_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No store, no keys, no such file, a column that is no key: exit code 2."""
    path, other = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text("id,label\na,1\n")
    other.write_text("id,lable\na,1\n")
    away = ("--redis", "redis://:PW@127.0.0.1:1/0", "--data", str(data))
    for arguments, sentence in (
        (
            (str(path), *away),
            "redis://127.0.0.1:1/0: the store refused the connection. Load again when it is back",
        ),
        ((str(path), "--data", str(tmp_path)), "data: "),
        ((str(path), "--redis", "redis://127.0.0.1:1", "--data", str(tmp_path)), "privacy.key_fil"),
        ((str(tmp_path / "none"), "--data", str(data)), f"{tmp_path / 'none'}: cannot be read: no"),
        ((str(other), "--data", str(data)), f"{other}: column 'lable' is none of the keys of an"),
    ):
        code, told = said(capsys, *arguments)
        assert code == 2, arguments
        assert told.startswith(f"monitor: {sentence}")
        assert told.count("\n") == 1
        assert "PW" not in told
