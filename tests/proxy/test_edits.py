"""Edits: Host and X-Forwarded-For change, nothing else does, and nothing goes by unedited."""

from __future__ import annotations

import re

import h11
import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.proxy.edits import Edits
from monitor.proxy.heads import Ambiguous

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
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


class Read:
    """What llhttp reads in a head: its fields, names in lower case."""

    def __init__(self, head: bytes) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.target = b""
        httptools.HttpRequestParser(self).feed_data(head)

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.strip(b" \t")))


PEER, NAME = b"192.0.2.7", b"api.example.com"
CLAIMS = [
    b"", b"10.0.0.1", b"x-forwarded-for: 10.0.0.1", b"X-Forwarded-For:10.0.0.1", b"Host: a",
    b"a", b"host:a", b", ", b"\tx-forwarded-for:\t10.0.0.1 ", b"x-forwarded-for: 10.0.0.1, 192.0.2.7",
    b"10.0.0.1\r\n x-forwarded-for: 10.0.0.1", b"a\r\n\tHost: a",
]  # fmt: skip
FORGED = b"X-Forwarded-For: 10.0.0.1"
NAMES = [
    b"Host", b"hOST", b"x-forwarded-for", b"X-FORWARDED-For", b"X_Forwarded_For", b"X-Host", b"A",
    b"X-X-Forwarded-For", b"Upgraded", b"Forwarded",
]  # fmt: skip


LINES = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from([b"", b" ", b"  \t"]),
        st.sampled_from(CLAIMS) | st.from_regex(rb"[!-~]{0,20}", fullmatch=True),
    ),
    max_size=7,
)


@st.composite
def fields(draw: st.DrawFn) -> list[tuple[bytes, bytes, bytes]]:
    """Lines of a head; before one of them stands another whose value is a copy of it."""
    lines = draw(LINES)
    if lines and draw(st.booleans()):
        copied = draw(st.sampled_from(lines))
        lines.insert(
            0, (draw(st.sampled_from([b"A", b"X-Forwarded-For"])), b" ", b"%b:%b%b" % copied)
        )
    return lines


@given(
    fields(),
    st.sampled_from([b"/", b"/x-forwarded-for:10.0.0.1", b"/Host:a", b"*"]),
    st.sampled_from([b"", NAME]),
    st.sampled_from([b"", PEER]),
)
@example([(b"A", b" ", FORGED), (b"X-Forwarded-For", b" ", b"10.0.0.1")], b"/", NAME, PEER)
@settings(max_examples=150)
def test_other_parsers_find_the_edit_in_the_field_and_nowhere_else(
    lines: list[tuple[bytes, bytes, bytes]], target: bytes, host: bytes, peer: bytes
) -> None:
    """Values that read like the field, targets too, and fields in other cases, twice or folded."""
    head = b"GET %b HTTP/1.1\r\n%b\r\n" % (
        target, b"".join(b"%b:%b%b\r\n" % line for line in lines),
    )  # fmt: skip
    try:
        edited = edits(host, peer).feed(head)
    except Ambiguous:
        names = [name.lower() for name, *_ in lines]
        folded = any(b"\r\n" in value for *_, value in lines)
        assert (
            folded or (host and names.count(b"host") > 1) or (peer and b"x_forwarded_for" in names)
        )
        return
    before, after = Read(head), Read(edited)
    wanted = [(name, host if host and name == b"host" else value) for name, value in before.fields]
    claims = [at for at, (name, _) in enumerate(wanted) if name == b"x-forwarded-for"]
    if peer and len(claims) == 1:
        claim = wanted[claims[0]][1]
        wanted[claims[0]] = b"x-forwarded-for", b", ".join(filter(None, (claim, peer)))
    elif peer:
        wanted.append((b"x-forwarded-for", peer))
    if host and (b"host", host) not in wanted:
        wanted.insert(0, (b"host", host))
    assert (after.target, after.fields) == (target, wanted)
    if [name for name, _ in wanted].count(b"host") == 1:
        server = h11.Connection(h11.SERVER)
        server.receive_data(edited)
        request = server.next_event()
        assert isinstance(request, h11.Request)
        assert list(request.headers) == wanted


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
    assert refused(b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n") == "malformed_head"
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


def test_an_upgrade_is_known_by_its_name_in_any_spelling() -> None:
    """It waits for the endpoint; a value that reads like one does not."""
    one = edits()
    odd = b"GET / HTTP/1.1\r\nHost: a\r\nuPgRaDe: x\r\n\r\n"
    assert one.feed(odd + GET) == odd.replace(b"Host: a", b"Host: api.example.com")
    assert one.decided("") == GET.replace(b"Host: a", b"Host: api.example.com")
    two = edits()
    talk = b"GET / HTTP/1.1\r\nHost: a\r\nX: uPgRaDe: x\r\n\r\n"
    assert two.feed(talk * 2) == talk.replace(b"Host: a", b"Host: api.example.com") * 2


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
