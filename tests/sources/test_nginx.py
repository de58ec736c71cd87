"""What nginx wrote in truth is read as what happened; of who asked nothing stays."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.damage import Damage
from monitor.foreign import documents
from monitor.interfaces import Head
from monitor.logged import Logged
from monitor.replay import files
from monitor.sources import nginx
from tests.sources.logs import DATA, logged

WRITTEN = ["nginx.log", "nginx_time.log", "nginx_json.log"]

HAPPENED = [
    ("POST", "/v1/chat/completions", 200, "ok"), ("POST", "/v1/chat/completions", 200, "ok"),
    ("GET", "/v1/models", 200, "ok"),
    ("GET", "/v1/users/ada.lovelace@example.org/files/12345", 200, "ok"),
    ("POST", "/status/429", 429, "rate_limited"), ("POST", "/status/500", 500, "server_error"),
    ("POST", "/status/404", 404, "client_error"),
    ("POST", "/gone/v1/completions", 502, "upstream_refused"),
    ("POST", "/slow/v1/completions", 504, "upstream_timeout"),
    ("POST", "/slow/v1/completions", 499, "client_gone"),
    ("POST", "/broken", 502, "upstream_broken"), ("POST", "/nowhere", 200, "ok"),
    ("POST", "/fallback", 200, "ok"), ("-", "", 400, "client_error"),
]  # fmt: skip


def read(name: str) -> list[Logged]:
    return logged(name, "nginx")


@pytest.mark.parametrize("name", WRITTEN)
def test_each_exchange_is_what_it_was(name: str) -> None:
    """With the times of how far an upstream came it is known who failed; without, only that."""
    told = [
        (one.method, one.target, one.status, one.ended and one.ended.value) for one in read(name)
    ]
    if name != "nginx_json.log":
        unknown = {"upstream_refused", "upstream_timeout", "upstream_broken"}
        known = [(*one[:3], "server_error" if one[3] in unknown else one[3]) for one in HAPPENED]
        assert told == known
    else:
        assert told == HAPPENED


def test_times_are_seconds_and_logged_at_the_end() -> None:
    """The exchange that took 1 s began 1 s before its line; of a list the whole counts."""
    slow = read("nginx_json.log")[8]
    line = json.loads(
        (DATA / "nginx_json.log").read_bytes().splitlines()[8].decode("utf-8", "replace")
    )
    assert slow.duration == line["request_time"] == pytest.approx(1.0, abs=0.02)
    assert slow.started == pytest.approx(line["msec"] - line["request_time"])
    assert read("nginx_time.log")[8].duration == slow.duration
    assert (slow.request_size, slow.response_size, slow.segments) == (
        13, 167, {"route": "/slow/v1/completions", "host": "models.example.com"},
    )  # fmt: skip
    assert read("nginx_json.log")[1].trace_id == "0af7651916cd43dd8448eb211c80319c"
    (tried,) = nginx.read(
        b'{"status":"200","request_uri":"/a","upstream_response_time":"0.1, 0.2 : 0.3, -"}'
    )
    assert tried.duration == pytest.approx(0.6)
    assert (tried.status, tried.method, tried.started) == (200, "-", None)


@pytest.mark.parametrize("name", WRITTEN)
def test_of_who_asked_nothing_stays(name: str) -> None:
    """No address, user agent, query or key."""
    said = msgspec.json.encode(read(name)).decode()
    for secret in ("127.0.0.1", "curl", "sk-abc", "api_key", "user="):
        assert secret not in said


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (r'::1 - kim [01/Jan/2026:00:00:01 +0100] "GET /a\x22b?x=1 HTTP/2.0" 304 - "-" "-"', "GET /a\\x22b 304 1767222001"),
        ('h - - [01/Jan/2026:00:00:00 +0000] "GET http://a.example/b?c=d HTTP/1.1" 200 5', "GET /b 200 1767225600"),
        ('h - - [01/Jan/2026:00:00:10 +0000] "GET /a HTTP/1.1" 200 5 "-" "x" rt=2.500 uct="0.001"', "GET /a 200 1767225607.5"),
        ('h - - [01/Jan/2026:00:00:10 +0000] "GET /a HTTP/1.1" 200 5 "-" "rt=1.000"', "GET /a 200 1767225610"),
        ('{"@timestamp":"2026-01-01T00:00:00Z","request":"PUT /a HTTP/1.1","status":201,"request_time":"-","body_bytes_sent":3}', "PUT /a 201 1767225600"),
    ],
)  # fmt: skip
def test_lines_of_others_are_read(line: str, expected: str) -> None:
    """Apache's, absolute targets, other names and places of the time."""
    (one,) = nginx.read(line.encode())
    assert f"{one.method} {one.target} {one.status} {one.started:.12g}" == expected


def test_a_broken_line_costs_itself_alone(tmp_path: Path) -> None:
    """It is counted by its place; nothing of it is repeated."""
    good = (DATA / "nginx.log").read_bytes().splitlines(keepends=True)[0]
    path = tmp_path / "access.log"
    path.write_bytes(
        good * 2 + b"secret ada@example.org\n\n" + good + b'{"status":1}\n' + good[:60]
    )
    damage = Damage()
    ((_, source),) = files.find([str(path)])
    assert source.exchanges is not None
    assert len(list(source.exchanges([path], damage))) == 3
    assert [(one.place, one.error) for one in damage.listed()] == [
        (f"{path}:3", "is no line of an access log"),
        (f"{path}:6", "says neither a status nor how it ended"),
        (f"{path}:7", "is no line of an access log"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"a,b\n1,2\n", b'{"status": 200, "duration": 3}\n', b"", b"\xff\xfe",
        b'{"request_time": 1, "price": 2}\n', b"10.0.0.1 - - hello\n",
    ],
)  # fmt: skip
def test_nothing_else_is_claimed(text: bytes) -> None:
    """Tables, and objects that have a status by chance."""
    assert not nginx.claims(Head(Path("a.log"), text))


@given(st.binary(max_size=300) | st.builds(lambda a, b: a[:b], st.sampled_from(
    (DATA / "nginx_json.log").read_bytes().splitlines() + (DATA / "nginx.log").read_bytes().splitlines()
), st.integers(0, 500)))  # fmt: skip
def test_any_bytes_are_an_exchange_or_unreadable(line: bytes) -> None:
    """And claimed or not, without an exception."""
    nginx.claims(Head(Path("a.log"), line))
    with contextlib.suppress(documents.UNREADABLE):
        assert len(nginx.read(line)) == 1
