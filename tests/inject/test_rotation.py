"""Certificates that injectors make by themselves, at a server that stands in for the API server."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from monitor.app import injector as injectors
from monitor.app.injector import _Injector, rotation_of
from monitor.errors import ConfigError
from monitor.inject.authority import AUTHORITY, DAY
from monitor.inject.cluster import Cluster, ConflictError
from monitor.inject.rotation import _HOOK, Rotation
from monitor.settings.schema import Injector, Settings, Tls
from tests.inject.fake_api import FakeApi, served
from tests.inject.test_authority import verify

SECRET = "/api/v1/namespaces/monitor-system/secrets/monitor-injector-tls"
NOW = 1_796_000_000.0


@pytest.fixture
def api(authority: Any, tmp_path: Path) -> Iterator[tuple[FakeApi, Cluster]]:
    with served(authority, tmp_path) as (server, cluster):
        server.objects[_HOOK] = {"metadata": {}, "webhooks": [{"clientConfig": {"service": {}}}]}
        yield server, cluster


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def rotation(cluster: Cluster, file: Path, clock: Any) -> Rotation:
    return Rotation(cluster, "monitor-system", file, clock, os.urandom)


def bundle(server: FakeApi) -> str:
    (hook,) = server.objects[_HOOK]["webhooks"]
    return base64.b64decode(hook["clientConfig"]["caBundle"]).decode()


def leaf(file: Path) -> str:
    return file.read_text().partition("-----BEGIN PRIVATE KEY")[0]


def test_the_first_injector_makes_what_the_second_finds(
    api: tuple[FakeApi, Cluster], tmp_path: Path
) -> None:
    """One Secret, one bundle, the same certificate for both; a further look writes nothing."""
    server, cluster = api
    clock = Clock()
    files = [tmp_path / "a.pem", tmp_path / "b.pem"]
    for file in files * 2:
        rotation(cluster, file, clock).turn()
    assert server.written == [f"POST {SECRET}", f"PATCH {_HOOK}"]
    assert files[0].read_text() == files[1].read_text()
    assert files[0].stat().st_mode & 0o777 == 0o600
    verify(leaf(files[0]), bundle(server), NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files[0])
    assert server.objects[SECRET]["type"] == "kubernetes.io/tls"


def test_many_that_start_at_once_agree(api: tuple[FakeApi, Cluster], tmp_path: Path) -> None:
    """Who comes second reads again."""
    server, cluster = api
    files = [tmp_path / f"{number}.pem" for number in range(6)]
    faults: list[Exception] = []

    def start(file: Path) -> None:
        mine = Cluster(cluster._url, cluster._directory, clock=time.monotonic, flaw_of=lambda _: "")
        try:
            rotation(mine, file, Clock()).turn()
        except injectors.FAULTS as error:
            faults.append(error)

    threads = [threading.Thread(target=start, args=(file,)) for file in files]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert faults == []
    assert len({file.read_text() for file in files}) == 1
    assert [one for one in server.written if "secrets" in one] == [f"POST {SECRET}"]
    verify(leaf(files[0]), bundle(server), NOW)


def test_whatever_is_shown_is_trusted_through_all_renewals(
    api: tuple[FakeApi, Cluster], tmp_path: Path
) -> None:
    """Leaves, and the authority: also what a replica still shows that has not looked yet."""
    server, cluster = api
    clock = Clock()
    first, second = (rotation(cluster, tmp_path / name, clock) for name in ("a.pem", "b.pem"))
    first.turn()
    second.turn()
    authorities, both = {bundle(server)}, 0
    moments = [NOW + days * DAY for days in (10, 20, 40)]
    old = NOW + AUTHORITY * 2 / 3
    for at in (*moments, old - 15 * DAY, old + DAY, old + 11 * DAY, old + 22 * DAY, old + 23 * DAY):
        clock.now = at
        for one in (first, second):
            one.turn()
            for name in ("a.pem", "b.pem") if at in moments or at > old else ("a.pem",):
                verify(leaf(tmp_path / name), bundle(server), at) if one is second else None
        both += bundle(server).count("BEGIN") == 2
        authorities.add(bundle(server))
    assert both >= 2, "old and new stood together"
    assert bundle(server).count("BEGIN") == 1
    assert len(authorities) == 3, "old, both, new"


def test_trust_comes_before_the_certificate(
    api: tuple[FakeApi, Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the webhook's configuration cannot be written, the old certificate stays."""
    server, cluster = api
    clock = Clock()
    file = tmp_path / "a.pem"
    one = rotation(cluster, file, clock)
    one.turn()
    before = file.read_text()
    clock.now += AUTHORITY * 0.7
    server.objects[_HOOK] = 403
    with pytest.raises(PermissionError, match="the injector may not get"):
        one.turn()
    assert file.read_text() == before
    del server.objects[_HOOK]
    with pytest.raises(
        ValueError, match="there is no MutatingWebhookConfiguration monitor-injector"
    ):
        one.turn()
    server.objects[_HOOK] = {
        "metadata": {},
        "webhooks": [{"clientConfig": {}}, {"clientConfig": {}}],
    }
    one.turn()
    assert file.read_text() == before, "API servers have not heard of it yet"
    one.turn()
    assert file.read_text() != before
    assert all(hook["clientConfig"]["caBundle"] for hook in server.objects[_HOOK]["webhooks"])


def test_a_bundle_that_somebody_has_reset_is_written_again(
    api: tuple[FakeApi, Cluster], tmp_path: Path
) -> None:
    """GitOps may do that; so is a Secret that somebody emptied."""
    server, cluster = api
    one = rotation(cluster, tmp_path / "a.pem", Clock())
    one.turn()
    known = bundle(server)
    server.objects[_HOOK]["webhooks"][0]["clientConfig"]["caBundle"] = ""
    one.turn()
    assert bundle(server) == known
    server.objects[SECRET]["data"] = {"tls.crt": "%%%", "ca.crt": 5}
    one.turn()
    assert bundle(server) != known
    one.turn()
    verify(leaf(tmp_path / "a.pem"), bundle(server), NOW)


def test_a_secret_that_is_always_written_by_others_is_given_up(
    api: tuple[FakeApi, Cluster], tmp_path: Path
) -> None:
    """Until the next look."""
    server, cluster = api
    one = rotation(cluster, tmp_path / "a.pem", Clock())
    server.write = lambda *_: (409, None)  # type: ignore[method-assign]
    with pytest.raises(ConflictError):
        one.turn()


def test_an_injector_waits_for_its_certificate_and_ends_while_it_waits(
    api: tuple[FakeApi, Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tries again until the API server answers; then it shows what is trusted."""
    server, cluster = api
    monkeypatch.setattr(injectors, "AGAIN", 0.01)
    settings = Settings(injector=Injector(rotates=True), data=str(tmp_path))
    hook = server.objects.pop(_HOOK)
    made = rotation(cluster, tmp_path / "tls.pem", time.time)
    one = _Injector(settings, cluster, made)

    async def waits() -> bool:
        certified = asyncio.ensure_future(one._certified())
        while len(server.asked) < 6:
            await asyncio.sleep(0.01)
        assert not certified.done()
        server.objects[_HOOK] = hook
        return await asyncio.wait_for(certified, 30)

    assert asyncio.run(waits()) is True
    assert one._shown is not None
    assert {measured.labels["certificate"] for measured in one.measure() if "certificate" in measured.labels} == {
        "tls.cert"
    }  # fmt: skip

    async def ends() -> bool:
        other = _Injector(settings, cluster, made)
        other._stopping.set()
        return await other._certified()

    assert asyncio.run(ends()) is False


def test_where_it_cannot_rotate_it_says_so(tmp_path: Path) -> None:
    """One line that names the key."""
    settings = Settings(injector=Injector(rotates=True), data=str(tmp_path))
    with pytest.raises(ConfigError, match=r"injector\.rotates: works in a cluster"):
        rotation_of(settings, None)
    with pytest.raises(ConfigError, match=r"injector\.rotates: .* leave tls\.cert out"):
        rotation_of(Settings(injector=Injector(rotates=True), tls=Tls(cert="x")), None)
    assert rotation_of(Settings(), None) is None
    assert issubclass(requests.RequestException, injectors.FAULTS)
