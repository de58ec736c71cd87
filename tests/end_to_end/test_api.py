"""The API of a whole `monitor`: what is stored is found, page by page, by who may see it, and feedback is
taken of who may give it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

STREAM = "monitor:{default}:feedback"
JSON = {"content-type": "application/json"}
COUNT = 25


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who may do what, each with a secret of the own name."""
    file = tmp_path_factory.mktemp("access") / "tokens"
    file.write_text("".join(
        f"{name} {roles} {hashlib.sha256(f'{name}-secret'.encode()).hexdigest()}\n"
        for name, roles in (("kim", "read,records"), ("bo", "read"), ("app", "feedback"))
    ))  # fmt: skip
    file.chmod(0o600)
    return file


@pytest.fixture
def system(share: Callable[..., Any], tokens: Path) -> Any:
    """Over two shards, with ids in answers."""
    return share(
        stream={"shards": 2}, access={"tokens": str(tokens)},
        segments={"population": {"header": "x-population"}}, edits={"exchange_id": True},
    )  # fmt: skip


def test_records_are_found_by_who_may_and_each_reading_is_logged(system: Any, model: str) -> None:
    """Over two shards, in pages, filtered; content needs its role and stands in the access log."""
    ids = []
    for number in range(COUNT):
        messages = [{"role": "user", "content": f"I am kim{number}@example.org"}]
        answer = httpx.post(
            f"{system.url}/v1/chat/completions",
            json={"model": "small", "messages": messages},
            headers={"x-population": "north" if number % 5 == 0 else "south"},
        )
        ids.append(answer.headers["x-monitor-exchange-id"])
    system.settled()

    def get(path: str, who: str = "kim", **parameters: str) -> httpx.Response:
        head = {"authorization": f"Bearer {who}-secret"}
        address = f"http://{system.run['admin']}/api/v1/{path}"
        return httpx.get(address, params=parameters, headers=head, timeout=30)

    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = get("records", limit="4", cursor=cursor).json()
        assert len(page["items"]) <= 4
        found += [one["id"] for one in page["items"]]
        cursor = page["cursor"]
    assert sorted(found) == sorted(ids)
    some = get("records", segment="population=north").json()
    assert {one["id"] for one in some["items"]} == set(ids[::5])
    assert (some["scanned"], some["cursor"]) == (COUNT, None)
    assert "example.org" not in get("records").text

    assert get("records", "bo").status_code == get(f"records/{ids[3]}", "bo").status_code == 403
    record = get(f"records/{ids[3]}")
    assert record.headers["cache-control"] == "no-store"
    assert record.json()["id"] == ids[3]
    assert "<EMAIL_ADDRESS:" in record.json()["inputs"][0]["text"]
    assert get("records/none").status_code == 404
    with redis.Redis.from_url(system.redis) as client:
        logged: Any = client.xrange("monitor:{default}:access")
    (access,) = [json.loads(fields[b"access"]) for _, fields in logged]
    assert (access["who"], access["what"], access["record"]) == ("kim", "records", ids[3])

    system.until(lambda: get("status", "bo").json()["analysis"]["analyzed"] == COUNT)
    status = get("status", "bo").json()
    assert status["ledger"]["exchanges"] == COUNT
    assert (status["store"], status["problems"]) == ("ok", [])
    templates = get("templates", "bo").json()
    assert templates["records"] == COUNT
    assert get("findings", "bo").json()["records"] >= 0
    assert system.complaints() == []


def test_an_answers_id_names_it_in_feedback(system: Any, model: str, tokens: Path) -> None:
    """The id comes with the answer, the token is asked for, and what stands in the store has the
    Record's id and pseudonyms; metrics and probes need no token and stay quick meanwhile."""
    chat = {"model": "m", "messages": [{"role": "user", "content": "I am jo@example.org"}]}
    answer = httpx.post(f"{system.url}/v1/chat/completions", json=chat)
    system.settled()
    (record,) = system.records() + system.records(shard=1)
    name = answer.headers["x-monitor-exchange-id"]
    assert name == record["id"]

    address = f"http://{system.run['admin']}/api/v1/feedback"
    item = {"id": name, "label": "jo@example.org", "at": "2026-11-28T10:00:00Z", "key": "k"}
    assert httpx.post(address, json=item).status_code == 401
    with httpx.Client(headers={"authorization": "Bearer app-secret"}, timeout=30) as client:
        assert client.get(address.removesuffix("v1/feedback") + "drift").status_code == 403
        taken = client.post(address, json=[item, {}])
        assert taken.status_code == 202
        assert taken.json()["accepted"] == 1
        (pseudonym,) = {
            word for word in record["inputs"][0]["text"].split() if word.startswith("<EMAIL_ADDR")
        }
        with redis.Redis.from_url(system.redis) as store:
            ((_, fields),) = store.xrange(STREAM)  # type: ignore[misc]
        kept = json.loads(fields[b"feedback"])
        assert kept == {
            "id": name, "label": pseudonym, "at": 1795860000.0, "key": "k", "pseudonymized": "k1",
        }  # fmt: skip
        huge = client.post(address, content=b"x" * 100_000_000, headers=JSON)
        assert huge.status_code == 413

        tokens.write_text(f"other feedback {hashlib.sha256(b'new').hexdigest()}\n# changed\n")
        assert client.post(address, json=item).status_code == 401
    assert system.admin("/healthz")[0] == system.admin("/metrics")[0] == 200
    assert not system.complaints()
    assert "secret" not in system.log()
