"""Silences over HTTP, as Alertmanager's API v2 has them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from monitor.alerting.silences import Silence
from monitor.api import problems, silences
from monitor.errors import StreamError
from monitor.web import FastAPI

NOW = 1_800_000_000.0
POSTED = {
    "matchers": [{"name": "alertname", "value": "MonitorDrift", "isRegex": False, "isEqual": True}],
    "startsAt": "2020-01-01T00:00:00Z",
    "endsAt": "2027-01-20T00:00:00.000Z",
    "createdBy": "ann",
    "comment": "a known shift",
}


class Book:
    """Silences in memory."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.kept: dict[str, Silence] = {}
        self._is_away = is_away

    async def silences(self, clock: float) -> list[Silence]:
        if self._is_away:
            raise StreamError("silences cannot be read: ConnectionError")
        return list(self.kept.values())

    async def silence(self, silence: Silence) -> None:
        self.kept[silence.id] = silence

    async def expire(self, name: str, clock: float) -> bool:
        if name not in self.kept or self.kept[name].ends <= clock:
            return False
        self.kept[name] = msgspec.structs.replace(self.kept[name], ends=clock)
        return True


def asked(book: Book, method: str, path: str, **more: Any) -> httpx.Response:
    app = FastAPI()
    problems.add_to(app)
    silences.add_to(app, lambda: book, clock=lambda: NOW, new_id=lambda: f"id-{len(book.kept)}")

    async def play() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **more)

    return asyncio.run(play())


def test_a_silence_is_posted_shown_and_ended() -> None:
    """What began in the past begins now."""
    book = Book()
    assert asked(book, "POST", "/api/v1/silences", json=POSTED).json() == {"silenceID": "id-0"}
    (shown,) = asked(book, "GET", "/api/v1/silences").json()
    assert shown == asked(book, "GET", "/api/v1/silences/id-0").json()
    assert shown == {
        "id": "id-0",
        "status": {"state": "active"},
        "matchers": POSTED["matchers"],
        "startsAt": "2027-01-15T08:00:00.000Z",
        "endsAt": "2027-01-20T00:00:00.000Z",
        "updatedAt": "2027-01-15T08:00:00.000Z",
        "createdBy": "ann",
        "comment": "a known shift",
    }
    assert asked(book, "DELETE", "/api/v1/silences/id-0").status_code == 200
    assert asked(book, "DELETE", "/api/v1/silences/id-0").status_code == 404
    (shown,) = asked(book, "GET", "/api/v1/silences").json()
    assert shown["status"] == {"state": "expired"}


def test_one_with_an_id_takes_its_place() -> None:
    """An id that is not there is not made."""
    book = Book()
    asked(book, "POST", "/api/v1/silences", json=POSTED)
    longer = {**POSTED, "id": "id-0", "comment": "still"}
    assert asked(book, "POST", "/api/v1/silences", json=longer).json() == {"silenceID": "id-0"}
    assert [one.comment for one in book.kept.values()] == ["still"]
    strange = {**POSTED, "id": "nobody"}
    assert asked(book, "POST", "/api/v1/silences", json=strange).status_code == 404
    assert asked(book, "GET", "/api/v1/silences/nobody").status_code == 404


@pytest.mark.parametrize(("wrong", "words"), [
    (b"{", "JSON"),
    ({"matchers": []}, "startsAt"),
    ({**POSTED, "matchers": []}, "matchers"),
    ({**POSTED, "endsAt": "2020-01-01T00:00:00Z"}, "endsAt"),
    ({**POSTED, "matchers": [{"name": "a", "value": "(", "isRegex": True}]}, "RE2"),
    ({**POSTED, "matchers": [{"name": "a", "value": ".*", "isRegex": True}]}, "empty"),
    ({**POSTED, "comment": "x" * 2000}, "characters"),
])  # fmt: skip
def test_what_is_no_silence_is_refused_in_a_sentence(wrong: Any, words: str) -> None:
    """And nothing is kept."""
    book = Book()
    data = wrong if isinstance(wrong, bytes) else msgspec.json.encode(wrong)
    kind = {"content-type": "application/json; charset=utf-8"}
    answer = asked(book, "POST", "/api/v1/silences", content=data, headers=kind)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert not book.kept


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_form_of_a_foreign_page_silences_nothing(kind: str) -> None:
    """A browser sends JSON elsewhere only where it is allowed to."""
    book = Book()
    data = msgspec.json.encode(POSTED)
    answer = asked(book, "POST", "/api/v1/silences", content=data, headers={"content-type": kind})
    assert answer.status_code == 415
    assert not book.kept


def test_without_a_store_it_says_so() -> None:
    """For a client that asks again."""
    answer = asked(Book(is_away=True), "GET", "/api/v1/silences")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_list_is_filtered_by_the_silences_own_matchers() -> None:
    """All filters must hold; a name that a silence does not have has an empty value."""
    book = Book()
    for name, value in (("alertname", "MonitorDrift"), ("alertname", "MonitorDown"), ("job", "x")):
        matchers = [{"name": name, "value": value}]
        asked(book, "POST", "/api/v1/silences", json={**POSTED, "matchers": matchers})

    def ids(*filters: str) -> list[str]:
        answer = asked(book, "GET", "/api/v1/silences", params={"filter": list(filters)})
        assert answer.status_code == 200
        return [one["id"] for one in answer.json()]

    assert ids() == ["id-0", "id-1", "id-2"]
    assert ids('alertname="MonitorDrift"') == ids("alertname=MonitorDrift") == ["id-0"]
    assert ids('alertname!="MonitorDrift"') == ["id-1", "id-2"]
    assert ids('alertname=~"Monitor.*"') == ["id-0", "id-1"]
    assert ids('alertname!~"Monitor.*"') == ["id-2"]
    assert ids('alertname=~"Monitor.*"', 'alertname!="MonitorDrift"') == ["id-1"]
    assert ids('alertname=""') == ["id-2"]


@pytest.mark.parametrize(("query", "words"), [
    ("filter=alertname", "NAME=VALUE"),
    ("filter=", "NAME=VALUE"),
    ("filter=a%3D%22b", "NAME=VALUE"),
    ("filter=a%3Db%22", "NAME=VALUE"),
    ("filter=a%3D%22b%22c%22", "NAME=VALUE"),
    ("filter=a%3D~%22(%22", "RE2"),
    ("filter=a%3Db&" * 21, "filter: is not at most 20 matchers"),
    ("filter=a%3D" + "b" * 2000, "filter: is not at most 20 matchers"),
    ("silenced=true", "'silenced': is not a parameter here; its parameters are filter"),
])  # fmt: skip
def test_a_list_that_cannot_be_filtered_is_refused_in_a_sentence(query: str, words: str) -> None:
    """A parameter that is not known, too."""
    answer = asked(Book(), "GET", f"/api/v1/silences?{query}")
    assert answer.status_code == 400
    assert words in answer.json()["error"]
