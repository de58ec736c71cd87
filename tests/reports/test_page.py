"""The page: what stands on it, whatever things are called, and as a browser shows it."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Generator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.damage import Unreadable
from monitor.findings import (
    BinShift,
    Calibration,
    Coverage,
    Driver,
    Estimate,
    ExperimentEffect,
    Fairness,
    Finding,
    Performance,
    Quality,
    ReliabilityBin,
    Slice,
    SliceCondition,
    Together,
)
from monitor.replay.document import (
    Chunk,
    Confusion,
    Course,
    DataQuality,
    Replay,
    SchemaChange,
    Stretch,
    WhatIf,
)
from monitor.reports import pictures, sections
from monitor.reports.page import page
from monitor.tables.facts import Facts

JANUARY, DAY = 1704067200.0, 86400.0
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), "")
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e{{7*7}}</style></title>"


def everything(name: str = "age", *, features: int = 3) -> Replay:
    """A document with everything on, in which all that may be named is called `name`."""
    bins = [BinShift(f"{name} {n}", 0.1 * n, 0.4 - 0.1 * n) for n in range(5)]
    segments = [("all", "all"), (name, f"{name}1"), (name, f"{name}2")]
    found = [
        Finding(
            f"{name}.{number}", *where, 900, 5000, {"psi": 0.31, "jensen_shannon": 0.04}, 42.0,
            "drift" if number == 0 else "ok", number == 0, None, bins[:2],
            f"{name} drifted: PSI 0.31 over 900 values, mean up 0.5 sd", [Driver(name, name, 0.9)],
            bins=bins, mix=bins[:1], mean_shift=0.5,
        )
        for number in range(features)
        for where in segments
    ]  # fmt: skip
    found.append(Finding(f"{name}.id", "all", "all", 9, 9, {}, 0.0, "insufficient", reason=name))
    quality = Quality("all", "all", "accuracy", 0.7, 0.6, 0.8, 900, "alarm", words=name)
    calibration = Calibration(
        "all", "all", 0.1, 0.2, 1.1, 0.05, [ReliabilityBin(0.0, 1.0, 900, 0.5, 0.4)], 12.0, "alarm",
        900, None, 0.1, 0.1, 0.2, None,
    )  # fmt: skip
    fairness = Fairness(
        name, name, "selection_rate", 0.2, 0.1, 0.3, 9.0, "alarm", [Driver(name, name, 1)]
    )
    effect = ExperimentEffect(name, name, name, -0.1, -0.2, -0.05, "worse", 900, name)
    worst = Slice(
        [SliceCondition(name, name)], "error", 90, 0.5, 0.1, 0.4, 0.3, 0.5, 9.0, "alarm", name
    )
    estimate = Performance(Estimate(9, 0.7, 0.7, 0.7, 0.8), None, Estimate(9, 0.8, 0.8, 0.8, 0.9))
    chunks = [
        Chunk(
            n, JANUARY + n * DAY, JANUARY + (n + 1) * DAY, 300 * (n != 1), "ok" if n < 2 else "drift",
            found if n != 1 else [], performance=estimate if n != 1 else None, quality=[quality],
        )
        for n in range(4)
    ]  # fmt: skip
    courses = [
        Course(
            one.feature, one.dimension, one.value, 0.02, [0.0, None, 0.3, 0.4], [0.1, None, 9.0, 8.0],
            ["ok", "insufficient", "drift", "drift"], [300, 0, 300, 300], 2, 3, JANUARY + 2 * DAY,
            usual_scores=[0.01, 0.0, None], usual_log_evidence=[0.2, -0.1, None],
        )
        for one in found
        if one.status == "drift"
    ]  # fmt: skip
    facts = Facts(900, 9, {"number": 800, "word": 91}, 90, -1.0, 1.0, {name: 9})
    odd = Facts(900, 400, {"number": 500}, 90, -9.0, 9.0)
    return Replay(
        "drift", 900, found, chunks, performance=estimate,
        together=[Together(name, name, None, [name, f"{name}b"])], columns={f"{name}.0": "numeric"},
        schema=[SchemaChange(name, "new", now="numeric")], remarks=[name],
        unreadable=[Unreadable(name, name)], quality=[quality], calibration=[calibration],
        coverage=[Coverage("all", "all", 0.8, 0.9, 1.5, 9.0, "ok", 900, None, 1e300, 9, 1)],
        fairness=[fairness], experiments=[effect], slices=[worst], timeline=courses,
        usual=[Stretch(JANUARY - n * DAY, JANUARY - (n - 1) * DAY, 300) for n in (3, 2, 1)],
        data_quality=[
            DataQuality(f"{name}.0", facts, odd, bins[:1], bins[:2]), DataQuality(name, None, odd),
        ],
        what_if=[WhatIf(0.05, 0.02, "drift", 3), WhatIf(0.05, 0.5, "ok", 0)],
        confusion=Confusion([name, f"{name}b"], [[80, 20], [0, 50]], [[95, 5], [0, 0]]),
    )  # fmt: skip


class Read(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def of(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [a for name, a in self.tags if name == tag and attributes.items() <= a.items()]


def test_every_feature_and_segment_has_its_picture() -> None:
    """A distribution each; a card for what drifted; a section for all that was judged."""
    found = everything()
    read = Read(page(found, "today.csv"))
    assert len(read.of("td", **{"class": "h"})) == len(found.features)
    assert len(read.of("section")) == 1
    said = " ".join(" ".join(read.text).split())
    for title in (
        "How to read this", "What changed", "What moved together", "Over time", "Performance",
        "Quality", "Calibration", "Coverage", "Fairness", "Experiments", "Worst slices",
        "What columns hold", "Every feature and segment", "With other settings",
        "How columns were read", "Remarks",
    ):  # fmt: skip
        assert title in said
    assert len(read.of("svg", **{"class": "chart"})) == 3  # reliability, gaps, effects
    assert "1 % → 44.4 %" in said
    assert "-1 to 1 → -9 to 9" in said


def test_the_first_sentence_says_what_by_how_much_and_since_when() -> None:
    """And what else is wrong; first of all what became worse."""
    (heading,) = re.findall("<h1>(.*?)</h1>", page(everything(), "today.csv"))
    assert heading == (
        "Alarm: accuracy is 0.7; drift: age.0 moved most (PSI 0.31, mean up 0.5 sd, “age 0” from 0 % to 40 %), since "
        "2024-01-03; 3 of 10 features and segments drifted; 1 not judged; 1 alarm of quality, 1 alarm of "
        "calibration, 1 alarm of fairness, 1 alarm of slices, 1 bad arm of experiments"
    )


def test_what_the_first_sentence_names_stands_first() -> None:
    """Although a segment of another feature moved more."""
    usual = {"changed": True, "words": "x"}
    found = [
        Finding("age", "region", "north", 9, 9, {"psi": 3.0}, 9.0, "drift", **usual),
        Finding("age", "all", "all", 9, 9, {"psi": 0.3}, 9.0, "drift", **usual),
        Finding("fee", "all", "all", 9, 9, {"psi": 0.5}, 9.0, "drift", **usual),
    ]
    assert [one.worst.feature for one in sections.cards(found)] == ["fee", "age"]


def test_nothing_of_little_is_a_page_too() -> None:
    """Nothing judged, nothing there."""
    for found in (Replay("insufficient", 0, []), Replay("ok", 9, [], [], quality=[], slices=[])):
        assert "<h1>" in page(found, "")


@functools.cache
def usual_page() -> Read:
    return Read(page(everything("usual"), "usual"))


@given(
    st.text(min_size=1, max_size=30)
    | st.sampled_from([XSS, "\0\x1b[31m", "\u202eabc", "x" * 10000])
)
@settings(max_examples=40)
def test_whatever_things_are_called_stays_text(name: str) -> None:
    """The same elements and attributes as with any other name; nothing that runs or is loaded."""
    usual, read = usual_page(), Read(page(everything(name), name))
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in usual.tags]
    assert [set(each) for _, each in read.tags] == [set(each) for _, each in usual.tags]
    assert not {name for _, each in read.tags for name in each if name.startswith("on")}
    assert not {"script", "img", "iframe", "link", "object"} & {tag for tag, _ in read.tags}
    assert not {"style", "src", "href"} & {one for _, each in read.tags for one in each}


def test_many_features_fit_into_a_mail() -> None:
    """300 features by 10 segments, with names of usual length: 3 MB at most."""
    from tests.bench.bench_report import document

    assert len(page(document(), "today.parquet").encode()) < 3_000_000


def test_what_columns_held_stands_beside_what_they_hold() -> None:
    """Cells, missing ones, the commonest category, ranges; of times the months, as far as they are
    known; nothing of ids, of which it is only seen that they are there."""
    before = Facts(1000, 10, {"word": 990}, 3, categories={"a": 600, "b": 390})
    now = Facts(2000, 20, {"word": 1980}, 3, categories={"a": 800, "b": 1180})
    first, second = (Facts(9, smallest=low, largest=low + 1e7) for low in (1.76e9, -1e9))
    ids = Facts(9, categories={"a value": 9})
    found = Replay(
        "ok", 9, [], columns={"x": "categorical", "at": "datetime, day first", "id": "identifier"},
        data_quality=[
            DataQuality("x", before, now), DataQuality("at", first, second),
            DataQuality("id", ids, ids), DataQuality("y", now=now),
        ],
    )  # fmt: skip
    rows = re.findall(r"<tr><th scope=row>(x|at|id|y)<td>(.*)", page(found, "t"))
    told = {name: re.split(r"<td[^>]*>", cells)[1:-1] for name, cells in rows}
    assert told["x"] == [
        "1,000 → 2,000", "1 %", "word", "a (60 %) → b (59 %)", "3", "",
    ]  # fmt: skip
    assert told["at"][-1] == "2025-10 to 2026-02 → 1938-04 to 1938-08"
    assert told["id"][3] == ""
    assert told["y"] == ["2,000", "1 %", "word", "b (59 %)", "3", ""]


def test_the_confusion_matrix_stands_beside_that_of_the_reference() -> None:
    """Shares of what was true, before and now; red is what is wrong more often than before."""
    cell = r"<td class=\"(n[a-z ]*)\">([^<\n]*)"
    pattern = rf"<tr><th scope=row>(ageb?){cell}{cell}<td class=n>([^<\n]*)"
    assert re.findall(pattern, page(everything(), "t")) == [
        ("age", "n right", "95 % → 80 %", "n odd", "5 % → 20 %", "100"),
        ("ageb", "n", "0 %", "n right", "100 %", "0 → 50"),
    ]


@pytest.mark.parametrize(
    ("step", "count", "told"),
    [
        (DAY, 31, ["2024-01-01", "01-17", "02-01"]),
        (DAY, 3, ["2024-01-01", "01-04"]),
        (10 * DAY, 50, ["2024-01-01", "2024-09-07", "2025-05-15"]),
        (3600.0, 6, ["2024-01-01", "01-01 03:00", "01-01 06:00"]),
        (0.0, 4, ["row 0", "500", "999"]),
    ],
)
def test_what_is_drawn_over_time_has_dates_below(step: float, count: int, told: list[str]) -> None:
    """Where it begins, in the middle and where it ends; what dates have in common is said once."""
    chunks = [
        Chunk(n, JANUARY + n * step, JANUARY + (n + 1) * step, 9, "ok", [])
        if step
        else Chunk(n, n * 250, n * 250 + 249, 9, "ok", [])
        for n in range(count)
    ]
    axis = pictures.axis(chunks)
    assert re.findall(r">([^<>]+)</text>", axis) == told
    assert re.findall(r'text class="(start|middle|end)"', axis)[:: len(told) - 1] == [
        "start",
        "end",
    ]
    drawn = page(everything(), "t").partition("<h2>Over time</h2>")[2].partition("<details>")[0]
    assert drawn.count('class="axis"') == drawn.count("<figure>") + 1  # and of the records


@pytest.mark.parametrize(
    ("parts", "told"),
    [(4, ["2023-12-28", "2024-01-01", "2024-01-05"]), (1, ["2024-01-01", "2024-01-05"]), (12, ["2023-12-20", "2024-01-05"])],
)  # fmt: skip
def test_the_reference_stands_before_what_is_compared_with_it(parts: int, told: list[str]) -> None:
    """Its own parts on grey, the onset behind them, and dates of both where there is room."""
    usual = [Stretch(JANUARY - n * DAY, JANUARY - (n - 1) * DAY, 300) for n in range(parts, 0, -1)]
    chunks = [Chunk(n, JANUARY + n * DAY, JANUARY + (n + 1) * DAY, 9, "ok", []) for n in range(4)]
    assert re.findall(r">([^<>]+)</text>", pictures.axis(chunks, usual)) == told
    one = Course(
        "age", "all", "all", 0.02, [0.0, 0.0, 0.3, 0.4], [0.1, 0.0, 9.0, 8.0], ["ok"] * 4, [9] * 4, 2, 3,
        usual_scores=[0.01] * parts, usual_log_evidence=[0.1] * parts,
    )  # fmt: skip
    for drawn in (pictures.course(one), pictures.evidence(one)):
        assert f'viewBox="0 0 {parts + 4} ' in drawn
        assert f'<rect class="usual" width="{parts}"' in drawn
        assert f'class="onset" d="M{parts + 2} ' in drawn
        assert re.findall(r'class="(u|n)" d="M(\d+)', drawn) == [("u", "0"), ("n", str(parts))]
    assert "On grey, before" in page(everything(), "t")


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed: the page is not looked at")
@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["desk", "phone"]
)
def test_the_page_is_fit_for_everybody(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    """axe finds nothing, also where all is open; nothing is wider than the screen; names do nothing;
    the page's own policy allows what it has."""
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "report.html"
    path.write_text(page(everything(XSS, features=6), XSS, [("reference", "x" * 500)]), "utf-8")
    shown = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    ).new_page()
    said: list[str] = []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("dialog", lambda dialog: said.append("a dialog opened"))
    shown.goto(path.as_uri())
    shown.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = [
        (one["id"], one["impact"], one["nodes"][0]["html"][:200])
        for one in Axe().run(shown).response["violations"]
    ]
    assert found == []
    bar = shown.locator(".bin svg").first.bounding_box()
    assert bar["width"] > 100
    hidden = "one => getComputedStyle(one).display == 'none'"
    assert not shown.evaluate(f"[...document.querySelectorAll('svg .n')].some({hidden})")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert shown.evaluate(wide) <= 0
    names = "[...document.querySelectorAll('td:nth-child(2):not(.n)')].map(one => one.offsetWidth)"
    assert min(shown.evaluate(names)) >= (128 if width == 390 else 0)
    assert said == []
