"""Access logs of nginx → exchanges without bodies.

`combined` and what others (Apache) write like it, with a request time behind it or without; and
objects of `escape=json` whose names are those of nginx's variables. Times are seconds, written when
an exchange ended. Where several servers were tried a variable is a list, as `0.1, 0.2 : 0.3`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitor import packing
from monitor.counts import count
from monitor.errors import ParseError
from monitor.foreign import access, documents, heads
from monitor.foreign.fields import number
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome

GONE = 499
"""nginx's status of an exchange whose client closed the connection first."""

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(
    r'\S+ \S+ [^\["]*\[([^\]]{20,30})\] ' + _TEXT + r" (\d{3}) (\d+|-)"
    r"(?: " + _TEXT + " " + _TEXT + ")?(?P<rest>.*)", re.DOTALL
)  # fmt: skip
_TIME = re.compile(r'(?:(?:rt|request_time|rtime)[=:])?"?(\d{1,9}\.\d{3})"?(?=[\s,]|$)')
"""The request time: behind the fields of `combined`, or by one of its names."""
_REQUEST = re.compile(r"([A-Z]{1,20}) (\S+)(?: HTTP/[\d.]+)?")
_SEPARATOR = re.compile(r"[,:\s]+")

_NAMES = {
    "at": ("msec", "time_iso8601", "time_local", "@timestamp", "timestamp", "time"),
    "request": ("request",),
    "method": ("request_method", "method"),
    "target": ("request_uri", "uri", "path", "url"),
    "status": ("status", "status_code", "response_code"),
    "duration": ("request_time",),
    "tries": ("upstream_response_time",),
    "connected": ("upstream_connect_time",),
    "answered": ("upstream_header_time",),
    "sent": ("body_bytes_sent", "bytes_sent"),
    "received": ("content_length", "http_content_length"),
    "host": ("host", "http_host", "server_name"),
    "trace": ("http_traceparent", "traceparent", "trace_id"),
    "id": ("request_id", "http_x_request_id", "x_request_id"),
}
_OWN = {"request_time", "body_bytes_sent", "request_uri", "time_iso8601", "time_local", "msec",
        "upstream_response_time", "upstream_status", "remote_addr", "http_user_agent"}  # fmt: skip
"""Names of variables that nobody else's logs have, two of which are enough."""

_choose = access.chosen(_NAMES)


def claims(head: Head) -> bool:
    """Whether the first line, or most are of `combined`, or an object of nginx's variables."""
    if heads.text_of(head).startswith(b"{"):
        row = heads.first(head)
        return "status" in row and len(_OWN & row.keys()) >= 2
    return heads.are_mostly(head, _LINE, access.LONGEST)


def read(line: bytes) -> list[Logged]:
    """The exchange of a line; raises what `foreign.documents` counts as unreadable."""
    if line[:1] == b"{":
        return [_of_variables(access.row(line))]
    match = _LINE.fullmatch(line.decode("utf-8", "replace").rstrip())
    if match is None:
        raise ParseError("is no line of an access log")
    at, request, status, sent = match[1], match[2], match[3], match[4]
    time = _TIME.search(match["rest"]) if match["rest"] else None
    duration = float(time[1]) if time else None
    method, target = _asked(request)
    return [
        access.exchange(
            started=access.ended_at(access.clock(at), duration), duration=duration or None,
            status=status, outcome=_outcome(int(status), {}), method=method, target=target,
            sent=sent,
        )
    ]  # fmt: skip


def _of_variables(said: Mapping[str, Any]) -> Logged:
    found = _choose(said)
    status = count(found.get("status"))
    duration = number(found.get("duration"))
    if duration is None:
        duration = access.total(_list(found.get("tries")))
    method, target = found.get("method"), found.get("target")
    if method is None or target is None:
        method, target = _asked(found.get("request"))
    return access.exchange(
        started=access.ended_at(access.clock(found.get("at")), duration),
        duration=duration or None,
        status=status,
        outcome=None if status is None else _outcome(status, said),
        method=method,
        target=target,
        host=found.get("host"),
        received=found.get("received"),
        sent=found.get("sent"),
        trace=found.get("trace"),
        id_=found.get("id"),
    )


def _asked(request: Any) -> tuple[str, str]:
    """Method and target of a request line; nothing of what is none, as a handshake of TLS."""
    match = _REQUEST.fullmatch(request) if isinstance(request, str) else None
    return (match[1], match[2]) if match else ("", "")


def _outcome(status: int, said: Mapping[str, Any]) -> Outcome | None:
    """How it ended where the status does not tell: who sent a 502 or 504 can be seen from how far
    the last try came."""
    if status == GONE:
        return Outcome.CLIENT_GONE
    if status not in (502, 504) or "upstream_header_time" not in said:
        return None
    if _list(said["upstream_header_time"])[-1:] != ["-"]:
        return None  # it is the upstream's own answer
    if status == 504:
        return Outcome.UPSTREAM_TIMEOUT
    is_connected = _list(said.get("upstream_connect_time"))[-1:] != ["-"]
    return Outcome.UPSTREAM_BROKEN if is_connected else Outcome.UPSTREAM_REFUSED


def _list(said: Any) -> Sequence[str]:
    return _SEPARATOR.split(str(said).strip()) if said not in (None, "") else ()


SOURCE = Source(
    "nginx", packing.named(".log"), claims, exchanges=documents.each(read, documents.lines)
)
