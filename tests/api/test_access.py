"""Who may ask what of the admin port, and tokens files that are wrong."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.api import access
from monitor.api.access import AT_ONCE, NEEDS, OPEN, ROLES, Guard, Tokens, parse
from monitor.errors import ConfigError


def line(name: str, roles: str, token: str) -> str:
    return f"{name} {roles} {hashlib.sha256(token.encode()).hexdigest()}\n"


async def pages(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def asked(
    path: str,
    *headers: tuple[str, str],
    tokens: Tokens | None = None,
    is_exposed: bool = False,
    host: str = "127.0.0.1:9464",
) -> httpx.Response:
    async def ask() -> httpx.Response:
        guard = Guard(pages, tokens=tokens, is_exposed=is_exposed, clock=float)
        transport = httpx.ASGITransport(app=guard)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(path, headers=list(headers))

    return asyncio.run(ask())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(
        "# who may what\n\n"
        + line("app", "feedback", "secret-1")
        + line("kim", "read,review", "s2")
    )
    path.chmod(0o600)
    return path


def said(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"


@pytest.mark.parametrize("path", sorted(OPEN))
def test_probes_and_scrapes_need_no_token(path: str, file: Path) -> None:
    """Neither with tokens nor on an address that others reach."""
    assert asked(path, tokens=Tokens(file, print)).status_code == 200
    assert asked(path, is_exposed=True, host="pod-1.example").status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/drift", "/api/v1/feedback", "/metrics/", "//metrics"])
def test_everything_else_needs_one(path: str, file: Path) -> None:
    """401 says how to come in, whatever is asked for."""
    answer = asked(path, tokens=Tokens(file, print))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="monitor"'
    assert answer.json() == {"error": "give a token, as `Authorization: Bearer TOKEN`"}


WRONG = [
    "Bearer",
    "Bearer ",
    "Bearer secret-2",
    "Basic secret-1",
    "secret-1",
    "Bearer " + "x" * 5000,
]


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
def test_a_wrong_token_is_refused(value: str, file: Path) -> None:
    """So is one in another scheme, a huge one, and two at a time."""
    tokens = Tokens(file, print)
    path = "/api/v1/feedback"
    assert asked(path, ("authorization", value), tokens=tokens).status_code == 401
    assert asked(path, said("secret-1"), said("secret-1"), tokens=tokens).status_code == 401
    assert asked(path, ("authorization", "bearer secret-1"), tokens=tokens).text == "inside"


def test_a_token_is_good_for_its_roles_alone(file: Path) -> None:
    """403 names the role that is missing; no role includes another."""
    tokens = Tokens(file, print)
    assert asked("/api/drift", said("s2"), tokens=tokens).text == "inside"
    assert asked("/api/v1/feedback", said("secret-1"), tokens=tokens).text == "inside"
    refused = asked("/api/v1/feedback", said("s2"), tokens=tokens)
    assert refused.status_code == 403
    assert refused.json() == {"error": "this token does not have the role feedback"}
    assert refused.headers["www-authenticate"].endswith('error="insufficient_scope"')
    assert asked("/api/drift", said("secret-1"), tokens=tokens).status_code == 403
    assert set(NEEDS.values()) <= set(ROLES)


def test_without_tokens_only_this_machine_is_served() -> None:
    """An address that others reach serves the probes alone; so does a name that a web site could
    have given to this one."""
    assert asked("/api/drift").text == "inside"
    assert asked("/api/drift", host="localhost:9464").text == "inside"
    assert asked("/api/drift", host="[::1]:9464").text == "inside"
    for answer in (
        asked("/api/drift", is_exposed=True),
        asked("/api/drift", host="rebound.example:9464"),
    ):
        assert answer.status_code == 403
        assert answer.json()["error"].startswith("access.tokens is not set")


def test_a_changed_file_is_read_again(file: Path) -> None:
    """New tokens are let in and old ones are not; a wrong or missing file changes nothing."""
    log: list[str] = []
    tokens = Tokens(file, log.append)
    assert tokens.holder("secret-1")
    file.write_text(line("app", "feedback", "secret-3") + "# a change\n")
    assert tokens.holder("secret-3")
    assert not tokens.holder("secret-1")
    file.write_text("nonsense\n")
    assert tokens.holder("secret-3")
    file.unlink()
    assert tokens.holder("secret-3")
    assert len(log) == 2
    assert f"{file}:1: is not `NAME ROLE[,ROLE…] SHA256HEX`" in log[0]
    assert "1 tokens from before stay in use" in log[0]


def test_a_file_that_is_wrong_from_the_start_lets_nobody_in(tmp_path: Path) -> None:
    """Until it is right."""
    path = tmp_path / "tokens"
    tokens = Tokens(path, print)
    assert asked("/", said(""), tokens=tokens).status_code == 401
    path.write_text(line("app", "read", "s"))
    assert asked("/", said("s"), tokens=tokens).status_code == 200


def test_digests_are_compared_in_constant_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With each line, also where an earlier one was it."""
    seen = []
    real = access.hmac.compare_digest
    monkeypatch.setattr(
        access.hmac, "compare_digest", lambda one, other: (seen.append(1), real(one, other))[1]
    )
    assert Tokens(file, print).holder("secret-1")
    assert len(seen) == 2


def test_requests_at_a_time_are_bounded() -> None:
    """What is too many is told to come again; probes are answered."""
    inside, go = 0, asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal inside
        inside += 1
        if scope["path"] not in OPEN:
            await go.wait()
        await pages(scope, receive, send)

    async def play() -> list[int]:
        transport = httpx.ASGITransport(app=Guard(slow, tokens=None, is_exposed=False, clock=float))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            waiting = [asyncio.ensure_future(client.get("/")) for _ in range(AT_ONCE)]
            while inside < AT_ONCE:
                await asyncio.sleep(0)
            refused, probe = await client.get("/"), await client.get("/healthz")
            assert refused.headers["retry-after"] == "1"
            go.set()
            answers = await asyncio.gather(*waiting)
            again = await client.get("/")
            return [one.status_code for one in (refused, probe, again, *answers)]

    assert asyncio.run(play()) == [503, 200, 200] + [200] * AT_ONCE


def test_an_answer_that_nobody_reads_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many never read theirs: after a while others are answered again."""
    monkeypatch.setattr(access, "PATIENCE", 0.05)
    guard = Guard(pages, tokens=None, is_exposed=False, clock=float)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}

    async def unread(message: Any) -> None:
        await asyncio.sleep(60)

    async def play() -> list[int]:
        await asyncio.gather(*(guard(scope, None, unread) for _ in range(AT_ONCE)))  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app=guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [(await client.get("/")).status_code]

    assert asyncio.run(play()) == [200]


def test_what_takes_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits hears that nothing comes, and not of a defect."""
    monkeypatch.setattr(access, "PATIENCE", 0.05)

    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    async def play() -> httpx.Response:
        transport = httpx.ASGITransport(Guard(stuck, tokens=None, is_exposed=False, clock=float))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/")

    answer = asyncio.run(play())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {"error": "no answer was found within 0.05 s; ask again"}


DIGEST = "0" * 64
BAD = [
    ("", "FILE: holds no token"),
    ("# nothing\n", "FILE: holds no token"),
    ("\napp feedback", "FILE:2: is not `NAME ROLE[,ROLE…] SHA256HEX`"),
    (f"app feedback {DIGEST}0", "FILE:1: is not `NAME"),
    (f"app feedback {'g' * 64}", "FILE:1: is not `NAME"),
    (f"app feedback {DIGEST} more", "FILE:1: is not `NAME"),
    (f"{'a' * 101} feedback {DIGEST}", "FILE:1: is not `NAME"),
    (f"app feedbck {DIGEST}", "FILE:1: 'feedbck' is not a role; roles are read, records, feedback"),
    (f"app feedback, {DIGEST}", "FILE:1: '' is not a role"),
    (f"a\x1bb read {DIGEST}", "FILE:1: has a character"),
    (f"app read {DIGEST}\napp read {'1' * 64}", "FILE:2: the name app is there twice"),
    (f"app read {DIGEST}\nbob read {DIGEST}", "FILE:2: is the token of app again"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD, ids=range(len(BAD)))
def test_a_wrong_line_is_named(text: str, sentence: str) -> None:
    """File and line, and what would be right; never a digest."""
    with pytest.raises(ConfigError, match=re.escape(sentence)) as caught:
        parse(text, "FILE")
    assert DIGEST not in str(caught.value)


@given(st.text() | st.lists(st.sampled_from(["app", "read", DIGEST, " ", "\n", ","])).map("".join))
@example("app read \ud800")
def test_any_text_is_tokens_or_one_line(text: str) -> None:
    """No other error, and nothing that a terminal obeys."""
    try:
        assert parse(text, "FILE")
    except ConfigError as error:
        message = str(error)
        assert message.isprintable()


def test_a_file_that_is_none_or_open_to_all_is_refused(tmp_path: Path, file: Path) -> None:
    """The sentence names it."""
    with pytest.raises(ConfigError, match=r"access.tokens: .*: No such file or directory"):
        access.read(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"access.tokens: .*: Is a directory"):
        access.read(tmp_path)
    with pytest.raises(ConfigError, match=r"access.tokens: .*: is not a file"):
        access.read(Path("/dev/null"))
    file.chmod(0o666)
    with pytest.raises(ConfigError, match=r"everybody may change it \(mode 0666\); chmod 600 it"):
        access.read(file)
    file.chmod(0o600)
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        access.read(file)
    file.write_bytes(b"#" * (1 << 20) + b"#")
    with pytest.raises(ConfigError, match="is larger than"):
        access.read(file)


# --- strangers ------------------------------------------------------------------------------------


def stranger_asks(
    guard: Guard, method: str, path: str, address: str = "127.0.0.1", token: str = ""
) -> Any:
    async def ask() -> int:
        transport = httpx.ASGITransport(app=guard, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            headers = dict([said(token)] if token else [])
            return (await client.request(method, path, headers=headers)).status_code

    return ask()


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/static/console.css"])
def test_strangers_take_no_place_of_holders(path: str, file: Path) -> None:
    """However many send a form that does not end: who has a token is answered, also on the pages
    that need none; pages load for all; and others sign in from elsewhere."""
    go, inside = asyncio.Event(), 0

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal inside
        if scope["method"] == "POST" and "authorization" not in dict(scope["headers"]):
            inside += 1
            if inside <= access.SAME_AT_ONCE:
                await go.wait()
        await pages(scope, receive, send)

    async def play() -> None:
        guard = Guard(slow, tokens=Tokens(file, print), is_exposed=True, clock=float)
        idle = [asyncio.ensure_future(stranger_asks(guard, "POST", path)) for _ in range(17)]
        while inside < access.SAME_AT_ONCE or sum(one.done() for one in idle) < 9:
            await asyncio.sleep(0)
        assert await stranger_asks(guard, "GET", "/api/v1/status", token="s2") == 200
        assert await stranger_asks(guard, "POST", path, token="s2") == 200
        assert await stranger_asks(guard, "GET", "/console/sign-in") == 200
        assert await stranger_asks(guard, "GET", "/console/static/console.css") == 200
        assert await stranger_asks(guard, "POST", path) == 503
        assert await stranger_asks(guard, "POST", path, "10.0.0.2") == 200
        go.set()
        assert sorted(await asyncio.gather(*idle)) == [200] * 8 + [503] * 9
        assert await stranger_asks(guard, "POST", path) == 200
        assert not +guard._busy

    asyncio.run(asyncio.wait_for(play(), 20))


def test_strangers_of_many_addresses_have_a_bound(file: Path) -> None:
    """Together, too."""
    go, inside = asyncio.Event(), 0

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal inside
        inside += 1
        await go.wait()
        await pages(scope, receive, send)

    async def play() -> list[int]:
        guard = Guard(slow, tokens=Tokens(file, print), is_exposed=True, clock=float)
        most = access.STRANGERS_AT_ONCE
        idle = [
            asyncio.ensure_future(stranger_asks(guard, "POST", "/console/sign-in", f"10.0.0.{one}"))
            for one in range(most + 1)
        ]
        while inside < most or not any(one.done() for one in idle):
            await asyncio.sleep(0)
        go.set()
        return sorted(await asyncio.gather(*idle))

    assert asyncio.run(play()) == [200] * access.STRANGERS_AT_ONCE + [503]
