"""URLs of stores: what they say, what they leave out, and what cannot work."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StreamError
from monitor.streams.address import parse_url
from tests.conftest import Authority


@pytest.mark.parametrize(
    ("url", "host", "port", "database", "plain"),
    [
        ("redis://", "localhost", 6379, 0, "redis://localhost:6379/0"),
        ("redis://u:p%40@h:1/2", "h", 1, 2, "redis://u:p%40@h:1/2"),
        ("redis://[::1]:7/0", "::1", 7, 0, "redis://[::1]:7/0"),
        ("redis://h?db=3", "h", 6379, 3, "redis://h:6379/3?db=3"),
        ("redis+sentinel://a:1,b/s/2", "a", 1, 2, "redis://a:1/2"),
        (
            "rediss+sentinel://u:p@a:1,b:2/s?sentinel_password=x&ssl_cert_reqs=none",
            *("a", 1, 0, "rediss://u:p@a:1/0?ssl_cert_reqs=none"),
        ),
    ],
)
def test_a_url_says_where_a_store_is(
    url: str, host: str, port: int, database: int, plain: str
) -> None:
    """And what redis-py would read in its place."""
    found = parse_url(url)
    assert (found.host, found.port, found.database) == (host, port, database)
    assert found.plain == plain


def test_a_url_names_sentinels_a_service_and_two_logins() -> None:
    """One for the store, one for the sentinels."""
    found = parse_url(
        "redis+sentinel://u:p@a:1,[::2]:3,c/my%20s/4?sentinel_username=v&sentinel_password=q"
    )
    assert found.sentinels == (("a", 1), ("::2", 3), ("c", 26379))
    assert (found.service, found.database) == ("my s", 4)
    assert (found.username, found.password) == ("u", "p")
    assert (found.sentinel_username, found.sentinel_password) == ("v", "q")


@pytest.mark.parametrize(
    "bad",
    [
        "http://x",
        "redis://h:99999",
        "redis://h/x",
        "redis://h/²",
        "redis://[h",
        "redis+sentinel://h:1",
        "redis+sentinel://h:1/",
        "redis+sentinel:///s/0",
        "redis+sentinel://h:1,/s/0",
        "redis+sentinel://h:1,b:x/s/0",
        "redis+sentinel://h:1/s/x",
        "rediss://h?ssl_ca_certs=/no",
        "rediss://h?ssl_certfile=/no",
        "rediss://h?ssl_cert_reqs=perhaps",
        "rediss://h?ssl_ciphers=none-such",
        "rediss://h?ssl_min_version=1",
        "rediss://h?ssl_verify=no",
    ],
)
def test_a_url_that_cannot_work_is_refused(bad: str) -> None:
    """Before anything is connected."""
    with pytest.raises(StreamError, match="redis: "):
        parse_url(bad)


@given(st.text(alphabet="redis+sentinel:/@[],?&=0123456789%²\n ", max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """Whatever somebody wrote."""
    for url in (text, f"redis://{text}", f"redis+sentinel://{text}"):
        try:
            parse_url(url)
        except StreamError:
            continue


def test_tls_is_asked_for_as_redis_py_is(authority: Callable[[str], Authority]) -> None:
    """Who is trusted, and a certificate of our own; names are checked unless told otherwise."""
    made = authority("first")
    trusted = parse_url(f"rediss://h?ssl_ca_certs={made.ca}").tls
    assert trusted is not None
    assert trusted.check_hostname
    assert trusted.verify_mode == ssl.CERT_REQUIRED
    unnamed = parse_url("rediss://h?ssl_check_hostname=no").tls
    assert unnamed is not None
    assert (unnamed.check_hostname, unnamed.verify_mode) == (False, ssl.CERT_REQUIRED)
    loose = parse_url("rediss+sentinel://h/s?ssl_cert_reqs=none&ssl_min_version=772").tls
    assert loose is not None
    assert (loose.verify_mode, loose.minimum_version) == (ssl.CERT_NONE, ssl.TLSVersion.TLSv1_3)
