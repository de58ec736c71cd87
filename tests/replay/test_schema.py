"""What of a table's columns is otherwise than in the reference."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main

ROWS = 300


def table(path: Path, **columns: Any) -> Path:
    """A CSV file of columns, each a function (chance) → a cell."""
    chance = random.Random(path.name)
    lines = [",".join(columns)]
    lines += [",".join(str(cell(chance)) for cell in columns.values()) for _ in range(ROWS)]
    path.write_text("\n".join(lines) + "\n")
    return path


def number(chance: random.Random) -> float:
    return round(chance.gauss(0, 1), 3)


def word(chance: random.Random) -> str:
    return chance.choice(["red", "green", "blue"])


def replay(capsys: Any, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, document, what a person is told)."""
    code = main(["replay", *arguments, "--json", "-"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


@pytest.mark.parametrize("profiled", [False, True], ids=["source", "profile"])
def test_what_is_gone_new_or_of_another_kind_is_said(
    capsys: Any, tmp_path: Path, profiled: bool
) -> None:
    """In the document and on the screen, and `--fail-on schema` fails on it."""
    usual = table(tmp_path / "usual.csv", a=number, b=number, kind=word)
    if profiled:
        assert main(["reference", "build", str(usual), "--out", f"{usual}.json"]) == 0
        usual = Path(f"{usual}.json")
    now = table(tmp_path / "now.csv", a=word, c=number, kind=word)
    code, found, told = replay(capsys, str(now), "--reference", str(usual), "--fail-on", "schema")
    assert code == 1
    assert found["schema"] == [
        {"column": "b", "change": "gone"},
        {"column": "c", "change": "new", "now": "numeric"},
        {"column": "a", "change": "type", "was": "numeric", "now": "categorical"},
    ]
    for line in (
        "column 'b' is gone",
        "column 'c' is new: numeric",
        "column 'a' was numeric, and its values are categorical now",
        "read as categorical: kind; numeric: a, b, c",
    ):
        assert line in told


def test_the_same_columns_are_no_change(capsys: Any, tmp_path: Path) -> None:
    """Whatever their order, and whatever drifts in them; a label may come later."""
    usual = table(tmp_path / "usual.csv", a=number, kind=word, late=word)
    now = table(tmp_path / "now.csv", kind=word, a=lambda chance: 5 + number(chance))
    code, found, told = replay(
        capsys, str(now), "--reference", str(usual), "--label", "late", "--fail-on", "schema"
    )
    assert (code, found["verdict"], found.get("schema")) == (0, "drift", None)
    assert "column '" not in told


def test_some_cells_of_another_kind_are_no_change(capsys: Any, tmp_path: Path) -> None:
    """A few words among numbers are counted as unreadable; most must be to change the kind."""
    usual = table(tmp_path / "usual.csv", a=number)
    now = table(
        tmp_path / "now.csv", a=lambda chance: word(chance) if chance.random() < 0.05 else 1
    )
    _, found, _ = replay(capsys, str(now), "--reference", str(usual))
    assert "schema" not in found
    assert found["unreadable"]


def test_without_a_reference_nothing_is_usual(capsys: Any, tmp_path: Path) -> None:
    """One line, exit code 2; so it is for records, which have no columns."""
    now = table(tmp_path / "now.csv", a=number)
    assert main(["replay", str(now), "--fail-on", "schema"]) == 2
    assert "--fail-on schema: needs a --reference" in capsys.readouterr().err


def test_a_file_that_has_no_column_of_the_reference_is_doubted(capsys: Any, tmp_path: Path) -> None:
    """It may be no table at all: what is said of columns that are gone is not all that is said."""
    usual = table(tmp_path / "usual.csv", a=number, kind=word)
    now = tmp_path / "now.txt"
    now.write_text("Traceback (most recent call last):\n" + "  main(a, b)\nValueError\n" * ROWS)
    asked = "no column of it is in the reference; is it the right file"
    for path, is_doubted in ((now, True), (table(tmp_path / "now.csv", a=number), False)):
        _, found, told = replay(capsys, str(path), "--reference", str(usual))
        assert any(asked in one for one in found["remarks"]) is is_doubted
        assert (asked in told) is is_doubted
