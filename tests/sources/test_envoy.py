"""What Envoy wrote in truth is read as what happened; of who asked nothing stays."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.foreign import documents
from monitor.interfaces import Head
from monitor.logged import Logged
from monitor.sources import envoy
from tests.sources.logs import DATA, logged

WRITTEN = ["envoy.log", "envoy_json.log"]
LINE = '[2026-01-01T00:00:00.250Z] "POST /a?k=v HTTP/2" {} 12 34 {} 5 "10.0.0.9" "ua" "id-1" "h:80" "1.2.3.4:5"'

HAPPENED = [
    ("POST", "/v1/chat/completions", 200, "ok"), ("POST", "/v1/chat/completions", 200, "ok"),
    ("GET", "/v1/models", 200, "ok"),
    ("GET", "/v1/users/ada.lovelace@example.org/files/12345", 200, "ok"),
    ("POST", "/status/429", 429, "rate_limited"), ("POST", "/status/500", 500, "server_error"),
    ("POST", "/status/404", 404, "client_error"),
    ("POST", "/gone/v1/completions", 503, "upstream_refused"),
    ("POST", "/slow/v1/completions", 504, "upstream_timeout"),
    ("POST", "/slow/v1/completions", None, "client_gone"),
    ("POST", "/broken", 503, "upstream_broken"), ("POST", "/nowhere", 404, "client_error"),
    ("POST", "/fallback", 404, "client_error"), ("-", "", 400, "client_error"),
]  # fmt: skip


def read(name: str) -> list[Logged]:
    return logged(name, "envoy")


def test_each_exchange_is_what_it_was() -> None:
    """As text and as JSON the same: flags tell who ended it, status 0 is none, `-` is nothing."""
    text, objects = map(read, WRITTEN)
    told = [(one.method, one.target, one.status, one.ended and one.ended.value) for one in text]
    assert told == HAPPENED
    assert text == objects
    slow = text[8]
    assert slow.duration == pytest.approx(0.4, abs=0.02)
    assert (slow.request_size, slow.response_size, slow.segments) == (
        13, 24, {"route": "/slow/v1/completions", "host": "models.example.com"},
    )  # fmt: skip
    assert 0 < text[9].started - slow.started < 1  # type: ignore[operator]
    assert text[-1].segments == {}


@pytest.mark.parametrize("name", WRITTEN)
def test_of_who_asked_nothing_stays(name: str) -> None:
    """No address, user agent, query or key."""
    said = msgspec.json.encode(read(name)).decode()
    for secret in ("127.0.0.1", "curl", "sk-abc", "api_key", "user="):
        assert secret not in said


@pytest.mark.parametrize(
    ("ended", "duration", "expected"),
    [
        ("200 -", "250", (200, "ok", 0.25)), ("503 UF,URX", "1", (503, "upstream_refused", 0.001)),
        ("429 RL", "0", (429, "rate_limited", None)), ("0 DC", "7", (None, "client_gone", 0.007)),
        ("503 UO", "1", (503, "server_error", 0.001)), ("408 SI", "-", (408, "client_error", None)),
    ],
)  # fmt: skip
def test_flags_and_status_say_how_it_ended(
    ended: str, duration: str, expected: tuple[int | None, str, float | None]
) -> None:
    """In the default format, and in Istio's."""
    istio = f'{ended} via_upstream - "-"'
    for line in (LINE.format(ended, duration), LINE.format(istio, duration)):
        (one,) = envoy.read(line.encode())
        assert one.ended is not None
        assert (one.status, one.ended.value, one.duration) == expected
        assert (one.started, one.target, one.id) == (1767225600.25, "/a", "id-1")
        assert envoy.claims(Head(Path("a"), line.encode()))


def test_other_names_and_numbers_as_text() -> None:
    """A `json_format` of one's own."""
    (one,) = envoy.read(
        b'{"time":"2026-01-01T00:00:00Z",":method":"GET","x-envoy-original-path":"/a","code":"200",'
        b'"flags":"-","duration_ms":"12","upstream_cluster":"model","traceparent":"00-'
        + b"a" * 32 + b'-' + b"b" * 16 + b'-01"}'
    )  # fmt: skip
    assert (one.method, one.target, one.status, one.duration) == ("GET", "/a", 200, 0.012)
    assert (one.segments["host"], one.trace_id) == ("model", "a" * 32)


@pytest.mark.parametrize(
    "text",
    [
        b"a,b\n1,2\n",
        b'{"response_code": 200, "duration": 3}\n',
        b"",
        b'[{"response": 1}]',
        b"[x]\n",
    ],
)
def test_nothing_else_is_claimed(text: bytes) -> None:
    """Tables, and objects that have a code by chance."""
    assert not envoy.claims(Head(Path("a.log"), text))


@given(st.binary(max_size=300) | st.builds(lambda a, b: a[:b], st.sampled_from(
    (DATA / "envoy_json.log").read_bytes().splitlines() + (DATA / "envoy.log").read_bytes().splitlines()
), st.integers(0, 500)))  # fmt: skip
def test_any_bytes_are_an_exchange_or_unreadable(line: bytes) -> None:
    """And claimed or not, without another exception."""
    envoy.claims(Head(Path("a.log"), line))
    with contextlib.suppress(documents.UNREADABLE):
        assert len(envoy.read(line)) == 1
