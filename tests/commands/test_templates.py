"""`monitor templates`: what recorders found and requests declared, as a person and a script look at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from monitor.streams.redis import RedisStream
from monitor.templates.miner import Known
from monitor.types import Template
from tests.commands.conftest import Run
from tests.commands.test_records import record

KNOWN = {
    "t_aaaaaaaaaaaa": Known(literals=["You are Basil.\nCook for ", " people."]),
    "t_bbbbbbbbbbbb": Known(literals=["Translate into ", ": ", ""]),
    "t_cccccccccccc": Known(parts=["t_aaaaaaaaaaaa", "t_bbbbbbbbbbbb"]),
    "t_dddddddddddd": Known(new="t_bbbbbbbbbbbb"),
    "t_eeeeeeeeeeee": Known(exact="ab" * 16),
}
RECORDS = [
    record(number, template=Template(name, declared=declared))
    for number, (name, declared) in enumerate(
        [("t_bbbbbbbbbbbb", False), ("t_dddddddddddd", False), ("t_bbbbbbbbbbbb", False), ("t_eeeeeeeeeeee", False),
         ("invoice@3", True), ("t_cccccccccccc", False)]
    )
]  # fmt: skip


COMMAND = "templates"


@pytest.fixture(scope="module")
def data(ended_run: Callable[..., Path]) -> Path:
    """The data directory of a `monitor run` that has ended."""

    async def fill(stream: RedisStream) -> None:
        await stream.append([*RECORDS, record(9)])
        await stream.notes.add_templates(
            {n: msgspec.json.encode(one) for n, one in KNOWN.items()}, {}
        )
        await stream.notes.add_templates({"t_bbbbbbbbbbbb": b"not for this"}, {"strange": b"{"})

    return ended_run(fill)


def test_templates_are_listed_the_most_used_first(run: Run) -> None:
    """Old ids count for the new one; declared and found ones stand side by side, each with a name."""
    code, out, err = run("list")
    assert (code, err) == (0, "")
    rows = [line.split(None, 2) for line in out.splitlines()]
    assert rows[0] == ["ID", "RECORDS", "NAME"]
    assert [row[:2] for row in rows[1:]] == [
        ["t_bbbbbbbbbbbb", "3"], ["invoice@3", "1"], ["t_cccccccccccc", "1"], ["t_eeeeeeeeeeee", "1"],
        ["t_aaaaaaaaaaaa", "0"],
    ]  # fmt: skip
    assert rows[1][2] == "Translate into"
    assert rows[3][2] == "You are Basil. Cook for + Translate into"


def test_a_template_is_shown_with_its_fixed_text(run: Run) -> None:
    """Under its old id too; for a script as JSON."""
    code, out, _ = run("show", "t_dddddddddddd")
    assert code == 0
    assert out.splitlines()[0].split() == ["id", "t_bbbbbbbbbbbb"]
    assert out.splitlines()[-1] == "Translate into {…}: {…}"
    code, out, _ = run("show", "t_cccccccccccc", "--json")
    shown = json.loads(out)
    assert (shown["count"], shown["declared"], shown["record"]) == (1, False, RECORDS[5].id)
    assert shown["skeletons"] == ["You are Basil.\nCook for {…} people.", "Translate into {…}: {…}"]


def test_what_is_not_there_is_said(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An id, an endpoint, a store."""
    assert run("show", "t_0")[::2] == (1, "monitor: t_0: no such template of endpoint default\n")
    code, out, err = run("list", "--endpoint", "other")
    assert (code, out) == (0, "")
    assert "it has those of default: --endpoint says which" in err
