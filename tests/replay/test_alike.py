"""Rows of one user resemble each other, and the verdict says that chance may look like drift."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.cli import main
from tests.replay.test_odd_tables import csv_of

USERS, EACH = 100, 20


@pytest.mark.parametrize(("within", "effect", "is_said"), [(0.9, 1, True), (0.9, 20, False)])
def test_drift_of_rows_that_resemble_each_other_may_be_chance(
    within: float, effect: int, is_said: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said in the first sentence and in the document, unless the settings count less."""
    config, path = tmp_path / "monitor.yaml", tmp_path / "found.json"
    config.write_text(f"drift: {{design_effect: {effect}}}\n")
    now, usual = (str(csv_of(tmp_path / f"{n}.csv", _rows(within, n))) for n in (1, 2))
    options = ["--reference", usual, "--config", str(config), "--json", str(path)]
    assert main(["replay", now, *options]) == 0
    found, said = json.loads(path.read_text()), capsys.readouterr().out
    assert found["verdict"] == ("drift" if is_said else "ok")
    assert ("this may be chance" in said) is is_said
    assert (found.get("alike", 0) > effect) is is_said


def test_what_is_certain_whatever_resembles_what_is_said_to_be_no_chance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All rows moved by twice their spread, and a row is a little like the one before it."""
    rows = [_rows(0.2, seed) for seed in (1, 2)]
    rows[0] = {name: [one + 2 for one in column] for name, column in rows[0].items()}
    now, usual = (str(csv_of(tmp_path / f"{n}.csv", one)) for n, one in enumerate(rows))
    path = tmp_path / "found.json"
    assert main(["replay", now, "--reference", usual, "--json", str(path)]) == 0
    found, said = json.loads(path.read_text()), capsys.readouterr()
    assert (found["verdict"], found["alike"] > 1) == ("drift", True)
    assert said.out.startswith("Drift: ")
    assert "chance" not in said.out.partition("\n\n")[0]
    assert "chance looks like drift" in said.err


def _rows(within: float, seed: int) -> dict[str, Sequence[Any]]:
    """Rows of users, which are alike in part, from one distribution."""
    random = np.random.default_rng(seed)

    def column() -> list[float]:
        users = np.repeat(random.normal(size=USERS), EACH)
        own = random.normal(size=USERS * EACH)
        return (np.sqrt(within) * users + np.sqrt(1 - within) * own).round(6).tolist()

    return {f"x{number}": column() for number in range(5)}
