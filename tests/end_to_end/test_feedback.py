"""Feedback of a whole system: named by the exchange's id, with a token, over real HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import redis

STREAM = "monitor:{default}:feedback"
JSON = {"content-type": "application/json"}


def test_an_answers_id_names_it_in_feedback(
    start: Callable[..., Any], model: str, tmp_path: Path
) -> None:
    """The id comes with the answer, the token is asked for, and what stands in the store has the
    Record's id and pseudonyms; metrics and probes need no token and stay quick meanwhile."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"app feedback {hashlib.sha256(b'secret').hexdigest()}\n")
    system = start(
        "run", "--upstream", model, "--listen", "127.0.0.1:0",
        edits={"exchange_id": True}, access={"tokens": str(tokens)},
    )  # fmt: skip
    chat = {"model": "m", "messages": [{"role": "user", "content": "I am jo@example.org"}]}
    answer = httpx.post(f"{system.url}/v1/chat/completions", json=chat)
    system.settled()
    (record,) = system.records()
    name = answer.headers["x-monitor-exchange-id"]
    assert name == record["id"]

    address = f"http://{system.run['admin']}/api/v1/feedback"
    item = {"id": name, "label": "jo@example.org", "at": "2026-11-28T10:00:00Z", "key": "k"}
    assert httpx.post(address, json=item).status_code == 401
    with httpx.Client(headers={"authorization": "Bearer secret"}, timeout=30) as client:
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
