"""A dialect that holds another one's bodies → the Call that the other one's reader reads.

Clouds pass on what a model's own server is sent and says, in frames of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor import bodies
from monitor.chat import arrival, error_part, is_throttle
from monitor.errors import ParseError
from monitor.framings import aws_eventstream
from monitor.interfaces import Protocol
from monitor.transcript import INCOMPLETE
from monitor.types import Call, Inference

EVENTS = "text/event-stream"
_NAMES = (b":exception-type", b":error-code")
"""A message that is an error has a header of one of these names."""


@dataclass(frozen=True)
class Envelope:
    """`opened` is the Call in the dialect inside, whose path tells whose it is; `closed` puts what
    was read of it back under the envelope's name."""

    name: str
    claims: Callable[[Call], bool]
    opened: Callable[[Call], Call]
    closed: Callable[[Call, Inference], Inference]

    def around(self, inner: tuple[Protocol, ...]) -> Protocol:
        """The protocol that reads what is inside as the first of `inner` that claims it."""

        def read(call: Call) -> Inference:
            opened = self.opened(call)
            return self.closed(
                call, next(each for each in inner if each.claims(opened)).read(opened)
            )

        read.__doc__ = self.opened.__doc__
        return Protocol(self.name, self.claims, read)


def unwrapped(call: Call, path: str, kind: str, pieces: Iterable[tuple[bytes, int]]) -> Call:
    """The Call whose answer is these pieces, each with the offset behind it in the body that it
    came in: they keep their times."""
    body = bytearray()
    arrivals = []
    for data, end in pieces:
        body += data
        at = arrival(call, end)
        if at is not None:
            arrivals.append((at, len(body)))
    return msgspec.structs.replace(
        call,
        path=path,
        response_headers=call.response_headers | {"content-type": kind},
        response_body=(bodies.Cut if call.response_truncated else bodies.Body)(body),
        arrivals=arrivals,
    )


def event(data: bytes) -> bytes:
    """One event of an event stream.

    >>> event(b'{"a": 1}')
    b'data: {"a": 1}\\n\\n'
    """
    return b"data: " + b"\ndata: ".join(data.splitlines()) + b"\n\n"


def failed(call: Call, found: Inference) -> Inference:
    """What was read, with the errors that came in an AWS event stream behind it."""
    errors = _errors(call) if aws_eventstream.is_stream(call.response_headers) else []
    if not errors:
        return found
    parts = [part for one in errors for part in error_part(one)]
    reasons = [reason for reason in found.finish_reasons if reason != INCOMPLETE]
    return msgspec.structs.replace(
        found.saying(found.outputs + parts),
        finish_reasons=reasons,
        failed=True,
        incomplete=False,
        throttled=found.throttled or any(map(is_throttle, errors)),
    )


def _errors(call: Call) -> list[bytes]:
    """Each as JSON; most streams have none, which is seen without reading them once more."""
    body = call.response_body
    if not any(name in body for name in _NAMES):
        return []
    return [
        _error(one)
        for one in aws_eventstream.messages(body)
        if one.headers.get(":message-type") in ("exception", "error")
    ]


def _error(message: aws_eventstream.Message) -> bytes:
    """
    >>> headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    >>> _error(aws_eventstream.Message(headers, b'{"message": "Wait"}', 9))
    b'{"error":{"type":"throttlingException","message":"Wait"}}'
    """
    said = message.headers.get(":error-message")
    if said is None:
        given = members(message.payload)
        said = given.get("message", given.get("Message")) or bodies.text(message.payload)
    name = message.headers.get(":exception-type", message.headers.get(":error-code"))
    return bodies.dump({"error": {"type": name, "message": said}}).encode()


def members(body: bytes) -> dict[str, Any]:
    """The members of a JSON object, or of its beginning; none of anything else.

    >>> members(b'{"a": 1}'), members(b"[1]"), members(b"x")
    ({'a': 1}, {}, {})
    """
    try:
        found = bodies.beginning(body)
    except ParseError:
        return {}
    return found if isinstance(found, dict) else {}
