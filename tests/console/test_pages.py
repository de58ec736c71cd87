"""The console's pages, without a browser: what they show, and that hostile names stay text."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import math
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from monitor.api import access, bodies, problems
from monitor.api.headers import Headers
from monitor.console.pages import STATIC, add_to
from monitor.console.views import NAV, TAKES, VIEWS
from monitor.errors import SilentError, StreamError
from monitor.findings import Drift, Outcomes, Quality
from monitor.review.desk import Said, Task
from monitor.review.queue import Answer, Stats
from monitor.types import Measurement, Part
from monitor.web import FastAPI
from tests.api.test_review import STATS
from tests.hostile import TEXTS
from tests.queries.house import House, histogram

HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
XSS = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)",
    "javascript:alert(1)", "{{7*7}}{% raw %}", "</title></svg><svg onload=alert(1)>", "&lt;b&gt;",
    "<!--", "a\u202eb", "\u0000\x1b[31m", "w" * 3000, "/../../x?y=#z", "%2e%2e%2f",
]  # fmt: skip
PAGES = [
    "", "findings", "findings?status=&limit=5", "finding?feature=tokens.input&dimension=all&value=all",
    "segments", "segments?sort=errors&dimension=population", "records", "records?segment=population=north",
    "records/r-3", "templates", "templates/t_0123456789ab", "quality", "fairness", "slices", "experiments",
    "experiments/prompt", "experiments/prompt?cursor=5-0&limit=1",
    "health", "review",
]  # fmt: skip


class Sits:
    """A desk with one item; keeps what was said."""

    def __init__(self, name: str) -> None:
        self.heard: list[tuple[str, Said]] = []
        self.says: Answer = "taken"
        part = {"role": name, "name": "", "text": f"hello {name}", "data": None}
        # A document leaves out what is not there.
        tensor = {"name": name, "datatype": "FP64", "shape": [1], "data": [0.5]}
        record = {"inputs": [part, {"text": name}], "outputs": [part, tensor]}
        self.task: Task | None = Task(name, record, "refusal", 0.125, 1e9)

    async def next(self, reader: str, now: float) -> Task | None:
        return self.task

    async def answer(self, item: str, said: Said, now: float) -> Answer:
        self.heard.append((item, said))
        return self.says

    async def stats(self, now: float) -> Stats:
        return STATS


def console(house: Any, desk: Any, tokens: access.Tokens | None = None) -> Any:
    """The console of this house. Without tokens its pages are those of all others, compiled once;
    they show what is behind the console that was asked last."""
    if tokens is not None:
        app = pages(lambda: house, lambda: desk, lambda token: tokens.holder(token) is not None)
        return Headers(access.Guard(app, tokens=tokens, is_exposed=False, clock=float))
    guarded = Headers(access.Guard(shared(), tokens=None, is_exposed=False, clock=float))

    async def shown(scope: Any, receive: Any, send: Any) -> None:
        BEHIND.update(house=house, desk=desk)
        await guarded(scope, receive, send)

    return shown


BEHIND: dict[str, Any] = {}


@functools.cache
def shared() -> FastAPI:
    return pages(lambda: BEHIND["house"], lambda: BEHIND["desk"], None)


def pages(house: Any, desk: Any, signs_in: Any) -> FastAPI:
    app = FastAPI(openapi_url=None)
    add_to(
        app, house, desk=desk, clock=lambda: 100.0,
        reader_of=lambda request: access.reader_of(request.scope), signs_in=signs_in,
        body=bodies.body,
    )  # fmt: skip
    problems.add_to(app)
    return app


def asked(
    path: str, app: Any, method: str = "GET", cookies: dict[str, str] | None = None, **more: Any
) -> httpx.Response:
    return all_asked([(path, more)], app, method, cookies)[0]


def all_asked(
    requests: Iterable[tuple[str, dict[str, Any]]],
    app: Any,
    method: str = "GET",
    cookies: dict[str, str] | None = None,
) -> list[httpx.Response]:
    """One after the other, in one loop of events."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", cookies=cookies,
            headers={"accept": "text/html,*/*;q=0.8"},
        ) as client:  # fmt: skip
            return [
                await client.request(
                    method, path if path.startswith("/") else f"/console/{path}", **more
                )
                for path, more in requests
            ]

    return asyncio.run(ask())


class Tags(HTMLParser):
    """The tags of a page with the names of their attributes, its links, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [
            said or "" for name, said in attrs if name in ("href", "src", "action", "hx-get")
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_shown(path: str) -> None:
    """With a title, a heading, one main part, the navigation, and no style or script within it."""
    answer = asked(path, console(House(), Sits("north")))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    page = Tags(answer.text)
    names = [tag for tag, _ in page.tags]
    assert [names.count(tag) for tag in ("title", "h1", "main", "nav")] == [1, 1, 1, 1]
    assert all(place.title in page.text for place in NAV)
    assert "style" not in names
    assert not any("style" in attributes for _, attributes in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert all(link.startswith(("/console/", "/api/v1/", "#")) for link in page.links)
    ids = re.findall(r"<label>[^<]*<", answer.text)
    assert len(ids) == names.count("label")  # each label holds its field


@pytest.mark.parametrize("name", XSS, ids=range(len(XSS)))
def test_hostile_names_stay_text(name: str) -> None:
    """A page has the same tags and attributes whatever a segment, arm, class or reader is called."""
    for path, tags in named(name).items():
        assert sorted(tame()[path].tags) == sorted(tags.tags), path
        assert all(link.startswith(("/console/", "/api/v1/", "#")) for link in tags.links)


def named(name: str) -> dict[str, Tags]:
    """Every page of a house in which everything is called so."""
    paths = [path.replace("?segment=population=north", "") for path in PAGES]
    answers = all_asked([(path, {}) for path in paths], console(House((name, "south")), Sits(name)))
    assert {one.status_code for one in answers} == {200}
    return {path: Tags(one.text) for path, one in zip(paths, answers, strict=True)}


@functools.cache
def tame() -> dict[str, Tags]:
    return named("north")


@pytest.mark.parametrize("text", TEXTS.elements, ids=range(len(TEXTS.elements)))
def test_hostile_parameters_are_a_page(text: str) -> None:
    """Of what was asked for, or of one sentence that says what is wrong; never a failure."""
    app = console(House((text.encode("utf-8", "replace").decode(), "b")), Sits("north"))
    said = text.encode("utf-8", "replace").decode()
    asking = {
        "findings": ("status", "cursor", "feature"), "finding": ("value",), "segments": ("sort",),
        "records": ("from", "segment", "cursor"), "quality": ("dimension",), "nowhere": ("x",),
    }  # fmt: skip
    requests = [(path, {"params": {name: said}}) for path in asking for name in asking[path]]
    for answer in all_asked(requests, app):
        assert answer.status_code in (200, 400, 404)
        assert Tags(answer.text).text.count("This cannot be shown") in (0, 2)


def test_what_is_missing_or_away_is_a_page() -> None:
    """404 and 503 with a sentence, and the way back."""
    app = console(House(), Sits("north"))
    assert asked("records/none", app).status_code == 404
    assert asked("nowhere", app).status_code == 404
    assert asked("static/../pages.py", app).status_code == 404
    assert asked("/console", app).headers["location"] == "/console/"

    class Away(House):
        async def drift(self) -> Any:
            raise StreamError("connection <refused>")

    answer = asked("findings", console(Away(), Sits("north")))
    assert answer.status_code == 503
    assert "the store is away: connection &lt;refused&gt;" in answer.text


def test_nothing_is_said_to_be_well_while_the_analyzer_does_not_answer() -> None:
    """Its own pages are 503, the overview and the review go on without it."""

    class Silent(House):
        async def drift(self) -> Any:
            raise SilentError

        async def outcomes(self) -> Any:
            raise SilentError

    app = console(Silent(), Sits("north"))
    for path in ("findings", "quality", "fairness"):
        answer = asked(path, app)
        assert answer.status_code == 503
        assert "the analyzer does not answer now" in answer.text
    page = asked("", app).text
    assert "the analyzer does not answer now" in page
    assert "unknown until the analyzer answers" in page
    assert "Nothing drifts" not in page
    assert "None of quality" not in page
    assert "Where the tail is" in page


def test_a_finding_shows_its_two_histograms_and_where_it_comes_from() -> None:
    """In words, as a picture, and as a table for those who do not see it."""
    app = console(House(), Sits("north"))
    page = asked(PAGES[3], app).text
    assert page.count('<rect class="before"') == page.count('<rect class="after"') == 2
    assert 'role="img"' in page
    assert "93 % from" in page
    assert "2026-05-28" in page  # since when


def test_what_has_no_place_is_told_beside_the_verdict() -> None:
    """Else nothing would say why it is not `ok`."""

    class Full(House):
        async def drift(self) -> Drift:
            return Drift("insufficient", 9, left_out=1234)

    assert "1,234 values had no place of late" in asked("findings", console(Full(), Sits("n"))).text
    assert "no place" not in asked("findings", console(House(), Sits("n"))).text


def test_who_begins_is_told_how() -> None:
    """Before the first exchange; a system that watches says neither."""

    class Empty(House):
        async def measurements(self) -> list[Measurement]:
            return []

        async def drift(self) -> Drift:
            return Drift("insufficient", 0, [], [])

    told = "No exchange has come yet", "Nothing is watched yet"

    class Analyzer(House):
        async def measurements(self) -> list[Measurement]:
            found = await super().measurements()
            return [one for one in found if one.name != "monitor_exchanges_total"]

    begun, empty, analyzes = (
        asked("", console(one, Sits("north"))).text for one in (House(), Empty(), Analyzer())
    )
    assert [one in empty for one in told] == [True, True]
    assert [one in begun for one in told] == [False, False]
    assert told[0] not in analyzes
    assert "No exchange has come through this command" in analyzes


def test_the_overview_says_which_outcome_most_errors_have() -> None:
    """With a link to the records that have it."""
    page = asked("", console(House(), Sits("north"))).text
    assert 'most are <a href="/console/records?outcome=timeout">timeout</a>' in page


def test_the_tail_is_not_told_of_few_exchanges() -> None:
    """Nor of edge cases, of which some are slow by what they are; on the page of all segments what is
    few comes last, unless counts are compared."""

    class Odd(House):
        async def measurements(self) -> list[Measurement]:
            found = await super().measurements()
            for dimension, value, count in (("site", "rare", 9), ("edge_case", "slow_one", 90)):
                place = {"endpoint": "e", "dimension": dimension, "value": value}
                name = "monitor_segment_exchanges_total"
                found.append(Measurement(name, {**place, "outcome": "ok"}, count))
                name = "monitor_segment_duration_seconds"
                found += histogram(name, place, {1.0: 0, 2.0: 0, 9.0: count, math.inf: 0})
            return found

    app = console(Odd(), Sits("north"))
    tail = asked("", app).text.partition("Where the tail is")[2]
    assert "north" in tail
    assert "Of segments with 50 exchanges or more" in tail
    assert "rare" not in tail
    assert "slow_one" not in tail
    every = asked("segments", app).text
    places = [every.index(f"<b>{name}</b>") for name in ("slow_one", "north", "south", "rare")]
    assert places == sorted(places)
    assert "fewer than 50 exchanges come last" in every
    assert "come last" not in asked("segments?sort=exchanges", app).text


@pytest.mark.parametrize(("page", "said"), [
    ("findings", "findings?status=drift"), ("findings?status=", "findings"),
    ("records?segment=population%3Dnorth&outcome=ok", "records?segment=population%3Dnorth&outcome=ok"),
    ("segments?sort=errors&dimension=population", "segments?dimension=population"),
    ("quality?dimension=all", "quality?dimension=all"), ("quality?dimension=all", "coverage?dimension=all"),
    ("fairness?measure=selection_rate", "fairness?measure=selection_rate"),
    ("slices?status=alarm", "slices?status=alarm"), ("health", "status"),
])  # fmt: skip
def test_the_json_of_a_page_is_asked_as_the_page_was(page: str, said: str) -> None:
    """Whoever filtered a page gets the same from the API."""
    links = Tags(asked(page, console(House(), Sits("north"))).text).links
    assert f"/api/v1/{said}" in links


def test_a_long_list_says_that_it_is_cut_and_is_folded() -> None:
    """By class and of what is known so far, where numbers that are none are left out."""

    class Many(House):
        async def outcomes(self) -> Outcomes:
            found = await super().outcomes()
            early = [
                Quality("site", f"s-{number}", "f1", 0.5 if number % 2 else None, None, None, 3)
                for number in range(500)
            ]
            (chart,) = found.calibration
            charts = [msgspec.structs.replace(chart, value=f"s-{number}") for number in range(30)]
            return msgspec.structs.replace(found, early=early, calibration=charts)

    page = asked("quality", console(Many(), Sits("north"))).text
    assert "The first 12 of 30 are shown" in page
    early = page.partition("Known so far")[2]
    assert "<details><summary>250 numbers" in early
    assert "The first 200 of 250 are shown" in early
    assert "<details open>" in page  # of a class there is one number
    assert asked("quality", console(House(), Sits("north"))).text.count("are shown;") == 0


def test_reading_a_record_is_logged_under_the_readers_name() -> None:
    """As over the API."""
    house = House()
    assert "hello" in asked("records/r-3", console(house, Sits("north"))).text
    assert house.accesses == [("local", "records", "r-3")]


# --- signing in -----------------------------------------------------------------------------------


@pytest.fixture
def tokens(tmp_path: Path) -> access.Tokens:
    path = tmp_path / "tokens"
    path.write_text("".join(
        f"{name} {roles} {hashlib.sha256(name.encode()).hexdigest()}\n"
        for name, roles in (("kim", "read,records,review"), ("bo", "read"))
    ))  # fmt: skip
    path.chmod(0o600)
    return access.Tokens(path, print)


def test_the_width_of_intervals_stands_beside_their_coverage() -> None:
    """With those that have none."""
    page = asked("quality", console(House(), Sits("north"))).text
    assert "12.5, 3 unbounded, 1 empty" in page


def test_people_sign_in_with_a_token(tokens: access.Tokens) -> None:
    """It goes into a cookie that no script reads and no other site sends; they come back to where
    they were."""
    house = House()
    app = console(house, Sits("north"), tokens)
    away = asked("findings?status=ok", app)
    assert away.status_code == 303
    assert away.headers["location"] == "/console/sign-in?to=%2Fconsole%2Ffindings%3Fstatus%3Dok"
    form = asked(away.headers["location"], app)
    assert 'value="/console/findings?status=ok"' in form.text
    wrong = asked("sign-in", app, "POST", data={"token": "x", "to": "//evil.example"})
    assert wrong.status_code == 403
    assert "This token is not known here." in wrong.text
    back = asked("sign-in", app, "POST", data={"token": "kim", "to": "/console/records"})
    assert (back.status_code, back.headers["location"]) == (303, "/console/records")
    cookie = back.headers["set-cookie"]
    for said in ("monitor_token=kim", "HttpOnly", "SameSite=strict", "Path=/console", "Max-Age="):
        assert said in cookie
    page = asked("records/r-3", app, cookies={"monitor_token": "kim"})
    assert page.status_code == 200
    assert "Sign out" in page.text
    assert house.accesses == [("kim", "records", "r-3")]
    out = asked("sign-out", app, "POST", cookies={"monitor_token": "kim"})
    assert 'monitor_token=""' in out.headers["set-cookie"]


def test_a_cookie_opens_the_console_alone_and_roles_hold(tokens: access.Tokens) -> None:
    """The API takes no cookie; a page beyond one's roles says which role is missing. A program that
    asks for a page is told by the status."""
    app = console(House(), Sits("north"), tokens)
    assert asked("/api/v1/status", app, cookies={"monitor_token": "kim"}).status_code == 401
    assert asked("", app, cookies={"monitor_token": "bo"}).status_code == 200
    for path in ("records", "records/r-3", "templates/t_0123456789ab", "review"):
        refused = asked(path, app, cookies={"monitor_token": "bo"})
        assert refused.status_code == 303, path
        assert "&role=" in refused.headers["location"]
    assert "role <b>review</b>" in asked("sign-in?role=review", app).text
    program = {"accept": "*/*"}
    assert asked("", app, headers=program).status_code == 401
    assert (
        asked("review", app, headers={**program, "authorization": "Bearer bo"}).status_code == 403
    )
    assert asked("static/console.css", app).headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "http://127.0.0.1"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
    ],
    ids=range(8),
)
def test_a_page_of_another_site_sends_nothing(headers: dict[str, str], is_taken: bool) -> None:
    """Also without tokens, where whoever is on this machine may ask."""
    desk = Sits("item-1")
    form = {"verdict": "failed", "label": "7", "note": ""}
    answer = asked("review/item-1", console(House(), desk), "POST", data=form, headers=headers)
    assert answer.status_code == (303 if is_taken else 403)
    assert desk.heard == ([("item-1", Said("local", passed=False, label="7"))] if is_taken else [])


def test_a_verdict_that_does_not_count_says_why() -> None:
    """And one that is none."""
    desk = Sits("item-1")
    desk.says = "leased"
    answer = asked("review/item-1", console(House(), desk), "POST", data={"verdict": "skip"})
    assert (answer.status_code, desk.heard[0][1].skip) == (409, True)
    assert "somebody else reads this item now" in answer.text
    assert asked("review/item-1", console(House(), desk), "POST", data={}).status_code == 400
    desk.task = None
    assert "Nothing waits for you." in asked("review", console(House(), desk)).text


@pytest.mark.parametrize("path", ["sign-in", "review/item-1"])
def test_a_form_that_is_too_long_slow_or_cut_is_no_defect(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """413, 408, and quiet where the client hung up; what it said before counts for nothing."""
    monkeypatch.setattr(access, "BODY_PATIENCE", 0.05)
    desk = Sits("item-1")
    app = console(House(), desk)
    assert asked(path, app, "POST", content=b"x" * (65 << 10)).status_code == 413

    async def send_half(then: str) -> int:
        status, messages = [], [{"type": "http.request", "body": b"verdict=", "more_body": True}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            if then == "wait":
                await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            status.append(message.get("status"))

        scope = {
            "type": "http", "method": "POST", "path": f"/console/{path}", "query_string": b"",
            "headers": [(b"content-length", b"1000")], "root_path": "", "scheme": "http",
        }  # fmt: skip
        await app(scope, receive, send)
        return status[0]

    assert asyncio.run(send_half("wait")) == 408
    assert asyncio.run(send_half("hang up")) == 400
    assert desk.heard == []


@pytest.mark.parametrize(("path", "sentence"), [
    ("findings?limit=x", "limit: is not a whole number from 1 to 1,000"),
    ("records?limit=0", "limit: is not a whole number from 1 to 1,000"),
    ("segments?sort=x", "sort: is not one of p95, p99"),
    ("findings?limit=1&limit=2", "limit: is given twice"),
    ("findings?color=red", "is not a parameter of this page; its parameters are feature"),
    ("?x=1", "is not a parameter of this page; it takes none"),
    ("records/r-3?x=1", "is not a parameter of this page; it takes none"),
])  # fmt: skip
def test_a_page_with_a_wrong_parameter_says_so(path: str, sentence: str) -> None:
    """As the API does; nothing is read before."""
    house = House()
    answer = asked(path, console(house, Sits("north")))
    assert answer.status_code == 400
    assert sentence in Tags(answer.text).text
    assert house.accesses == []


def test_a_page_takes_the_parameters_that_it_names() -> None:
    """Each of them alone, empty as forms send them, and `limit` as the API."""
    app = console(House(), Sits("north"))
    for path, names in TAKES.items():
        for name in names:
            status = 404 if path == "finding" else 200
            page = path.replace("{id}", "prompt")
            assert asked(page, app, params={name: ""}).status_code in (200, status), (path, name)
        if "limit" in names:
            assert asked(page, app, params={"limit": "1"}).status_code == 200
            assert asked(page, app, params={"limit": "x"}).status_code == 400


def test_what_a_part_does_not_have_is_left_out_for_readers() -> None:
    """A record leaves out what is as by default: a classifier's columns have no role, and texts of
    a chat no name, data or shape."""
    desk = Sits("north")
    assert desk.task is not None
    parts = [
        Part(datatype="FP64", shape=[1], data=[0.5]), Part(name="y", data=["cat"]), Part(text="hi"),
        Part(role="user", text="when?"), Part(),
    ]  # fmt: skip
    bare = msgspec.to_builtins(parts)
    assert "role" not in bare[0]
    desk.task = msgspec.structs.replace(desk.task, record={"inputs": bare, "outputs": bare})
    page = asked("review", console(House(), desk))
    assert page.status_code == 200
    for text in ("FP64", "0.5", "cat", "hi", "when?", "data"):
        assert text in page.text


def test_readers_who_agree_less_than_they_did_are_told_where_they_read() -> None:
    """With a link to the evidence; while they agree as before, there is nothing."""

    class Fallen(House):
        async def outcomes(self) -> Outcomes:
            found = await super().outcomes()
            fallen = Quality("all", "all", "reader_agreement", 0.7, 0.6, 0.8, 640, "alarm", 9.0)
            return msgspec.structs.replace(found, quality=[*found.quality, fallen])

    said = asked("review", console(Fallen(), Sits("north"))).text
    assert "reader agreement has fallen: 70 % of 640 pairs" in said
    assert "has fallen" not in asked("review", console(House(), Sits("north"))).text


# --- what is shipped ------------------------------------------------------------------------------


def test_what_is_shipped_is_what_was_published() -> None:
    """htmx as its authors built it, with its licence; every file that a page may load is there."""
    static = resources.files("monitor.console") / "static"
    assert hashlib.sha256((static / "htmx.min.js").read_bytes()).hexdigest() == HTMX
    assert "BSD" in (static / "htmx.LICENSE").read_text()
    for name in STATIC:
        assert (static / name).is_file()
    sheet = (static / "console.css").read_text()
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert set(VIEWS) >= {place.path for place in NAV} - {"review"}
