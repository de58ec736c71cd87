"""`--before-after TIME`: what began before is the reference of what came since."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.types import Part, encode_record
from tests.replay.some_records import record

NOON = "2026-11-28T12:00:00Z"
AT_NOON = 1795867200


def table(path: Path, moved: float) -> str:
    """A thousand rows in any order, of twelve hours before noon and twelve after it."""
    rng = random.Random(1)
    rows = [
        (AT_NOON + 60 * minute, rng.gauss(moved * (minute >= 0), 1), rng.choice("ab"))
        for minute in range(-500, 500)
    ]
    rng.shuffle(rows)
    lines = ["at,x,region", *(f"{at},{x:.3f},{region}" for at, x, region in rows)]
    path.write_text("\n".join(lines))
    return str(path)


def replay(capsys: Any, *arguments: str) -> dict[str, Any]:
    assert main(["replay", *arguments, "--json", "-"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_table_is_parted_by_its_times(capsys: Any, tmp_path: Path) -> None:
    """As if it had been two files; `--from` and `--to` narrow the outer ends."""
    path = table(tmp_path / "t.csv", moved=1.0)
    parted = ["--timestamp", "at", "--before-after", NOON]
    found = replay(capsys, path, *parted, "--by", "region")
    assert (found["verdict"], found["records"]) == ("drift", 500)
    x = next(one for one in found["features"] if one["dimension"] == "all")
    assert (x["samples"], x["reference_samples"]) == (500, 500)
    header, *rows = Path(path).read_text().splitlines()
    for name, is_after in (("before", False), ("after", True)):
        some = [row for row in rows if (int(row.split(",")[0]) >= AT_NOON) == is_after]
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *some]))
    apart = replay(
        capsys, str(tmp_path / "after.csv"), "--reference", str(tmp_path / "before.csv"),
        "--timestamp", "at", "--by", "region",
    )  # fmt: skip
    assert found["features"] == apart["features"]
    narrow = ["--from", str(AT_NOON - 60 * 400), "--to", str(AT_NOON + 60 * 300)]
    found = replay(capsys, path, *parted, *narrow)
    assert (found["records"], found["features"][0]["reference_samples"]) == (300, 400)
    assert replay(capsys, table(tmp_path / "s.csv", moved=0.0), *parted)["verdict"] == "ok"


def test_records_are_parted_by_when_they_began(capsys: Any, tmp_path: Path) -> None:
    """What came before is the reference; the rest is judged as it would have been live."""
    rng = random.Random(1)
    lines = []
    for minute in range(-500, 500):
        data = [rng.gauss(2.0 * (minute >= 0), 1)]
        inputs = [Part(name="x", datatype="FP64", shape=[1], data=data)]
        lines.append(
            encode_record(record(500 + minute, started=AT_NOON + 60.0 * minute, inputs=inputs))
        )
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"\n".join(lines))
    found = replay(capsys, str(path), "--before-after", NOON)
    (x,) = (one for one in found["features"] if one["feature"] == "x")
    assert (found["records"], x["reference_samples"], x["status"]) == (500, 500, "drift")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "--before-after: needs a --timestamp COLUMN for a table"),
        (["--timestamp", "at", "--reference", "t.csv"], "--before-after: is instead of a --reference"),
        (["--timestamp", "at", "--to", "2026-11-28T12:00:00Z"], "holds no rows in the time"),
        (["--timestamp", "at", "--from", "2026-11-28T12:00:00Z"], "--before-after: nothing began before"),
    ],
)  # fmt: skip
def test_what_is_missing_is_one_line(
    capsys: Any, tmp_path: Path, more: list[str], message: str
) -> None:
    """Exit code 2."""
    path = table(tmp_path / "t.csv", moved=0.0)
    assert main(["replay", path, "--before-after", NOON, *more]) == 2
    assert message in capsys.readouterr().err
