"""Access logs of Envoy → exchanges without bodies.

The default format as text, Istio's beside it, and objects with the usual names. `%DURATION%` is
milliseconds from the start of a request, `-` is nothing, and flags tell who ended it.
"""

from __future__ import annotations

import re
from typing import Any

from monitor import packing
from monitor.errors import ParseError
from monitor.foreign import access, documents, heads
from monitor.foreign.fields import number
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome

_LINE = re.compile(
    r'\[(?P<at>\d{4}-[^\]]{10,30})\] "(?P<method>\S+) (?P<target>\S+)(?: (?P<protocol>\S+))?" '
    r"(?P<status>\d+|-) (?P<flags>[A-Z,]+|-) "
    r'(?:\S+ \S+ "[^"]*" )?'  # Istio: details of the answer, of the end, of the transport's failure
    r"(?P<received>\d+|-) (?P<sent>\d+|-) (?P<duration>\d+|-) (?:\d+|-) "
    r'"(?P<rest>.*)"[^"]*', re.DOTALL
)  # fmt: skip
_LAST = re.compile(r'" "([^"]*)" "([^"]*)" "([^"]*)$')
"""Request id, authority and upstream, from the end: Envoy escapes no quotes in a user agent."""

_NAMES = {
    "at": ("start_time", "timestamp", "@timestamp", "time"),
    "method": ("method", ":method", "http_method", "request_method"),
    "target": ("path", "x-envoy-original-path", ":path", "request_path", "url_path", "uri_path"),
    "status": ("response_code", "status", "code", "http_status"),
    "flags": ("response_flags", "flags"),
    "duration": ("duration", "duration_ms", "total_duration"),
    "received": ("bytes_received",),
    "sent": ("bytes_sent",),
    "host": ("authority", ":authority", "host", "upstream_cluster"),
    "trace": ("traceparent", "trace_id", "x-b3-traceid"),
    "id": ("request_id", "x_request_id", "x-request-id"),
}
_OWN = {"upstream_service_time", "upstream_host", "upstream_cluster", "response_code_details",
        "bytes_received", "start_time"}  # fmt: skip

FLAGS = {
    "DC": Outcome.CLIENT_GONE, "DR": Outcome.CLIENT_GONE,
    "UT": Outcome.UPSTREAM_TIMEOUT, "DT": Outcome.UPSTREAM_TIMEOUT,
    "UMSDR": Outcome.UPSTREAM_TIMEOUT,
    "UF": Outcome.UPSTREAM_REFUSED, "UH": Outcome.UPSTREAM_REFUSED,
    "DF": Outcome.UPSTREAM_REFUSED, "NC": Outcome.UPSTREAM_REFUSED,
    "UC": Outcome.UPSTREAM_BROKEN, "UR": Outcome.UPSTREAM_BROKEN, "UPE": Outcome.UPSTREAM_BROKEN,
    "RL": Outcome.RATE_LIMITED,
}  # fmt: skip
"""What flags say of how an exchange ended; the others leave that to the status."""

_choose = access.chosen(_NAMES)


def claims(head: Head) -> bool:
    """Whether the first line, or most are of Envoy's, or an object with its names."""
    if heads.text_of(head).startswith(b"{"):
        row = heads.first(head)
        return "response_flags" in row or ("response_code" in row and len(_OWN & row.keys()) >= 2)
    return heads.are_mostly(head, _LINE, access.LONGEST)


def read(line: bytes) -> list[Logged]:
    """The exchange of a line; raises what `foreign.documents` counts as unreadable."""
    if line[:1] == b"{":
        return [_exchange(_choose(access.row(line)))]
    match = _LINE.fullmatch(line.decode("utf-8", "replace").rstrip())
    if match is None:
        raise ParseError("is no line of Envoy's access log")
    found = match.groupdict()
    if last := _LAST.search(found.pop("rest")):
        found["id"], found["host"] = last[1], last[2]
    return [_exchange({key: said for key, said in found.items() if said != "-"})]


def _exchange(found: dict[str, Any]) -> Logged:
    duration = number(found.get("duration"))
    status = found.get("status")
    return access.exchange(
        started=access.clock(found.get("at")),
        duration=duration / 1000 if duration else None,
        status=None if status in (0, "0") else status,
        outcome=_outcome(found.get("flags")),
        method=found.get("method"),
        target=found.get("target"),
        host=found.get("host"),
        received=found.get("received"),
        sent=found.get("sent"),
        trace=found.get("trace"),
        id_=found.get("id"),
    )


def _outcome(flags: Any) -> Outcome | None:
    """How it ended by the first flag that says so.

    >>> _outcome("URX,UF").value, _outcome("DC").value, _outcome("NR"), _outcome(None)
    ('upstream_refused', 'client_gone', None, None)
    """
    if not isinstance(flags, str):
        return None
    return next((FLAGS[one] for one in flags.split(",") if one in FLAGS), None)


SOURCE = Source(
    "envoy", packing.named(".log"), claims, exchanges=documents.each(read, documents.lines)
)
