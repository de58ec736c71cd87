"""Settings of edits and TLS: what they come to on a connection."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.assembly import check, explanation
from monitor.assembly.upstream_connector import UpstreamConnector
from monitor.errors import ConfigError
from monitor.proxy.side import Side
from monitor.settings.schema import Edits, Settings, Tls

ASK = b"GET / HTTP/1.1\r\nHost: sidecar:8080\r\n\r\n"


def connector(upstream: str, **edits: Any) -> UpstreamConnector:
    return UpstreamConnector(
        Settings(upstream=upstream, edits=Edits(**edits)), lambda level, text: None
    )


@pytest.mark.parametrize(
    ("upstream", "host", "expected"),
    [
        ("http://127.0.0.1:9000", "auto", None),
        ("http://localhost:9000", "auto", None),
        ("http://[::1]:9000", "auto", None),
        ("http://model:9000", "auto", None),
        ("http://10.0.0.7", "auto", None),
        ("https://127.0.0.1:9000", "auto", None),
        ("https://api.example.com/v1", "auto", b"api.example.com"),
        ("https://user:secret@api.example.com/v1", "auto", b"api.example.com"),
        ("https://api.example.com/v1", "never", None),
        ("http://model:9000", "always", b"model:9000"),
        ("http://127.0.0.1:9000", "always", b"127.0.0.1:9000"),
    ],
)
def test_host_is_rewritten_for_a_remote_https_upstream(
    upstream: str, host: str, expected: bytes | None
) -> None:
    """By default; credentials in the URL never become part of it."""
    edits = connector(upstream, host=host).edits("192.0.2.7")
    if expected is None:
        assert edits is None
    else:
        assert edits is not None
        assert edits.feed(ASK) == ASK.replace(b"sidecar:8080", expected)


def test_whoever_puts_a_password_into_the_url_is_told_that_it_is_not_sent() -> None:
    """The proxy changes no request, so a model would answer 401 and nobody would know why."""
    text = {
        url: "\n".join(explanation.explain(Settings(upstream=url)))
        for url in ("http://user:secret@model:9000", "http://model:9000")
    }
    sent = "user and password in the URL are sent to nobody"
    assert [sent in one for one in text.values()] == [True, False]
    assert "secret" not in "".join(text.values())


def test_forwarded_for_is_off_unless_asked_for() -> None:
    """And then holds the address of the client, IPv6 too."""
    edits = connector("http://127.0.0.1:1", forwarded_for=True).edits("2001:db8::1")
    assert edits is not None
    assert edits.feed(ASK) == ASK[:-2] + b"X-Forwarded-For: 2001:db8::1\r\n\r\n"


def test_clients_are_offered_http1_alone_where_the_upstream_is_plain() -> None:
    """ALPN never promises what the other side of the splice cannot keep."""
    for edits in ({}, {"forwarded_for": True}):
        assert asyncio.run(connector("http://127.0.0.1:1", **edits).protocols()) == ("http/1.1",)


def test_monitor_check_says_what_is_done_on_the_wire(authority: Any) -> None:
    """And complains of a file as the start would."""
    one = authority()
    cert, key = one.issue("server")
    settings = Settings(
        upstream="https://api.example.com",
        tls=Tls(cert=cert, key=key, ca=one.ca),
        edits=Edits(forwarded_for=True, exchange_id=True),
    )
    said = "\n".join(explanation.explain(settings))
    assert f"clients are shown {cert}" in said
    assert f"verified by {one.ca}" in said
    assert "Host becomes api.example.com" in said
    assert "X-Forwarded-For" in said
    assert "X-Monitor-Exchange-Id" in said
    with pytest.raises(ConfigError, match=r"tls\.key: "):
        check.verify(
            Settings(upstream="http://127.0.0.1:1", tls=Tls(cert=cert)), proxy=True, analyzer=False
        )


class Nobody(Side):
    """The upstream side of a splice with a client that speaks HTTP/1.1."""

    def __init__(self) -> None:
        splice: Any = SimpleNamespace(speaks=lambda: "http/1.1", hold=None)
        super().__init__(splice)


@pytest.mark.parametrize(
    "upstream", ["http://127.0.0.1:99999", "https://a:99999", "http://h:bad", "http://", ""]
)
def test_an_upstream_that_nobody_can_connect_to_is_one_line_and_no_crash(upstream: str) -> None:
    """Each client is refused: the process goes on, and says why."""
    said: list[str] = []

    async def story() -> None:
        connector = UpstreamConnector(
            Settings(upstream=upstream), lambda _level, text: said.append(text)
        )
        for _ in range(3):
            assert "http/1.1" in await connector.protocols()
            with pytest.raises(OSError, match=r"upstream"):
                await connector.dial(Nobody())

    asyncio.run(story())
    assert len(said) == 1
    assert "upstream" in said[0]
