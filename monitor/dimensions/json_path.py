"""A place in the JSON body of a request or an answer → text."""

from __future__ import annotations

from monitor import bodies, json_paths
from monitor.errors import ParseError
from monitor.interfaces import Origin, Reader
from monitor.types import Call


def reader(path: str) -> Reader:
    """The scalar at a path, None where there is none or where the body was cut."""
    side, steps = json_paths.parsed(path)
    is_request = side == "request"

    def read(call: Call) -> str | None:
        body, is_cut = call.response_body, call.response_truncated
        if is_request:
            body, is_cut = call.request_body, call.request_truncated
        if is_cut or not body:
            return None
        try:
            return json_paths.text(json_paths.at(bodies.document(body), steps))
        except ParseError:
            return None

    return read


def words(path: str) -> str:
    """Where the value stands, for a person."""
    side, _, rest = path.partition(".")
    if not rest or "[" in side:
        side, rest = json_paths.parsed(path)[0], path.removeprefix(json_paths.parsed(path)[0])
    return f"{rest} in the JSON body of the {'answer' if side == 'response' else side}"


ORIGIN = Origin("json", reader, words)
