"""A URL is shown without its secrets, whatever they are made of and wherever they stand."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from monitor.urls import shown

SECRET = some.text(some.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1).map(
    lambda tail: "canary" + tail + "canary"
)
FORMS = (
    "redis://{}@host:6379/0", "redis://:{}@host:6379/0", "redis://user:{}@host/0", "rediss://:{}@host/0",
    "redis+sentinel://:{}@one:26379,two:26379/service/0", "unix://:{}@/run/redis.sock?db=0",
    "redis://host/0?password={}", "redis://host/0?db=1&password={}&username=user", "https://user:{}@[::1]:9000/v1",
    "http://host/v1/metrics?token={}", "http://host/v1/metrics#{}", "ftp://user:{}@host:bad/", "user:{}@host",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@given(secret=SECRET)
def test_no_part_of_a_secret_is_shown(form: str, secret: str) -> None:
    """Percent-encoded or, as people do, not."""
    assert "canary" not in shown(form.format(quote(secret, safe="")))
    assert "canary" not in shown(form.format(secret))


@given(some.text())
def test_anything_can_be_asked_to_be_shown(text: str) -> None:
    """Also what is no URL."""
    assert isinstance(shown(text), str)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("redis://:pw@store:6379/0?db=1", "redis://store:6379/0"),
        ("redis+sentinel://:pw@a:1,b:2/main/0", "redis+sentinel://a:1,b:2/main/0"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("", ""),
    ],
)
def test_what_is_no_secret_stays(url: str, expected: str) -> None:
    """Scheme, host, port and path say where something is."""
    assert shown(url) == expected
