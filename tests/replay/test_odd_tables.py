"""Tables as people have them: what `monitor replay` says of each, and never `ok` of what it could
not read."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor.cli import main
from monitor.types import SPECIAL

ROWS = 380
pytestmark = pytest.mark.usefixtures("quickest")


def judge(capsys: pytest.CaptureFixture[str], current: Path, *options: str) -> dict[str, Any]:
    code = main(["replay", str(current), *options, "--json", "-", "--fail-on", "drift"])
    said = capsys.readouterr()
    found: dict[str, Any] = json.loads(said.out)
    assert code == (found["verdict"] == "drift")
    assert found.pop("compared")["sources"] == [str(current)]  # the rest depends on no name
    return found


def status(found: dict[str, Any]) -> dict[str, str]:
    return {one["feature"]: one["status"] for one in found["features"]}


def csv_of(path: Path, columns: dict[str, Sequence[Any]], delimiter: str = ",") -> Path:
    def quoted(value: Any) -> str:
        text = "" if value is None else str(value)
        return f'"{text}"' if delimiter in text or '"' in text else text

    lines = [delimiter.join(columns)]
    lines += [delimiter.join(map(quoted, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def jsonl_of(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def parquet_of(path: Path, columns: dict[str, Any]) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def arrow_of(path: Path, columns: dict[str, Any]) -> Path:
    table = pa.table(columns)
    with pa.ipc.new_file(str(path), table.schema) as out:
        out.write_table(table)
    return path


def gauss(seed: int, mean: float = 28.0, rows: int = ROWS) -> list[float]:
    rng = random.Random(seed)
    return [round(rng.gauss(mean, 1.5), 2) for _ in range(rows)]


# --- numbers as people write them ----------------------------------------------------------------


def swiss(value: float) -> str:
    return f"{1000 * value:,.2f}".replace(",", "'")


ARABIC = str.maketrans("0123456789.,", "٠١٢٣٤٥٦٧٨٩٫٬")
PERSIAN = str.maketrans("0123456789.", "۰۱۲۳۴۵۶۷۸۹٫")

SPELLINGS: dict[str, tuple[Callable[[float], str], str]] = {
    "decimal comma": (lambda x: f"{x:.2f}".replace(".", ","), ";"),
    "decimal comma, quoted": (lambda x: f"{x:.2f}".replace(".", ","), ","),
    "German": (lambda x: f"{1000 * x:,.2f}".translate(str.maketrans(".,", ",.")), ";"),
    "English": (lambda x: f"{1000 * x:,.2f}", ";"),
    "Swiss": (swiss, ","),
    "French": (lambda x: swiss(x).replace("'", "\u202f").replace(".", ","), ";"),
    "Indian": (lambda x: f"1,{x + 10:.0f},{random.Random(x).randrange(1000):03}.50", ","),
    "whole thousands": (lambda x: f"{round(1000 * x) - 27_000:,}", ","),
    "dollars": (lambda x: f"${x:.2f}", ","),
    "euros behind": (lambda x: f"{x:.2f} €".replace(".", ","), ";"),
    "a code": (lambda x: f"CHF {x:.2f}", ","),
    "percent": (lambda x: f"{x:.1f} %", ","),
    "accounting": (lambda x: f"({-x + 28:.2f})" if x < 28 else f"{x - 28:.2f}", ","),
    "trailing minus": (lambda x: f"{28 - x:.2f}-" if x < 28 else f"{x - 28:.2f}", ","),
    "exponents": (lambda x: f"{x:.3e}", ","),
    "spaces around": (lambda x: f"  {x:.2f} ", ","),
    "plus": (lambda x: f"{x:+.2f}", ","),
    "European percent": (lambda x: f"{x:.1f}\u00a0%".replace(".", ","), ";"),
    "several signs of groups": (
        lambda x: f"{1000 * x:,.2f}".replace(",", random.Random(x).choice(",' \u202f")), ";",
    ),
    "Arabic": (lambda x: f"{1000 * x:,.2f}".translate(ARABIC), ","),
    "Persian percent": (lambda x: f"{x:.1f}٪".translate(PERSIAN), ","),
    "full width": (lambda x: "".join(chr(ord(sign) + 0xFEE0) for sign in f"{x:.2f}"), ","),
    "euros as accounts have them": (
        lambda x: (f"({28 - x:.2f}) €" if x < 28 else f"{x - 28:.2f} €").replace(".", ","), ";",
    ),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_numbers_in_any_spelling(capsys, tmp_path: Path, spelling: str) -> None:
    """28 to 31 is drift with its size, two standard deviations; 28 to 28 is none."""
    write, delimiter = SPELLINGS[spelling]
    usual, same, moved = (
        csv_of(tmp_path / f"{seed}.csv", {"x": list(map(write, gauss(seed, mean)))}, delimiter)
        for seed, mean in ((1, 28.0), (2, 28.0), (3, 31.0))
    )
    assert judge(capsys, same, "--reference", str(usual))["verdict"] == "ok"
    found = judge(capsys, moved, "--reference", str(usual))
    assert (found["verdict"], found["columns"]["x"][:7]) == ("drift", "numeric")
    (x,) = found["features"]
    size = float(x["words"].partition("mean up ")[2].partition(" sd")[0])
    assert size == pytest.approx(2.0, abs=0.3)


def test_two_tables_written_in_two_ways(capsys, tmp_path: Path) -> None:
    """The reference says how to read: what is written otherwise is of a wrong type, and counted."""
    paths = [
        csv_of(tmp_path / f"{name}.csv", {"x": list(map(SPELLINGS[name][0], gauss(1)))}, ";")
        for name in ("German", "English")
    ]
    for one, other in (paths, paths[::-1]):
        found = judge(capsys, one, "--reference", str(other))
        assert found["verdict"] == "drift"
        assert found["unreadable"][0]["count"] == ROWS


def test_a_sign_that_nobody_can_tell_is_said(capsys, tmp_path: Path) -> None:
    """1,234 is read one way, the same in both tables, and the report says which."""
    rng = random.Random(1)
    texts = [f"{rng.randrange(1000, 9999):,}" for _ in range(ROWS)]
    path = csv_of(tmp_path / "t.csv", {"x": texts})
    found = judge(capsys, path, "--reference", str(path))
    assert "x: 1,234 can be read in two ways; it was read as 1234" in found["remarks"]


@pytest.mark.parametrize("way", [str, lambda at: str(pd.Timedelta(at)), lambda at: f"{at}.250"])
def test_durations_are_seconds_however_they_are_written(capsys, tmp_path: Path, way) -> None:
    """Hours, minutes and seconds as people, Python and pandas write them; over a day, too."""
    spans = [timedelta(seconds=round(3600 * value)) for value in gauss(1, rows=600)]
    path = csv_of(tmp_path / "t.csv", {"took": [way(one) for one in spans]})
    found = judge(capsys, path, "--reference", str(path))
    assert found["columns"] == {"took": "numeric, H:MM:SS"}
    longer = csv_of(tmp_path / "n.csv", {"took": [way(2 * one) for one in spans]})
    assert judge(capsys, longer, "--reference", str(path))["verdict"] == "drift"
    typed = parquet_of(tmp_path / "t.parquet", {"took": spans})
    assert judge(capsys, typed, "--reference", str(path))["verdict"] == "ok"
    assert not judge(capsys, path, "--reference", str(path)).get("unreadable")


# --- times ---------------------------------------------------------------------------------------

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = [START + timedelta(hours=hour) for hour in range(0, 744, 2)]
"""Of January, every other one: twelve a day."""
TIMES: dict[str, Callable[[datetime], Any]] = {
    "day first": lambda at: f"{at:%d/%m/%Y %H:%M}",
    "month first": lambda at: f"{at:%m/%d/%Y %H:%M}",
    "day first, dashes": lambda at: f"{at:%d-%m-%Y %H:%M:%S}",
    "day first, short year": lambda at: f"{at:%d/%m/%y %H:%M}",
    "points": lambda at: f"{at:%d.%m.%Y %H:%M}",
    "afternoon": lambda at: f"{at:%m/%d/%Y %I:%M %p}",
    "names": lambda at: f"{at:%d-%b-%Y %H:%M}",
    "ISO with a space before the offset": lambda at: f"{at:%Y-%m-%d %H:%M:%S} +0000",
    "ISO with a comma": lambda at: f"{at:%Y-%m-%dT%H:%M:%S},500+00",
    "access logs": lambda at: f"{at:%d/%b/%Y:%H:%M:%S} +0000",
    "ISO basic": lambda at: f"{at:%Y%m%dT%H%M%S}Z",
    "offsets that change": lambda at: (
        (at + timedelta(hours=1 + (at.day > 15)))
        .replace(tzinfo=timezone(timedelta(hours=1 + (at.day > 15))))
        .isoformat()
    ),
    "seconds": lambda at: int(at.timestamp()),
    "milliseconds": lambda at: int(at.timestamp() * 1e3),
    "microseconds": lambda at: int(at.timestamp() * 1e6),
    "nanoseconds": lambda at: int(at.timestamp()) * 10**9,
    "typed": lambda at: at,
}


@pytest.mark.parametrize("form", TIMES)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_times_in_any_form(capsys, tmp_path: Path, form: str, kind: str) -> None:
    """All lie in January, whatever the first twelve days look like; a column of times that nobody
    named gets the remark that time passes, and bins that are called by dates."""
    columns = {"at": [TIMES[form](at) for at in HOURS], "x": gauss(1, rows=len(HOURS))}
    write = csv_of if kind == "csv" else parquet_of
    path = write(tmp_path / f"t.{kind}", columns)
    options = ["--reference", str(path)]
    found = judge(capsys, path, *options, "--timestamp", "at", "--chunks", "1")
    (chunk,) = found["chunks"]
    assert START.timestamp() <= chunk["start"] < START.timestamp() + 1
    assert int(chunk["end"]) == int(HOURS[-1].timestamp())
    assert found["records"] == len(HOURS)
    found = judge(capsys, path, *options)
    assert "times are judged as they stand: say --timestamp or --ignore at" in found["remarks"]
    assert found["columns"]["at"].startswith("datetime")
    bins = next(one["bins"] for one in found["features"] if one["feature"] == "at")
    dated = [one["bin"] for one in bins if one["bin"] not in SPECIAL]
    assert all(re.search(r"\b202[56]-[01][0-9]-[0-3][0-9]\b", one) for one in dated)


def test_words_of_a_drift_of_times_have_dates(capsys, tmp_path: Path) -> None:
    """Days of birth that moved, of people born before 1970."""
    born = [date(1950, 1, 1) + timedelta(days=26 * place) for place in range(240)]
    one = csv_of(tmp_path / "a.csv", {"born": born, "x": gauss(1, rows=240)})
    two = csv_of(tmp_path / "b.csv", {"born": born[-24:] * 10, "x": gauss(2, rows=240)})
    found = judge(capsys, two, "--reference", str(one))
    words = {one["feature"]: one["words"] for one in found["features"]}["born"]
    assert re.search(r"; 196\d-\d\d-\d\d.* to 1967-", words)
    assert "e+08" not in words


@pytest.mark.parametrize("form", ["ISO basic", "seconds", "milliseconds", "typed"])
@pytest.mark.parametrize("other", ["ISO basic", "seconds", "milliseconds", "typed"])
def test_times_in_two_forms_are_the_same(capsys, tmp_path: Path, form: str, other: str) -> None:
    """Numbers of seconds and dates with times; only another unit is another number."""
    one = parquet_of(tmp_path / "a.parquet", {"at": [TIMES[form](at) for at in HOURS]})
    two = parquet_of(tmp_path / "b.parquet", {"at": [TIMES[other](at) for at in HOURS]})
    expected = "drift" if {form, other} == {"seconds", "milliseconds"} else "ok"
    assert judge(capsys, two, "--reference", str(one))["verdict"] == expected


def test_days_as_numbers(capsys, tmp_path: Path) -> None:
    """20260131 is the last of January."""
    days = [int(f"{at:%Y%m%d}") for at in HOURS]
    path = parquet_of(tmp_path / "t.parquet", {"day": days})
    found = judge(capsys, path, "--timestamp", "day", "--chunks", "1", "--to", "2026-02-01")
    assert found["records"] == len(HOURS)


def test_an_order_that_nobody_can_tell_is_said(capsys, tmp_path: Path) -> None:
    """Twelve days, each of which is a month, too."""
    days = [f"{at:%d/%m/%Y}" for at in HOURS[:144]]
    path = csv_of(tmp_path / "t.csv", {"at": days, "x": gauss(1, rows=144)})
    found = judge(capsys, path, "--reference", str(path), "--timestamp", "at")
    assert any(one.startswith("at: no value tells day from month") for one in found["remarks"])


def test_the_other_side_tells_the_order(capsys, tmp_path: Path) -> None:
    """A reference that can be read in two ways is read as what is compared with it must be."""
    early = csv_of(tmp_path / "early.csv", {"at": [f"{at:%d/%m/%Y}" for at in HOURS[:144]]})
    late = csv_of(tmp_path / "late.csv", {"at": [f"{at:%d/%m/%Y}" for at in HOURS[144:]]})
    for one, other in ((early, late), (late, early)):
        found = judge(capsys, one, "--reference", str(other))
        assert found["columns"]["at"] == "datetime, day first"


def test_an_unreadable_time_is_a_row_that_was_not_read(capsys, tmp_path: Path) -> None:
    """Counted and named; the others are judged."""
    texts = [f"{at:%d/%m/%Y}" for at in HOURS] + ["01/31/2026", "soon"]
    path = csv_of(tmp_path / "t.csv", {"at": texts, "x": gauss(1, rows=374)})
    found = judge(capsys, path, "--reference", str(path), "--timestamp", "at")
    assert found["records"] == len(HOURS)
    assert [one["place"] for one in found["unreadable"]] == [f"{path}:374", f"{path}:375"]


# --- columns that come and go --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("how", ["gone", "null"])
def test_a_column_that_is_gone_is_drift(capsys, tmp_path: Path, kind: str, how: str) -> None:
    """Its values are all missing; a new one is said, and not judged."""
    rng = random.Random(1)
    usual: dict[str, Any] = {"race": rng.choices("ab", k=ROWS), "x": gauss(1)}
    now: dict[str, Any] = {"x": gauss(2), "new": rng.choices("ab", k=ROWS)}
    if how == "null":
        now["race"] = [None] * ROWS
    paths = []
    for name, columns in (("usual", usual), ("now", now)):
        path = tmp_path / f"{name}.{kind}"
        if kind == "jsonl":
            rows = [
                dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
            ]
            paths.append(jsonl_of(path, rows))
        else:
            paths.append((csv_of if kind == "csv" else parquet_of)(path, columns))
    found = judge(capsys, paths[1], "--reference", str(paths[0]))
    assert status(found) == {"race": "drift", "x": "ok", "new": "insufficient"}
    reasons = {one["feature"]: one["reason"] for one in found["features"]}
    assert reasons == {"race": "", "x": "", "new": "not in the reference"}
    assert "not in the reference, and so not judged: new" in found["remarks"]


def test_labels_may_come_later(capsys, tmp_path: Path) -> None:
    """The truth is not known yet: no finding, a reason."""
    usual = csv_of(tmp_path / "a.csv", {"x": gauss(1), "paid": [n % 2 for n in range(ROWS)]})
    now = csv_of(tmp_path / "b.csv", {"x": gauss(2)})
    found = judge(capsys, now, "--reference", str(usual), "--label", "paid")
    assert found["verdict"] == "ok"
    assert "in the reference, but did not come: paid" in found["remarks"]


# --- values that are the same --------------------------------------------------------------------


@pytest.mark.parametrize("width", ["float32", "float16"])
@pytest.mark.parametrize("values", [[0.1, 0.2, 0.3, 0.4, 0.5], [n / 10 for n in range(1, 40)],
                                    [1e6 / 3, 1e6 / 7, 12.1], [0.7]])  # fmt: skip
def test_floats_of_another_width_are_the_same(
    capsys, tmp_path: Path, width: str, values: list[float]
) -> None:
    """Whether few values or many recur; and a shift has its true size in words."""
    if width == "float16":
        values = [value for value in values if value < 60_000] or [0.7]
    rng = np.random.default_rng(1)
    one, other = rng.choice(values, 3000), rng.choice(values, 3000).astype(width)
    usual = csv_of(tmp_path / "a.csv", {"x": one.tolist()})
    now = parquet_of(tmp_path / "b.parquet", {"x": other})
    assert judge(capsys, now, "--reference", str(usual))["verdict"] == "ok"
    if len(values) > 3:
        usual_, lower = sorted(values), sorted(values)[: len(values) // 2]
        now = parquet_of(tmp_path / "c.parquet", {"x": rng.choice(lower, 3000).astype(width)})
        (x,) = judge(capsys, now, "--reference", str(usual))["features"]
        size = float(x["words"].partition("mean down ")[2].partition(" sd")[0])
        assert size == pytest.approx((np.mean(usual_) - np.mean(lower)) / np.std(usual_), abs=0.15)


BOOLEANS: dict[str, tuple[Any, Any]] = {
    "words": ("yes", "no"), "letters": ("Y", "N"), "initials": ("t", "f"), "loud": ("TRUE", "FALSE"),
    "figures": ("1", "0"), "German": ("ja", "nein"), "switches": ("on", "off"),
    "Italian": ("Sì", "No"), "Dutch": ("ja", "nee"), "Polish": ("tak", "nie"), "Turkish": ("evet", "hayır"),
    "Russian": ("да", "нет"), "Japanese": ("はい", "いいえ"), "Chinese": ("是", "否"), "marks": ("✓", "✗"),
}  # fmt: skip


@pytest.mark.parametrize("spelling", BOOLEANS)
def test_booleans_in_any_spelling_are_the_same(capsys, tmp_path: Path, spelling: str) -> None:
    """True of a Parquet file is yes, Y, t, ja and, among words, 1."""
    rng = random.Random(1)
    yes, no = BOOLEANS[spelling]
    typed = parquet_of(tmp_path / "a.parquet", {"x": [rng.random() < 0.3 for _ in range(ROWS)]})
    texts = [yes if rng.random() < 0.3 else no for _ in range(ROWS)]
    found = judge(capsys, csv_of(tmp_path / "b.csv", {"x": texts}), "--reference", str(typed))
    assert (found["verdict"], found["columns"]["x"]) == ("ok", "boolean")


@pytest.mark.parametrize(
    "mark", ["", "NA", "N/A", "NaN", "null", "None", "-", "#N/A", "n.a.", "NaT"]
)
def test_missing_values_are_missing_in_every_format(capsys, tmp_path: Path, mark: str) -> None:
    """The same list for CSV, JSON lines and Parquet; a null is one of them."""
    rng = random.Random(1)
    plans = [rng.choice(["a", "b", None]) for _ in range(ROWS)]
    usual = parquet_of(tmp_path / "usual.parquet", {"plan": plans})
    marked = [mark if plan is None else plan for plan in plans]
    for path in (
        csv_of(tmp_path / "t.csv", {"plan": marked, "x": range(1, ROWS + 1)}),
        parquet_of(tmp_path / "t.parquet", {"plan": marked}),
        jsonl_of(tmp_path / "t.jsonl", [{"plan": plan} for plan in marked]),
        arrow_of(tmp_path / "t.arrow", {"plan": marked}),
    ):
        found = judge(capsys, path, "--reference", str(usual))
        assert status(found)["plan"] == "ok", path


def test_types_of_parquet(capsys, tmp_path: Path) -> None:
    """Decimals, dictionaries, times of the day, spans, small floats, unsigned numbers with nulls."""
    rng = random.Random(1)
    ordinals = [rng.randrange(20) for _ in range(ROWS)]

    def columns(shift: int) -> dict[str, Any]:
        values = [value + shift for value in ordinals]
        return {
            "decimal": pa.array([Decimal(value) / 4 for value in values], pa.decimal128(9, 2)),
            "dictionary": pa.array([f"v{value}" for value in values]).dictionary_encode(),
            "numbers": pa.array(values).dictionary_encode(),
            "clock": [time(0, value) for value in values],
            "span": pa.array([timedelta(hours=value) for value in values], pa.duration("ns")),
            "stamp": pa.array(
                [START + timedelta(days=v) for v in values], pa.timestamp("ns", "UTC")
            ),
            "day": [date(2026, 1, 1) + timedelta(days=value) for value in values],
            "half": pa.array(np.array(values, "float16")),
            "gaps": pa.array([None if value % 9 == 0 else value for value in values], pa.uint32()),
            "text": [str(value) for value in values],
        }

    usual, same, moved = (
        parquet_of(tmp_path / f"{place}.parquet", columns(shift))
        for place, shift in enumerate((0, 0, 9))
    )
    assert set(status(judge(capsys, same, "--reference", str(usual))).values()) == {"ok"}
    found = judge(capsys, moved, "--reference", str(usual))
    assert set(status(found).values()) == {"drift"}, status(found)


# --- texts ---------------------------------------------------------------------------------------

ENGLISH = (
    "the parcel did not come and nobody answers my calls about this order please tell me when it "
    "will be here again thank you"
)
GERMAN = (
    "das paket ist nicht da und niemand sagt mir etwas zu dieser bestellung bitte sagen sie mir "
    "wann es endlich da sein wird danke"
)


@pytest.mark.parametrize("lengths", [(3, 6), (6, 12), (4, 30), (20, 40)], ids=str)
def test_texts_are_watched_as_texts(capsys, tmp_path: Path, lengths: tuple[int, int]) -> None:
    """By column, short values as long ones: their words, language and length, although no two are
    alike. Another language is drift, as is another length."""

    def written(seed: int, words: str, longer: int = 1) -> Path:
        rng = random.Random(seed)
        low, high = (longer * length for length in lengths)
        texts = [
            " ".join(rng.choices(words.split(), k=rng.randint(low, high))) for _ in range(ROWS)
        ]
        return jsonl_of(tmp_path / f"{seed}.jsonl", [{"note": text} for text in texts])

    usual = written(1, ENGLISH)
    same = judge(capsys, written(2, ENGLISH), "--reference", str(usual))
    assert same["columns"] == {"note": "text"}
    assert status(same) == dict.fromkeys(
        ("note", "note.language", "note.length", "note.unknown_words"), "ok"
    )
    other = status(judge(capsys, written(3, GERMAN), "--reference", str(usual)))
    assert other["note.language"] == other["note.unknown_words"] == other["note"] == "drift"
    longer = status(judge(capsys, written(4, ENGLISH, longer=3), "--reference", str(usual)))
    assert longer["note.length"] == "drift"


# --- what is no distribution ---------------------------------------------------------------------


def test_what_nearly_always_differs_is_not_judged(capsys, tmp_path: Path) -> None:
    """Ids of every kind: said with the reason, and counted in the verdict; never ok alone."""
    rng = random.Random(1)

    def columns(first: int) -> dict[str, Sequence[Any]]:
        numbers = range(first, first + ROWS)
        return {
            "id": numbers,
            "order_no": rng.sample(range(10**6), ROWS),
            "uuid": [f"{rng.getrandbits(128):032x}" for _ in numbers],
            "name": [f"name {rng.getrandbits(40)}" for _ in numbers],
        }

    usual, now = columns(1), columns(5000)
    one, other = csv_of(tmp_path / "a.csv", usual), csv_of(tmp_path / "b.csv", now)
    found = judge(capsys, other, "--reference", str(one))
    assert found["verdict"] == "insufficient"
    assert {one["reason"] for one in found["features"]} == {"nearly all values differ"}
    one = csv_of(tmp_path / "a.csv", usual | {"x": gauss(1)})
    other = csv_of(tmp_path / "b.csv", now | {"x": gauss(2)})
    assert judge(capsys, other, "--reference", str(one))["verdict"] == "ok"
    main(["replay", str(other), "--reference", str(one), "--html", str(tmp_path / "o.html")])
    said = "4 not judged (id, name, order_no, uuid: nearly all values differ)"
    assert f"ok: 1 of 5 columns judged; {said}" in " ".join(capsys.readouterr().out.split())
    assert said in (tmp_path / "o.html").read_text()


def test_a_column_without_values_is_not_judged(capsys, tmp_path: Path) -> None:
    """Nothing was there, nothing is: that is no verdict. Values that begin to come are drift."""
    none = parquet_of(tmp_path / "a.parquet", {"x": pa.nulls(ROWS)})
    some = parquet_of(tmp_path / "b.parquet", {"x": gauss(1)})
    found = judge(capsys, none, "--reference", str(none))
    assert (found["verdict"], found["features"][0]["reason"]) == ("insufficient", "no values")
    assert judge(capsys, some, "--reference", str(none))["verdict"] == "drift"


def test_ids_that_stay_away_are_drift(capsys, tmp_path: Path) -> None:
    """That they are there can be judged."""
    one = csv_of(tmp_path / "a.csv", {"id": range(ROWS), "x": gauss(1)})
    other = csv_of(tmp_path / "b.csv", {"id": [None] * ROWS, "x": gauss(2)})
    assert status(judge(capsys, other, "--reference", str(one))) == {"id": "drift", "x": "ok"}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_index_of_pandas_is_no_data(capsys, tmp_path: Path, kind: str) -> None:
    """Neither as `__index_level_0__` nor as `Unnamed: 0`, nor as a column without a name."""
    paths = []
    for seed, first in ((1, 0), (2, 5000)):
        frame = pd.DataFrame({"x": gauss(seed)}, index=range(first, first + ROWS))
        frame = frame[frame.x > 25]
        path = tmp_path / f"{seed}.{kind}"
        if kind == "parquet":
            frame.to_parquet(path, index=True)
        elif seed == 1:
            frame.to_csv(path)
        else:
            frame.to_csv(path)
            pd.read_csv(path).to_csv(path)
        paths.append(path)
    found = judge(capsys, paths[1], "--reference", str(paths[0]))
    assert (found["verdict"], status(found)) == ("ok", {"x": "ok"})


# --- what is inside of something -----------------------------------------------------------------


@cache
def nested(seed: int, mean: float, length: int | None = 3) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [
        {
            "plain": rng.choice("ab"),
            "deep": {"down": {"x": rng.gauss(mean, 1)}, "y": rng.choice("ab")},
            "list": [rng.gauss(mean, 1) for _ in range(length or rng.randrange(1, 6))],
            "tags": rng.choices(["x", "y"] if mean < 1 else ["y", "z"], k=rng.randrange(1, 5)),
            "items": [{"price": rng.gauss(mean, 1)} for _ in range(rng.randrange(1, 4))],
        }
        for _ in range(ROWS)
    ]


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "jsonl.gz"])
@pytest.mark.parametrize("length", [3, None])
def test_structs_and_lists_are_looked_into(
    capsys, tmp_path: Path, kind: str, length: int | None
) -> None:
    """Fields by dotted names, vectors as such, of other lists the length and one element."""
    paths = []
    for seed, mean in ((1, 0.0), (2, 0.0), (3, 2.0)):
        path, rows = tmp_path / f"{seed}.{kind}", nested(seed, mean, length)
        if kind == "parquet":
            parquet.write_table(pa.Table.from_pylist(rows), path)
        elif kind == "json":
            path.write_text(json.dumps(rows, indent=1))
        elif kind == "jsonl":
            jsonl_of(path, rows)
        else:
            path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
        paths.append(str(path))
    same = status(judge(capsys, Path(paths[1]), "--reference", paths[0]))
    inside = {"deep.down.x", "list", "tags", "items.price"}
    assert same.keys() >= {*inside, "plain", "deep.y", "tags.length", "items.length"}
    assert set(same.values()) == {"ok"}
    moved = status(judge(capsys, Path(paths[2]), "--reference", paths[0]))
    assert {name for name, found in moved.items() if found == "drift"} == inside


def test_what_is_not_looked_at_is_said(capsys, tmp_path: Path) -> None:
    """A map has no columns, and is counted among what was not judged; so is a column that somebody
    calls an identifier, whatever its values."""
    maps = pa.array([[("k", 1)]] * ROWS, pa.map_(pa.string(), pa.int64()))
    path = parquet_of(tmp_path / "t.parquet", {"map": maps, "x": gauss(1), "y": gauss(2)})
    (types := tmp_path / "types.yaml").write_text("y: identifier\n")
    found = judge(capsys, path, "--reference", str(path), "--types", str(types))
    assert "not looked at, for what they hold: map" in found["remarks"]
    assert status(found) == {"map": "insufficient", "x": "ok", "y": "insufficient"}
    reasons = {one["feature"]: one["reason"] for one in found["features"]}
    assert reasons["map"] == "what it holds is not looked at"
    assert reasons["y"] == "an identifier, as --types says"


# --- one reading ---------------------------------------------------------------------------------


def test_a_profile_carries_how_columns_were_read(capsys, tmp_path: Path) -> None:
    """So that a table that cannot tell by itself is read as its reference was."""
    write = SPELLINGS["German"][0]
    usual = {
        "at": [f"{at:%d/%m/%Y}" for at in HOURS],
        "x": [write(value) for value in gauss(1, rows=len(HOURS))],
        "yes": ["ja" if value > 28 else "nein" for value in gauss(1, rows=len(HOURS))],
        "id": range(372),
    }
    now = {
        "at": [f"{at:%d/%m/%Y}" for at in HOURS[:144]],
        "x": [write(value)[:-3] for value in gauss(2, rows=144)],
        "yes": [str(int(value > 28)) for value in gauss(2, rows=144)],
        "id": range(372, 372 + 144),
    }
    one = csv_of(tmp_path / "a.csv", usual, ";")
    other = csv_of(tmp_path / "b.csv", now, ",")
    profile = tmp_path / "profile.json"
    build = ["reference", "build", str(one), "--out", str(profile)]
    assert main([*build, "--ignore", "at"]) == 0
    capsys.readouterr()
    built = judge(capsys, other, "--reference", str(profile), "--ignore", "at")
    assert built == judge(capsys, other, "--reference", str(one), "--ignore", "at")
    assert status(built) == {"x": "ok", "yes": "ok", "id": "insufficient"}
    assert main(build) == 0
    capsys.readouterr()
    assert judge(capsys, other, "--reference", str(profile))["columns"]["at"].endswith("day first")
    gone = judge(capsys, csv_of(tmp_path / "c.csv", {"x": now["x"]}), "--reference", str(profile))
    assert status(gone) == {"at": "drift", "x": "ok", "yes": "drift", "id": "drift"}
