"""What served an exchange: facts that it states, in headers or bodies, and those of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from monitor.interfaces import Reader
from monitor.types import REPLAY, Call


class Lineage(msgspec.Struct, frozen=True):
    """`constant` are facts by name that every Record has; `headers` are names of the headers that
    state one, the first that an exchange has counts, an answer's before a request's: the endpoint
    knows better than a client what it runs. Whether it is a replay only a request can state.
    `paths` read a fact in a body.
    """

    constant: Mapping[str, str] = {}
    headers: Mapping[str, Sequence[str]] = {}
    paths: Mapping[str, Reader] = {}

    def stated(self, call: Call) -> dict[str, str]:
        """What an exchange states, as it states it."""
        found = {}
        for fact, read in self.paths.items():
            if said := (read(call) or "").strip():
                found[fact] = said
        for fact, names in self.headers.items():
            sides = (call.response_headers, call.request_headers)
            for headers in sides[1:] if fact == REPLAY else sides:
                said = next((said for one in names if (said := headers.get(one, "").strip())), "")
                if said:
                    found[fact] = said
                    break
        return found
