"""Logs whose lines name the one before: what was changed, moved or taken out is told."""

from __future__ import annotations

import json

import pytest

from monitor.audit.line_chain import PREVIOUS, check, digest
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


def test_a_line_that_a_crash_cut_is_told_and_the_chain_goes_on_after_it() -> None:
    """As the last one, and once more lines name what there is of it. Nothing else may stand there
    in its place, and a whole line may not become one."""
    lines = log()
    lines[-1] = lines[-1][:-7]
    assert check(lines) == (5, 4, (*check(log()).digests[:4], digest(lines[-1])), (5,))
    lines += [b"\n", json.dumps({"n": 5, PREVIOUS: digest(lines[-1])}).encode() + b"\n"]
    whole = b"".join(lines).splitlines(keepends=True)
    assert (check(whole).total, check(whole).cut) == (6, (5,))
    others: list[list[bytes]] = [
        [*whole[:4], whole[4][:-5] + b"\n", whole[5]],  # less of it than was named
        [*whole[:3], whole[3][:-7] + b"\n", *whole[4:]],  # the one before, too
        [*whole[:5]],  # the line after it was taken out
        [*whole[:2], whole[2][:-7] + b"\n", *whole[3:]],
    ]
    for changed in others:
        with pytest.raises(Wrong, match=r"line [345]: is no line of an audit log"):
            check(changed)


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
