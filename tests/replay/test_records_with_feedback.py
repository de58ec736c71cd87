"""Replay of Records with feedback: the numbers that were counted live, and what a look would say."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.analysis.experiments.declared import horizons_of
from monitor.analysis.join.join import Join
from monitor.analysis.join.predictions import PredictionReader
from monitor.analysis.monitors import outcomes_of, within_of
from monitor.assembly.experiments import experiments_of
from monitor.assembly.outcomes import rules_of
from monitor.cli import main
from monitor.settings.load import load
from monitor.types import Part, Record, encode_record
from tests.analysis.join.exchanges import BEGIN, item, record

COUNT = 800
CONFIG = "outcomes: {wait: 600}\nreference: {learn: 200}\n"


def exchanges(count: int = COUNT) -> list[Record]:
    """One every ten seconds, of two populations, which says a class and how sure it is."""
    found = []
    for number in range(count):
        score = random.Random(number).betavariate(1, 1)
        outputs = [
            Part(name="label", datatype="BYTES", shape=[1], data=[str(int(score > 0.5))]),
            Part(name="probability", datatype="FP64", shape=[1], data=[score]),
        ]
        one = record(f"r{number}", 10.0 * number, outputs=outputs)
        found.append(msgspec.structs.replace(one, segments={"population": "ab"[number % 2]}))
    return found


def labels(count: int = COUNT) -> list[dict[str, Any]]:
    """What was true of nine of ten exchanges, told within five minutes."""
    found = []
    for number in range(count):
        chance = random.Random(number)
        true = int(chance.random() < chance.betavariate(1, 1))
        if number % 10:
            at = 10.0 * number + chance.random() * 300
            found.append({"id": f"r{number}", "label": str(true), "at": at, "key": f"k{number}"})
    return found


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Arguments of a replay of both."""
    return written(tmp_path)


def written(
    tmp_path: Path,
    records: list[Record] | None = None,
    feedback: list[dict[str, Any]] | None = None,
) -> list[str]:
    """Arguments of a replay of both, which are in files now."""
    (tmp_path / "r.jsonl").write_bytes(b"\n".join(map(encode_record, records or exchanges())))
    said = [{**one, "at": BEGIN + one["at"]} for one in feedback or labels()]
    (tmp_path / "said.jsonl").write_text("\n".join(map(json.dumps, said)))
    config = tmp_path / "monitor.yaml"
    config.write_text(CONFIG + f"data: {tmp_path}\n")
    (tmp_path / "privacy.key").write_text("k1 " + "7a" * 32 + "\n")
    (tmp_path / "privacy.key").chmod(0o600)
    return [str(tmp_path / "r.jsonl"), "--config", str(config), "--feedback",
            str(tmp_path / "said.jsonl")]  # fmt: skip


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["replay", *arguments, "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def lived(
    tmp_path: Path, records: list[Record], feedback: list[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """What each monitor finds of both in the order in which they came."""
    settings = load(str(tmp_path / "monitor.yaml"), {})
    join = Join(PredictionReader(), wait=settings.outcomes.wait)
    fold = outcomes_of(rules_of(settings), dimensions=("population",))
    coming: list[tuple[float, Any]] = [(one.started + one.duration, one) for one in records]
    coming += [(BEGIN + one["at"], item(one["at"], **one)) for one in feedback]
    for at, one in sorted(coming, key=lambda pair: pair[0]):
        for row in join.advance(at):
            fold.add_row(row)
        if isinstance(one, Record):
            assert join.add(one) == []
        else:
            join.say(one)
    for row in join.advance(float("inf")):
        fold.add_row(row)
    return {
        monitor.name: msgspec.json.decode(msgspec.json.encode(monitor.findings()))
        for monitor in fold.monitors
    }


def test_the_numbers_are_those_that_were_counted_live(capsys, files, tmp_path: Path) -> None:
    """Records and labels in the order in which they came, folded when due: the same document, bit
    for bit."""
    live = lived(tmp_path, exchanges(), labels())
    found = document(capsys, *files, "--by", "population")
    assert found["quality"] == live["quality"]
    assert found["calibration"] == live["calibration"]
    assert found["coverage"] == live["coverage"] == []
    whole = next(one for one in found["quality"] if one["measure"] == "accuracy")
    assert whole["labels"] == COUNT * 9 // 10
    assert {one["value"] for one in found["quality"]} == {"all", "a", "b"}


def test_intervals_have_their_width_live_and_in_replay(capsys, tmp_path: Path) -> None:
    """Wide ones of population a, narrow ones of b; of either a few are reversed, or end nowhere."""
    count, records, feedback = 300, [], []
    for number in range(count):
        half = 1e12 if number % 2 else 1e-9
        width = {40: '"Infinity"', 41: "1e999", 42: "-1e-9"}.get(number % 50, repr(half))
        answer = f'{{"prediction": 0.5, "lower": 0, "upper": {width}}}'
        one = record(f"r{number}", 10.0 * number, outputs=[Part(name="", text=answer)])
        segments = {"population": "ab"[number % 2]}
        records.append(msgspec.structs.replace(one, segments=segments))
        said = {"id": f"r{number}", "label": 0, "at": 10.0 * number + 5, "key": f"k{number}"}
        feedback.append(said)
    arguments = written(tmp_path, records, feedback)
    found = document(capsys, *arguments, "--by", "population")["coverage"]
    assert found == lived(tmp_path, records, feedback)["coverage"]
    seen = {one["value"]: (one["width"], one["unbounded"], one["empty"]) for one in found}
    assert seen["a"] == (1e-9, 0, 6)
    assert seen["b"] == (1e12, 6, 0)
    assert seen["all"][1:] == (6, 6)
    assert main(["replay", *arguments, "--by", "population"]) == 0
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert any("1e-09, 6 empty" in line for line in told)
    assert any("1e+12, 6 unbounded" in line for line in told)


def test_who_fails_on_what_nobody_says_is_told(capsys, files, tmp_path: Path) -> None:
    """Without any feedback nothing is begun; with feedback for other records all is told, and then
    that there was nothing to judge. Exit code 2: a nightly job must not pass on it."""
    records, feedback = files[0], tmp_path / "said.jsonl"
    assert main(["replay", records, "--fail-on", "drift,quality"]) == 2
    said = capsys.readouterr()
    assert "--fail-on quality: there is nothing to judge: no record has feedback" in said.err
    assert not said.out
    feedback.write_text(json.dumps({"id": "stranger", "label": "1", "at": BEGIN, "key": "k"}))
    assert main(["replay", *files, "--fail-on", "quality"]) == 2
    said = capsys.readouterr()
    assert "--fail-on quality: there was nothing to judge" in said.err
    assert "800 records" in said.out
    assert main(["replay", *files, "--fail-on", "drift"]) == 0


def test_groups_and_arms_need_no_by(capsys, tmp_path: Path) -> None:
    """Fairness and experiments look at their dimensions as they do live, whatever is asked for."""
    count = COUNT // 2
    files = written(tmp_path, exchanges(count), labels(count))
    config = tmp_path / "monitor.yaml"
    config.write_text(
        config.read_text() + "fairness: {dimensions: [population]}\n"
        "experiments: [{name: e, dimension: population, control: a, allocation: {a: 0.5, b: 0.5},"
        " metrics: [{name: errors, outcome: server_error}]}]\n"
    )
    plain, by = document(capsys, *files), document(capsys, *files, "--by", "population")
    assert plain["experiments"] == by["experiments"]
    assert plain["experiments"][0]["samples"] == count // 2
    (told,) = plain["timelines"]
    samples = [look["samples"] for look in told["looks"]]
    assert samples == sorted(samples)
    assert count // 4 < samples[-1] <= count // 2
    assert {one["value"] for one in plain["fairness"]} == {"a", "b"}
    assert plain["fairness"] == by["fairness"]
    assert {one["value"] for one in plain["quality"]} == {"all"}
    asked = document(capsys, *files, "--experiment", "population=b")["experiments"]
    assert {one["variant"] for one in asked if one["name"] == "population"} == {"a"}


def test_an_experiment_counts_what_came_within_its_horizon(capsys, tmp_path: Path) -> None:
    """As live, bit for bit, whenever that was looked at and by whatever analyzer; a slow label of
    one arm is no label of it, and no exchange waits longer than the other arm's."""
    count = COUNT // 2
    files = written(tmp_path, exchanges(count), labels(count))
    config = tmp_path / "monitor.yaml"
    arms = "dimension: population, control: a, allocation: {a: 0.5, b: 0.5}"
    config.write_text(
        config.read_text() + f"experiments: [{{name: soon, {arms}, horizon: 120, metrics: ["
        "{name: right, of: label}, {name: sold, event: sold}]}, "
        f"{{name: late, {arms}, metrics: [{{name: sold, event: sold}}]}}]\n"
    )
    sold = [
        {"id": f"r{number}", "event": "sold", "key": f"s{number}",
         "at": 10.0 * number + (300 if number % 2 else 60)}
        for number in range(0, count, 3)
    ]  # fmt: skip
    with (tmp_path / "said.jsonl").open("a") as stream:
        for one in sold:
            stream.write("\n" + json.dumps({**one, "at": BEGIN + one["at"]}))
    settings = load(str(config), {})
    experiments = experiments_of(settings)

    def begin() -> tuple[Join, dict[float, Any]]:
        folds = within_of(rules_of(settings), experiments=experiments)
        wait = settings.outcomes.wait
        return Join(PredictionReader(), wait=wait, horizons=horizons_of(experiments)), dict(folds)

    join, folds = begin()
    coming: list[tuple[float, Any]] = [
        (one.started + one.duration, one) for one in exchanges(count)
    ]
    coming += [(BEGIN + one["at"], item(one["at"], **one)) for one in (*labels(count), *sold)]
    kept: tuple[dict[str, bytes], dict[str, bytes]] = ({}, {})
    chance = random.Random(1)
    for at, one in sorted(coming, key=lambda pair: pair[0]):
        if chance.random() < 0.02:
            for part, state in zip(kept, (join.state(), folds[120.0].saved()), strict=True):
                part.update(state)
            join, folds = begin()
            join.restore({name: entry for name, entry in kept[0].items() if entry})
            folds[120.0].restore(kept[1], latest=float("inf"), keeps=lambda _: True)
        join.add(one) if isinstance(one, Record) else join.say(one)
        for row in join.advance(at) if chance.random() < 0.3 else ():
            if row.truth and row.truth.horizon:
                folds[row.truth.horizon].add_row(row)
    for row in join.advance(float("inf")):
        if row.truth and row.truth.horizon:
            folds[row.truth.horizon].add_row(row)
    (monitor,) = folds[120.0].monitors
    live = msgspec.json.decode(msgspec.json.encode(monitor.findings()))
    found = {(one["name"], one["metric"]): one for one in document(capsys, *files)["experiments"]}
    assert [found["soon", one["metric"]] for one in live] == live
    assert found["soon", "sold"]["effect"] == pytest.approx(-1 / 3, abs=0.01)
    assert found["late", "sold"]["effect"] == pytest.approx(0.0, abs=0.01)
    assert found["soon", "right"]["samples"] < found["soon", "sold"]["samples"] == count // 2
    chunks = document(capsys, *files, "--chunks", "2")["chunks"]
    samples = [{one["name"]: one["samples"] for one in chunk["experiments"]} for chunk in chunks]
    assert samples[0]["late"] + 24 == samples[0]["soon"] == count // 4 - 6


def test_chunks_say_what_was_due_by_then(capsys, files) -> None:
    """A record's outcome is known ten minutes after it; the end makes the rest due."""
    found = document(capsys, *files, "--chunks", "4")
    counts = [
        max((one["labels"] for one in chunk["quality"]), default=0) for chunk in found["chunks"]
    ]
    assert counts == [126, 306, 486, 720]
    assert found["chunks"][-1]["quality"] == found["quality"]


def test_without_feedback_nothing_is_said_of_outcomes(capsys, tmp_path: Path) -> None:
    """Records alone are judged as ever."""
    (tmp_path / "r.jsonl").write_bytes(b"\n".join(map(encode_record, exchanges(300))))
    found = document(capsys, str(tmp_path / "r.jsonl"))
    assert "quality" not in found
    assert "calibration" not in found


def test_feedback_of_a_table_is_bad_usage(capsys, files, tmp_path: Path) -> None:
    """One line that says what is right."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    assert main(["replay", str(tmp_path / "t.csv"), *files[1:]]) == 2
    assert "--feedback: is for records" in capsys.readouterr().err


def test_a_line_of_feedback_that_is_none_is_named(capsys, files, tmp_path: Path) -> None:
    """With its place; the others count."""
    with (tmp_path / "said.jsonl").open("a") as stream:
        stream.write('\n{"id": "r1"}\n')
    found = document(capsys, *files)
    assert any("said.jsonl" in one["place"] for one in found["unreadable"])
    assert found["quality"]


def test_feedback_is_joined_where_the_key_is_not_at_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has an archive and labels need not have the key; what cannot be joined then is said."""
    arguments = written(tmp_path, exchanges(50), labels(50))
    with_key = document(capsys, *arguments)
    (tmp_path / "privacy.key").unlink()
    assert document(capsys, *arguments) == with_key
    assert main(["replay", *arguments]) == 0
    assert "key file" not in capsys.readouterr().err
    for number in (1, 2):
        with (tmp_path / "said.jsonl").open("a") as file:
            file.write(f'\n{{"business": {{"user": "ada{number}@example.org"}}, "label": "1"}}')
    assert main(["replay", *arguments, "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert err.count("there is no such key file") == 1
    assert "there is no such key file" in json.loads(out)["remarks"][0]


def test_who_is_not_heard_and_what_comes_too_late_is_said(capsys, tmp_path: Path) -> None:
    """A correction after the record was counted, and a record without a label: who reads how good
    answers were knows of how many."""
    records, said = exchanges(150), labels(150)
    late = [{**one, "at": one["at"] + 1000, "key": one["key"] + "b"} for one in said[:30]]
    found = document(capsys, *written(tmp_path, records, said + late))
    remarks = [one for one in found["remarks"] if one.startswith("feedback: ")]
    assert [one.split(" after")[0] for one in remarks] == [
        "feedback: 30 items came more than 600 s (outcomes.wait)",
        "feedback: 15 of 150 records have no label, and none is guessed",
    ]
