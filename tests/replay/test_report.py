"""Reports."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from monitor.findings import BinShift, Driver, Finding, Together
from monitor.replay import report
from monitor.replay.document import Chunk, Replay
from monitor.reports.page import page as html_page
from tests.reports.test_page import everything

DRIFT = Finding(
    "age", "region", "<b>north</b>", 900, 5000, {"psi": 0.31, "jensen_shannon": 0.04}, 42.0,
    "drift", True, None, [BinShift("<i>above 60", 0.1, 0.4)],
    "age in region <b>north</b> drifted: PSI 0.31 over 900 values, mean up 0.5 sd",
)  # fmt: skip
QUIET = [Finding(f"f{n:02}", "all", "all", 900, 5000, {"psi": 0.0}, -1.0, "ok") for n in range(60)]
CHUNKS = [
    Chunk(0, 0.0, 449.0, 450, "ok", []),
    Chunk(1, 1.7e9, 1.7e9 + 60, 450, "drift", [DRIFT]),
]
FOUND = Replay("drift", 900, [*QUIET, DRIFT], CHUNKS)


def printed(found: Replay) -> str:
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    for part in report.tables(found, "t.csv"):
        console.print(part)
    console.file.close()
    return console.export_text()


def test_drift_comes_first_and_the_rest_is_counted() -> None:
    """A long list of nothing does not hide what matters."""
    text = printed(FOUND)
    assert text.index("drift") < text.index("f00")
    assert "and 21 more, none of them drift" in text
    assert "900 records: drift, 1 of 61 features and segments drifted" in text
    assert "mean up 0.5 sd" in text


def test_chunks_have_times_or_numbers_of_rows() -> None:
    """A table without times is told by its rows."""
    text = printed(FOUND)
    assert "row 449" in text
    assert "2023-11-14 22:13 UTC" in text


def test_names_are_no_markup() -> None:
    """Neither for the terminal nor for a browser."""
    named = Finding("[red]x[/red]", "all", "all", 1, 1, {}, 0.0, "insufficient")
    assert "[red]x[/red]" in printed(Replay("insufficient", 1, [named]))
    page = html_page(FOUND, "<script>")
    assert "<script>" not in page
    assert "<b>north" not in page
    assert "<i>above" not in page


def test_the_page_says_what_was_compared_and_shows_it() -> None:
    """Sources and settings, the cells before and now, where it came from, what moved together."""
    whole = msgspec.structs.replace(
        DRIFT, dimension="all", value="all", bins=[BinShift("a", 0.25, 0.5), BinShift("b", 0.75, 0.5)],
        drivers=[Driver("region", "south", 0.875)],
    )  # fmt: skip
    group = Together("region", "south", 1.7e9, ["age", "plan"])
    page = html_page(
        Replay("drift", 900, [DRIFT, whole], CHUNKS, together=[group]),
        "t.csv",
        [("reference", "ref.csv"), ("tolerance", "PSI 0.02")],
    )
    for said in ("<dt>reference<dd>ref.csv", "25 % → 50 %", "region = south", "88 %", "age, plan"):
        assert said in page
    assert page.index("age, all") < page.index("age, region")


def test_the_page_needs_nothing_else() -> None:
    """No script, no link, no image: it can be mailed."""

    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: set[str] = set()
            self.attributes: set[str] = set()

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found.add(tag)
            self.attributes |= {name for name, _ in attrs}

    tags = Tags()
    tags.feed(html_page(FOUND, "t.csv"))
    assert {"table", "tr", "td", "h1"} <= tags.found
    assert not tags.found & {"script", "link", "img", "iframe"}
    assert not tags.attributes & {"src", "href"}


def lines(found: Replay, width: int, title: str = "t.csv") -> list[str]:
    """What a screen of so many columns shows."""
    console = Console(width=width, file=StringIO(), no_color=True)
    for part in report.tables(found, title, console.width):
        console.print(part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 200])
def test_nothing_is_cut_on_a_screen_of_80_columns(width: int) -> None:
    """Everything on: no line is longer, no word is cut; the verdict comes first, and is counted last."""
    found = everything("a_name_of_more_than_thirty_characters")
    shown = lines(found, width)
    assert max(map(len, shown)) <= width
    assert "…" not in "".join(shown)
    assert shown[0].startswith(
        "Alarm: accuracy is 0.7; drift: a_name_of_more_than_thirty_characters.0 moved"
    )
    together = "".join("".join(shown).split())
    for said in ("since2024-01-03", "meanup0.5sd", "interval", "1notjudged", "▁·▇█"):
        assert said in together
    assert "".join(shown[-3:]).count("judged") == 2


@pytest.mark.parametrize(
    "name", ["\x1b[31mred\x07", "a\rb\nc", "\u202eabc\u2066", "x" * 10000, "[red]"]
)
def test_names_move_no_cursor(name: str) -> None:
    """No control character, no mark that turns the direction of what follows."""
    text = "".join(lines(everything(name), 80, name))
    assert not re.search("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    assert "[red]" not in name or "[red]" in text


def test_a_screen_is_told_of_so_many_chunks() -> None:
    """Those that drift before others, in order; of the rest there is a number."""
    chunks = [
        Chunk(n, n * 60.0, n * 60.0 + 60, 60, "drift" if n == 9000 else "ok", [])
        for n in range(10_000)
    ]
    said = printed(Replay("ok", 600_000, [], chunks))
    assert len(said.splitlines()) < 150
    assert "9000" in said
    assert "and 9,900 more; of all 1 drift; --json FILE has each" in said
