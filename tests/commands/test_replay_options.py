"""The options of `monitor replay`: what they take, and one line for what they do not."""

from __future__ import annotations

import argparse

import pytest

from monitor.cli import main
from monitor.commands.replay_options import add_arguments


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("arguments", [["--chunks", "0"], ["--from", "soon"], ["--fail-on", "x"]])
def test_bad_options_are_one_line(arguments: list[str], capsys) -> None:
    """As for every command: argparse's own errors, in one line."""
    with pytest.raises(SystemExit) as left:
        main(["replay", "t.csv", *arguments])
    assert left.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_lists_add_up_and_times_are_numbers() -> None:
    """`--by` and the columns may be said again; a time is RFC 3339 or Unix seconds."""
    options = parsed("a.csv", "b.csv", "--by", "x", "--by", "y", "--from", "2024-02-29T12:00:00Z")
    assert (options.source, options.by) == (["a.csv", "b.csv"], ["x", "y"])
    assert (options.start, options.end) == (1709208000.0, None)
    assert parsed("a.csv", "--to", "1709208000").end == 1709208000.0
