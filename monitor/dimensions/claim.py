"""A claim of the request's bearer token (RFC 6750, RFC 7519) → text.

The token is read without verification: a claim is what the client says, unless something before us
refuses tokens that are forged. The token itself is kept nowhere.
"""

from __future__ import annotations

import base64
import binascii

from monitor import bodies, json_paths
from monitor.errors import ParseError
from monitor.interfaces import Origin, Reader
from monitor.types import Call

MAX_TOKEN = 16384


def reader(name: str) -> Reader:
    """The claim of that name, else the one at that path; None for what is no signed token."""
    if not name:
        raise ValueError("is empty; give the name of a claim, as role")
    steps: list[json_paths.Step] = []
    if "." in name or "[" in name:
        try:
            steps = json_paths.parsed(f"request.{name}")[1]
        except ValueError:
            steps = []  # a name with a namespace, which is one key

    def read(call: Call) -> str | None:
        scheme, _, token = call.request_headers.get("authorization", "").partition(" ")
        pieces = token.strip().split(".")
        if scheme.lower() != "bearer" or len(pieces) != 3 or len(token) > MAX_TOKEN:
            return None
        try:
            claims = bodies.document(base64.urlsafe_b64decode(pieces[1] + "=="))
        except (ParseError, binascii.Error, ValueError):
            return None
        if isinstance(claims, dict) and name in claims:
            return json_paths.text(claims[name])
        return json_paths.text(json_paths.at(claims, steps)) if steps else None

    return read


def words(name: str) -> str:
    """Where the value stands, for a person."""
    return f"the claim {name} of the bearer token, as the client says it (not verified)"


ORIGIN = Origin("claim", reader, words)
