"""`monitor records`: what is stored, as a person and as a script look at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import main
from monitor.commands.records import _indented, lines
from monitor.replay import stored
from monitor.streams.redis import RedisStream
from monitor.types import Outcome, Record, Tokens, Verdict, decode_record
from tests.commands.conftest import Run
from tests.recorder.test_spool import DOCUMENT

NOON = 1764676800.0  # 2025-12-02T12:00:00Z


def record(number: int, **changes: Any) -> Record:
    name = f"{int(NOON * 1000) + number:012x}"
    plain = decode_record(DOCUMENT % f"{name[:8]}-{name[8:]}-7000-8000-{number:012x}".encode())
    return msgspec.structs.replace(plain, started=NOON + number, endpoint="default", **changes)


RECORDS = [
    record(
        number,
        outcome=Outcome("ok" if number % 4 else "server_error"),
        segments={"population": "north" if number % 2 else "south", "template": "none"},
        edge_cases=[
            name for name, of in (("refusal", (2, 3)), ("truncated", (3,))) if number in of
        ],
    )
    for number in range(8)
]


COMMAND = "records"


@pytest.fixture(scope="module")
def data(ended_run: Callable[..., Path]) -> Path:
    """The data directory of a `monitor run` that has ended."""

    async def fill(stream: RedisStream) -> None:
        await stream.append(RECORDS)

    return ended_run(fill)


def numbers(text: str) -> list[int]:
    return [int(json.loads(line)["id"][-12:], 16) for line in text.splitlines()]


def test_each_record_is_a_document_on_a_line(run: Run) -> None:
    """Oldest first, exactly as it is stored."""
    code, out, err = run("list", "--json")
    assert (code, err) == (0, "")
    assert [decode_record(line) for line in out.splitlines()] == RECORDS


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--limit", "3"], [5, 6, 7]),
        (["--limit", "100"], list(range(8))),
        (["--outcome", "server_error"], [0, 4]),
        (["--segment", "population=north"], [1, 3, 5, 7]),
        (["--segment", "population=north", "--limit", "1"], [7]),
        (["--edge-case", "refusal"], [2, 3]),
        (["--edge-case", "truncated", "--segment", "population=north"], [3]),
        (["--segment", "edge_case=truncated", "--segment", "edge_case=refusal"], [2, 3]),
        (["--segment", "edge_case=none", "--limit", "2"], [6, 7]),
        (["--segment", "population=north", "--segment", "population=south"], list(range(8))),
        (["--segment", "population=south", "--outcome", "ok"], [2, 6]),
        (["--segment", "template=none", "--segment", "population=south"], [0, 2, 4, 6]),
        (["--segment", "region=none", "--limit", "2"], [6, 7]),
        (["--from", "2025-12-02T12:00:02Z", "--to", "2025-12-02T12:00:05Z"], [2, 3, 4]),
        (["--from", "2025-12-02T12:00:02Z", "--to", "2025-12-02T12:00:05Z", "--limit", "1"], [4]),
    ],
)
def test_records_are_chosen(run: Run, arguments: list[str], expected: list[int]) -> None:
    """By time, segment and outcome; a limit takes the newest of what is left."""
    code, out, _ = run("list", "--json", *arguments)
    assert code == 0
    assert numbers(out) == expected


def test_the_list_is_for_80_columns(run: Run) -> None:
    """Ids whole, so that they can be given to `show`."""
    _, out, _ = run("list")
    assert max(map(len, out.splitlines())) <= 80
    assert all(one.id in out for one in RECORDS)
    assert "2025-12-02 12:00:07" in out
    assert "population=north" in out


def test_the_list_says_which_checks_failed() -> None:
    """And nothing of those that passed."""
    checks = {"schema": Verdict(False, 1, 1), "refusal": Verdict(True, 0, 1)}
    (_, about) = lines(record(1, checks=checks))
    assert "failed=schema" in about
    assert "refusal" not in about


def test_a_sample_says_what_it_stands_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each record its share, and all of them the exchanges, beside the list and not in it."""
    shares = [1.0, 0.25, 0.25, 0.04]
    sample = [record(number, sampled=share) for number, share in enumerate(shares)]
    monkeypatch.setattr(stored, "records", lambda *_, **__: iter(sample))
    assert main(["records", "list", "--redis", "redis://127.0.0.1:1/0"]) == 0
    shown = capsys.readouterr()
    assert shown.out.count("sampled=0.25") == 2
    assert shown.out.count("sampled=") == 3
    assert shown.err == (
        "monitor: 4 records, a sample of about 34 exchanges (capture.sample_over)\n"
    )
    assert main(["records", "list", "--redis", "redis://127.0.0.1:1/0", "--json"]) == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one.get("sampled", 1) for one in documents] == shares


def test_one_record_is_shown_whole(run: Run) -> None:
    """Its document, indented; exit 1 and a line where it is not."""
    code, out, _ = run("show", RECORDS[3].id)
    assert code == 0
    assert decode_record(out) == RECORDS[3]
    for missing in ("nothing", RECORDS[3].id[:-1] + "f"):
        code, out, err = run("show", missing)
        assert (code, out) == (1, "")
        assert err == f"monitor: {missing}: no such record of endpoint default\n"


def test_nothing_found_says_where_it_was_looked_for(run: Run) -> None:
    """The name of the endpoint is the likeliest mistake."""
    code, out, err = run("list", "--endpoint", "other")
    assert (code, out) == (0, "")
    there = "it has those of default: --endpoint says which"
    assert err == f"monitor: the store has no records of endpoint other; {there}\n"
    code, out, err = run("show", RECORDS[0].id, "--endpoint", "other")
    assert (code, out) == (1, "")
    assert err == f"monitor: the store has no records of endpoint other; {there}\n"
    code, out, err = run("list", "--outcome", "rate_limited")
    assert (code, out) == (0, "")
    assert "no such records of endpoint default" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--segment", "north"], "'north' is not DIMENSION=VALUE"),
        (["list", "--from", "noon"], "'noon' is not a time such as"),
        (["list", "--limit", "0"], "'0' is not a whole number from 1"),
        (["list", "--limit", "2²"], "is not a whole number from 1"),
        (["list", "--outcome", "fine"], "--outcome"),
        (["list", "--redis", "redis://:hunter2@127.0.0.1:1/0"], "redis://127.0.0.1:1/0: "),
        ([], "COMMAND"),
    ],
)
def test_bad_usage_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the option, the value and what would be right."""
    try:
        code = main(["records", *arguments])
    except SystemExit as left:
        code = int(left.code or 0)
    shown = capsys.readouterr()
    assert code == 2
    assert words in shown.err
    assert "hunter2" not in shown.err
    assert len(shown.err.splitlines()) == 1


@given(
    st.text(), st.text(), st.dictionaries(st.text(), st.text(max_size=300), max_size=5),
    st.floats(), st.floats(),
)  # fmt: skip
def test_any_record_is_told_without_obeying_it(
    name: str, model: str, segments: dict[str, str], started: float, duration: float
) -> None:
    """Nothing in it reaches the terminal as a control character, whoever wrote it."""
    one = record(
        1, model=model, segments=segments, operation=name, duration=duration,
        tokens=Tokens(10**30, 2),
    )  # fmt: skip
    one = msgspec.structs.replace(one, started=started)
    for line in [*lines(one), *_indented(one).splitlines()]:
        assert line.isprintable()
    assert one.id in lines(one)[0]


def test_replay_and_reveal_find_it_too(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the data directory, where no SOURCE is named."""
    assert main(["replay", "--data", str(data), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == len(RECORDS)
    profile = tmp_path / "profile.json"
    assert main(["reference", "build", "--data", str(data), "--out", str(profile)]) == 0
    assert profile.exists()
    assert main(["keys", "pair", "--out", str(tmp_path)]) == 0
    reveal = ["--private-key", str(tmp_path / "reveal.key"), "--reason", "test"]
    token = "<EMAIL_ADDRESS:k1:aaaaaaaaaaaaaaaaaaaaaaaa>"
    audit = ["--audit", str(tmp_path / "audit")]
    assert main(["reveal", token, *reveal, *audit, "--data", str(data)]) == 1
    assert "not found" in capsys.readouterr().err
    assert main(["reveal", *reveal, *audit, "--data", str(tmp_path)]) == 2
    assert "holds no embedded store" in capsys.readouterr().err
