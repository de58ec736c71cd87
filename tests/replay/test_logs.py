"""Logs of others that are looked at in pieces, on all cores, give what they give one by one; nothing personal leaves."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.assembly.log_recording import LogRecording
from monitor.assembly.sanitizer import Sanitizer
from monitor.cli import main
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.features import FEATURES, MORE
from monitor.interfaces import Dimension, Protocol
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.reading import Reading
from monitor.recognizers import select
from monitor.replay import files, logs
from monitor.replay.files import ReadOptions
from monitor.replay.recording import READING
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.tables.blocks import Block
from monitor.tables.columns import Columns
from monitor.types import Call, Inference
from tests.sources.logs import GOLDENS

make = LogRecording(Settings(), lambda: Keyring((Key("k1", bytes(32)),)))
clean = Sanitizer(Settings())


def line(number: int, **fields: Any) -> str:
    return json.dumps(
        {
            "request": {"model": "ab"[number % 2], "messages": [{"role": "user", "content": f"Parcel {number} of ada{number}@example.org"}]},
            "response": {"choices": [{"message": {"content": "It is on its way."}, "finish_reason": "stop"}], "usage": {"prompt_tokens": number, "completion_tokens": 5}},
            "timestamp": 1764000000 + number, "latency_ms": 100 + number, "status": 200, "metadata": {"team": "xyz"[number % 3]},
        }
        | fields
    )  # fmt: skip


def options(**more: Any) -> ReadOptions:
    usual = {
        "features": FEATURES,
        "columns": Columns(by=("model", "team")),
        "sanitizer": clean,
        "recording": make,
        "damage": Damage(),
    }
    return ReadOptions(**usual | more)


def rows(path: Path, how: ReadOptions) -> list[Any]:
    found = files.read_records(files.find([str(path)]), how)
    return [row for one in found for row in (one.rows() if isinstance(one, Block) else (one,))]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs") / "a.jsonl"
    some = [line(number) for number in range(60)]
    some[20:20] = ["{", "", "12", line(3, response={"error": {"message": "no"}}, status=500)]
    path.write_text("\n".join(some))
    return path


@pytest.mark.parametrize("start", [None, 1764000030.0])
def test_rows_are_the_same_in_pieces(
    path: Path, start: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, with their segments, and what could not be read by its line."""
    by_record = options(start=start)
    found = files.observe(files.records(files.find([str(path)]), by_record.damage, make), by_record)
    expected = sorted(msgspec.msgpack.encode((row.at, row.segments, row.accepted)) for row in found)
    for pieces in (1, 7, 1000):
        monkeypatch.setattr(logs, "ROWS", pieces)
        how = options(start=start)
        got = rows(path, how)
        assert (
            sorted(msgspec.msgpack.encode((row.at, row.segments, row.accepted)) for row in got)
            == expected
        )
        assert [one.place for one in how.damage.listed()] == [f"{path}:21", f"{path}:23"]
    assert len(expected) == (61 if start is None else 30)


def test_all_cores_see_what_one_sees(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, pseudonyms too."""
    monkeypatch.setattr(logs, "ROWS", 20)
    alone = rows(path, options())
    monkeypatch.setattr(logs, "WORTH", 0)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    for few in (1, 20):  # looked at before processes are started
        monkeypatch.setattr(logs, "FEW", few)
        assert msgspec.msgpack.encode(rows(path, options())) == msgspec.msgpack.encode(alone)


def raises(*_: Any) -> Any:
    raise RuntimeError("a defect of somebody's own part")


def raises_on_one(call: Call) -> Any:
    return raises() if b"Parcel 7 " in call.request_body else Inference("mine", "chat", "m")


MINE = Protocol("mine", lambda call: b"ada1" in call.request_body, raises)
OURS = Protocol("ours", lambda call: b"Parcel" in call.request_body, raises_on_one)


def test_parts_that_raise_are_counted_once_for_an_exchange(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever pieces and processes a log is read, and however often. Of two ranges the counts
    add up; to read the whole log for another reason adds nothing."""
    broken = dataclasses.replace(
        make(), reading=Reading((MINE, OURS, *PROTOCOLS)), dimensions=[Dimension("odd", raises)]
    )
    expected = {("dimension", "odd"): 61, ("protocol", "mine"): 11, ("protocol", "ours"): 1}
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(logs, "ROWS", 20)
    seen = {"columns": Columns(by=("odd",)), "recording": lambda: broken}
    for worth in (1 << 20, 0):
        monkeypatch.setattr(logs, "WORTH", worth)
        how = options(**seen)
        assert len(rows(path, how)) == len(rows(path, how)) == 61
        assert how.damage.failures() == expected
    halves = options(**seen, start=1764000030.0)
    rows(path, halves)
    assert halves.damage.failures() == {("dimension", "odd"): 30}
    rows(path, dataclasses.replace(halves, start=None, end=1764000030.0))
    assert halves.damage.failures() == expected
    assert len(list(files.records(files.find([str(path)]), halves.damage, lambda: broken))) == 61
    assert halves.damage.failures() == expected


def test_a_recognizer_that_raises_is_counted(path: Path) -> None:
    """Its texts are replaced whole, looked at alone or with others, as often as they come."""
    good = next(one for one in select() if one.name == "email_address")
    mine = dataclasses.replace(good, name="mine", entity="A", triggers=("ada1",), find=raises)
    keyring = Keyring((Key("k1", bytes(32)),))
    privacy = Privacy(scanner=Scanner((good, mine)), keyring=keyring, clock=lambda: 0.0)
    broken = dataclasses.replace(make(), privacy=privacy)
    how = options(recording=lambda: broken)
    assert len(rows(path, how)) == len(rows(path, how)) == 61
    assert how.damage.failures() == {("recognizer", "mine"): 11}
    whole = Damage()
    found = list(files.records(files.find([str(path)]), whole, lambda: broken))
    assert sum("<REDACTED:error:" in str(one.inputs) for one in found) == 11
    assert whole.failures() == {("recognizer", "mine"): 11}


def test_rows_of_an_access_log_that_are_alike_count_each(tmp_path: Path) -> None:
    """What is made of one of them is taken for the others, and so is what failed."""
    path = tmp_path / "access.log"
    path.write_text(
        '1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "GET /a HTTP/1.1" 200 9 "-" "-"\n' * 9
    )
    broken = dataclasses.replace(make(), dimensions=[Dimension("odd", raises)])
    how = options(columns=Columns(by=("odd",)), recording=lambda: broken)
    assert len(rows(path, how)) == 9
    assert how.damage.failures() == {("dimension", "odd"): 9}


def test_which_parts_raised_is_told(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the document and in a remark, as live in a metric and a line."""
    monkeypatch.setattr(READING, "_dialects", [MINE, OURS, *PROTOCOLS[:-1]])
    main(["replay", str(path), "--by", "team", "--json", "-"])
    found = json.loads(capsys.readouterr().out)
    assert found["failed_parts"] == [
        {"kind": "protocol", "name": "mine", "exchanges": 11},
        {"kind": "protocol", "name": "ours", "exchanges": 1},
    ]
    without = "which were judged without it"
    assert f"the protocol mine failed on 11 exchanges, {without}" in found["remarks"]
    without = "which was judged without it"
    assert f"the protocol ours failed on an exchange, {without}" in found["remarks"]


LOGS = sorted(
    path
    for where in (GOLDENS, GOLDENS.parent / "data")
    for path in where.iterdir()
    if path.suffix in (".json", ".jsonl", ".log", ".har")
)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_what_is_forgotten_is_seen_as_what_is_kept(path: Path) -> None:
    """A Record that is made to be looked at shows the features what the whole Record does."""
    how = options(features=(*FEATURES, *MORE))
    found = files.observe(files.records(files.find([str(path)]), Damage(), make), how)
    expected = [(row.at, row.segments, row.accepted, seen_in(row)) for row in found]
    got = [(row.at, row.segments, row.accepted, seen_in(row)) for row in rows(path, how)]
    assert got == expected


def seen_in(row: Row) -> list[Any]:
    return sorted((one.feature, one.kind, one.value) for one in row.observations)


def test_without_features_only_segments_are_counted(path: Path) -> None:
    """So a census needs no texts."""
    found = rows(path, options(features=()))
    assert {row.segments["team"] for row in found} == {"x", "y", "z"}
    assert all(not row.observations for row in found)


def test_where_records_are_wanted_a_log_is_named(path: Path) -> None:
    """As `monitor reveal` wants them: nothing in a log is sealed."""
    with pytest.raises(SourceError, match="somebody else's log"):
        list(files.records(files.find([str(path)]), Damage()))


def test_a_log_of_another_day_is_the_reference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way, from two files to a verdict by segment."""
    usual, now = tmp_path / "usual.jsonl", tmp_path / "now.jsonl"
    usual.write_text("\n".join(line(number) for number in range(600)))
    now.write_text("\n".join(
        line(number, response={"choices": [{"message": {"content": "No. " * 40}, "finish_reason": "length"}]}) for number in range(600)
    ))  # fmt: skip
    assert (
        main(
            [
                "replay",
                str(now),
                "--reference",
                str(usual),
                "--by",
                "team",
                "--json",
                "-",
                "--fail-on",
                "drift",
            ]
        )
        == 1
    )
    found = json.loads(capsys.readouterr().out)
    drifted = {one["feature"] for one in found["features"] if one["status"] == "drift"}
    assert {"finish_reason", "output_text_length"} <= drifted
    assert {one["value"] for one in found["features"] if one["dimension"] == "team"} == {
        "x",
        "y",
        "z",
    }


def test_a_log_without_times_has_no_dates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows are numbered, as those of a table are."""
    path = tmp_path / "tuning.jsonl"
    path.write_text("\n".join(
        json.dumps({"messages": [{"role": "user", "content": "Yes or no?"}, {"role": "assistant", "content": "Yes. " * (1 if n < 1000 else 9)}]})
        for n in range(2000)
    ))  # fmt: skip
    assert main(["replay", str(path), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["records"], found["verdict"]) == (2000, "drift")
    assert "1970" not in json.dumps(found)


def test_a_log_that_is_newest_first_is_judged_as_it_happened(path: Path, tmp_path: Path) -> None:
    """As exports are."""
    turned = tmp_path / "turned.jsonl"
    turned.write_text(
        "\n".join(
            reversed([one for one in path.read_text().splitlines() if '"status": 200' in one])
        )
    )
    times = [row.at for row in rows(turned, options())]
    assert len(times) == 60
    assert times == sorted(times)


PLANTED = ("ada.lovelace", "Lovelace", "4111 1111", "sk-proj-Zx8", "5550187", "203.0.113.7")


def test_nothing_personal_leaves(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Not in the document, the page, the JUnit file or on the terminal, whatever is asked for; nor of broken rows."""
    goldens = sorted(path for path in GOLDENS.iterdir() if path.suffix in (".jsonl", ".json"))
    for path in goldens:
        text = path.read_text()
        if path.suffix == ".jsonl":
            broken = [
                '{"mail": ada.lovelace@example.org',
                '["ada.lovelace@example.org"]',
                '{"ada.lovelace@example.org": "4111 1111 1111 1111"}',
            ]
            text = "\n".join([*text.splitlines(), *broken])
        (tmp_path / path.name).write_text(text)
    out = [tmp_path / f"out.{kind}" for kind in ("report", "html", "xml")]
    args = [
        "--json",
        str(out[0]),
        "--html",
        str(out[1]),
        "--junit",
        str(out[2]),
        "--by",
        "user",
        "--by",
        "note",
        "--by",
        "model",
    ]
    assert main(["replay", str(tmp_path), *args]) == 0
    written = "".join([*(path.read_text() for path in out), *capfd.readouterr()])
    assert all(
        path.name in written for path in goldens if path.suffix == ".jsonl"
    )  # of broken rows
    assert "input_text_length" in written
    assert [one for one in PLANTED if one in written] == []


def test_access_logs_are_judged_and_hold_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two, told by their content, more errors are found by route; in the document there is no
    address, query or user agent."""
    names = ("before.log", "after.log")
    for name, share in zip(names, (50, 4), strict=True):
        (tmp_path / name).write_text("".join(
            f'10.0.0.{n % 9} - ada [28/Nov/2026:{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02} +0000] "POST /v1/'
            f'{"chat/completions" if n % 2 else "embeddings"}?user=ada@example.org HTTP/1.1" '
            f'{500 if n % share == 0 else 200} {n % 977} "-" "agent/1"\n'
            for n in range(2000)
        ))  # fmt: skip
    document = tmp_path / "out.json"
    before, after = (str(tmp_path / name) for name in names)
    main(["replay", after, "--reference", before, "--by", "route", "--json", str(document)])
    found = json.loads(document.read_text())
    drifted = {
        (one["feature"], one["value"]) for one in found["features"] if one["status"] == "drift"
    }
    assert ("outcome", "all") in drifted
    assert found["records"] == 2000
    assert {one["value"] for one in found["features"]} >= {"/v1/chat/completions", "/v1/embeddings"}
    said = document.read_text() + capsys.readouterr().out
    for secret in ("10.0.0.", "ada", "agent", "user="):
        assert secret not in said.replace(str(tmp_path), "")


def test_durations_that_nothing_looked_at_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the setting that judges them; where that is given, they are judged and not told of."""
    names = (str(tmp_path / "before.log"), str(tmp_path / "after.log"))
    for name, slower in zip(names, (1, 9), strict=True):
        Path(name).write_text("".join(
            f'[2026-11-28T{n // 60:02}:{n % 60:02}:00.000Z] "POST /v1/chat HTTP/1.1" 200 - 100 500 '
            f'{(n % 37 + 20) * slower} 4 "-" "agent" "id-{n}" "api.example" "10.0.0.1:80"\n'
            for n in range(600)
        ))  # fmt: skip
    assert main(["replay", names[1], "--reference", names[0], "--fail-on", "drift"]) == 0
    told = "the log tells durations and sizes, which were not looked at"
    assert f"{told}; drift.features: [latency] in --config judges durations" in (
        capsys.readouterr().err
    )
    config = tmp_path / "m.yaml"
    config.write_text("upstream: http://127.0.0.1:1\ndrift: {features: [latency]}\n")
    given = ["--config", str(config), "--fail-on", "drift"]
    assert main(["replay", names[1], "--reference", names[0], *given]) == 1
    assert "the log tells sizes, which were not looked at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("litellm", {"request_id": "r", "call_type": "a", "api_base": "b", "cache_hit": "c", "model_group": "d"}),
        ("langfuse", {"id": "o", "traceId": "a", "usageDetails": {"input": 1}, "costDetails": {"input": 1}, "statusMessage": "b"}),
        ("helicone", {"request_id": "q", "request_body": {"n": 1}, "response_body": {"n": 1}, "delay_ms": 1, "request_path": "/"}),
    ],
)  # fmt: skip
def test_a_table_that_looks_like_a_log_is_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, row: dict[str, Any]
) -> None:
    """Where its rows lack the names by which that log is known."""
    path = tmp_path / "half.jsonl"
    path.write_text("\n".join([json.dumps(row)] * 30))
    assert main(["replay", str(path)]) == 0
    assert f"{path}: looks like a log of {name} that lacks" in capsys.readouterr().err
