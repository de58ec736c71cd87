"""Logs whose lines name the one before: what was changed, moved or taken out is told."""

from __future__ import annotations

import json

import pytest

from monitor.audit.line_chain import PREVIOUS, check, digest, is_whole
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
    assert found.unproved == {0: 0, 2: 1, 5: 5}[old]
    assert check([]) == (0, 0, (), (), 0)


def after(lines: list[bytes], number: int = 9) -> bytes:
    """The line that is written once `lines` are there."""
    whole = [place for place, line in enumerate(lines) if is_whole(line)]
    named = digest(*lines[max(whole, default=0) :])
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


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("since", [0, 2])
def test_a_crash_among_lines_that_name_nothing_is_no_violation(before: int, since: int) -> None:
    """Versions before 2026-11-30 went on in the line that a crash had cut. Those lines are proved
    by nothing, as others of these versions; the last is, where a newer version went on."""
    lines = [b'{"n": %d}\n' % number for number in range(before + since)]
    lines.insert(before, b'{"at": "2026-{"n": 9}\n')
    found = check(lines)
    assert (found.linked, found.cut, found.unproved) == (0, (before + 1,), len(lines))
    lines += [after(lines)]
    lines += [after(lines)]
    whole = [number for number, line in enumerate(lines[:-2], 1) if is_whole(line)]
    found = check(lines)
    assert (found.linked, found.cut) == (2, (before + 1,))
    assert found.unproved == max(whole, default=1) - 1
    for place in range(found.unproved, len(lines) - 1):
        with pytest.raises(Wrong):
            check([*lines[:place], lines[place][:-5] + b"\n", *lines[place + 1 :]])


@pytest.mark.parametrize("crashes", [1, 2])
def test_a_line_that_names_what_a_crash_left_alone_proves_nothing_before_it(crashes: int) -> None:
    """So it was written in the morning of 2026-11-30. What stands after it is proved, that it
    stood after something else is told, and no line of today is read so."""
    lines = log(3)
    lines += [after(lines)[:9] + b"\n", after(lines)[:11] + b"\n"][:crashes]
    lines += [json.dumps({"n": 8, PREVIOUS: digest(lines[-1])}).encode() + b"\n"]
    lines += [after(lines)]
    found = check(lines)
    assert (found.linked, found.unproved) == (5, 2 + crashes)
    for place in range(found.unproved, len(lines) - 1):
        with pytest.raises(Wrong):
            check([*lines[:place], lines[place][:-5] + b"\n", *lines[place + 1 :]])
    with pytest.raises(Wrong):  # an empty line has no digest, as what is before the first line
        check([b'{"n": 1}\n', b"\n", *log(3)])


@pytest.mark.parametrize("line", [b"[" * 200_000, b"\0" * 9, b"\xff\xfe{", b"9" * 5000, b"[]", b""])
def test_what_is_no_line_is_incomplete_whatever_it_is(line: bytes) -> None:
    """Among it what a file system leaves of blocks that were never written."""
    assert not is_whole(line)
    assert check([line + b"\n"]).cut == (1,)


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
