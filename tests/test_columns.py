"""Any body as columns and texts, and what bounds them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.columns import MAX_PARTS, parts

CSV = {"content-type": "text/csv; charset=utf-8"}
ROWS = {"content-type": "application/jsonlines"}


def read(body: bytes, headers: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
    found = parts(body, headers or {}, "user")
    return [(one.name, one.data) if one.text is None else (one.role, one.text) for one in found]


@pytest.mark.parametrize(
    ("body", "right"),
    [
        (b"0.5,7,basic\n0.1,3,pro\n", [("0", [0.5, 0.1]), ("1", [7, 3]), ("2", ["basic", "pro"])]),
        (b"age,plan\n41,pro\r\n,basic\r\n", [("age", [41, None]), ("plan", ["pro", "basic"])]),
        (b"0.1\n0.9\n", [("0", [0.1, 0.9])]),
        (b'"a, b",1\n"c""d",2', [("0", ["a, b", 'c"d']), ("1", [1, 2])]),
        (b"007,+49170\n008,+49171", [("0", ["007", "008"]), ("1", ["+49170", "+49171"])]),
        (b"1,2\n3", [("user", "1,2\n3")]),
        (b"4111111111111111111,1e999\n", [("0", ["4111111111111111111"]), ("1", ["1e999"])]),
    ],
    ids=["plain", "with names", "one column", "quoted", "digits that are no numbers", "ragged", "too large"],
)  # fmt: skip
def test_csv_is_columns(body: bytes, right: list[tuple[Any, ...]]) -> None:
    """Numbers as numbers, names where there are some, a text where it is no table."""
    assert read(body, CSV) == right


def test_the_media_type_may_tell() -> None:
    """Whether there are names (RFC 4180), and what stands between cells."""
    body = b"plan,city\nbasic,Ulm\n"
    assert read(body, CSV) == [("0", ["plan", "basic"]), ("1", ["city", "Ulm"])]
    present = {"content-type": "text/csv; header=present"}
    assert read(body, present) == [("plan", ["basic"]), ("city", ["Ulm"])]
    absent = {"content-type": "text/csv; header=absent"}
    assert read(b"a,b\n1,2\n", absent) == [("0", ["a", 1]), ("1", ["b", 2])]
    tabs = {"content-type": "text/tab-separated-values"}
    assert read(b"a\tb\n1\t2\n", tabs) == [("a", [1]), ("b", [2])]


def test_a_wide_table_of_numbers_is_one_tensor() -> None:
    """As images are sent."""
    body = "\n".join(",".join(map(str, range(784))) for _ in range(2)).encode()
    (part,) = parts(body, CSV, "user")
    assert (part.shape, part.datatype, (part.data or [])[:3]) == ([2, 784], "INT64", [0, 1, 2])


@given(st.lists(st.lists(st.integers(-99, 99), min_size=3, max_size=3), min_size=1, max_size=5))
def test_rows_of_numbers_come_back(rows: list[list[int]]) -> None:
    """Column by column."""
    body = "\n".join(",".join(map(str, row)) for row in rows).encode()
    assert read(body, CSV) == [(str(n), [row[n] for row in rows]) for n in range(3)]


def test_json_lines_are_rows() -> None:
    """Of objects by name, of values as one; a line that is not JSON makes it a text."""
    assert read(b'{"a": 1}\n{"a": 2}\n', ROWS) == [("a", [1, 2])]
    assert read(b"[1, 2]\n[3, 4]\n", ROWS) == [("", [1, 2, 3, 4])]
    assert read(b'{"a": 1}\n', ROWS) == [("a", [1])]
    assert read(b'{"a": 1}\noops\n', ROWS) == [("user", '{"a": 1}\noops\n')]


def test_what_is_too_much_is_a_text() -> None:
    """Beyond so many columns the first stay, and the whole is a text."""
    body = json.dumps({f"a{number}": number for number in range(MAX_PARTS + 1)}).encode()
    found = read(body)
    assert found[0] == ("a0", [0])
    assert found[-1] == ("user", body.decode())
    assert len(found) == MAX_PARTS + 1


@pytest.mark.parametrize(
    "body", [b'[{"a":' * 200 + b"1" + b"}]" * 200, b'{"a":' * 200 + b"1" + b"}" * 200]
)
def test_deep_json_is_read_to_a_depth(body: bytes) -> None:
    """And is text from there on."""
    assert len(parts(body, {}, "user")) == 1
