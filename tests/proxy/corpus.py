"""Connections as peers hold them, and as attackers do: what is said, and what is to come of it.

Sources: RFC 9110, 9112, 9113, 6455; the behaviours that proxies are tested for (Go's httputil,
linkerd2-proxy, Traefik, mitmproxy); payloads as in http-garden and in published work on smuggling.
"""

from __future__ import annotations

from dataclasses import dataclass

Brief = tuple[bytes, bytes, bytes, str]
"""Request line, request body, response body, outcome."""


@dataclass(frozen=True)
class Case:
    """`>` the client says, `<` the endpoint says, `>.` and `<.` they say no more; then the end."""

    name: str
    turns: tuple[tuple[str, bytes], ...]
    records: tuple[Brief, ...] = ()
    opaque: str = ""
    lost: int = 0
    """Exchanges under way when the connection turned opaque."""


def case(
    name: str, *turns: tuple[str, bytes], records: list[Brief] | None = None,
    opaque: str = "", lost: int = 0,
) -> Case:  # fmt: skip
    return Case(name, turns, tuple(records or ()), opaque, lost)


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LINE = b"GET / HTTP/1.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
DONE: Brief = (LINE, b"", b"hi", "ok")
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
POSTED = b"POST / HTTP/1.1"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
IN_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: %b\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


FOLLOWED = [
    # --- messages ---
    case("keep-alive", (">", GET), ("<", OK), (">", GET), ("<", OK), records=[DONE, DONE]),
    case(
        "pipelining, answered in order", (">", GET * 3), ("<", OK * 2), ("<", OK),
        records=[DONE] * 3,
    ),
    case(
        "pipelining with bodies",
        (">", POST + b"Content-Length: 3\r\n\r\nabc" + CHUNKED + b"1\r\nd\r\n0\r\n\r\n" + GET), ("<", OK * 3),
        records=[(POSTED, b"abc", b"hi", "ok"), (POSTED, b"d", b"hi", "ok"), DONE],
    ),
    case(
        "chunks with extensions, quoted ones too",
        (">", CHUNKED + b'3;a=1;b="x;y"\r\nabc\r\n2;c\r\nde\r\n0;last\r\n\r\n'), ("<", OK),
        records=[(POSTED, b"abcde", b"hi", "ok")],
    ),
    case("a blank before an extension", (">", CHUNKED + b"2 ;c\r\nde\r\n0\r\n\r\n"), ("<", OK), records=[(POSTED, b"de", b"hi", "ok")]),
    case(
        "chunk sizes in capitals and with zeros in front",
        (">", CHUNKED + b"0A\r\n0123456789\r\n00\r\n\r\n"), ("<", OK),
        records=[(POSTED, b"0123456789", b"hi", "ok")],
    ),
    case(
        "trailers, announced or not",
        (">", GET), ("<", IN_CHUNKS[:-2] + b"Trailer: x-a\r\n\r\n3\r\nabc\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"),
        (">", GET), ("<", OK), records=[(LINE, b"", b"abc", "ok"), DONE],
    ),
    case("an empty chunked body", (">", CHUNKED + b"0\r\n\r\n"), ("<", IN_CHUNKS + b"0\r\n\r\n"), records=[(POSTED, b"", b"", "ok")]),
    case(
        "hop-by-hop fields",
        (">", GET[:-2] + b"Connection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: x\r\n\r\n"),
        ("<", OK), records=[DONE],
    ),
    case(
        "repeated fields, odd case and order, no User-Agent",
        (">", b"GET /%7Ea//b/../c;d?e=f&e=%00&&g HTTP/1.1\r\nhOST: a\r\nCookie: 1\r\nAccept:\r\nCookie: 2\r\n\r\n"),
        ("<", b"HTTP/1.1 200\r\nSet-Cookie: a\r\nset-cookie: b\r\nX:\t \xe9 \r\nContent-Length: 0\r\n\r\n"),
        records=[(b"GET /%7Ea//b/../c;d?e=f&e=%00&&g HTTP/1.1", b"", b"", "ok")],
    ),
    case("a target in absolute form", (">", b"GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n"), ("<", OK), records=[(b"GET http://a/b HTTP/1.1", b"", b"hi", "ok")]),
    case("OPTIONS *", (">", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), ("<", OK), records=[(b"OPTIONS * HTTP/1.1", b"", b"hi", "ok")]),
    case("a method nobody knows", (">", b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n"), ("<", OK), records=[(b"BREW /pot HTTP/1.1", b"", b"hi", "ok")]),
    case(
        "claims of other proxies",
        (">", GET[:-2] + b"Forwarded: for=1\r\nX-Forwarded-For: 1, 2\r\nX-Request-Id: r\r\ntraceparent: 00-1-2-01\r\n\r\n"),
        ("<", OK), records=[DONE],
    ),
    case("a blank line before a request", (">", b"\r\n" + GET), ("<", OK), records=[DONE]),
    case("a blank line after a body, as old browsers send", (">", POST + b"Content-Length: 1\r\n\r\nx\r\n"), ("<", OK), (">", GET), ("<", OK), records=[(POSTED, b"x", b"hi", "ok"), DONE]),
    case(
        "a body that looks like requests",
        (">", POST + b"Content-Length: %d\r\n\r\n" % len(GET) + GET), ("<", OK), (">", GET), ("<", OK),
        records=[(POSTED, GET, b"hi", "ok"), DONE],
    ),
    case(
        "content codings stay",
        (">", POST + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
        ("<", b"HTTP/1.1 500 E\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n\x8b\x00\x80"),
        records=[(POSTED, b"\x1f\x8b\x08\x00", b"\x8b\x00\x80", "server_error")],
    ),
    case(
        "events, with every ending of a line",
        (">", GET), ("<", STREAM + chunk(b"data: a\n\n")), ("<", chunk(b"data: b\r\ndata: c\r\n\r\n")),
        ("<", chunk(b": beat\r\r") + chunk(b"data: ")), ("<", chunk(b"d\r\r")), ("<", b"0\r\n\r\n"),
        records=[(LINE, b"", b"data: a\n\ndata: b\r\ndata: c\r\n\r\n: beat\r\rdata: d\r\r", "ok")],
    ),
    # --- no body, or one that ends with the connection ---
    case(
        "HEAD with the length of GET", (">", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("<", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), (">", GET), ("<", OK),
        records=[(b"HEAD / HTTP/1.1", b"", b"", "ok"), DONE],
    ),
    case(
        "HEAD of chunks", (">", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), ("<", IN_CHUNKS), (">", GET), ("<", OK),
        records=[(b"HEAD / HTTP/1.1", b"", b"", "ok"), DONE],
    ),
    case("204", (">", GET), ("<", b"HTTP/1.1 204 No Content\r\n\r\n"), (">", GET), ("<", OK), records=[(LINE, b"", b"", "ok"), DONE]),
    case(
        "304 with a length", (">", GET), ("<", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        (">", GET), ("<", OK), records=[(LINE, b"", b"", "ok"), DONE],
    ),
    case("until the end", (">", GET), ("<", b"HTTP/1.1 200 OK\r\n\r\npart"), ("<", b" and rest"), ("<.", b""), records=[(LINE, b"", b"part and rest", "ok")]),
    case("HTTP/1.0", (">", b"GET / HTTP/1.0\r\n\r\n"), ("<", b"HTTP/1.0 200 OK\r\n\r\nall"), ("<.", b""), records=[(b"GET / HTTP/1.0", b"", b"all", "ok")]),
    case(
        "HTTP/1.0 kept alive", (">", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        ("<", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"), (">", GET), ("<", OK),
        records=[(b"GET / HTTP/1.0", b"", b"hi", "ok"), DONE],
    ),
    case("Connection: close", (">", GET[:-2] + b"Connection: close\r\n\r\n"), ("<", OK[:-4] + b"Connection: close\r\n\r\nhi"), ("<.", b""), records=[DONE]),
    # --- interim answers, early answers, half-closes ---
    case(
        "100-continue", (">", POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
        ("<", b"HTTP/1.1 100 Continue\r\n\r\n"), (">", b"abc"), ("<", OK), records=[(POSTED, b"abc", b"hi", "ok")],
    ),
    case(
        "100-continue that the client does not wait for",
        (">", POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"), ("<", b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
        records=[(POSTED, b"abc", b"hi", "ok")],
    ),
    case(
        "hints and progress",
        (">", GET), ("<", b"HTTP/1.1 102 Processing\r\n\r\n"), ("<", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2), ("<", OK),
        records=[DONE],
    ),
    case(
        "an answer before the request is through",
        (">", POST + b"Content-Length: 6\r\n\r\nabc"), ("<", b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"),
        (">", b"def"), (">", GET), ("<", OK), records=[(POSTED, b"abcdef", b"", "client_error"), DONE],
    ),
    case(
        "an answer instead of the rest of the request",
        (">", POST + b"Content-Length: 6\r\n\r\nabc"), ("<", b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"), ("<.", b""),
        records=[(POSTED, b"abc", b"", "client_error")],
    ),
    case("a half-close", (">", GET), (">.", b""), ("<", OK), records=[DONE]),
    case("a half-close before the end of a request", (">", POST + b"Content-Length: 6\r\n\r\nabc"), (">.", b""), records=[(POSTED, b"abc", b"", "client_gone")]),
    case("an answer that breaks off", (">", GET), ("<", OK[:-1]), ("<.", b""), records=[(LINE, b"", b"h", "upstream_broken")]),
    case("chunks that break off", (">", GET), ("<", IN_CHUNKS + b"5\r\nab"), ("<.", b""), records=[(LINE, b"", b"ab", "upstream_broken")]),
    case("chunks without the last", (">", GET), ("<", IN_CHUNKS + b"2\r\nab\r\n"), ("<.", b""), records=[(LINE, b"", b"ab", "upstream_broken")]),
    case("no answer", (">", GET), ("<.", b""), records=[(LINE, b"", b"", "upstream_broken")]),
    case("nothing at all", (">.", b"")),
    case("half a head", (">", GET[:20]), (">.", b"")),
    # --- upgrades and tunnels that come to nothing ---
    case(
        "a WebSocket that is declined", (">", GET[:-2] + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
        ("<", b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"), (">", GET), ("<", OK),
        records=[(LINE, b"", b"", "client_error"), DONE],
    ),
    case(
        "h2c that is ignored", (">", GET[:-2] + b"Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: AAAA\r\n\r\n" + GET),
        ("<", OK * 2), records=[DONE, DONE],
    ),
    case("CONNECT that is declined", (">", b"CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n"), ("<", b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n"), (">", GET), ("<", OK), records=[(b"CONNECT b:1 HTTP/1.1", b"", b"", "client_error"), DONE]),
    # --- other protocols that are followed ---
    case(
        "a WebSocket", (">", GET[:-2] + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"), ("<", SWITCH % b"websocket"),
        (">", b"\x81\x82\0\0\0\0hi"), ("<", b"\x81\x02ho\x88\x02\x03\xe8"), (">", b"\x88\x82\0\0\0\0\x03\xe8"),
        records=[(LINE, b'{"type":"text","data":"hi"}{"type":"close","data":"1000"}', b'{"type":"text","data":"ho"}{"type":"close","data":"1000"}', "ok")],
    ),
    case(
        "HTTP/2 with prior knowledge",
        (">", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"), ("<", b"\0\0\0\4\0\0\0\0\0" + b"\0\0\0\4\1\0\0\0\0"),
        (">", b"\0\0\x03\1\5\0\0\0\1\x82\x86\x84"), ("<", b"\0\0\1\1\4\0\0\0\1\x88" + b"\0\0\2\0\1\0\0\0\1hi"),
        records=[(b"GET / HTTP/2", b"", b"hi", "ok")],
    ),
]  # fmt: skip


def request(name: str, said: bytes, reason: str = "ambiguous_length") -> Case:
    """A request that parsers may read in two ways, in front of one that is hidden in it or not."""
    return case(name, (">", said), ("<", OK), opaque=reason)


def answer(name: str, said: bytes, reason: str, records: list[Brief] | None = None) -> Case:
    lost = 0 if records else 1
    return case(name, (">", GET), ("<", said), records=records, opaque=reason, lost=lost)


SMUGGLED = b"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD, FRAMING, CHUNK = "malformed_head", "ambiguous_length", "malformed_chunk"

OPAQUE = [
    # --- lengths ---
    request("CL.TE", POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED),
    request("TE.CL", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n" + SMUGGLED),
    request("two lengths", POST + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"),
    request("the same length twice", POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    request("a list of lengths", POST + b"Content-Length: 3, 3\r\n\r\nabc"),
    *(
        request(f"length {text!r}", POST + b"Content-Length: " + text + b"\r\n\r\nabc")
        for text in (b"+3", b"-3", b"0x3", b"3_0", b"3.0", b"3 3", b'"3"', b"", b"3;", b"\xb2", b"9" * 19, b"3\x0b")
    ),
    *(
        request(f"coding {text!r}", POST + b"Transfer-Encoding: " + text + b"\r\n\r\n" + SMUGGLED)
        for text in (
            b"xchunked", b"chunked, chunked", b"identity", b"gzip, chunked", b"chunked, identity", b"chunked;q=1",
            b"", b",chunked", b"\x0bchunked", b"chunked\x0c", b'"chunked"', b"cow",
        )
    ),
    request("two codings", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + SMUGGLED),
    request("a coding in HTTP/1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED),
    # --- heads ---
    *(
        request(name, said, HEAD)
        for name, said in (
            ("a blank before the colon of a length", POST + b"Content-Length : 3\r\n\r\nabc"),
            ("a blank before the colon of a coding", POST + b"Transfer-Encoding : chunked\r\n\r\n" + SMUGGLED),
            ("a folded field", POST + b"A: b\r\n c\r\n\r\n"),
            ("a folded coding", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + SMUGGLED),
            ("a field in front that is folded", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
            ("a lone newline behind a field", POST + b"A: b\nContent-Length: 3\r\n\r\nabc"),
            ("a lone newline behind the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n"),
            ("lone newlines alone", b"GET / HTTP/1.1\nHost: a\n\n"),
            ("a lone carriage return", POST + b"A: b\rContent-Length: 3\r\n\r\nabc"),
            ("carriage returns twice", b"GET / HTTP/1.1\r\r\nHost: a\r\r\n\r\r\n\r\n"),
            ("NUL in a value", POST + b"A: b\0c\r\n\r\n"),
            ("NUL in a name", POST + b"A\0: b\r\n\r\n"),
            ("no name", POST + b": b\r\n\r\n"),
            ("no colon", POST + b"Content-Length 3\r\n\r\nabc"),
            ("a name that is no token", POST + b"A(b): c\r\n\r\n"),
            ("a name beyond ASCII", POST + b"\xc3\xa9: c\r\n\r\n"),
            ("two blanks in the request line", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a tab in the request line", b"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a blank in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a control character in the target", b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a blank behind the version", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
            ("a version of one's own", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
            ("a version of later days", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
            ("a version in small letters", b"GET / http/1.1\r\nHost: a\r\n\r\n"),
            ("no version, as in HTTP/0.9", b"GET /\r\n\r\n"),
            ("a method that is no token", b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        )
    ),
    request("a head without end", b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000, "head_too_large"),
    # --- chunks ---
    *(
        case(f"chunked: {name}", (">", CHUNKED + said), ("<", OK), opaque=CHUNK, lost=1)
        for name, said in (
            ("0x", b"0x3\r\nabc\r\n0\r\n\r\n"), ("a sign", b"+3\r\nabc\r\n0\r\n\r\n"), ("a minus", b"-3\r\nabc\r\n0\r\n\r\n"),
            ("an underscore", b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n"), ("no size", b"\r\nabc\r\n0\r\n\r\n"),
            ("blanks in front", b" 3\r\nabc\r\n0\r\n\r\n"), ("a size beyond all", b"f" * 17 + b"\r\nabc\r\n0\r\n\r\n"),
            ("a lone newline", b"3\nabc\r\n0\r\n\r\n"), ("a lone newline behind the data", b"3\r\nabc\n0\r\n\r\n"),
            ("nothing behind the data", b"3\r\nabc0\r\n\r\n"), ("more data than said", b"3\r\nabcd\r\n0\r\n\r\n"),
            ("a newline in an extension", b"3;a\nb\r\nabc\r\n0\r\n\r\n"), ("a carriage return in one", b"3;a\rb\r\nabc\r\n0\r\n\r\n"),
            ("trailers without a colon", b"0\r\nabc\r\n\r\n"), ("trailers that are folded", b"0\r\nA: b\r\n c\r\n\r\n"),
            ("a lone newline in trailers", b"0\r\nA: b\nC: d\r\n\r\n"),
        )
    ),
    # --- answers ---
    answer("an answer with a length and a coding", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", FRAMING),
    answer("an answer with two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", FRAMING),
    answer("an answer with a signed length", b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", FRAMING),
    answer("an answer that is gzip all the way", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi", FRAMING),
    answer("an answer with a folded field", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", HEAD),
    answer("an answer with lone newlines", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", HEAD),
    answer("an answer without a status", b"HTTP/1.1 OK\r\n\r\n", HEAD),
    answer("an answer with a status of four digits", b"HTTP/1.1 2000 OK\r\n\r\n", HEAD),
    answer("an answer in HTTP/0.9", b"<html>hello</html>", HEAD),
    answer("an answer in Shoutcast", b"ICY 200 OK\r\n\r\n", HEAD),
    answer("chunks of an answer with 0x", IN_CHUNKS + b"0x2\r\nhi\r\n0\r\n\r\n", CHUNK),
    answer("two answers", OK + OK, "unsolicited_response", [DONE]),
    answer("an answer and some bytes", OK + b"\0", "unsolicited_response", [DONE]),
    case("an answer to nothing", (">", GET), ("<", OK), ("<", OK), records=[DONE], opaque="unsolicited_response"),
    # --- tunnels ---
    case(
        "CONNECT", (">", b"CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n"), ("<", b"HTTP/1.1 200 OK\r\n\r\n"), (">", b"\x16\x03\x01"), ("<", b"\x16\x03\x03"),
        records=[(b"CONNECT b:1 HTTP/1.1", b"", b"", "ok")], opaque="connect",
    ),
    case(
        "an upgrade to a protocol of one's own", (">", GET[:-2] + b"Upgrade: chat\r\nConnection: upgrade\r\n\r\n"),
        ("<", SWITCH % b"chat" + b"hello"), (">", b"\0\1"), ("<", b"\2"), records=[(LINE, b"", b"", "ok")], opaque="upgrade",
    ),
    case(
        "h2c by upgrade, the way around many proxies", (">", GET[:-2] + b"Upgrade: h2c\r\nConnection: upgrade\r\n\r\n"),
        ("<", SWITCH % b"h2c"), (">", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("<", b"\0\0\0\4\0\0\0\0\0"),
        records=[(LINE, b"", b"", "ok")], opaque="upgrade",
    ),
    # --- no HTTP at all ---
    case("TLS", (">", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), ("<", b"\x15\x03\x01\x00\x02\x02\x46"), opaque="tls"),
    case("bytes", (">", bytes(range(256))), ("<", bytes(range(255, -1, -1))), opaque="not_http"),
    case("Redis", (">", b"*1\r\n$4\r\nPING\r\n"), ("<", b"+PONG\r\n"), opaque="not_http"),
    case("SSH, where both begin", ("<", b"SSH-2.0-OpenSSH_9.2\r\n"), (">", b"SSH-2.0-OpenSSH_9.6\r\n"), ("<", b"\0\0\4"), opaque="unsolicited_response"),
    case("PROXY protocol", (">", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GET), ("<", OK), opaque=HEAD),
]  # fmt: skip

CASES = FOLLOWED + OPAQUE
