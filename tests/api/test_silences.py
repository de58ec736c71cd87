"""Silences over HTTP, as Alertmanager's API v2 has them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from monitor.alerting.silences import Silence
from monitor.api import silences
from monitor.errors import StreamError

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
