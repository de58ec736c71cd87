"""A file that says how columns are read: it holds, whatever their values tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.errors import UsageError
from monitor.replay import types
from monitor.tables.column_types import WORDS, ColumnType


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    """In the words that a report uses for how columns were read, each of them."""
    words = [word.replace("N", "3") for word in WORDS]
    said = {f"c{place}": word for place, word in enumerate(words)}
    as_json = types.read(write(tmp_path / "a.json", json.dumps(said)))
    lines = "".join(f"{column}: {word}\n" for column, word in said.items())
    as_yaml = types.read(write(tmp_path / "a.yaml", lines))
    assert as_json == as_yaml
    assert {column: how.words for column, how in as_json.items()} == said
    assert ColumnType("datetime", day_first=True) in as_json.values()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: int\n", "column 'a' cannot be 'int'; there are numeric; boolean"),
        ("- a\n", "holds no lines of COLUMN: KIND"),
        ("a: [1]\n", "holds no lines of COLUMN: KIND"),
        ("{", "holds no lines of COLUMN: KIND"),
        ("\0", "holds no lines of COLUMN: KIND"),
    ],
)
def test_what_is_none_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    """Naming the file, the column, and what would be right."""
    with pytest.raises(UsageError, match="--types") as raised:
        types.read(write(tmp_path / "a.yaml", text))
    assert message in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """One line."""
    with pytest.raises(UsageError, match="No such file"):
        types.read(str(tmp_path / "none.yaml"))


def replay(capsys: Any, *arguments: str) -> dict[str, Any]:
    assert main(["replay", *arguments, "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_what_is_said_holds(capsys: Any, tmp_path: Path) -> None:
    """Codes that look like numbers are categories, days come first, the comma is decimal."""
    lines = ["zip,when,price"]
    lines += [
        f'{place % 7 + 10000},0{place % 9 + 1}/02/2026,"1,{place % 10}25"' for place in range(400)
    ]
    path = write(tmp_path / "t.csv", "\n".join(lines))
    usual = replay(capsys, path, "--reference", path)["columns"]
    assert usual == {"price": "numeric", "when": "datetime", "zip": "numeric"}
    said = {"price": "numeric, decimal comma", "when": "datetime, day first", "zip": "categorical"}
    file = write(tmp_path / "types.json", json.dumps(said))
    found = replay(capsys, path, "--reference", path, "--types", file)
    assert (found["verdict"], found["columns"]) == ("ok", said)
    built = str(tmp_path / "profile.json")
    assert main(["reference", "build", path, "--types", file, "--out", built]) == 0
    capsys.readouterr()
    assert replay(capsys, path, "--reference", built)["columns"] == said
    other = write(tmp_path / "other.yaml", "zip: numeric\n")
    assert main(["replay", path, "--reference", built, "--types", other]) == 2
    assert "the reference was built with 'zip' as categorical" in capsys.readouterr().err


def test_a_column_that_no_table_has(capsys: Any, tmp_path: Path) -> None:
    """One line, exit code 2."""
    path = write(tmp_path / "t.csv", "a\n1\n2\n")
    file = write(tmp_path / "types.yaml", "b: numeric\n")
    assert main(["replay", path, "--types", file]) == 2
    assert "--types: no table has a column 'b'" in capsys.readouterr().err
