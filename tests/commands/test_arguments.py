"""Option types that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import cli
from monitor.commands import arguments


@pytest.mark.parametrize("text", ["1970-01-01T00:01:00Z", "1970-01-01T01:01:00+01:00", "60"])
def test_a_time_is_read_in_the_forms_of_tables(text: str) -> None:
    """ISO 8601 with an offset, or Unix seconds."""
    assert arguments.time(text) == 60.0


def test_what_is_no_time_is_shown_with_one() -> None:
    """As argparse prints it behind the name of the option."""
    with pytest.raises(argparse.ArgumentTypeError, match="'soon' is not a time such as 2024-"):
        arguments.time("soon")


def options(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for one in parser._actions:
        if isinstance(one.choices, dict):
            for inner in one.choices.values():
                yield from options(inner)
        else:
            yield one


def test_every_list_of_commas_adds_up_when_it_is_given_again() -> None:
    """A gate that names two conditions in two options checks both, in every command."""
    lists = [
        one
        for command in ("replay", "reference", "redrive", "verify", "records", "inject", "demo")
        for one in options(cli._parser(command))
        if "[," in str(one.metavar)
    ]
    assert {one.dest for one in lists} >= {"fail_on", "alpha", "tolerance", "bins"}
    assert all(isinstance(one, arguments.Several) for one in lists)


RANGED = {
    "records list": (),
    "replay": ("t.csv",),
    "reference build": ("t.csv", "--out", "profile.json"),
    "redrive": ("t.jsonl", "--against", "http://127.0.0.1:1"),
}
"""Commands that take a range of time, with what else they need."""


@pytest.mark.parametrize("command", RANGED)
def test_a_range_that_nothing_lies_in_is_refused(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is opened: the files and the store are not there."""
    said = [*command.split(), *RANGED[command], "--from", "1700000000", "--to"]
    for end in ("1699999999", "1700000000"):
        assert cli.main([*said, end]) == 2
        assert capsys.readouterr() == (
            "", "monitor: --to: is not later than --from, so nothing lies between the two\n"
        )  # fmt: skip


def test_every_command_with_a_range_is_asked() -> None:
    """What takes `--from` and `--to` stands in `RANGED`."""
    names: list[str] = []

    def look(parser: argparse.ArgumentParser, name: str) -> None:
        names.extend([name] if "--to" in parser._option_string_actions else [])
        for one in parser._actions:
            if isinstance(one, argparse._SubParsersAction):
                for inner, of in one.choices.items():
                    look(of, f"{name} {inner}".strip())

    for command in cli._parser("")._subparsers._group_actions[0].choices:  # type: ignore[union-attr]
        look(cli._parser(command), "")
    assert sorted(names) == sorted(RANGED)


@pytest.mark.parametrize("command", ["replay", "redrive"])
def test_conditions_to_fail_on_add_up(command: str) -> None:
    """However they are split among options; the default of another run is untouched."""
    parser, both = cli._parser(command), {"replay": "drift,quality", "redrive": "different,failed"}
    first, second = both[command].split(",")
    apart = parser.parse_args([command, "--fail-on", first, "--fail-on", second])
    together = parser.parse_args([command, "--fail-on", both[command]])
    assert apart.fail_on == together.fail_on == {first, second}
    assert parser.parse_args([command]).fail_on == frozenset()


def test_numbers_add_up_in_order_each_once_and_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    """The first gives the verdict; the bound holds for all options together."""
    parser = cli._parser("replay")
    found = parser.parse_args(["replay", "--alpha", "0.1,0.05", "--alpha", "0.05,0.01"])
    assert found.alpha == (0.1, 0.05, 0.01)
    with pytest.raises(SystemExit):
        parser.parse_args(["replay", "--bins", "5,6,7", "--bins", "8,9,10"])
    assert "--bins: has more than 5 values" in capsys.readouterr().err


def test_a_condition_that_is_misspelt_is_told_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As every other name of a closed list."""
    with pytest.raises(SystemExit):
        cli._parser("replay").parse_args(["replay", "--fail-on", "drfit"])
    assert "'drfit' is not one of drift, " in (error := capsys.readouterr().err)
    assert "; did you mean drift?" in error


def test_sources_may_stand_on_both_sides_of_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All are read: the second is what cannot be."""
    (tmp_path / "a.csv").write_text("x\n1\n")
    assert cli.main(["replay", f"{tmp_path}/a.csv", "--by", "x", f"{tmp_path}/b.csv"]) == 2
    assert "b.csv: cannot be read: No such file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["replay", f"{tmp_path}/a.csv", "--bye", "x", f"{tmp_path}/a.csv"])
    assert "--bye is not an option of `replay`" in capsys.readouterr().err
