"""Logs whose lines name the one before: what was changed, moved or taken out is told."""

from __future__ import annotations

import json

import pytest

from monitor.audit.line_chain import PREVIOUS, check, digest, last_whole
from monitor.audit.proofs import Wrong


def log(count: int = 5, old: int = 0) -> list[bytes]:
    lines: list[bytes] = []
    for number in range(count):
        entry: dict[str, object] = {"n": number}
        if number >= old:
            entry[PREVIOUS] = digest(lines[-1]) if lines else ""
        lines.append(json.dumps(entry).encode() + b"\n")
    return lines


@pytest.mark.parametrize("old", [0, 2, 5])
def test_a_log_as_it_was_written_is_proven(old: int) -> None:
    """Lines of earlier versions may stand at its beginning."""
    lines = log(old=old)
    found = check(lines)
    assert (found.total, found.linked) == (5, 5 - old)
    assert found.digests[-1] == digest(lines[-1])
    assert check([]) == (0, 0, (), ())


def after(lines: list[bytes], number: int = 9) -> bytes:
    """The line that is written once `lines` are there."""
    named = digest(*lines[last_whole(lines) or 0 :])
    return json.dumps({"n": number, PREVIOUS: named}).encode() + b"\n"


@pytest.mark.parametrize("first", [0, 3])
@pytest.mark.parametrize("crashes", [1, 2, 3])
def test_lines_that_crashes_cut_are_told_and_the_chain_goes_on_after_them(
    crashes: int, first: int
) -> None:
    """However many in a row: at the end, ended or not, and once a whole line names them."""
    lines = log(first)
    for number in range(crashes):
        lines.append(after(lines)[: 9 + number] + b"\n")
    cut = tuple(range(first + 1, first + crashes + 1))
    assert check(lines).cut == check([*lines[:-1], lines[-1][:-1]]).cut == cut
    lines.append(after(lines))
    lines.append(after(lines))
    found = check(lines)
    assert (found.total, found.linked, found.cut) == (first + crashes + 2, first + 2, cut)


@pytest.mark.parametrize("crashes", [1, 2])
def test_no_line_goes_for_a_crash(crashes: int) -> None:
    """None before what a crash left may be changed, taken out or cut, and none of what it left;
    and no line may be cut or put in as if a crash had."""
    lines = log(3)
    for number in range(crashes):
        lines.append(after(lines)[: 9 + number] + b"\n")
    lines += [after(lines)]
    lines += [after(lines)]
    for place, line in enumerate(lines[:-1]):
        for other in ([], [line[:-5] + b"\n"], [line[:7] + b"\n"], [line, b"\n"], [line, line[:7] + b"\n"]):  # fmt: skip
            with pytest.raises(Wrong, match=r"line [1-8]: the line before it"):
                check([*lines[:place], *other, *lines[place + 1 :]])


@pytest.mark.parametrize("how", ["edited", "taken out", "moved", "first taken out", "put in", "bare", "no JSON"])  # fmt: skip
def test_what_was_done_to_a_line_is_told(how: str) -> None:
    """By the line after it, wherever it was done but at the end."""
    lines = log()
    if how == "edited":
        lines[2] = lines[2].replace(b"2,", b"7,")
    elif how == "moved":
        lines[1], lines[2] = lines[2], lines[1]
    elif how in ("taken out", "first taken out"):
        del lines[2 if how == "taken out" else 0]
    else:
        other = {"put in": lines[1], "bare": b'{"n": 9}\n', "no JSON": b"x\n"}
        lines.insert(2, other[how])
    with pytest.raises(Wrong, match=r"line [1-4]"):
        check(lines)
