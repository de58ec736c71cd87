"""GET /api/v1/…: what is asked over HTTP, and how it is described."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from monitor.api import openapi, problems, queries
from monitor.errors import ConfigError, SilentError, StreamError
from monitor.queries import QUERIES
from monitor.web import FastAPI
from tests.queries.house import House


def pages(house: Any) -> FastAPI:
    app = FastAPI(openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)
    queries.add_to(app, lambda: house)
    openapi.add_to(app, queries.START)
    problems.add_to(app)
    return app


def get(path: str, house: Any = None, /, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(pages(house or House()), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(
                path, headers={name.replace("_", "-"): said for name, said in headers.items()}
            )

    return asyncio.run(ask())


def test_a_query_is_answered_as_json() -> None:
    """Its parameters are those of the URL."""
    answer = get("/api/v1/findings?status=drift&limit=1")
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert (found["total"], len(found["items"])) == (2, 1)
    rest = get(f"/api/v1/findings?status=drift&cursor={found['cursor']}").json()
    assert [one["value"] for one in (*found["items"], *rest["items"])] == ["all", "north"]
    assert rest["cursor"] is None


def test_an_id_may_have_a_slash() -> None:
    """Requests declare templates as they like."""
    house = House()
    answer = get("/api/v1/templates/team%2Fprompt@3", house)
    assert answer.status_code == 404
    assert "'team/prompt@3'" in answer.json()["error"]
    assert get("/api/v1/records/r-3", house).json()["id"] == "r-3"


def test_what_is_known_already_is_not_sent_again() -> None:
    """304 for the `ETag` of before, also among others; another answer has another one."""
    first = get("/api/v1/segments")
    tag = first.headers["etag"]
    again = get("/api/v1/segments", if_none_match=f'"x", W/{tag}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert get("/api/v1/segments?limit=1", if_none_match=tag).status_code == 200


def test_what_is_wrong_is_one_sentence() -> None:
    """400 names the parameter, 404 the page, 405 what may be used."""
    wrong = get("/api/v1/findings?limit=many")
    assert wrong.status_code == 400
    assert wrong.json() == {"error": "limit: is not a whole number from 1 to 1,000"}
    assert get("/api/v1/finding").json() == {"error": "there is no page /api/v1/finding"}

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(pages(House()))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.post("/api/v1/findings")

    refused = asyncio.run(post())
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.json() == {"error": "/api/v1/findings does not take POST; use GET, HEAD"}


@pytest.mark.parametrize(
    ("raised", "status"),
    [(StreamError("connection refused"), 503), (ConfigError("redis: is wrong"), 503),
     (SilentError(), 503), (ValueError("secret"), 500)],
)  # fmt: skip
def test_what_cannot_be_answered_is_one_sentence_too(raised: Exception, status: int) -> None:
    """A store that is away says when to ask again; a defect of ours shows nothing of itself."""

    class Failing(House):
        async def drift(self) -> Any:
            raise raised

    answer = get("/api/v1/findings", Failing())
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "secret" not in answer.text


def test_the_status_names_an_analyzer_that_does_not_answer() -> None:
    """What else is known of the system is told all the same."""

    class Silent(House):
        async def drift(self) -> Any:
            raise SilentError

    known, said = get("/api/v1/status").json(), get("/api/v1/status", Silent()).json()
    assert said["ledger"] == known["ledger"]
    assert said["analysis"]["verdict"] == "insufficient"
    assert any("the analyzer does not answer" in one for one in said["problems"])
    assert not any("the analyzer does not answer" in one for one in known["problems"])


def test_what_keys_mean_is_read_from_the_code_when_somebody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pages that nobody asks for it start without."""
    monkeypatch.setattr(openapi, "described", pytest.fail)
    assert get("/api/v1/findings").status_code == 200


def test_openapi_describes_every_query() -> None:
    """Version 3.1: parameters with their types and words, answers with those of each key."""
    document = get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    for query in QUERIES:
        said = document["paths"][f"/api/v1/{query.path}"]["get"]
        assert said["summary"]
        names = {one["name"] for one in said["parameters"]}
        assert names == set(query.asked.__struct_encode_fields__)
        assert all(one["description"] for one in said["parameters"])
        reference = said["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        schema = schemas[reference.rpartition("/")[2]]
        assert all(one["description"] for one in schema["properties"].values())
        assert {"400", "401", "403", "429", "503"} <= set(said["responses"])
