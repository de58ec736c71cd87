"""Edits: Host and X-Forwarded-For change, nothing else does, and nothing goes by unedited."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.proxy.edits import Edits
from monitor.proxy.heads import Ambiguous

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
UPGRADED = UPGRADE.replace(b"Host: a", b"Host: api.example.com")


def edits(host: bytes = b"api.example.com", peer: bytes = b"") -> Edits:
    return Edits(host=host, peer=peer)


def refused(data: bytes, **how: object) -> str:
    with pytest.raises(Ambiguous) as raised:
        edits(**how).feed(data)  # type: ignore[arg-type]
    return str(raised.value.args[0])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Host: 127.0.0.1:8080", b"Host: api.example.com"),
        (b"hOST:a", b"hOST:api.example.com"),
        (b"X: 1\r\nhost:  a  \r\nY:2", b"X: 1\r\nhost:  api.example.com  \r\nY:2"),
        (b"Host:", b"Host:api.example.com"),
        (b"X-Host: a\r\nHost: b", b"X-Host: a\r\nHost: api.example.com"),
        (b"Y: Host: a\r\nHost: b", b"Y: Host: a\r\nHost: api.example.com"),
    ],
)
def test_only_the_value_of_host_changes(before: bytes, after: bytes) -> None:
    """Its spelling, its place, the space around it and all other fields stay."""
    request = b"GET /a?b HTTP/1.1\r\n%b\r\n\r\n"
    assert edits().feed(request % before) == request % after


def test_a_request_without_host_gets_one() -> None:
    """HTTP/1.0 clients may leave it out."""
    edited = edits().feed(b"GET / HTTP/1.0\r\nX: 1\r\n\r\n")
    assert edited == b"GET / HTTP/1.0\r\nHost: api.example.com\r\nX: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"A: 1\r\n", b"A: 1\r\nX-Forwarded-For: 192.0.2.7\r\n"),
        (
            b"x-forwarded-for: 10.0.0.1\r\nA: 1\r\n",
            b"x-forwarded-for: 10.0.0.1, 192.0.2.7\r\nA: 1\r\n",
        ),
        (
            b"X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n",
            b"X-Forwarded-For: a\r\nX-Forwarded-For: b\r\nX-Forwarded-For: 192.0.2.7\r\n",
        ),
    ],
)
def test_the_peer_is_the_last_of_forwarded_for(before: bytes, after: bytes) -> None:
    """Whatever the client claims stands before it."""
    request = b"GET / HTTP/1.1\r\n%b\r\n"
    assert edits(b"", b"192.0.2.7").feed(request % before) == request % after


@given(st.data())
def test_bodies_pass_verbatim_however_they_are_cut(data: st.DataObject) -> None:
    """Any pipeline of requests in any pieces comes out as it went in, but for Host."""
    body = st.binary(max_size=40)
    pieces = []
    for _ in range(data.draw(st.integers(1, 4))):
        content = data.draw(body)
        if data.draw(st.booleans()):
            head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(content)
            pieces.append(head + content)
        else:
            chunks = [b"%x;x=Host: a\r\n%b\r\n" % (len(content), content)] if content else []
            head = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nhost: a\r\n\r\n"
            pieces.append(head + b"".join(chunks) + b"0\r\nTrailer: Host: a\r\n\r\n")
    stream = b"".join(pieces)
    edited = b"".join(
        re.sub(rb"(?i)\r\nhost: a", lambda m: m[0][:-1] + b"api.example.com", piece, count=1)
        for piece in pieces
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    one = edits()
    out = [one.feed(stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert b"".join(out) == edited


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_edited_or_refused(data: bytes, cut: int) -> None:
    """Nothing else is raised, and nothing passes that is no request."""
    one = edits()
    try:
        passed = one.feed(data[:cut]) + one.feed(data[cut:])
    except Ambiguous:
        return
    assert b"HTTP/1." in passed or PREFACE.startswith(passed)


def test_what_could_be_read_in_two_ways_is_refused() -> None:
    """Each would be a way past the edit."""
    assert refused(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == "malformed_head"
    assert refused(b"GET http://other/ HTTP/1.1\r\nHost: a\r\n\r\n") == "malformed_head"
    assert refused(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n") == "malformed_head"
    assert refused(b"GET / HTTP/1.1\nHost: a\n\n\r\n\r\n") == "malformed_head"
    assert refused(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n") == "connect"
    assert refused(b"GET / HTTP/1.1\r\nuPgRaDe: x\r\n\r\n") == "malformed_head"
    assert refused(b"X" * 70000) == "head_too_large"
    both = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert refused(b"POST / HTTP/1.1\r\n" + both) == "ambiguous_length"


def test_http2_is_edited_only_where_it_begins_the_connection() -> None:
    """A preface behind requests is none."""
    one = edits()
    assert one.feed(PREFACE[:7]) + one.feed(PREFACE[7:]) == PREFACE
    assert one.http2
    assert refused(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + PREFACE) == "malformed_head"


def test_a_websocket_passes_once_the_endpoint_agrees() -> None:
    """What the client says before that waits."""
    one = edits()
    assert one.feed(UPGRADE + b"early") == UPGRADED
    assert one.feed(b"frame") == b""
    assert one.decided("websocket") == b"earlyframe"
    assert one.feed(b"GET / HTTP/1.1") == b"GET / HTTP/1.1"


def test_a_declined_upgrade_leaves_requests_to_be_edited() -> None:
    """Also after a body, as curl --http2 sends it."""
    h2c = b"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi"
    for request in (UPGRADE, h2c):
        one = edits()
        assert one.feed(request + UPGRADE) == request.replace(b"Host: a", b"Host: api.example.com")
        assert one.decided("") == UPGRADED


def test_an_upgrade_to_another_protocol_ends_it() -> None:
    """HTTP/2 inside would carry requests that nobody edits."""
    one = edits()
    one.feed(UPGRADE)
    with pytest.raises(Ambiguous):
        one.decided("h2c")
    with pytest.raises(Ambiguous):
        one.feed(b"x")


def test_waiting_is_bounded() -> None:
    """A client that floods while the endpoint thinks is refused."""
    one = edits()
    one.feed(UPGRADE)
    with pytest.raises(Ambiguous):
        one.feed(bytes(70000))
