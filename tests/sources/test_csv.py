"""CSV tables, and that Parquet tables are seen alike."""

from __future__ import annotations

import contextlib
import csv
import gzip
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from monitor.assembly.sanitizer import Sanitizer
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.interfaces import Table
from monitor.rows import Row
from monitor.settings.schema import Settings
from monitor.sources.csv import open_csv
from monitor.sources.parquet import open_parquet
from monitor.tables.columns import Columns
from monitor.tables.inference import ColumnTypes
from monitor.tables.rows import read

CLEAN = Sanitizer(Settings())


def seen(table: Table, columns: Columns | None = None, first: int = 0) -> list[Row]:
    """All rows; raises SourceError where one of them cannot be read."""
    damage = Damage()
    used = columns or Columns()
    found = list(read(table, used, ColumnTypes(), CLEAN, damage=damage, first=first))
    if damage.listed():
        raise SourceError(damage.first())
    return found


def rows(path: Path, columns: Columns | None = None) -> list[Row]:
    return seen(open_csv(path), columns)


def values(found: list[Row]) -> list[list[object]]:
    return [[one.value for one in row.observations] for row in found]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    """Spreadsheets of every country are read."""
    path = tmp_path / "t.csv"
    path.write_text(delimiter.join(["age", "plan"]) + "\r\n" + delimiter.join(["41", "pro"]))
    assert values(rows(path)) == [[41.0, "pro"]]


def test_quotes_new_lines_and_marks(tmp_path: Path) -> None:
    """A byte order mark is no part of a name, a quoted line break no end of a row."""
    path = tmp_path / "t.csv"
    path.write_text('age,note\n41,"two\nlines, ""quoted"""\n\n42,\n', encoding="utf-8-sig")
    found = rows(path)
    assert values(found) == [[41.0, 'two\nlines, "quoted"'], [42.0, None]]
    assert open_csv(path).names == ["age", "note"]


def test_a_gzipped_table(tmp_path: Path) -> None:
    """Recognised by its content."""
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(b"x\n1\n2\n"))
    assert values(rows(path)) == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n3\n", r"t\.csv:3: 1 fields where the header has 2"),
        (b"a,b\n1,2,3\n", r"t\.csv:2: 3 fields where the header has 2"),
        (b"a\n1\n\xff\xfe\n", "is not UTF-8 text"),
        (b'a,b\n1,"2\n', "not a CSV row"),
        (
            gzip.compress(b"a\n" + bytes(range(48, 58)) * 9999, mtime=0)[:60],
            "is cut off within what gzip",
        ),
    ],
)
def test_what_is_no_table_is_said_with_its_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    """One sentence with file and line."""
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        rows(path)


def test_what_is_cut_or_goes_on_otherwise_is_told_of_its_encoding(tmp_path: Path) -> None:
    """Of UTF-16 that is cut within a character no Latin-1 is supposed; UTF-8 behind it is counted
    by lines, in blocks as row by row."""
    path = tmp_path / "t.csv"
    whole = "a,b\n" + "1,ä\n" * 9
    for order, mark in (("utf-16-le", "\ufeff"), ("utf-16-be", "\ufeff"), ("utf-16-le", "")):
        path.write_bytes((mark + whole).encode(order) + b"x")
        damage = Damage()
        assert len(list(open_csv(path).rows(["a"], damage))) == 9
        said = "is not UTF-16 text as the rest, or was cut within a character"
        assert damage.first() == f"{path}:11: {said}"
    path.write_bytes(("\ufeff" + whole).encode("utf-16-le") + "1,ä\n".encode() * 300)
    table = open_csv(path)
    by_row, in_blocks = Damage(), Damage()
    list(table.rows(["a"], by_row))
    assert by_row.rows_of([path]) == 300
    if table.batches is not None:
        list(table.batches(["a"], (), in_blocks))
        assert in_blocks.rows_of([path]) == 300


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_an_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing but SourceError comes out of a file that is none."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    with contextlib.suppress(SourceError):
        rows(path)


def test_a_wrong_type_among_numbers_stays_a_text(tmp_path: Path) -> None:
    """So that the window can count it."""
    path = tmp_path / "t.csv"
    path.write_text("x\n" + "1\n" * 20 + "oops\n\n" + "n/a\n")
    damage = Damage()
    found = list(read(open_csv(path), Columns(), ColumnTypes(), CLEAN, damage=damage))
    assert values(found)[-2:] == [["oops"], [None]]
    assert damage.first() == f"{path}:22: column 'x': not numeric"


def test_parquet_and_csv_are_seen_alike(tmp_path: Path) -> None:
    """The same table in either form gives the same rows."""
    table = pa.table(
        {
            "at": [datetime(2024, 1, day) for day in (1, 2, 3)],  # noqa: DTZ001  as pandas writes it
            "age": [41.5, None, 43.0],
            "n": [1, 2, 3],
            "plan": pa.array(["pro", None, "free"]).dictionary_encode(),
            "ok": [True, False, True],
            "day": [date(2024, 2, 29)] * 3,
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table.column_names)
        writer.writerows(zip(*table.to_pydict().values(), strict=True))
    columns = Columns(timestamp="at", by=("plan",))
    one = rows(tmp_path / "t.csv", columns)
    other = seen(open_parquet(tmp_path / "t.parquet"), columns)
    assert values(one) == values(other)
    assert [row.segments for row in one] == [{"plan": v} for v in ("pro", "none", "free")]
    assert [(row.at, row.segments) for row in one] == [(row.at, row.segments) for row in other]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("before", ["", "sep=;\r\n", "SEP=;;\n", "\n\r\n", "\n\nsep=;\n"])
def test_what_stands_before_the_header(tmp_path: Path, encoding: str, before: str) -> None:
    """Marks, empty lines, and the line by which a spreadsheet tells its delimiter; without a mark
    the zeros of UTF-16 tell it. Line by line and in blocks the same."""
    path = tmp_path / "t.csv"
    path.write_bytes((before + 'age;"städte, alle"\r\n41,5;Köln\r\n42;Bonn').encode(encoding))
    table = open_csv(path)
    assert table.names == ["age", "städte, alle"]
    assert table.usual == ","
    assert values(rows(path)) == [[41.5, "Köln"], [42.0, "Bonn"]]
    first = 2 + before.count("\n")
    assert [number for number, _ in table.rows(["age"], Damage())] == [first, first + 1]
    if table.batches is not None:
        (batch,) = table.batches(["age"], (), Damage())
        assert list(batch.numbers) == [first, first + 1]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ('"x, in cm, or, so";y', ["x, in cm, or, so", "y"]),
        ('"a;b","c;d",e', ["a;b", "c;d", "e"]),
        ("a\tb, c\td", ["a", "b, c", "d"]),
        ("a b", ["a b"]),
    ],
)  # fmt: skip
def test_delimiters_within_quotes_part_nothing(
    tmp_path: Path, header: str, names: list[str]
) -> None:
    """The name of a column may hold any of them."""
    path = tmp_path / "t.csv"
    path.write_text(header + "\n")
    assert open_csv(path).names == names


@pytest.mark.parametrize(
    ("above", "delimiter"),
    [("Report 2026\n\n", ","), ("# made by x\n# v2, draft\n", ","), ("", "^"), ("Shop; a\n", "\t"), ("", "\x01")],
)  # fmt: skip
def test_what_stands_above_a_header_is_left_out(tmp_path: Path, above: str, delimiter: str) -> None:
    """A title or a comment is no header of one column, of which everything would be as before. Line
    by line and in blocks the same."""
    path = tmp_path / "t.csv"
    lines = [delimiter.join(("plan", "age")), *(delimiter.join(("pro", str(n))) for n in range(9))]
    path.write_text(above + "\n".join(lines))
    table = open_csv(path)
    first = above.count("\n") + 1
    said = f"its header is line {first}; what is above is left out"
    assert table.names == ["plan", "age"]
    assert table.notes == ((said,) if above else ())
    assert values(rows(path)) == [["pro", float(n)] for n in range(9)]
    numbers = [number for number, _ in table.rows(["age"], Damage())]
    assert numbers == list(range(first + 1, first + 10))
    if table.batches is not None:
        (batch,) = table.batches(["age"], (), Damage())
        assert list(batch.numbers) == numbers


@pytest.mark.parametrize(
    ("lines", "said"),
    [(["Report,May", "a,b", *["x,1"] * 9], "line 2 has words"), (["city", *["Rome, Italy"] * 9], "though ','"), (["a b", *["0.5 1"] * 9], "if ' ' parts"),
     (["note", *["so, so", "well"] * 9], ""), (["0.5", *["0.5"] * 9], "holds numbers alone"), (["7", *["0.5"] * 9], "")],
)  # fmt: skip
def test_a_header_that_may_be_none_is_said(tmp_path: Path, lines: list[str], said: str) -> None:
    """Nobody is told that all is well of a table that was read as one column by mistake, or whose first
    row was taken for names, and nothing else."""
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    table = open_csv(path)
    assert ",".join(table.names) == lines[0]
    assert len(table.notes) == bool(said)
    assert said in "".join(table.notes)


def test_a_header_alone_after_such_a_line(tmp_path: Path) -> None:
    """Nothing but the line that tells the delimiter is no table."""
    path = tmp_path / "t.csv"
    path.write_text("sep=;\n\n")
    with pytest.raises(SourceError, match="is empty"):
        open_csv(path)


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """The later ones get a number that no other column has; what was done is said."""
    path = tmp_path / "t.csv"
    path.write_text("a,a,a.1, a ,b,,\n1,2,3,4,5,6,7\n")
    table = open_csv(path)
    assert table.names == ["a", "a.2", "a.1", "a.3", "b", "", ""]
    assert values(rows(path)) == [[1.0, 2.0, 3.0, 4.0, 5.0]]
    assert table.notes == (
        "column 2 is called 'a' as another one; here it is 'a.2'",
        "column 4 is called 'a' as another one; here it is 'a.3'",
    )


ROWS = [f"{number},text {number},x" for number in range(1000)]


@pytest.mark.parametrize(
    ("place", "line", "lost"),
    [
        (500, '500,"open,x', [502]),  # until the end of the file
        (500, '500,"open,x|501,"open,x', [502, 503]),
        (500, '500,"open,x|501,"a ""word"" with, all",x', [502]),
        (999, '999,"open,x', [1001]),
        (0, '"0,open,x', [2]),
    ],
)
def test_a_quote_that_is_not_closed_costs_its_line(
    tmp_path: Path, place: int, line: str, lost: list[int]
) -> None:
    """All others are read, and the lines are said."""
    path, lines = tmp_path / "t.csv", ROWS.copy()
    lines[place : place + 1 + line.count("|")] = line.split("|")
    path.write_text("\n".join(["n,text,x", *lines]))
    damage = Damage()
    found = list(read(open_csv(path), Columns(), ColumnTypes(), CLEAN, damage=damage))
    assert len(found) == 1000 - len(lost)
    (one,) = damage.listed()
    assert (one.place, one.count) == (f"{path}:{lost[0]}", len(lost))
    assert one.error.startswith("not a CSV row")


def test_a_quote_that_another_one_closes_far_away(tmp_path: Path) -> None:
    """What it had taken for one text are rows; so many lines of somebody's words are not."""
    path, lines = tmp_path / "t.csv", ROWS.copy()
    lines[300], lines[600] = '300,"open,x', '600,closed",x'
    path.write_text("\n".join(["n,text,x", *lines]))
    damage = Damage()
    assert len(list(open_csv(path).rows(["n"], damage))) == 999
    assert damage.listed()[0].place == f"{path}:302"
    words = "\n".join(
        ["Dear Ada,", "", "the parcel, as you said, came", "and it was, it seems,"] * 99
    )
    lines[300], lines[600] = f'300,"{words}",x', ROWS[600]
    path.write_text("\n".join(["n,text,x", *lines]))
    damage = Damage()
    assert len(list(open_csv(path).rows(["n"], damage))) == 1000
    assert not damage.listed()
