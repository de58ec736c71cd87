"""Which line of a CSV file is its header."""

from __future__ import annotations

import pytest

from monitor.tables.headers import LATEST, Header, moved

ROWS = ["x,1"] * 9


@pytest.mark.parametrize(
    ("lines", "delimiter", "found"),
    [
        (["a,b", *ROWS], ",", None),
        (["#a,b", "x,", *ROWS], ",", None),
        (["Title", "a,b", *ROWS], "", Header(1, 1, ",")),
        (["Title", "", "a,b", *ROWS], "", Header(2, 1, ",")),
        (["Title, of three, parts", "a,b", *ROWS], ",", Header(1, 1, ",")),
        (["# a, b", "a;b", *["x;1,5"] * 9], ",", Header(1, 1, ";")),
        (["Title", "x,y", *["x,y"] * 9], "", None),
        (["Title", '"a', 'b",c', *ROWS], "", None),
        (["Title"] * LATEST + ["a,b", *ROWS], "", None),
        (["Title", "a,b", *ROWS[:2]], "", None),
        (["0.5,1", *["0.5,1"] * 9], ",", None),
        (["a,b", "x,NA,y", *["x,1,y"] * 9], ",", None),
        (["a,b,c", "x,,y,z", *["x,1,y,z"] * 9], ",", None),
        (["Title", ",a,b", *["0,x,1"] * 9], "", Header(1, 1, ",")),
        (["text", *["a, b", "c", "d, e, f"] * 9], "", None),
        (["Report,", "a,b", *ROWS], ",", Header(1, 1, ",")),
        (
            ["Report,,,", "Made,2026-04-01,,", ",,,", "a,b,c,d", *["x,y,1,2"] * 9],
            ",",
            Header(3, 3, ","),
        ),
        (["made,2026-04-01 10:00", "a,b", *ROWS], ",", Header(1, 1, ",")),
        (["price,price,size", "open,close,all", *["1,2,3"] * 9], ",", Header(1, 1, ",")),
        (["a,,c", *["x,y,1"] * 9, "x,y,broken", *["x,y,1"] * 9], ",", None),
        (["a,b", *["x,1,2"] * 9, "x,y,broken", *["x,1,2"] * 9], ",", None),
        (["product,2026-01-01,2026-02-01", "x,-,-", *["y,1,2"] * 9], ",", None),
        (["name,height", "text,cm", *ROWS], ",", None),
        (["a,b,", *["x,1,"] * 9], ",", None),
    ],
)
def test_a_header_is_what_the_rows_below_say(
    lines: list[str], delimiter: str, found: Header | None
) -> None:
    """A word in each field, as many fields as the rows, and numbers below one of the words; where
    nobody can tell it is the first line."""
    assert moved(lines, delimiter) == found
