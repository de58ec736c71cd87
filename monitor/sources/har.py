"""HTTP archives (HAR 1.2), which browsers and proxies save → exchanges with their bodies.

Of headers the type of a body alone is looked at: cookies and credentials stand among the others.
Bodies are there as they were decoded, so a content coding says nothing any more.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from monitor import packing
from monitor.counts import count
from monitor.errors import ParseError
from monitor.foreign import access, documents, heads
from monitor.foreign.fields import moment, named, number
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome

_ERRORS = {
    "ABORTED": Outcome.CLIENT_GONE, "CONNECTION_REFUSED": Outcome.UPSTREAM_REFUSED,
    "NAME_NOT_RESOLVED": Outcome.UPSTREAM_REFUSED, "TIMED_OUT": Outcome.UPSTREAM_TIMEOUT,
    "CONNECTION_TIMED_OUT": Outcome.UPSTREAM_TIMEOUT, "CONNECTION_RESET": Outcome.UPSTREAM_BROKEN,
    "CONNECTION_CLOSED": Outcome.UPSTREAM_BROKEN, "EMPTY_RESPONSE": Outcome.UPSTREAM_BROKEN,
    "INCOMPLETE_CHUNKED_ENCODING": Outcome.UPSTREAM_BROKEN,
    "HTTP2_PROTOCOL_ERROR": Outcome.UPSTREAM_BROKEN,
}  # fmt: skip
"""What Chrome says behind `net::ERR_` where there is no status, in members of its own (`_error`) or
of Playwright's (`_failureText`)."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def claims(head: Head) -> bool:
    """Whether the file is an object `log` with entries, or with who made it before these."""
    if not head.text.startswith(b"{"):
        return False
    log = heads.first(head).get("log")
    return isinstance(log, dict) and bool(log.keys() & {"entries", "creator"})


def read(row: bytes) -> list[Logged]:
    """The exchange of an entry; raises what `foreign.documents` counts as unreadable."""
    entry = _decode(row)
    asked, answer = _object(entry, "request"), _object(entry, "response")
    url = asked.get("url")
    if not isinstance(url, str):
        raise ParseError("request.url: is missing")
    status = count(answer.get("status")) or None
    time = number(entry.get("time"))
    content = answer.get("content")
    content = content if isinstance(content, dict) else {}
    given = asked.get("postData")
    given = given if isinstance(given, dict) else {}
    response = _text(content.get("text"), content.get("encoding"))
    size = _size(content.get("size"), answer.get("bodySize"))
    where = access.path(url)
    return [
        Logged(
            started=moment(entry.get("startedDateTime")),
            duration=time / 1000 if time is not None and time > 0 else None,
            status=status,
            outcome=None if status else _outcome(answer),
            method=access.method_of(asked.get("method")),
            target=where,
            segments=named(route=access.route(where), host=_host(url)),
            request=_posted(given),
            response=response,
            request_headers=_typed(given),
            response_headers=_typed(content),
            request_size=_size(asked.get("bodySize")),
            response_size=len(response) if size is None else size,
            response_truncated=size is not None and 0 < len(response) < size,
        )
    ]


def _object(entry: dict[str, Any], key: str) -> dict[str, Any]:
    found = entry.get(key)
    if not isinstance(found, dict):
        raise ParseError(f"{key}: is not an object")
    return found


def _outcome(answer: dict[str, Any]) -> Outcome | None:
    said = answer.get("_error", answer.get("_failureText"))
    return _ERRORS.get(said.removeprefix("net::ERR_")) if isinstance(said, str) else None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _size(*said: Any) -> int | None:
    """The first that is a size; -1 is unknown."""
    return next((found for one in said if (found := count(one))), None)


def _typed(given: dict[str, Any]) -> dict[str, str]:
    said = given.get("mimeType")
    if not isinstance(said, str) or said in ("", "x-unknown") or not said.isprintable():
        return {}
    return {"content-type": said[:200]}


def _posted(given: dict[str, Any]) -> bytes:
    if text := given.get("text"):
        return _text(text, given.get("encoding", given.get("_encoding")))
    params = given.get("params")
    fields = [
        (str(one.get("name", "")), str(one.get("value", "")))
        for one in (params if isinstance(params, list) else ())
        if isinstance(one, dict)
    ]
    return urlencode(fields, errors="replace").encode()


def _text(said: Any, encoding: Any) -> bytes:
    if not isinstance(said, str):
        return b""
    if encoding == "base64":
        try:
            return base64.b64decode(said, validate=True)
        except (binascii.Error, ValueError):
            raise ParseError("content.text: is not base64") from None
    return said.encode("utf-8", "replace")


SOURCE = Source(
    "har", packing.named(".har"), claims,
    exchanges=documents.each(read, documents.within(b"entries")),
)  # fmt: skip
