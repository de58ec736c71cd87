"""What is asked of an API server, by one that says it is one (no real one is to be had here)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.assembly.injection import flaw_of
from monitor.inject import cluster
from monitor.inject.cluster import Cluster
from tests.inject.fake_api import FakeApi, served

WHOLE = {"data": {"redis": "cg==", "privacy.key": "aw=="}}
CONFIG = {"data": {"monitor.yaml": "endpoint: bot\n"}}
GIVEN: dict[str, Any] = {"clock": time.monotonic, "flaw_of": flaw_of}


@pytest.fixture
def api(authority: Any, tmp_path: Path) -> Iterator[tuple[FakeApi, Cluster]]:
    with served(authority, tmp_path) as both:
        yield both


SECRET = "/api/v1/namespaces/models/secrets/monitor"
MAP = "/api/v1/namespaces/models/configmaps/bot"


@pytest.mark.parametrize(
    ("objects", "reason", "said"),
    [
        ({SECRET: WHOLE, MAP: CONFIG}, "", ""),
        ({MAP: CONFIG}, "no_secret", "Secret monitor in namespace models is not there"),
        ({SECRET: {"data": {"redis": ""}}, MAP: CONFIG}, "no_secret", "has no key privacy.key"),
        ({SECRET: {}, MAP: CONFIG}, "no_secret", "has no key privacy.key"),
        ({SECRET: WHOLE}, "no_config", "ConfigMap bot in namespace models is not there"),
        ({SECRET: WHOLE, MAP: {"data": None}}, "no_config", "has no key monitor.yaml"),
        ({SECRET: WHOLE, MAP: {"data": {"monitor.yaml": "uptsream: x"}}}, "invalid_config",
         "monitor.yaml: uptsream: unknown key; did you mean upstream?"),
        ({SECRET: 403}, "no_answer", "may not get secrets/monitor in models; its role must"),
        ({SECRET: 500}, "no_answer", "HTTPError"),
        ({SECRET: 301}, "no_answer", "JSONDecodeError"),
        ({SECRET: b"{"}, "no_answer", "JSONDecodeError"),
        ({SECRET: []}, "no_answer", "ValueError"),
        ({SECRET: {"data": "x"}}, "no_answer", "ValueError"),
    ],
)  # fmt: skip
def test_what_a_namespace_lacks_is_told(
    api: tuple[FakeApi, Cluster], objects: dict[str, Any], reason: str, said: str
) -> None:
    """With a reason and a sentence; and that it cannot be told, where it cannot."""
    server, asks = api
    server.objects = objects
    found = asks.lacks("models", "monitor", "bot")
    if not reason:
        assert found is None
        assert [path for path, _ in server.asked] == [SECRET, MAP]
        return
    assert found is not None
    assert found[0] == reason
    assert said in found[1]
    assert "/tmp" not in found[1]
    assert {token for _, token in server.asked} == {"Bearer t0ken"}


def test_an_answer_is_kept_for_a_moment(
    api: tuple[FakeApi, Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That all is there for half a minute, that something is not for a few seconds."""
    server, asks = api
    now = [100.0]
    monkeypatch.setattr(asks, "_clock", lambda: now[0])
    assert asks.known("models", "monitor", "") is None
    found = asks.lacks("models", "monitor", "")
    assert asks.known("models", "monitor", "") == (found,)
    now[0] += cluster.KEPT_BAD
    assert asks.known("models", "monitor", "") is None
    server.objects = {SECRET: WHOLE}
    assert asks.lacks("models", "monitor", "") is None
    now[0] += cluster.KEPT_BAD
    assert asks.known("models", "monitor", "") == (None,)
    for number in range(cluster.MOST + 5):
        asks._kept[f"n{number}", "", ""] = 1e9, None
    asks.lacks("models", "", "")
    assert len(asks._kept) == cluster.MOST


def test_a_server_that_is_not_there_or_not_the_one_is_no_answer(
    api: tuple[FakeApi, Cluster], authority: Any, tmp_path: Path
) -> None:
    """Whoever else's certificate it shows hears no token."""
    server, asks = api
    other = tmp_path / "other"
    other.mkdir()
    (other / "token").write_text("t0ken")
    (other / "ca.crt").write_text(Path(authority("second").ca).read_text())
    found = Cluster(asks._url, other, **GIVEN).lacks("models", "monitor", "")
    assert found is not None
    assert found[0] == "no_answer"
    assert server.asked == []
    assert Cluster(asks._url, tmp_path / "none", **GIVEN).lacks("models", "monitor", "") == (
        "no_answer", "the API server did not say what is there: FileNotFoundError"
    )  # fmt: skip


def test_the_cluster_around_is_that_of_the_service_account(tmp_path: Path) -> None:
    """Without a token, or outside of a cluster, nobody is asked."""
    inside = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    assert Cluster.around(inside, tmp_path, **GIVEN) is None
    (tmp_path / "token").write_text("t")
    assert Cluster.around({}, tmp_path, **GIVEN) is None
    found = Cluster.around(inside, tmp_path, **GIVEN)
    assert found is not None
    assert found._url == "https://[fd00::1]:6443"
