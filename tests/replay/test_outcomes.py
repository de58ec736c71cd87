"""Replay with truth: the command, its document, its exit codes and its reports."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.findings import Finding, Quality
from monitor.replay.document import Confusion, Replay
from monitor.replay.outcomes import conditions, confused

Write = Callable[..., str]
WHOLE = ("all", "all")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """(name, header, rows) → a CSV file."""

    def written(name: str, header: list[str], rows: Iterable[Iterable[object]]) -> str:
        path = tmp_path / name
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(header)
            writer.writerows(rows)
        return str(path)

    return written


def classified(count: int, seed: int = 1, worse_from: int = 10**9) -> list[tuple[Any, ...]]:
    """(site, score, said, true) of a calibrated classifier; from some row on it guesses."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        score = round(rng.betavariate(0.6, 0.6), 4)
        chance = 0.5 if number >= worse_from else score
        rows.append((rng.choice("ab"), score, int(score >= 0.5), int(rng.random() < chance)))
    return rows


HEADER = ["site", "p", "said", "paid"]
TRUTH = ["--score", "p", "--prediction", "said", "--label", "paid"]


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["replay", *arguments, "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def of(
    entries: list[dict[str, Any]], segment: tuple[str, str] = WHOLE
) -> dict[str, dict[str, Any]]:
    return {one["measure"]: one for one in entries if (one["dimension"], one["value"]) == segment}


def test_a_score_and_a_label_need_no_reference(capsys, write: Write) -> None:
    """Every measure of the whole and of each site, as scikit-learn has it, in its interval."""
    from sklearn import metrics

    rows = classified(3000)
    path = write("t.csv", HEADER, rows)
    found = document(capsys, path, *TRUTH, "--by", "site")
    assert "performance" not in found
    for segment, some in ((WHOLE, rows), (("site", "a"), [row for row in rows if row[0] == "a"])):
        quality = of(found["quality"], segment)
        _, scores, said, true = zip(*some, strict=True)
        assert quality["accuracy"]["number"] == metrics.accuracy_score(true, said)
        assert quality["precision"]["number"] == metrics.precision_score(true, said)
        assert quality["recall"]["number"] == metrics.recall_score(true, said)
        assert quality["f1"]["number"] == pytest.approx(metrics.f1_score(true, said))
        assert quality["log_loss"]["number"] == pytest.approx(metrics.log_loss(true, scores))
        area = metrics.roc_auc_score(true, scores)
        assert quality["auc"]["lower"] < area < quality["auc"]["upper"]
        assert quality["auc"]["number"] == pytest.approx(area, abs=1e-3)
        assert {one["labels"] for one in quality.values()} == {len(some)}
    recalls = {one["class"]: one for one in found["class_quality"] if one["measure"] == "recall"}
    assert set(recalls) == {"0", "1"}
    said, true = ([row[place] for row in rows] for place in (2, 3))
    matrix = metrics.confusion_matrix(true, said).tolist()
    assert found["confusion"] == {"classes": ["0", "1"], "now": matrix}
    beside = document(capsys, path, *TRUTH, "--reference", path)["confusion"]
    assert beside == {"classes": ["0", "1"], "now": matrix, "before": matrix}


def test_the_confusion_of_more_than_ten_classes_is_not_told() -> None:
    """Nor of one alone, or where nothing is known now; a class of one side counts for both."""
    ten = {(str(n), str(n)): 1 for n in range(10)}
    assert confused({}, ten) == Confusion([str(n) for n in range(10)], [
        [int(true == said) for said in range(10)] for true in range(10)
    ])  # fmt: skip
    assert confused({("x", "x"): 1}, ten) is None
    assert confused(ten, {}) is None
    assert confused({}, {("a", "a"): 3}) is None


def test_chunks_say_what_was_known_at_their_end(capsys, write: Write) -> None:
    """Cumulative: the last chunk says what the whole says, and each what its beginning alone
    says."""
    rows = classified(2000)
    found = document(capsys, write("t.csv", HEADER, rows), *TRUTH, "--chunks", "4")
    assert found["chunks"][-1]["quality"] == found["quality"]
    labels = [of(chunk["quality"])["accuracy"]["labels"] for chunk in found["chunks"]]
    for chunk in found["chunks"]:  # also of what is not asked for
        assert chunk["fairness"] == chunk["experiments"] == []
    assert labels == [500, 1000, 1500, 2000]
    half = document(capsys, write("half.csv", HEADER, rows[:1000]), *TRUTH)
    assert [one["number"] for one in found["chunks"][1]["quality"]] == [
        one["number"] for one in half["quality"]
    ]


def test_days_lose_no_row_of_any_outcome(capsys, write: Write) -> None:
    """What is said of the whole is the same with days as without, and the last day says that, too;
    rows in any order are judged as in order of time."""
    rows = sorted(
        (f"2026-01-{1 + n // 200:02}T00:{n % 60:02}Z", site, p, said, int(site == "b") ^ true)
        for n, (site, p, said, true) in enumerate(classified(1000))
    )
    asked = [
        *TRUTH, "--timestamp", "at", "--protected", "site", "--experiment", "site=a",
        "--slices", "2",
    ]  # fmt: skip
    of_outcomes = ("quality", "calibration", "fairness", "experiments", "slices")
    whole = document(capsys, write("t.csv", ["at", *HEADER], rows), *asked)
    assert all(whole[name] for name in of_outcomes)
    days = document(capsys, write("t.csv", ["at", *HEADER], rows), *asked, "--chunks", "day")
    mixed = sorted(rows, key=lambda row: row[0][11:])  # by the minute, of all days together
    other = document(capsys, write("m.csv", ["at", *HEADER], mixed), *asked, "--chunks", "day")
    for name in of_outcomes:
        assert days[name] == whole[name]
        assert days["chunks"][-1][name] == whole[name]
        # Slices are searched for among rows that their numbers choose.
        assert other[name] == whole[name] or name == "slices"
    first = document(capsys, write("d.csv", ["at", *HEADER], rows[:200]), *asked)
    assert days["chunks"][0]["fairness"] == first["fairness"]


def test_scores_that_are_too_sure_fail_on_calibration(capsys, write: Write, tmp_path: Path) -> None:
    """Calibrated ones do not. The tolerance is the setting's; the page has the numbers."""
    rows = [
        (site, round(p**3 / (p**3 + (1 - p) ** 3), 4), said, true)
        for site, p, said, true in classified(2500)
    ]
    sure = write("sure.csv", HEADER, rows)
    page = tmp_path / "page.html"
    arguments = ["--fail-on", "calibration", "--html", str(page)]
    assert main(["replay", sure, *TRUTH, *arguments]) == 1
    assert "temperature" in capsys.readouterr().out
    assert "<h2>Calibration</h2>" in page.read_text()
    (one,) = document(capsys, sure, *TRUTH)["calibration"]
    assert one["status"] == "alarm"
    assert one["temperature"] == pytest.approx(3, abs=0.4)
    assert main(["replay", write("t.csv", HEADER, classified(2500)), *TRUTH, *arguments]) == 0
    lax = tmp_path / "lax.yaml"
    lax.write_text("calibration: {tolerance: 0.4}\n")
    assert main(["replay", sure, *TRUTH, *arguments, "--config", str(lax)]) == 0


def test_a_tolerance_above_the_share_of_positives_is_said(capsys, write: Write) -> None:
    """Of one in a hundred nobody's score is off by two points: `ok` would say nothing."""
    rows = [(0.001, int(number % 100 == 7)) for number in range(600)]
    found = document(capsys, write("t.csv", ["p", "paid"], rows), "--score", "p", "--label", "paid")
    assert found["calibration"][0]["status"] == "ok"
    (said,) = (one for one in found["remarks"] if one.startswith("calibration: "))
    assert said.startswith(
        "calibration: 1 % of the labels are positive, and scores may be off by 0.02"
    )
    assert "say calibration.tolerance: 0.002 in" in said


def test_groups_of_a_protected_column_are_compared(capsys, write: Write, tmp_path: Path) -> None:
    """One group needs a higher score: its selection rate is an alarm, also without labels; where
    both need the same there is none."""

    def rows(needs: float) -> list[tuple[Any, ...]]:
        some = classified(1200)
        return [
            (site, p, int(p > (needs if site == "a" else 0.5)), true) for site, p, _, true in some
        ]

    header = ["sex", *HEADER[1:]]
    page = tmp_path / "page.html"
    unfair = write("unfair.csv", header, rows(0.9))
    more = ["--protected", "sex", "--fail-on", "fairness", "--html", str(page)]
    assert main(["replay", unfair, *TRUTH, *more]) == 1
    assert "selection_rate" in page.read_text()
    assert main(["replay", unfair, "--prediction", "said", *more]) == 1
    assert main(["replay", write("fair.csv", header, rows(0.5)), *TRUTH, *more]) == 0
    found = document(capsys, unfair, *TRUTH, "--protected", "sex", "--chunks", "2")
    gaps = {one["measure"]: one for one in found["fairness"] if one["value"] == "a"}
    assert gaps["selection_rate"]["gap"] < -0.2
    assert gaps["selection_rate"]["upper"] < 0
    assert found["chunks"][-1]["fairness"] == found["fairness"]


def test_intersections_of_two_columns_are_compared(capsys, write: Write, tmp_path: Path) -> None:
    """A gap that neither of them has alone fails a run that asks for it; a column that is in no
    table is named."""
    chance, rows = random.Random(7), []
    for _ in range(6000):
        sex, branch = chance.choice("fm"), chance.choice(["north", "south"])
        rate = 0.25 if (sex == "f") == (branch == "north") else 0.55
        rows.append((sex, branch, int(chance.random() < rate)))
    path = write("people.csv", ["sex", "branch", "said"], rows)
    alone = ["--prediction", "said", "--protected", "sex", "--fail-on", "fairness"]
    assert main(["replay", path, *alone]) == 0
    assert main(["replay", path, *alone, "--intersection", "sex", "branch"]) == 1
    capsys.readouterr()
    found = document(capsys, path, *alone[:4], "--by", "branch", "--intersection", "sex", "branch")
    places = {(one["dimension"], one["value"]): one["status"] for one in found["fairness"]}
    assert places == {
        ("sex", "f"): "ok", ("sex", "m"): "ok",
        **{("sex|branch", value): "alarm" for value in ("f|north", "f|south", "m|north", "m|south")},
    }  # fmt: skip
    assert main(["replay", path, *alone[:2], "--intersection", "sex", "bramch"]) == 2
    assert "--intersection: no table has a column 'bramch'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "config", "message"),
    [
        (["--intersection", "site", "site"], "", "--intersection: give two names, each of"),
        (["--intersection", "site", " "], "", "--intersection: give two names, each of"),
        (
            ["--intersection", "site", "sex", "--intersection", "sex", "site"], "",
            "--intersection: 'sex and site' are named twice; once will do",
        ),
        (["--intersection", "paid", "said"], "", "--intersection: 'paid' is the truth, so it"),
        (["--intersection", "site", "said"], "", "--intersection: 'said' is what the model said"),
        (["--intersection", "p", "site"], "", "--intersection: 'p' is the score, so it makes no"),
        (["--protected", "paid"], "", "--protected: 'paid' is the truth, so it makes no groups"),
        ([], "intersections: [[site, paid]]", "fairness.intersections: 'paid' is the truth"),
        ([], "dimensions: [said]", "fairness.dimensions: 'said' is what the model said"),
    ],
)  # fmt: skip
def test_what_makes_no_groups_is_refused(
    options: list[str], config: str, message: str, capsys, write: Write
) -> None:
    """A pair of one column, a pair twice, and groups that are made of what became of them: the
    truth treats nobody."""
    path = write("one.csv", ["sex", *HEADER], [("f", *row) for row in classified(20)])
    settings = Path(path).with_name("monitor.yaml")
    settings.write_text(f"fairness: {{{config}}}\n")
    assert main(["replay", path, *TRUTH, *options, "--config", str(settings)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_an_intersection_without_outcomes_is_refused(capsys, write: Write) -> None:
    """Nobody could be treated otherwise in a table that does not tell what became of its rows."""
    path = write("one.csv", ["sex", *HEADER], [("f", *row) for row in classified(20)])
    assert main(["replay", path, "--intersection", "sex", "site"]) == 2
    assert "needs a --prediction, a --label or a --score" in capsys.readouterr().err


def test_an_alarm_of_quality_fails_where_it_is_named(capsys, write: Write) -> None:
    """A classifier that begins to guess: exit 1 with `--fail-on quality`, 0 with `drift`, which
    there is none of; the report says what changed."""
    path = write("t.csv", HEADER, classified(4000, worse_from=2000))
    arguments = ["replay", path, "--score", "p", "--prediction", "said", "--label", "paid",
                 "--ignore", "site"]  # fmt: skip
    assert main([*arguments, "--fail-on", "quality"]) == 1
    said = capsys.readouterr().out
    assert "alarm" in said
    assert "accuracy drifted" in said
    assert "1970" not in said  # a table without times has no dates
    assert main([*arguments, "--fail-on", "drift,insufficient"]) == 0
    steady = write("s.csv", HEADER, classified(4000))
    assert main(["replay", steady, *TRUTH, "--fail-on", "quality,drift"]) == 0


def test_the_reference_is_what_quality_is_compared_with(capsys, write: Write) -> None:
    """Labels of the reference are what is usual: worse ones are an alarm from the first row on."""
    usual = write("usual.csv", HEADER, classified(2000))
    now = write("now.csv", HEADER, classified(600, 2, worse_from=0))
    found = document(capsys, now, *TRUTH, "--reference", usual)
    assert of(found["quality"])["accuracy"]["status"] == "alarm"
    same = document(
        capsys, write("same.csv", HEADER, classified(600, 3)), *TRUTH, "--reference", usual
    )
    assert of(same["quality"])["accuracy"]["status"] == "ok"
    assert same["performance"]["realized"]["accuracy"] == pytest.approx(
        of(same["quality"])["accuracy"]["number"]
    )


def test_numbers_and_texts(capsys, write: Write) -> None:
    """Errors of a regression; exact match and shared words of answers."""
    rng = random.Random(4)
    rows = [
        (f"{(true := rng.gauss(0, 3)) + rng.gauss(0, 1):.3f}", f"{true:.3f}") for _ in range(800)
    ]
    found = document(
        capsys, write("n.csv", ["y_hat", "y"], rows), "--prediction", "y_hat", "--label", "y"
    )
    quality = of(found["quality"])
    errors = [float(said) - float(true) for said, true in rows]
    assert quality["mae"]["number"] == pytest.approx(sum(map(abs, errors)) / 800)
    assert quality["rmse"]["number"] == pytest.approx((sum(e * e for e in errors) / 800) ** 0.5)
    texts = [
        (f"The total of order {n} is {n} euros", f"the total of order {n} is {n + n % 2} euros")
        for n in range(300)
    ]
    found = document(
        capsys, write("x.csv", ["said", "true"], texts), "--prediction", "said", "--label", "true"
    )
    quality = of(found["quality"])
    assert quality["exact_match"]["number"] == 0.5
    assert quality["token_overlap"]["number"] > 0.9


def test_odd_labels_have_a_sentence_each(capsys, write: Write) -> None:
    """One class only, none at all, another kind than the prediction, a score that is none: nothing
    raises, and a remark says it."""
    one = document(
        capsys, write("one.csv", HEADER, [(*row[:3], 1) for row in classified(300)]), *TRUTH
    )
    assert of(one["quality"])["auc"]["number"] is None
    assert "--label: all labels are of one class, so there is no AUC" in one["remarks"]
    none = document(
        capsys, write("none.csv", HEADER, [(*row[:3], "") for row in classified(300)]), *TRUTH
    )
    assert none["quality"] == []
    assert "--label: 300 of 300 rows have no label" in none["remarks"]
    odd = [(row[0], row[1], row[1] * 7, "yes" if row[3] else "no") for row in classified(300)]
    kind = document(
        capsys, write("kind.csv", HEADER, odd), "--prediction", "said", "--label", "paid"
    )
    assert (
        "--label: 300 of 300 rows have a label of another kind than the prediction"
        in kind["remarks"]
    )
    wild = [(row[0], row[1] * 40, *row[2:]) for row in classified(300)]
    said = document(capsys, write("wild.csv", HEADER, wild), *TRUTH)["remarks"]
    assert any("have a score that is no probability from 0 to 1" in remark for remark in said)


def test_another_positive_label(capsys, write: Write) -> None:
    """Scores are the probability of the label that `--positive` names, or the setting."""
    rows = [
        (site, p, "yes" if said else "no", "yes" if true else "no")
        for site, p, said, true in classified(800)
    ]
    path = write("t.csv", HEADER, rows)
    named = of(document(capsys, path, *TRUTH, "--positive", "yes")["quality"])
    wrong = document(capsys, path, *TRUTH)
    assert "--positive: no label is '1', so scores are not compared with any" in wrong["remarks"]
    usual = of(document(capsys, write("u.csv", HEADER, classified(800)), *TRUTH)["quality"])
    assert {name: one["number"] for name, one in named.items()} == {
        name: one["number"] for name, one in usual.items()
    }


def test_tables_with_types_say_the_same(capsys, write: Write, tmp_path: Path) -> None:
    """Whole numbers and truth values of Parquet and JSON are the classes that CSV spells."""
    from pyarrow import csv as tables
    from pyarrow import parquet

    plain = write("t.csv", HEADER, classified(900))
    asked = [*TRUTH, "--protected", "site", "--experiment", "site=a"]
    usual = document(capsys, plain, *asked)
    table = tables.read_csv(plain)
    parquet.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    for place in (2, 3):
        table = table.set_column(place, HEADER[place], table.column(place).cast("bool"))
    parquet.write_table(table, tmp_path / "flags.parquet")
    for name in ("t.parquet", "t.jsonl", "flags.parquet"):
        found = document(capsys, str(tmp_path / name), *asked, "--positive", "True")
        for key in ("quality", "calibration", "fairness", "experiments"):
            assert found[key] == usual[key], (name, key)


@pytest.mark.parametrize("positive", ["1.0", "true", " 1"])
def test_a_positive_label_has_any_spelling(capsys, write: Write, positive: str) -> None:
    """As labels and predictions have."""
    path = write("t.csv", HEADER, classified(800))
    found = document(capsys, path, *TRUTH, "--positive", positive)
    assert found["quality"] == document(capsys, path, *TRUTH)["quality"]


def test_labels_that_are_no_predictions_are_told(capsys, write: Write) -> None:
    """Nothing is right where they name other classes, and the sentence says why."""
    rows = [(*row[:3], f"class {row[3]}") for row in classified(300)]
    said = document(capsys, write("t.csv", HEADER, rows), *TRUTH)["remarks"]
    assert (
        "--label: labels and predictions have no class in common; labels are such as 'class 0', "
        "predictions such as '0'"
    ) in said
    assert "--positive: no label is '1', so scores are not compared with any" in said
    assert not any("of one class" in remark for remark in said)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--label", "paid", "--fail-on", "quality"], "--fail-on quality: needs a --label, and a"),
        (["--fail-on", "drift,fairness"], "--fail-on fairness: needs a --protected"),
        ([*TRUTH[2:], "--fail-on", "calibration"], "--fail-on calibration: needs a --label and a"),
        ([*TRUTH, "--fail-on", "coverage"], "--fail-on coverage: needs records"),
        ([*TRUTH, "--fail-on", "experiment"], "--fail-on experiment: needs an --experiment"),
        (["--label", "paid", "--prediction", "paid"], "--label: 'paid' is what the model said"),
        ([*TRUTH, "--experiment", "site=A"], "--experiment site=A: no row with something to"),
    ],
)
def test_what_nothing_could_be_found_by_is_refused(
    capsys, write: Write, asked: list[str], sentence: str
) -> None:
    """A run that may fail on something must be able to."""
    assert main(["replay", write("t.csv", HEADER, classified(50)), *asked]) == 2
    assert sentence in capsys.readouterr().err


def test_labels_that_are_missing_are_insufficient(capsys, write: Write) -> None:
    """A run that asks for enough to judge fails where there is no label to judge by."""
    path = write("t.csv", HEADER, [(*row[:3], "") for row in classified(3000)])
    assert main(["replay", path, *TRUTH]) == 0
    assert main(["replay", path, *TRUTH, "--fail-on", "insufficient"]) == 1
    assert main(["replay", path, "--fail-on", "insufficient", "--ignore", "paid"]) == 0
    capsys.readouterr()
    assert main(["replay", path, "--label", "paid"]) == 0
    assert "there is no --prediction or --score" in capsys.readouterr().err


def test_a_number_beyond_all_is_a_group_of_others(capsys, tmp_path: Path) -> None:
    """JSON has integers without end."""
    path = tmp_path / "t.jsonl"
    rows = ({"said": number % 2, "paid": 1, "site": 10**400} for number in range(40))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = document(capsys, str(path), *TRUTH[2:], "--protected", "site", "--by", "site")
    assert {one["value"] for one in found["quality"]} == {"all", "other"}


def test_the_html_page_shows_quality(capsys, write: Write, tmp_path: Path) -> None:
    """With its intervals, and how it went from chunk to chunk."""
    page = tmp_path / "page.html"
    path = write("t.csv", HEADER, classified(1500))
    assert main(["replay", path, *TRUTH, "--chunks", "3", "--html", str(page)]) == 0
    said = page.read_text()
    assert "<h2>Quality</h2>" in said
    assert "quality so far" in said
    assert "expected" in said
    assert "accuracy 0." in said


def test_thousands_of_groups_are_measured_within_the_budget(capsys, write: Write) -> None:
    """As of every dimension, the most frequent values stand for themselves, the rest is `other`."""
    rows = [(f"g{number}", *row[1:]) for number, row in enumerate(classified(3000))]
    found = document(capsys, write("t.csv", HEADER, rows), *TRUTH, "--by", "site")
    values = {one["value"] for one in found["quality"] if one["dimension"] == "site"}
    assert len(values) <= 51
    assert sum(of(found["quality"], ("site", one))["accuracy"]["labels"] for one in values) == 3000


@pytest.mark.parametrize(
    ("found", "named"),
    [
        (Replay("ok", 1, []), set()),
        (Replay("drift", 1, [Finding("x", "all", "all", 1, 1, {}, 0.0, "drift")]), {"drift"}),
        (Replay("drift", 1, [Finding("x", "site", "a", 1, 1, {}, 0.0, "drift")]),
         {"drift", "segment_drift"}),
        (Replay("insufficient", 1, []), {"insufficient"}),
        (Replay("ok", 1, [], quality=[Quality(*WHOLE, "mae", 1.0, None, None, 9, "alarm")]),
         {"quality"}),
        (Replay("ok", 1, [], quality=[Quality(*WHOLE, "mae", 1.0, None, None, 9, "ok")]), set()),
    ],
)  # fmt: skip
def test_what_a_run_may_fail_on(found: Replay, named: set[str]) -> None:
    """Each condition by itself."""
    assert conditions(found) == named


def test_an_unknown_condition_is_bad_usage(capsys, write: Write) -> None:
    """One line that names what there is."""
    with pytest.raises(SystemExit) as ended:
        main(["replay", "t.csv", "--fail-on", "drift,quallity"])
    assert ended.value.code == 2
    assert "'quallity' is not one of drift, segment_drift" in capsys.readouterr().err
