"""The API of a whole `monitor`: what is stored is found, page by page, by who may see it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import redis

COUNT = 25


def test_records_are_found_by_who_may_and_each_reading_is_logged(
    start: Callable[..., Any], model: str, tmp_path: Path
) -> None:
    """Over two shards, in pages, filtered; content needs its role and stands in the access log."""
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(
        f"{name} {roles} {hashlib.sha256(name.encode()).hexdigest()}\n"
        for name, roles in (("kim", "read,records"), ("bo", "read"))
    ))  # fmt: skip
    tokens.chmod(0o600)
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0", stream={"shards": 2},
        access={"tokens": str(tokens)}, segments={"population": {"header": "x-population"}},
        edits={"exchange_id": True},
    )  # fmt: skip
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
        head = {"authorization": f"Bearer {who}"}
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
