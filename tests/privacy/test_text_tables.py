"""Tables in texts: the name of a column says what its cells are."""

from __future__ import annotations

import time

import pytest

from monitor.privacy.plain_texts import located
from monitor.privacy.scrub import Bounds
from monitor.privacy.text_tables import cells, has_cells
from tests.privacy.test_scrub import SCANNER, scrub

TABLES = {
    "Markdown": "See:\n\n| id | last_name | SSN | phone | dob |\n|---|:--|---|---|---|\n| 7 | Muster | 536221234 | 2125550187 | 1974-12-25 |\n\nDone",
    "CSV": "id,last name,customer_ssn,phone,dob\n7,Muster,536221234,2125550187,1974-12-25\n",
    "CSV with quotes": '"id","last name","ssn","phone","dob"\r\n"7","Muster","536221234","2125550187","1974-12-25"\r\n',
    "semicolons": "id;Nachname;ssn;Telefon;dob\n7;Muster;536221234;2125550187;1974-12-25",
    "tabs": "id\tlast name\tssn\tphone\tdob\n7\tMuster\t536221234\t2125550187\t1974-12-25\n",
    "psql": " id | last_name | ssn | phone | dob\n----+-----------+-----+-------+----\n 7 | Muster | 536221234 | 2125550187 | 1974-12-25\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_a_cell_is_what_its_column_is_called(kind: str) -> None:
    """As a field beside a name is; cells of other columns, and what is around the table, stay."""
    text = TABLES[kind]
    one = scrub()
    done = one.text(text)
    assert set(one.pseudonyms) == {"PERSON", "US_SSN", "PHONE_NUMBER", "DATE_OF_BIRTH"}
    assert not any(value in done for value in ("Muster", "536221234", "2125550187", "1974-12-25"))
    assert done.splitlines()[0] == text.splitlines()[0]
    assert "7" in done
    assert located([text], SCANNER) == [None]


@pytest.mark.parametrize("text", [
    "a, b\nand c\n", "Dear all,\nthanks, and bye,\nBob", "| a | b |\n", "phone, mail\n", "| surname |\n\n| Muster |",
    "x = {1, 2,\n3}", "", "\n\n", "a|b\n", "1,2,3\n4,5,6\n",
])  # fmt: skip
def test_other_lines_stay(text: str) -> None:
    """Prose, code and tables of numbers."""
    assert scrub().text(text) == text


def test_a_line_with_other_cells_ends_a_table() -> None:
    """And another one may begin behind it."""
    text = "a,b\n1,2\n3\nc,d\n4,5\n"
    assert [(name, text[start:end]) for name, start, end in cells(text, bool)] == [
        ("a", "1"), ("b", "2"), ("c", "4"), ("d", "5"),
    ]  # fmt: skip
    assert has_cells(text)
    assert not has_cells("a,b\n3\n")


def test_cells_are_work() -> None:
    """So a Record has no more of them than it has room for, and those that cannot be what their
    column is called are none."""
    one = scrub(bounds=Bounds(record=20_000))
    assert one.text("surname,n\n" + "Muster,1\n" * 500).startswith("<REDACTED:record_too_large:")
    text = "phone,n\n" + "none,1\n" * 500
    assert scrub(bounds=Bounds(record=20_000)).text(text) == text


@pytest.mark.parametrize(
    "piece", ["a,b\n", "a,", "a,b", "\nx|", "|a", "|a|\n", "a\n", "-|\n", " ", "a b,c d\n1\n"]
)
def test_the_time_is_linear(piece: str) -> None:
    """Whatever is repeated: four times the text takes no more than about four times as long."""

    def spent(size: int) -> float:
        text = piece * (size // len(piece))
        best = 9.0
        for _ in range(3):
            begin = time.thread_time()
            for _cell in cells(text, bool):
                pass
            best = min(best, time.thread_time() - begin)
        return best

    assert spent(64_000) < 12 * spent(16_000) + 0.02
